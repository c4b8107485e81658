"""Signed messages between servers: HMAC-SHA256 over time and body, so neither can be changed, and an old one cannot be used again."""

from datetime import UTC, datetime

from apps.core import ciphers

HEADER = "X-Gatehouse-Signature"
TOLERANCE_SECONDS = 300


def sign(body: bytes, *, key: bytes, now: datetime) -> str:
    """`t=<unix time>,v1=<hex HMAC of "<t>.<body>">`."""
    seconds = int(now.timestamp())
    return f"t={seconds},v1={_mac(seconds, body, key)}"


def signed_at(header: str, body: bytes, *, key: bytes, now: datetime) -> datetime | None:
    """When this body was signed, to the second. None: the signature is wrong, or not from about now."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    text = parts.get("t", "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        return None
    right = ciphers.equal(parts.get("v1", "").encode(), _mac(int(text), body, key).encode())
    if not right or abs(now.timestamp() - int(text)) > TOLERANCE_SECONDS:
        return None
    return datetime.fromtimestamp(int(text), UTC)


def _mac(seconds: int, body: bytes, key: bytes) -> str:
    return ciphers.mac(f"{seconds}.".encode() + body, key=key).hex()
