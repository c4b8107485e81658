"""What this room holds about a user, for the export. No secret, key or digest is in it."""

from typing import Any

from apps.core import sealed
from apps.factors.models import Passkey, Phone, RecoveryCode, Totp
from apps.users import own_data
from apps.users.own_data import moment


def register() -> None:
    """Called when Django starts."""
    own_data.register("authenticator_app", rows=lambda user: Totp.objects.filter(user=user), represent=_totp)
    own_data.register("phone_factor", rows=lambda user: Phone.objects.filter(user=user), represent=_phone)
    own_data.register("passkeys", rows=lambda user: Passkey.objects.filter(user=user), represent=_passkey)
    own_data.register("recovery_codes", rows=lambda user: RecoveryCode.objects.filter(user=user), represent=_recovery)


def _totp(row: Totp) -> dict[str, Any]:
    return {"created_at": moment(row.created_at), "confirmed_at": moment(row.confirmed_at)}


def _phone(row: Phone) -> dict[str, Any]:
    return {
        "number": _sealed(row, "number"),
        "number_to_be_confirmed": _sealed(row, "pending_number"),
        "created_at": moment(row.created_at),
        "confirmed_at": moment(row.confirmed_at),
    }


def _sealed(row: Phone, field: str) -> str | None:
    return sealed.read(row, field).decode() if getattr(row, field) else None


def _passkey(row: Passkey) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "aaguid": row.aaguid,
        "transports": row.transports,
        "backed_up": row.backed_up,
        "created_at": moment(row.created_at),
        "last_used_at": moment(row.last_used_at),
        "suspected_clone_at": moment(row.suspected_clone_at),
    }


def _recovery(row: RecoveryCode) -> dict[str, Any]:
    return {"created_at": moment(row.created_at), "used_at": moment(row.used_at)}
