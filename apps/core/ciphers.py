"""Cryptographic primitives, the one door to `cryptography`: AES-256-GCM, HKDF-SHA256, HMAC-SHA256, key pairs, constant-time comparison."""

import hmac
import secrets
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NONCE_BYTES = 12
DIGEST_BYTES = 32  # of SHA-256
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # n of SEC 2 section 2.4.2
P256_BYTES = 32
RSA_BITS, RSA_EXPONENT = 3072, 65_537


class DecryptionFailed(Exception):
    """This key did not write this ciphertext for this place. Says nothing about why."""


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
    if length <= DIGEST_BYTES:  # one block, and one HMAC: 3.0 µs in the place of 4.2
        return hmac.digest(pseudo_random_key, info + b"\x01", "sha256")[:length]
    return HKDFExpand(algorithm=SHA256(), length=length, info=info).derive(pseudo_random_key)


def mac(message: bytes, *, key: bytes) -> bytes:
    """HMAC-SHA256: 32 bytes."""
    return hmac.digest(key, message, "sha256")


def digest(message: bytes) -> bytes:
    """SHA-256: 32 bytes. Only for values that are random already, never for one that a person chose."""
    return sha256(message).digest()


def equal(left: bytes, right: bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(left, right)


def new_p256_key() -> bytes:
    """A fresh private key for ECDSA on P-256, as PEM (PKCS #8)."""
    return _pem(ec.generate_private_key(ec.SECP256R1()))


def new_ed25519_key() -> bytes:
    """A fresh private key for Ed25519, as PEM (PKCS #8)."""
    return _pem(Ed25519PrivateKey.generate())


def new_rsa_key() -> bytes:
    """A fresh private key for RSA of 3,072 bits (as strong as AES-128: NIST SP 800-57), as PEM (PKCS #8)."""
    return _pem(rsa.generate_private_key(public_exponent=RSA_EXPONENT, key_size=RSA_BITS))


def sign_p256(message: bytes, *, key: ec.EllipticCurvePrivateKey) -> bytes:
    """ECDSA with SHA-256, r and s side by side (RFC 7518 section 3.4): 64 bytes, the same for the same message.

    The nonce follows from key and message (RFC 6979), and of the two valid values of s the lower is taken.
    """
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(P256_BYTES) + min(s, P256_ORDER - s).to_bytes(P256_BYTES)


def is_lower_p256_signature(signature: bytes) -> bool:
    """Whether this is r and s side by side, with the lower s. Anybody can turn one form into the other, so only one counts."""
    return len(signature) == 2 * P256_BYTES and int.from_bytes(signature[P256_BYTES:]) <= P256_ORDER // 2


def _pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
