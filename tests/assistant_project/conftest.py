"""A root certificate and an empty database for tests that need them."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import trustme
from pytest_django import Settings

from assistant_project.environment import parse_database_url
from chat.gigachat.tls import get_fingerprint, parse_certificate


@pytest.fixture
def authority(settings: Settings, tmp_path: Path) -> Path:
    """The settings pin a fresh root certificate; its file is returned."""
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    settings.GIGACHAT_CA_FILE = str(path)
    settings.GIGACHAT_CA_SHA256 = get_fingerprint(parse_certificate(path.read_bytes()))
    return path


@pytest.fixture
def empty_database() -> Iterator[str]:
    """URL of a fresh database on the server of the tests."""
    url: str = os.environ["TEST_DATABASE_URL"]
    name = f"demo_{secrets.token_hex(4)}"
    entry = parse_database_url(url)
    with psycopg.connect(host=entry["HOST"], user=entry["USER"], dbname=entry["NAME"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield url.rpartition("/")[0] + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
