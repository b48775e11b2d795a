import datetime as dt
import hashlib
import io
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command
from pytest_django import Settings

from chat.management.commands import gigachat_certs
from tests.chat.gigachat.conftest import authority, make_authority, other_authority, server
from tests.chat.gigachat.scripted import Authority, ScriptedServer
from tests.chat.gigachat.test_tls import DAY, build_root

__all__ = ["authority", "make_authority", "other_authority", "server"]


@pytest.fixture
def target(settings: Settings, tmp_path: Path, authority: Authority) -> Path:
    """Where the command installs; nothing is there yet, not even the folder."""
    settings.GIGACHAT_CA_FILE = str(tmp_path / "certs" / "root.pem")
    settings.GIGACHAT_CA_SHA256 = authority.sha256
    return Path(settings.GIGACHAT_CA_FILE)


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("gigachat_certs", *arguments, stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


def refuse(*arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert caught.value.returncode == 1
    return str(caught.value)


def pin_root(settings: Settings, path: Path, *, days_left: int) -> None:
    now = dt.datetime.now(dt.UTC)
    root = build_root(not_before=now - 100 * DAY, not_after=now + days_left * DAY + dt.timedelta(hours=1))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(root.public_bytes(Encoding.PEM))
    settings.GIGACHAT_CA_FILE = str(path)
    settings.GIGACHAT_CA_SHA256 = hashlib.sha256(root.public_bytes(Encoding.DER)).hexdigest()


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_install_from_file_with_the_pinned_certificate_writes_pem(
    target: Path, tmp_path: Path, authority: Authority, encoding: Encoding
) -> None:
    certificate = x509.load_pem_x509_certificate(Path(authority.file).read_bytes())
    source = tmp_path / "download"
    source.write_bytes(certificate.public_bytes(encoding))
    out, _ = run("install", "--from", str(source))
    assert f"installed: {target}" in out
    assert target.read_bytes() == certificate.public_bytes(Encoding.PEM)
    assert target.stat().st_mode & 0o777 == 0o644
    assert list(target.parent.iterdir()) == [target]


def test_install_over_an_older_file_replaces_it(target: Path, authority: Authority) -> None:
    target.parent.mkdir()
    target.write_text("old")
    run("install", "--from", authority.file)
    assert target.read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_install_of_another_certificate_writes_nothing(target: Path, other_authority: Authority) -> None:
    assert "GIGACHAT_CA_SHA256" in refuse("install", "--from", other_authority.file)
    assert not target.parent.exists()


@pytest.mark.parametrize(("content", "reason"), [(b"<html>", "exactly one certificate"), (None, "cannot be read")])
def test_install_from_unusable_file_writes_nothing(
    target: Path, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    source = tmp_path / "download"
    if content is not None:
        source.write_bytes(content)
    assert reason in refuse("install", "--from", str(source))
    assert not target.exists()


def test_install_of_expired_certificate_writes_nothing(settings: Settings, tmp_path: Path) -> None:
    source = tmp_path / "download.pem"
    pin_root(settings, source, days_left=-2)
    settings.GIGACHAT_CA_FILE = str(tmp_path / "root.pem")
    assert "validity" in refuse("install", "--from", str(source))
    assert not (tmp_path / "root.pem").exists()


def test_install_where_nothing_can_be_written_says_so(target: Path, authority: Authority) -> None:
    target.parent.write_text("a file where the folder should be")
    assert "cannot be written" in refuse("install", "--from", authority.file)


@pytest.fixture
def official_page(
    server: ScriptedServer, authority: Authority, target: Path, monkeypatch: pytest.MonkeyPatch
) -> ScriptedServer:
    """The official address stands at a local server whose authority counts as public."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority.file)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(gigachat_certs, "OFFICIAL_ADDRESS", f"{server.origin}/root.crt")
    return server


def test_install_without_file_fetches_the_official_address(
    official_page: ScriptedServer, target: Path, authority: Authority
) -> None:
    official_page.page = Path(authority.file).read_bytes()
    run("install")
    assert target.read_bytes() == official_page.page


def test_install_of_a_fetched_other_certificate_writes_nothing(
    official_page: ScriptedServer, target: Path, other_authority: Authority
) -> None:
    official_page.page = Path(other_authority.file).read_bytes()
    assert "GIGACHAT_CA_SHA256" in refuse("install")
    assert not target.exists()


def test_install_when_the_address_fails_says_what_to_do(official_page: ScriptedServer, target: Path) -> None:
    message = refuse("install")
    assert "HTTPError" in message
    assert "--from FILE" in message
    assert not target.exists()


def test_install_from_an_address_that_does_not_verify_writes_nothing(
    official_page: ScriptedServer, target: Path, other_authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", other_authority.file)
    assert "SSLError" in refuse("install")
    assert not target.exists()


def test_official_address_is_https() -> None:
    assert gigachat_certs.OFFICIAL_ADDRESS.startswith("https://gu-st.ru/")


def test_check_of_installed_certificate_shows_it_and_does_not_warn(target: Path, authority: Authority) -> None:
    run("install", "--from", authority.file)
    out, err = run("check")
    assert f"sha256: {authority.sha256}" in out
    assert "the pinned one" in out
    assert re.search(r"not before: \d{4}-\d\d-\d\dT", out)
    assert re.search(r"not after: \d{4}-\d\d-\d\dT", out)
    assert err == ""


@pytest.mark.parametrize(("days_left", "warns"), [(0, True), (90, True), (91, False)])
def test_check_warns_ninety_days_ahead(settings: Settings, tmp_path: Path, days_left: int, *, warns: bool) -> None:
    pin_root(settings, tmp_path / "root.pem", days_left=days_left)
    out, err = run("check")
    assert f"days left: {days_left}\n" in out
    assert (err == f"warning: the certificate ends in {days_left} days\n") is warns


def test_check_without_file_fails(target: Path) -> None:
    assert "cannot be read" in refuse("check")


def test_check_of_another_certificate_fails(settings: Settings, target: Path, other_authority: Authority) -> None:
    settings.GIGACHAT_CA_FILE = other_authority.file
    assert "GIGACHAT_CA_SHA256" in refuse("check")


def test_check_of_expired_certificate_fails(settings: Settings, tmp_path: Path) -> None:
    pin_root(settings, tmp_path / "root.pem", days_left=-2)
    assert "validity" in refuse("check")
