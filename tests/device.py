"""A customer's device with a key of its own, as its key store would hold it."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from accounts.device_signatures import encode_public_key
from accounts.keys import build_jwk, encode_base64url
from accounts.services.device_keys import PROOF_DOMAIN


@dataclass(frozen=True)
class Device:
    """Signs with a P-256 key."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def spki(self) -> str:
        return encode_base64url(encode_public_key(self.key.public_key()))

    @property
    def jwk(self) -> dict[str, str]:
        return build_jwk(self.key.public_key())

    def sign(self, text: bytes) -> bytes:
        """Return the signature in DER, as phones make it."""
        return self.key.sign(text, ec.ECDSA(SHA256()))

    def sign_raw(self, text: bytes) -> bytes:
        """Return r and s in 64 bytes, as browsers make it."""
        r, s = decode_dss_signature(self.sign(text))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def prove(self, challenge: str) -> str:
        """Return the proof of an enrolment."""
        return encode_base64url(self.sign(PROOF_DOMAIN + challenge.encode()))
