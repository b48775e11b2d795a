"""The one TLS context for GigaChat: it trusts the pinned root certificate and nothing else, and holds our own.

Both in one context, for a library that builds its own from a part of the settings loses the other part.

The root is a state authority able to sign any name, so it never enters a shared trust store, and its SHA-256 is
checked before use. Intermediates and leaves are not pinned: they change. No setting turns verification off.
"""

import datetime as dt
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from chat.gigachat.errors import (
    AuthorityExpired,
    AuthorityMismatch,
    AuthorityMissing,
    AuthorityUnreadable,
    ClientCertificateMissing,
    ClientCertificateRejected,
    ClientCertificateUnreadable,
    GigaChatError,
    TlsRefused,
    Unreachable,
)

FINGERPRINT_CHARACTERS = 64
MAX_FILE_BYTES = 64 * 1024


# How a server says in TLS that it wants another certificate of us, or one at all.
CERTIFICATE_ALERTS = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_UNKNOWN_CA",
    "ALERT_ACCESS_DENIED",
    "ALERT_HANDSHAKE_FAILURE",  # TLS 1.2, and no certificate at all
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """Our certificate with its chain, PEM; `key_file` may be the same file, `password` is empty for a bare key."""

    cert_file: str
    key_file: str
    password: str = field(default="", repr=False)


@cache
def get_ssl_context(
    ca_file: str, ca_sha256: str, client_certificate: ClientCertificate | None = None
) -> ssl.SSLContext:
    """Return this process's context for these files, built once; a changed file needs a restart.

    Raises: AuthorityRefused, ClientCertificateRefused
    """
    context = build_ssl_context(ca_file, ca_sha256)
    if client_certificate is not None:
        load_client_certificate(context, client_certificate)
    return context


def build_ssl_context(ca_file: str, ca_sha256: str) -> ssl.SSLContext:
    """Return a client context that trusts only the pinned certificate, checks host names, and speaks TLS 1.2 or newer.

    ca_sha256  SHA-256 of the certificate's DER, 64 hexadecimal digits, colons allowed
    Raises: AuthorityRefused
    """
    certificate = load_authority(ca_file, ca_sha256)
    # PROTOCOL_TLS_CLIENT requires a certificate and checks the host name; no default authority is loaded.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_verify_locations(cadata=certificate.public_bytes(Encoding.DER))
    return context


def load_client_certificate(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Put our certificate and key into the context.

    Raises: ClientCertificateMissing, ClientCertificateUnreadable
    """
    try:
        # Always a password, an empty one too: without it OpenSSL would ask the terminal.
        context.load_cert_chain(certificate.cert_file, certificate.key_file, lambda: certificate.password)
        leaf = x509.load_pem_x509_certificates(Path(certificate.cert_file).read_bytes())[0]
    except (ssl.SSLError, ValueError) as error:
        raise ClientCertificateUnreadable from error
    except OSError as error:
        raise ClientCertificateMissing from error
    if not leaf.not_valid_before_utc <= dt.datetime.now(dt.UTC) <= leaf.not_valid_after_utc:
        raise ClientCertificateUnreadable


def load_authority(ca_file: str, ca_sha256: str) -> x509.Certificate:
    """Return the pinned certificate.

    Raises: AuthorityMissing, AuthorityUnreadable, AuthorityMismatch, AuthorityExpired
    """
    certificate = parse_certificate(read_file(ca_file))
    verify_fingerprint(certificate, ca_sha256)
    verify_validity(certificate)
    return certificate


def read_file(path: str) -> bytes:
    """Return the file's bytes, as far as a certificate could reach.

    Raises: AuthorityMissing
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise AuthorityMissing from error


def parse_certificate(content: bytes) -> x509.Certificate:
    """Return the only certificate in `content`, PEM or DER.

    Raises: AuthorityUnreadable when there is none, or more than one
    """
    try:
        if b"-----BEGIN" not in content:
            return x509.load_der_x509_certificate(content)
        certificates = x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise AuthorityUnreadable from error
    if len(certificates) != 1:
        raise AuthorityUnreadable
    return certificates[0]


def verify_fingerprint(certificate: x509.Certificate, ca_sha256: str) -> None:
    """Raises: AuthorityMismatch, also for an empty or malformed `ca_sha256`: the pin cannot be left out."""
    expected = ca_sha256.replace(":", "").strip().lower()
    if len(expected) != FINGERPRINT_CHARACTERS or get_fingerprint(certificate) != expected:
        raise AuthorityMismatch


def verify_validity(certificate: x509.Certificate) -> None:
    """Raises: AuthorityExpired, also before the certificate's first day."""
    if not certificate.not_valid_before_utc <= dt.datetime.now(dt.UTC) <= certificate.not_valid_after_utc:
        raise AuthorityExpired


def get_fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the certificate's DER in lower-case hexadecimal."""
    return certificate.fingerprint(SHA256()).hex()


def build_tls_error(error: BaseException) -> GigaChatError:
    """Return what a library's error about TLS means."""
    if is_certificate_alert(error):
        return ClientCertificateRejected()
    return Unreachable() if is_cut_handshake(error) else TlsRefused()


def is_cut_handshake(error: BaseException) -> bool:
    """Whether the peer only went away while the connection was being made: that refuses nothing and may pass."""
    return any(isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError) for cause in walk(error))


def is_certificate_alert(error: BaseException) -> bool:
    """Whether the peer wants another certificate of us; in TLS 1.3 we learn it only after our first request."""
    # aiohttp's own children of SSLError have no reason.
    reasons = (getattr(cause, "reason", None) for cause in walk(error) if isinstance(cause, ssl.SSLError))
    return any(isinstance(reason, str) and reason.endswith(CERTIFICATE_ALERTS) for reason in reasons)


def walk(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what led to it. urllib3 wraps without raising: the inner error is then an argument only."""
    found: list[BaseException] = [error]
    for cause in found:
        yield cause
        inner = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        found += [one for one in inner if isinstance(one, BaseException) and one not in found]
