"""Registrations, changes of address and reset links. No hash or digest is in it, nor what may be somebody else's."""

from typing import Any

from django.db.models import QuerySet

from apps.accounts.export import proven_address
from apps.accounts.models import EmailChange, Registration, ResetToken
from apps.core import sealed
from apps.core.times import rfc3339_or_none
from apps.users.models import User


def email_change(row: EmailChange) -> dict[str, Any]:
    return {
        "old_email": row.old_email,
        "new_email": row.new_email,
        "created_at": rfc3339_or_none(row.created_at),
        "confirmed_at": rfc3339_or_none(row.confirmed_at),
        "undo_until": rfc3339_or_none(row.undo_until),
        "undone_at": rfc3339_or_none(row.undone_at),
    }


def registrations_of(user: User) -> QuerySet[Registration]:
    """Those that were confirmed. The others may be a stranger's, with a stranger's name and phone number."""
    confirmed = Registration.objects.filter(user=user, used_at__isnull=False)
    return proven_address.rows_since(confirmed, user, at="created_at")


def registration(row: Registration) -> dict[str, Any]:
    phone = sealed.read(row, "phone").decode() if row.phone else ""
    return {"name": row.name, "phone": phone, **_used_once(row)}


def resets_of(user: User) -> QuerySet[ResetToken]:
    """Anybody who knows the address can ask for a reset link."""
    return proven_address.rows_since(ResetToken.objects.filter(user=user), user, at="created_at")


def reset(row: ResetToken) -> dict[str, Any]:
    return _used_once(row)


def _used_once(row: Registration | ResetToken) -> dict[str, Any]:
    return {
        "created_at": rfc3339_or_none(row.created_at),
        "expires_at": rfc3339_or_none(row.expires_at),
        "used_at": rfc3339_or_none(row.used_at),
    }
