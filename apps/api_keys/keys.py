"""The form of an API key (contract 1.2): `ghk_<environment>_<key id>_<secret><checksum>`.

The key id is 12 characters and the secret 32 random bytes, both in base 62; the checksum is CRC-32 of everything before it, in
base 62. So a mistyped key costs no look-up, and scanners recognise a leaked one.
"""

import re
import secrets
import zlib
from dataclasses import dataclass, field

from apps.api_keys.models import Environment

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_ID_LENGTH = 12
SECRET_BYTES = 32
SECRET_LENGTH = 43  # characters that 32 bytes take in base 62
CHECKSUM_LENGTH = 6
PREFIX = "ghk_"
FORM = re.compile(
    rf"{PREFIX}({Environment.LIVE}|{Environment.TEST})_([0-9A-Za-z]{{{KEY_ID_LENGTH}}})"
    rf"_[0-9A-Za-z]{{{SECRET_LENGTH}}}([0-9A-Za-z]{{{CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True)
class ParsedKey:
    """A well-formed key whose checksum is right. It may still be none of ours."""

    environment: str
    key_id: str
    text: str = field(repr=False)


def generate(environment: str) -> ParsedKey:
    """A fresh key."""
    key_id = "".join(secrets.choice(ALPHABET) for _ in range(KEY_ID_LENGTH))
    secret = _base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), SECRET_LENGTH)
    body = f"{PREFIX}{environment}_{key_id}_{secret}"
    return ParsedKey(environment=environment, key_id=key_id, text=body + checksum(body))


def parse(text: str) -> ParsedKey | None:
    """The key in `text`, or None when it is malformed or mistyped."""
    found = FORM.fullmatch(text)
    if found is None or checksum(text[:-CHECKSUM_LENGTH]) != found[3]:
        return None
    return ParsedKey(environment=found[1], key_id=found[2], text=text)


def checksum(body: str) -> str:
    """Six characters: CRC-32 (ISO 3309) of the ASCII text in base 62, most significant digit first, padded with 0."""
    return _base62(zlib.crc32(body.encode("ascii")), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
