"""`manage.py gigachat_certs install|check`: the root certificate that GigaChat's hosts are verified against."""

import datetime as dt
import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from typing_extensions import override

from chat.gigachat.errors import AuthorityRefused
from chat.gigachat.headers import USER_AGENT
from chat.gigachat.sync_transport import read_bounded
from chat.gigachat.tls import (
    MAX_FILE_BYTES,
    get_fingerprint,
    parse_certificate,
    read_file,
    verify_fingerprint,
    verify_validity,
)

# An ordinary page under the public authorities. What makes its content trustworthy is only the pinned fingerprint.
OFFICIAL_ADDRESS = "https://gu-st.ru/content/lending/russian_trusted_root_ca_pem.crt"
FETCH_SECONDS = (10.0, 30.0)
WARNING_DAYS = 90
EXPLANATIONS = {
    "authority_missing": "the file cannot be read",
    "authority_unreadable": "the file does not hold exactly one certificate, PEM or DER",
    "authority_mismatch": "the SHA-256 of the certificate is not GIGACHAT_CA_SHA256",
    "authority_expired": "the certificate is outside its validity dates",
}


class Command(BaseCommand):
    help = "Install or check the root certificate that GigaChat's hosts are verified against."

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        install = actions.add_parser("install", help="write GIGACHAT_CA_FILE, only if the fingerprint matches")
        install.add_argument(
            "--from", dest="source", type=Path, metavar="FILE", help="read this PEM or DER file, fetch nothing"
        )
        actions.add_parser("check", help=f"show the installed certificate; warn {WARNING_DAYS} days before it ends")

    @override
    def handle(self, *args: Any, action: str, **options: Any) -> None:
        try:
            if action == "install":
                self._install(options["source"])
            else:
                self._check()
        except AuthorityRefused as error:
            raise CommandError(f"refused: {EXPLANATIONS[error.code]}") from error

    def _install(self, source: Path | None) -> None:
        content = fetch_certificate(OFFICIAL_ADDRESS) if source is None else read_file(str(source))
        certificate = parse_certificate(content)
        verify_fingerprint(certificate, settings.GIGACHAT_CA_SHA256)
        verify_validity(certificate)
        target = Path(settings.GIGACHAT_CA_FILE)
        write_atomically(target, certificate.public_bytes(Encoding.PEM))
        self.stdout.write(f"installed: {target}")
        self._show(certificate)

    def _check(self) -> None:
        self.stdout.write(f"file: {settings.GIGACHAT_CA_FILE}")
        certificate = parse_certificate(read_file(settings.GIGACHAT_CA_FILE))
        days_left = self._show(certificate)
        verify_fingerprint(certificate, settings.GIGACHAT_CA_SHA256)
        verify_validity(certificate)
        if days_left <= WARNING_DAYS:
            self.stderr.write(self.style.WARNING(f"warning: the certificate ends in {days_left} days"))

    def _show(self, certificate: x509.Certificate) -> int:
        """Print what an operator compares by eye; return the whole days left."""
        days_left = (certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)).days
        self.stdout.write(f"subject: {certificate.subject.rfc4514_string()}")
        self.stdout.write(f"sha256: {get_fingerprint(certificate)}")
        self.stdout.write(f"not before: {certificate.not_valid_before_utc.isoformat()}")
        self.stdout.write(f"not after: {certificate.not_valid_after_utc.isoformat()}")
        self.stdout.write(f"days left: {days_left}")
        return days_left


def fetch_certificate(address: str) -> bytes:
    """Return what the address serves, verified against the public authorities as any page.

    Raises: CommandError
    """
    try:
        with requests.get(address, headers={"User-Agent": USER_AGENT}, timeout=FETCH_SECONDS, stream=True) as response:
            response.raise_for_status()
            return read_bounded(response, MAX_FILE_BYTES)
    except requests.RequestException as error:
        raise CommandError(
            f"{address} cannot be fetched ({type(error).__name__}); "
            "download it elsewhere and say `gigachat_certs install --from FILE`"
        ) from error


def write_atomically(target: Path, content: bytes) -> None:
    """Replace the file in one step: a reader sees the old certificate or the new one, never a part.

    Raises: CommandError
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as folder:
            temporary = Path(folder) / target.name
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)  # a certificate is public; every worker must read it
            temporary.replace(target)
    except OSError as error:
        raise CommandError(f"{target} cannot be written: {error.strerror}") from error
