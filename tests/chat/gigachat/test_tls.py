import datetime as dt
import hashlib
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

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
from chat.gigachat.tls import (
    ClientCertificate,
    build_ssl_context,
    build_tls_error,
    get_ssl_context,
    is_certificate_alert,
    is_cut_handshake,
)
from tests.chat.gigachat.scripted import Authority

DAY = dt.timedelta(days=1)


def build_root(*, not_before: dt.datetime, not_after: dt.datetime) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root of a test")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .sign(key, hashes.SHA256())
    )


def write_root(folder: Path, root: x509.Certificate) -> tuple[str, str]:
    path = folder / "root.pem"
    path.write_bytes(root.public_bytes(Encoding.PEM))
    return str(path), hashlib.sha256(root.public_bytes(Encoding.DER)).hexdigest()


def test_build_context_trusts_the_pinned_root_only_and_verifies_names(authority: Authority) -> None:
    context = build_ssl_context(authority.file, authority.sha256)
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_build_context_accepts_upper_case_and_colons(authority: Authority) -> None:
    pairs = [authority.sha256[start : start + 2].upper() for start in range(0, 64, 2)]
    assert len(build_ssl_context(authority.file, ":".join(pairs)).get_ca_certs()) == 1


def test_build_context_accepts_der(authority: Authority, tmp_path: Path) -> None:
    path = tmp_path / "root.cer"
    pem = Path(authority.file).read_bytes()
    path.write_bytes(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER))
    assert len(build_ssl_context(str(path), authority.sha256).get_ca_certs()) == 1


@pytest.mark.parametrize("sha256", ["", ":", "00" * 32, "zz" * 32, "12"])
def test_build_context_with_wrong_or_no_fingerprint_is_refused(authority: Authority, sha256: str) -> None:
    with pytest.raises(AuthorityMismatch):
        build_ssl_context(authority.file, sha256)


def test_build_context_with_another_certificate_is_refused(authority: Authority, other_authority: Authority) -> None:
    with pytest.raises(AuthorityMismatch):
        build_ssl_context(other_authority.file, authority.sha256)


def test_build_context_without_file_is_refused(authority: Authority, tmp_path: Path) -> None:
    for path in (tmp_path / "absent.pem", tmp_path):
        with pytest.raises(AuthorityMissing):
            build_ssl_context(str(path), authority.sha256)


@pytest.mark.parametrize("content", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"])
def test_build_context_without_certificate_is_refused(authority: Authority, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "root.pem"
    path.write_bytes(content)
    with pytest.raises(AuthorityUnreadable):
        build_ssl_context(str(path), authority.sha256)


def test_build_context_with_a_second_certificate_is_refused(
    authority: Authority, other_authority: Authority, tmp_path: Path
) -> None:
    path = tmp_path / "root.pem"
    path.write_bytes(Path(authority.file).read_bytes() + Path(other_authority.file).read_bytes())
    with pytest.raises(AuthorityUnreadable):
        build_ssl_context(str(path), authority.sha256)


@pytest.mark.parametrize("shift", [-10 * DAY, 10 * DAY])
def test_build_context_outside_the_validity_dates_is_refused(tmp_path: Path, shift: dt.timedelta) -> None:
    moment = dt.datetime.now(dt.UTC) + shift
    file, sha256 = write_root(tmp_path, build_root(not_before=moment - DAY, not_after=moment + DAY))
    with pytest.raises(AuthorityExpired):
        build_ssl_context(file, sha256)


def test_get_context_twice_returns_one_object(authority: Authority) -> None:
    assert get_ssl_context(authority.file, authority.sha256) is get_ssl_context(authority.file, authority.sha256)


def test_is_cut_handshake_looks_through_the_causes() -> None:
    outer = OSError("outer")
    outer.__cause__ = ssl.SSLEOFError()
    assert is_cut_handshake(outer)
    assert not is_cut_handshake(ssl.SSLCertVerificationError())


def test_get_context_with_client_certificate_holds_both(authority: Authority, tmp_path: Path) -> None:
    certificate = authority.issue_client_certificate(tmp_path)
    context = get_ssl_context(authority.file, authority.sha256, certificate)
    assert len(context.get_ca_certs()) == 1
    assert context is get_ssl_context(authority.file, authority.sha256, certificate)
    assert context is not get_ssl_context(authority.file, authority.sha256)


def test_client_certificate_with_encrypted_key_needs_its_password(authority: Authority, tmp_path: Path) -> None:
    certificate = authority.issue_client_certificate(tmp_path, password="open sesame")
    assert get_ssl_context(authority.file, authority.sha256, certificate) is not None
    for password in ("", "wrong"):
        with pytest.raises(ClientCertificateUnreadable):
            get_ssl_context(authority.file, authority.sha256, replace(certificate, password=password))
    assert "open sesame" not in repr(certificate)


def test_client_certificate_and_key_in_one_file_are_read(authority: Authority, tmp_path: Path) -> None:
    parts = authority.issue_client_certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(Path(parts.cert_file).read_bytes() + Path(parts.key_file).read_bytes())
    certificate = ClientCertificate(cert_file=str(both), key_file=str(both))
    assert get_ssl_context(authority.file, authority.sha256, certificate) is not None


@pytest.mark.parametrize("name", ["cert_file", "key_file"])
def test_client_certificate_without_file_is_missing(authority: Authority, tmp_path: Path, name: str) -> None:
    certificate = replace(authority.issue_client_certificate(tmp_path), **{name: str(tmp_path / "absent.pem")})
    with pytest.raises(ClientCertificateMissing):
        get_ssl_context(authority.file, authority.sha256, certificate)


def test_client_certificate_that_is_none_or_not_of_the_key_is_unreadable(authority: Authority, tmp_path: Path) -> None:
    certificate = authority.issue_client_certificate(tmp_path)
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")
    (tmp_path / "other").mkdir()
    other = authority.issue_client_certificate(tmp_path / "other")
    for wrong in (replace(certificate, cert_file=str(nonsense)), replace(certificate, key_file=other.key_file)):
        with pytest.raises(ClientCertificateUnreadable):
            get_ssl_context(authority.file, authority.sha256, wrong)


def test_client_certificate_that_ended_is_unreadable(authority: Authority, tmp_path: Path) -> None:
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = authority.issue_client_certificate(tmp_path, not_before=past, not_after=past + DAY)
    with pytest.raises(ClientCertificateUnreadable):
        get_ssl_context(authority.file, authority.sha256, certificate)


def build_tls_fault(reason: str) -> OSError:
    cause = ssl.SSLError()
    cause.reason = reason
    outer = OSError("outer")
    outer.__cause__ = cause
    return outer


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", ClientCertificateRejected),
        ("TLSV1_ALERT_UNKNOWN_CA", ClientCertificateRejected),
        ("SSLV3_ALERT_BAD_CERTIFICATE", ClientCertificateRejected),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", ClientCertificateRejected),
        ("CERTIFICATE_VERIFY_FAILED", TlsRefused),
        ("WRONG_VERSION_NUMBER", TlsRefused),
    ],
)
def test_build_tls_error_tells_whose_certificate_is_wrong(reason: str, kind: type[GigaChatError]) -> None:
    assert type(build_tls_error(build_tls_fault(reason))) is kind
    assert is_certificate_alert(build_tls_fault(reason)) is (kind is ClientCertificateRejected)


def test_build_tls_error_of_cut_handshake_is_unreachable() -> None:
    outer = OSError("outer")
    outer.__cause__ = ConnectionResetError()
    assert type(build_tls_error(outer)) is Unreachable
