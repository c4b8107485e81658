"""What was sent to the user: when, where to, and of what kind."""

from typing import Any

from django.db.models import Q, QuerySet

from apps.accounts import mails
from apps.accounts.export import proven_address
from apps.core.times import rfc3339_or_none
from apps.mail.models import Message
from apps.users.models import User


def messages_of(user: User) -> QuerySet[Message]:
    """Those to addresses that the user has proven, and to the present one before it was anybody's."""
    found = mails.of(user)
    if user.email_verified_at is None:
        return found.none()
    return found.filter(Q(user_id=None) | Q(created_at__gte=proven_address.since(user)))


def message(row: Message) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "recipient": row.recipient,
        "state": row.state,
        "created_at": rfc3339_or_none(row.created_at),
    }
