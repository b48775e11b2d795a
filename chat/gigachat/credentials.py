"""The authorization key of the developer cabinet, and the keys derived from it. Pure; never shown anywhere."""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chat.gigachat.errors import CredentialsMalformed

# Individuals, organisations with prepaid packages, organisations that pay as they go.
SCOPES = ("GIGACHAT_API_PERS", "GIGACHAT_API_B2B", "GIGACHAT_API_CORP")


@dataclass(frozen=True, slots=True)
class Credentials:
    """base64 of `client_id:client_secret`, exactly as the token service wants it, and the scope of the contract."""

    authorization_key: str = field(repr=False)
    scope: str

    def derive_cache_name(self, auth_url: str) -> str:
        """Return a name that is the same in every process of these credentials and reveals nothing of them."""
        parts = ("gigachat token name", self.authorization_key, self.scope, auth_url)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def derive_encryption_key(self) -> bytes:
        """Return the 32-byte key under which processes that hold these credentials share a token."""
        kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gigachat token encryption")
        return kdf.derive(self.authorization_key.encode())


def parse_credentials(text: str, scope: str) -> Credentials:
    """Return the credentials in `text`, whitespace around them dropped.

    Raises: CredentialsMalformed when `text` is not base64 of `client_id:client_secret`
    """
    key = text.strip()
    client_id, _, secret = decode_base64(key).partition(b":")
    if not (client_id and secret):
        raise CredentialsMalformed
    return Credentials(authorization_key=key, scope=scope)


def decode_base64(text: str) -> bytes:
    """Return the decoded bytes; none for anything else. The decoder's own error would hold the text."""
    try:
        return base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""
