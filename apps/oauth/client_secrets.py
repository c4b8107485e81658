"""Secrets of confidential clients. Shown once; only the SHA-256 is stored.

All characters are unreserved (RFC 3986), so that it makes no difference whether a client library percent-encodes them before
HTTP Basic, as RFC 6749 section 2.3.1 demands and many do not.
"""

import secrets
from collections.abc import Iterable

from apps.core import ciphers

PREFIX = "ghs_"  # by which scanners recognise a leaked one
SECRET_BYTES = 32


def generate() -> str:
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> bytes:
    return ciphers.digest(secret.encode("utf-8", "surrogatepass"))


def is_one_of(secret: str, digests: Iterable[bytes]) -> bool:
    """Compared in constant time."""
    given = digest(secret)
    return any(ciphers.equal(given, known) for known in digests)
