"""What a secret in the settings must look like (form, length, hard to guess), and how fresh ones are made."""

import re
import secrets
from collections.abc import Callable

from apps.core import base64url
from apps.core.base64url import NotBase64url

MINIMUM_SECRET_BYTES = 32
FEWEST_DIFFERENT_CHARACTERS = 8
LEAST_LEFT_OF_A_SECRET = 20  # characters, when the words of placeholders are left out
MASTER_KEY_ID = re.compile(r"^[A-Za-z0-9_-]{1,32}$")

# Placeholders that people paste begin with such a word and a separator; the second is Django's own.
PLACEHOLDER_PREFIX = re.compile(
    r"(change[-_ ]?me|django-insecure|insecure|replace[-_ ]?me|placeholder|example|your)[-_ .]", re.IGNORECASE
)
TEMPLATE_MARK = re.compile(r"<.*>|\$\{.*\}|\{\{.*\}\}")
# Words may turn up in random text by accident, so they are only left out: what remains must still be a secret.
PLACEHOLDER_WORDS = re.compile(
    r"change|replace|placeholder|example|insecure|default|dummy|sample|secret|password|passphrase|random|string|token|django"
    r"|gatehouse|please|your|this|here|with|must|long|very|some|none|test|x{4,}|key|me|[-_ .]",
    re.IGNORECASE,
)


def decode_32_bytes(text: str) -> bytes:
    """32 bytes from 64 hex digits or from base64url (padding optional). Raises ValueError."""
    text = text.strip()
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text)
    try:
        decoded = base64url.decode(text.rstrip("="))
    except NotBase64url as error:
        raise ValueError("is neither 64 hex digits nor base64url") from error
    if len(decoded) != MINIMUM_SECRET_BYTES:
        raise ValueError(f"holds {len(decoded)} bytes, not 32")
    return decoded


def parse_master_keys(text: str) -> dict[str, bytes]:
    """`id:base64url-32-bytes`, comma-separated, in order; the first is the current one. Raises ValueError."""
    keys: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        key_id, separator, value = entry.partition(":")
        if not separator or not MASTER_KEY_ID.match(key_id):
            raise ValueError("is not of the form id:base64url-32-bytes[,id:…]")
        if key_id in keys:
            raise ValueError(f"names the id {key_id!r} twice")
        try:
            keys[key_id] = decode_32_bytes(value)
        except ValueError as error:
            raise ValueError(f"key {key_id!r} {error}") from error
    return keys


def is_guessable(secret: str) -> bool:
    """Whether a secret is a placeholder, a repetition, or made of few different characters."""
    left = PLACEHOLDER_WORDS.sub("", secret)
    return bool(
        PLACEHOLDER_PREFIX.match(secret)
        or TEMPLATE_MARK.search(secret)
        or len(left) < min(LEAST_LEFT_OF_A_SECRET, len(secret))
        or len(set(left)) < FEWEST_DIFFERENT_CHARACTERS
        or _repeats_itself(secret)
    )


def _repeats_itself(text: str) -> bool:
    """Whether the text is a shorter one repeated: only then does its double contain it before the middle."""
    return (text + text).find(text, 1) < len(text)


def secret_fault(name: str, value: str) -> str | None:
    """What is wrong with one of the required secrets, in a sentence that does not quote it."""
    if any(is_guessable(secret) for secret in _secrets_in(name, value)):
        return f"{name} is a known placeholder or guessable."
    if len(value.encode()) < MINIMUM_SECRET_BYTES:
        return f"{name} is shorter than {MINIMUM_SECRET_BYTES} bytes."
    return None


def _secrets_in(name: str, value: str) -> list[str]:
    """Each key of MASTER_KEYS is a secret; a text of another form is checked as a whole."""
    if name != "MASTER_KEYS":
        return [value]
    try:
        parse_master_keys(value)
    except ValueError:
        return [value]
    return [entry.partition(":")[2].strip() for entry in value.split(",") if entry.strip()]


def fresh_secrets(draw: Callable[[int], bytes] = secrets.token_bytes) -> dict[str, str]:
    """A SECRET_KEY, MASTER_KEYS and SERVICE_ENCRYPTION_KEY that the start-up check accepts. `draw(n)` gives n random bytes."""
    return {
        "SECRET_KEY": _accepted("SECRET_KEY", lambda: base64url.encode(draw(48))),
        "MASTER_KEYS": _accepted("MASTER_KEYS", lambda: f"k1:{base64url.encode(draw(32))}"),
        "SERVICE_ENCRYPTION_KEY": _accepted("SERVICE_ENCRYPTION_KEY", lambda: draw(32).hex()),
    }


def _accepted(name: str, make: Callable[[], str]) -> str:
    """The first that is accepted: by chance, random text may look like a placeholder."""
    while True:
        value = make()
        if secret_fault(name, value) is None:
            return value
