"""The private authority: kept, renewed, and refused by a client that checks."""

import datetime as dt
import hashlib
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chat.gigachat.sandbox import Contour, Sandbox, ServerCertificate
from chat.gigachat.sandbox.certificates import Authority, write_private
from tests.chat.gigachat.sandbox.conftest import StartSandbox
from tests.chat.gigachat.sandbox.wire import call, chat, exchange


def read_mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def make_expiring_pair() -> tuple[bytes, bytes]:
    """Return PEM of a root that ends tomorrow, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "old")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), key_pem


def test_authority_is_kept_over_restarts_and_private(tmp_path: Path) -> None:
    first = Authority(tmp_path / "state")
    second = Authority(tmp_path / "state")

    assert first.ca_sha256 == second.ca_sha256
    assert read_mode(tmp_path / "state") == 0o700
    assert read_mode(tmp_path / "state" / "ca.key") == 0o600


def test_fingerprint_is_of_the_der(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    der = ssl.PEM_cert_to_DER_cert(authority.ca_file.read_text())

    assert authority.ca_sha256.replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    assert len(authority.ca_sha256.split(":")) == 32


def bring_to_its_end(path: Path) -> None:
    pem, key_pem = make_expiring_pair()
    (path / "ca.pem").write_bytes(pem)
    (path / "ca.key").write_bytes(key_pem)


def change_key(path: Path) -> None:
    (path / "ca.key").write_bytes(trustme.CA().private_key_pem.bytes())


def spoil_certificate(path: Path) -> None:
    (path / "ca.pem").write_bytes(b"not a certificate")


def lose_key(path: Path) -> None:
    (path / "ca.key").unlink()


@pytest.mark.parametrize("damage", [bring_to_its_end, change_key, spoil_certificate, lose_key])
def test_authority_near_its_end_or_damaged_is_remade(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    before = Authority(tmp_path).ca_sha256
    damage(tmp_path)

    after = Authority(tmp_path)

    assert after.ca_sha256 != before
    assert Authority(tmp_path).ca_sha256 == after.ca_sha256


def test_write_private_replaces_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)

    write_private(path, b"new")

    assert (path.read_bytes(), read_mode(path)) == (b"new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("certificate", [ServerCertificate.EXPIRED, ServerCertificate.WRONG_HOST])
async def test_wrong_server_certificate_is_refused(start_sandbox: StartSandbox, certificate: ServerCertificate) -> None:
    sandbox = await start_sandbox(certificate=certificate)

    with pytest.raises(ssl.SSLCertVerificationError):
        await call(sandbox, "GET", "/models")


async def test_another_authority_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.authority.ca_file = Authority(tmp_path).ca_file

    with pytest.raises(ssl.SSLCertVerificationError, match=r"unable to get|self-signed"):
        await call(sandbox, "GET", "/models")


async def test_bank_contour_admits_its_client_certificate(start_sandbox: StartSandbox, tmp_path: Path) -> None:
    sandbox = await start_sandbox(contour=Contour.B2BANK, state_dir=tmp_path)
    chain_file, key_file = sandbox.authority.write_client_certificate(tmp_path)
    context = ssl.create_default_context(cafile=str(sandbox.ca_file))
    context.load_cert_chain(chain_file, key_file)

    reply = await exchange(
        sandbox, "GET", f"{sandbox.base_url}/models", headers={"User-Agent": "test"}, context=context
    )

    assert reply.status == 200
    assert read_mode(key_file) == 0o600


async def test_bank_contour_refuses_without_certificate(start_sandbox: StartSandbox) -> None:
    sandbox = await start_sandbox(contour=Contour.B2BANK)

    reply = await chat(sandbox)

    assert reply.status == 0
    assert sandbox.stats.chat_calls == 0
