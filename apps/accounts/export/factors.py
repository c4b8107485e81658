"""Second factors. No secret, key or digest is in it."""

from typing import Any

from apps.core import sealed
from apps.core.times import rfc3339_or_none
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp


def authenticator_app(row: Totp) -> dict[str, Any]:
    return {"created_at": rfc3339_or_none(row.created_at), "confirmed_at": rfc3339_or_none(row.confirmed_at)}


def phone(row: Phone) -> dict[str, Any]:
    return {
        "number": _opened(row, "number"),
        "number_to_be_confirmed": _opened(row, "pending_number"),
        "created_at": rfc3339_or_none(row.created_at),
        "confirmed_at": rfc3339_or_none(row.confirmed_at),
    }


def _opened(row: Phone, field: str) -> str | None:
    return sealed.read(row, field).decode() if getattr(row, field) else None


def passkey(row: Passkey) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "aaguid": row.aaguid,
        "transports": row.transports,
        "backed_up": row.backed_up,
        "created_at": rfc3339_or_none(row.created_at),
        "last_used_at": rfc3339_or_none(row.last_used_at),
        "suspected_clone_at": rfc3339_or_none(row.suspected_clone_at),
    }


def recovery_code(row: RecoveryCode) -> dict[str, Any]:
    return {"created_at": rfc3339_or_none(row.created_at), "used_at": rfc3339_or_none(row.used_at)}
