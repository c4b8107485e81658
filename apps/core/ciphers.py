"""The primitives, one door to `cryptography`: AES-256-GCM, HKDF-SHA256, HMAC-SHA256, constant-time comparison."""

import hmac
import secrets
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

NONCE_BYTES = 12


class DecryptionFailed(Exception):
    """The ciphertext is not what this key wrote for this place. Says nothing about why."""


def encrypt(plaintext: bytes, *, key: bytes, associated_data: bytes) -> bytes:
    """AES-GCM with a random 96-bit nonce in front (NIST SP 800-38D). `key`: 16 or 32 bytes."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated_data)


def decrypt(ciphertext: bytes, *, key: bytes, associated_data: bytes) -> bytes:
    """The inverse of `encrypt`. Raises DecryptionFailed."""
    try:
        return AESGCM(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], associated_data)
    except (InvalidTag, ValueError) as error:
        raise DecryptionFailed from error


def hkdf_extract(*, salt: bytes, input_key: bytes) -> bytes:
    """HKDF-Extract with SHA-256 (RFC 5869 section 2.2): a 32-byte PRK."""
    return hmac.digest(salt, input_key, "sha256")


def hkdf_expand(pseudo_random_key: bytes, *, info: bytes, length: int = 32) -> bytes:
    """HKDF-Expand with SHA-256 (RFC 5869 section 2.3): `length` bytes bound to `info`."""
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(pseudo_random_key)


def mac(message: bytes, *, key: bytes) -> bytes:
    """HMAC-SHA256: 32 bytes."""
    return hmac.digest(key, message, "sha256")


def digest(message: bytes) -> bytes:
    """SHA-256: 32 bytes. For values that are random already; never for anything a person chose."""
    return sha256(message).digest()


def equal(left: bytes, right: bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(left, right)
