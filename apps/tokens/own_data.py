"""What this room holds about a user, for the export."""

from typing import Any

from django.db.models import QuerySet

from apps.tokens import devices
from apps.tokens.models import Session
from apps.users import own_data
from apps.users.models import User
from apps.users.own_data import moment


def register() -> None:
    """Called when Django starts."""
    own_data.register("sessions", rows=_sessions, represent=_session)


def _sessions(user: User) -> QuerySet[Session]:
    return Session.objects.of(user.customer_id).filter(user=user)


def _session(row: Session) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "device": devices.name_of(row.user_agent),
        "user_agent": row.user_agent,
        "address": row.ip,
        "created_at": moment(row.created_at),
        "last_activity_at": moment(row.last_activity_at),
        "expires_at": moment(row.expires_at),
        "auth_time": moment(row.auth_time),
        "amr": row.amr.split(),
        "ended_at": moment(row.ended_at),
        "end_reason": row.end_reason,
    }
