"""Sessions, with the device and the network that each was begun from."""

from typing import Any

from django.db.models import QuerySet

from apps.core.times import rfc3339_or_none
from apps.tokens import devices
from apps.tokens.models import Session
from apps.users.models import User


def sessions_of(user: User) -> QuerySet[Session]:
    return Session.objects.of(user.customer_id).filter(user=user)


def session(row: Session) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "device": devices.name_of(row.user_agent),
        "user_agent": row.user_agent,
        "address": row.ip,
        "created_at": rfc3339_or_none(row.created_at),
        "last_activity_at": rfc3339_or_none(row.last_activity_at),
        "expires_at": rfc3339_or_none(row.expires_at),
        "auth_time": rfc3339_or_none(row.auth_time),
        "amr": row.amr.split(),
        "ended_at": rfc3339_or_none(row.ended_at),
        "end_reason": row.end_reason,
    }
