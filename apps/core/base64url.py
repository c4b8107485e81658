"""Base64url without padding, in its one canonical form (RFC 4648 sections 3.5 and 5): no two texts mean the same bytes."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


class NotBase64url(ValueError):
    """The text is not what `encode` makes of any bytes."""


def encode(raw: bytes) -> str:
    """The text of these bytes."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of a text that `encode` has made.

    Raises NotBase64url: for other characters (padding, white space), an impossible length, bits left over at the end.
    """
    if not ALPHABET.fullmatch(text) or len(text) % 4 == 1:
        raise NotBase64url
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(raw)[: len(text)] != text.encode():
        raise NotBase64url
    return raw
