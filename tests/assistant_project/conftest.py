"""A root certificate for tests that need a valid one."""

from pathlib import Path

import pytest
import trustme
from pytest_django import Settings

from chat.gigachat.tls import get_fingerprint, parse_certificate


@pytest.fixture
def authority(settings: Settings, tmp_path: Path) -> Path:
    """The settings pin a fresh root certificate; its file is returned."""
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    settings.GIGACHAT_CA_FILE = str(path)
    settings.GIGACHAT_CA_SHA256 = get_fingerprint(parse_certificate(path.read_bytes()))
    return path
