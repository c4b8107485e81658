"""Reads Gatehouse's settings from the environment (and `.env`) and says all that is wrong with them at once.

A variable `X` may also be given as `X_FILE`, the path of a file that holds it (Docker and Kubernetes secrets).
"""

import base64
import binascii
import os
import re
from collections.abc import Callable
from pathlib import Path

import environ

PROJECT_ROOT = Path(__file__).resolve().parent.parent

REQUIRED_IN_PRODUCTION = (
    "SECRET_KEY",
    "MASTER_KEYS",
    "SERVICE_ENCRYPTION_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
    "EMAIL_URL",
)
SECRETS = ("SECRET_KEY", "MASTER_KEYS", "SERVICE_ENCRYPTION_KEY")
OPTIONAL_SECRETS = ("SERVICE_ENCRYPTION_KEY_PREVIOUS", "EMAIL_URL_FALLBACK", "SMS_TWILIO_AUTH_TOKEN", "SMS_HTTP_TOKEN")
MINIMUM_SECRET_BYTES = 32
PLACEHOLDER = re.compile(
    r"change[-_ ]?me|replace[-_ ]?me|placeholder|example|insecure|your[-_ ]|secret[-_ ]?key|password|xxxx|<.*>",
    re.IGNORECASE,
)
MASTER_KEY_ID = re.compile(r"^[A-Za-z0-9_-]{1,32}$")


class ConfigurationError(Exception):
    """The environment cannot run Gatehouse. The message names every fault and what to do."""


def load() -> environ.Env:
    """Read `.env` beside manage.py, if there, and every `X_FILE`; variables already set win."""
    if (PROJECT_ROOT / ".env").exists():
        environ.Env.read_env(str(PROJECT_ROOT / ".env"), overwrite=False)
    _read_secret_files()
    return environ.Env()


def _read_secret_files() -> None:
    for name in (*REQUIRED_IN_PRODUCTION, *OPTIONAL_SECRETS):
        path = os.environ.get(f"{name}_FILE")
        if path and not os.environ.get(name):
            try:
                os.environ[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigurationError(
                    f"{name}_FILE names {path}, which cannot be read: {error.strerror}. "
                    "Give a readable file, or set the variable itself."
                ) from error


def decode_32_bytes(text: str) -> bytes:
    """32 bytes from 64 hex digits or from base64url (padding optional). Raises ValueError."""
    text = text.strip()
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text)
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
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


SMS_CONSOLE = "apps.mail.text_transports.Console"
NEEDED_BY_SMS_BACKEND = {
    "apps.mail.text_transports.Twilio": ("SMS_TWILIO_ACCOUNT_SID", "SMS_TWILIO_AUTH_TOKEN", "SMS_TWILIO_FROM"),
    "apps.mail.text_transports.Http": ("SMS_HTTP_URL",),
    "apps.mail.text_transports.File": ("SMS_FILE_PATH",),
}


def check_production() -> None:
    """Refuse to start with a missing, weak or placeholder setting. Raises ConfigurationError naming every fault."""
    faults = [fault for name in REQUIRED_IN_PRODUCTION if (fault := _fault(name))]
    if not os.environ.get("PUBLIC_URL", "https://").startswith("https://"):
        faults.append("PUBLIC_URL must start with https:// in production.")
    if "*" in os.environ.get("ALLOWED_HOSTS", "").split(","):
        faults.append("ALLOWED_HOSTS must name hosts; * accepts any.")
    faults.extend(_sms_faults())
    if faults:
        listing = "\n".join(f"  - {fault}" for fault in faults)
        raise ConfigurationError(
            f"Gatehouse cannot start: the environment has {len(faults)} fault(s).\n{listing}\n"
            "`python manage.py generate_env` prints a good set to start from."
        )


def _sms_faults() -> list[str]:
    """What the chosen SMS backend lacks: better said now than by the worker at the first SMS."""
    backend = os.environ.get("SMS_BACKEND", "").strip()
    if backend == SMS_CONSOLE:
        return ["SMS_BACKEND must not be the console in production: it writes codes into the log."]
    needed = [name for name in NEEDED_BY_SMS_BACKEND.get(backend, ()) if not os.environ.get(name, "").strip()]
    return [f"{name} is missing, which SMS_BACKEND needs." for name in needed]


def _fault(name: str) -> str | None:
    value = os.environ.get(name, "").strip()
    if not value:
        return f"{name} is missing."
    if name in SECRETS:
        return _secret_fault(name, value)
    return None


def _secret_fault(name: str, value: str) -> str | None:
    if PLACEHOLDER.search(value) or len(set(value)) < 8:
        return f"{name} is a known placeholder or guessable."
    if len(value.encode()) < MINIMUM_SECRET_BYTES:
        return f"{name} is shorter than {MINIMUM_SECRET_BYTES} bytes."
    return _form_fault(name, value)


def _form_fault(name: str, value: str) -> str | None:
    forms: dict[str, Callable[[str], object]] = {
        "MASTER_KEYS": parse_master_keys,
        "SERVICE_ENCRYPTION_KEY": decode_32_bytes,
    }
    try:
        forms.get(name, str)(value)
    except ValueError as error:
        return f"{name} {error}."
    return None
