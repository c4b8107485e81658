"""What this room holds about a user, for the export. No hash and no digest is in it, nor what may be somebody else's."""

from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import EmailChange, Registration, ResetToken
from apps.approvals.models import IdentityCheck
from apps.core import sealed
from apps.signin.models import Challenge, KnownDevice, Password
from apps.users import own_data
from apps.users.models import User
from apps.users.own_data import moment


def register() -> None:
    """Called when Django starts."""
    own_data.register("password", rows=lambda user: Password.objects.filter(user=user), represent=_password)
    own_data.register("known_devices", rows=lambda user: KnownDevice.objects.filter(user=user), represent=_device)
    own_data.register("email_changes", rows=lambda user: EmailChange.objects.filter(user=user), represent=_email_change)
    own_data.register("registrations", rows=_registrations, represent=_registration)
    own_data.register("identity_check", rows=lambda user: IdentityCheck.objects.filter(user=user), represent=_check)
    own_data.register("challenges", rows=lambda user: Challenge.objects.filter(user=user), represent=_challenge)
    own_data.register("resets", rows=_resets, represent=_used_once)


def _password(row: Password) -> dict[str, Any]:
    return {
        "set_at": moment(row.set_at),
        "set_by_mail": row.set_by_mail,
        "wrong_in_a_row": row.wrong_in_a_row,
        "locked_until": moment(row.locked_until),
    }


def _device(row: KnownDevice) -> dict[str, Any]:
    return {"name": row.name, "first_seen_at": moment(row.first_seen_at)}


def _email_change(row: EmailChange) -> dict[str, Any]:
    return {
        "old_email": row.old_email,
        "new_email": row.new_email,
        "created_at": moment(row.created_at),
        "confirmed_at": moment(row.confirmed_at),
        "undo_until": moment(row.undo_until),
        "undone_at": moment(row.undone_at),
    }


def _registrations(user: User) -> QuerySet[Registration]:
    """Those that were confirmed. The others may be anybody's, who gave a name and a phone number of their own."""
    confirmed = Registration.objects.filter(user=user, used_at__isnull=False)
    return own_data.of_proven_address(confirmed, user, at="created_at")


def _registration(row: Registration) -> dict[str, Any]:
    phone = sealed.read(row, "phone").decode() if row.phone else ""
    return {"name": row.name, "phone": phone, **_used_once(row)}


def _resets(user: User) -> QuerySet[ResetToken]:
    """Anybody can ask for one who knows the address."""
    return own_data.of_proven_address(ResetToken.objects.filter(user=user), user, at="created_at")


def _check(row: IdentityCheck) -> dict[str, Any]:
    """Without who decided: an operator's name is its own."""
    return {
        "state": row.state,
        "reason": row.reason,
        "created_at": moment(row.created_at),
        "decided_at": moment(row.decided_at),
    }


def _challenge(row: Challenge) -> dict[str, Any]:
    return {"first_factor": row.first_factor, "passed": row.passed, **_used_once(row)}


def _used_once(row: Challenge | Registration | ResetToken) -> dict[str, Any]:
    return {
        "created_at": moment(row.created_at),
        "expires_at": moment(row.expires_at),
        "used_at": moment(row.used_at),
    }
