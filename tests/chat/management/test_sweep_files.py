"""The command says what it did, and fails when GigaChat could not be asked."""

import json
from io import StringIO
from pathlib import Path

import pytest
import trustme
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from chat.engine.sweep import SweepReport
from chat.enums import CopyState
from chat.management.commands.sweep_files import describe_report
from chat.models import GigaChatFile
from chat.services.copies import begin_copy
from tests.chat.gigachat.conftest import build_authority
from tests.chat.gigachat.scripted import CREDENTIALS
from tests.factories.accounts import make_customer
from tests.factories.files import store

pytestmark = pytest.mark.django_db


@pytest.fixture
def unreachable(settings: Settings, tmp_path: Path) -> None:
    """Settings that are right, of a GigaChat that nobody answers for, and an empty storage."""
    authority = build_authority(trustme.CA(), tmp_path)
    settings.GIGACHAT_CREDENTIALS = CREDENTIALS.authorization_key
    settings.GIGACHAT_AUTH_URL = "https://127.0.0.1:1/oauth"
    settings.GIGACHAT_BASE_URL = "https://127.0.0.1:1/v1"
    settings.GIGACHAT_CA_FILE = authority.file
    settings.GIGACHAT_CA_SHA256 = authority.sha256
    settings.GIGACHAT_RETRIES = 0
    settings.STORAGES = {**settings.STORAGES}


def sweep(*arguments: str) -> str:
    out = StringIO()
    call_command("sweep_files", *arguments, stdout=out)
    return out.getvalue().strip()


def test_sweep_files_with_nothing_due_asks_nobody(unreachable: None) -> None:
    assert sweep() == "nothing was due"


def test_sweep_files_in_json_names_every_count(unreachable: None) -> None:
    assert json.loads(sweep("--json")) == {
        "retired": 0,
        "erased": 0,
        "strays": 0,
        "withdrawn": 0,
        "vanished": 0,
        "orphans": 0,
        "given_up": 0,
        "fault": "",
    }


def test_sweep_files_without_a_usable_client_says_what_is_wrong(settings: Settings) -> None:
    settings.GIGACHAT_CREDENTIALS = "not base64 of a pair"

    with pytest.raises(CommandError, match="credentials_malformed"):
        sweep()


def test_sweep_files_that_cannot_ask_gigachat_says_so_and_fails(
    unreachable: None, capsys: pytest.CaptureFixture[str]
) -> None:
    begin_copy(store(make_customer()), "pseudonym")
    GigaChatFile.objects.update(provider_id="x", state=CopyState.UPLOADED, expires_at=timezone.now())

    with pytest.raises(SystemExit) as caught:
        call_command("sweep_files")

    assert caught.value.code == 1
    assert capsys.readouterr().out.startswith("nothing was due; GigaChat was not swept: ")


def test_describe_report_names_only_what_was_done() -> None:
    assert describe_report(SweepReport(retired=2, orphans=1)) == "retired: 2, orphans: 1"
    assert describe_report(SweepReport(fault="unreachable")) == ("nothing was due; GigaChat was not swept: unreachable")
