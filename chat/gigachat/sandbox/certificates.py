"""The sandbox's own certificate authority: root kept over restarts, intermediate and leaf made at each start.

Like the real chain, the listeners send the intermediate and a client needs to trust the root only.
"""

import datetime as dt
import hashlib
import os
import ssl
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from chat.gigachat.sandbox.settings import Contour, SandboxSettings, ServerCertificate

_RENEW_BEFORE = dt.timedelta(days=30)
_ORGANIZATION = "GigaChat sandbox, not a real authority"


def write_private(path: Path, content: bytes) -> None:
    """Write `content` in one step, readable by the owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


class Authority:
    """The root of one state directory, and what it signs."""

    def __init__(self, state_dir: Path) -> None:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ca_file = state_dir / "ca.pem"
        self._key_file = state_dir / "ca.key"
        self._root = self._load_root() or self._make_root()
        self._issuer = self._root.create_child_ca()

    @property
    def ca_sha256(self) -> str:
        """SHA-256 of the root's DER in upper-case hex pairs with colons, as openssl prints it."""
        der = x509.load_pem_x509_certificate(self._root.cert_pem.bytes()).public_bytes(Encoding.DER)
        return _format_fingerprint(der)

    def build_server_context(self, settings: SandboxSettings) -> ssl.SSLContext:
        """Return what a listener needs; on the bank-internal contour it demands a certificate of this authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._issue_leaf(settings).configure_cert(context)
        if settings.contour is Contour.B2BANK:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cafile=str(self.ca_file))
        return context

    def write_client_certificate(self, state_dir: Path) -> tuple[Path, Path]:
        """Issue a client certificate and return the paths of its chain and its key."""
        leaf = self._issuer.issue_cert("bank.sandbox", common_name="bank")
        chain_file, key_file = state_dir / "client.pem", state_dir / "client.key"
        write_private(chain_file, b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        write_private(key_file, leaf.private_key_pem.bytes())
        return chain_file, key_file

    def _issue_leaf(self, settings: SandboxSettings) -> trustme.LeafCert:
        if settings.certificate is ServerCertificate.WRONG_HOST:
            return self._issuer.issue_cert("somewhere-else.invalid")
        names = dict.fromkeys(("localhost", "127.0.0.1", "::1", settings.host))
        names.pop("0.0.0.0", None)  # noqa: S104 - an address to listen on is not a name to be called by
        if settings.certificate is ServerCertificate.EXPIRED:
            yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
            return self._issuer.issue_cert(*names, not_before=yesterday - _RENEW_BEFORE, not_after=yesterday)
        return self._issuer.issue_cert(*names)

    def _load_root(self) -> trustme.CA | None:
        if not (self.ca_file.exists() and self._key_file.exists()):
            return None
        pem, key_pem = self.ca_file.read_bytes(), self._key_file.read_bytes()
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            key = load_pem_private_key(key_pem, password=None)
        except ValueError:
            return None
        remaining = certificate.not_valid_after_utc - dt.datetime.now(dt.UTC)
        # A start that died between its two writes leaves a pair that does not match.
        if remaining < _RENEW_BEFORE or certificate.public_key() != key.public_key():
            return None
        return trustme.CA.from_pem(pem, key_pem)

    def _make_root(self) -> trustme.CA:
        root = trustme.CA(organization_name=_ORGANIZATION, organization_unit_name="Sandbox Root CA")
        write_private(self._key_file, root.private_key_pem.bytes())
        write_private(self.ca_file, root.cert_pem.bytes())
        return root


def _format_fingerprint(der: bytes) -> str:
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))
