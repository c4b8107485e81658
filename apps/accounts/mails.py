"""Which mails are a user's: those that name the user, and those to the address before it was anybody's."""

from collections.abc import Collection
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower

from apps.core.owned import OwnedQuerySet
from apps.mail.models import Message
from apps.users import emails
from apps.users.models import User

ASCII = r"^[\x01-\x7f]*$"


def of(user: User) -> QuerySet[Message]:
    """What was sent to the user, or to the address before it was anybody's."""
    mails = Message.objects.of(user.customer_id).annotate(lowered=Lower("recipient"))
    return mails.filter(Q(user_id=user.id) | _to_address(user))


def to_nobody(spellings: Collection[str]) -> OwnedQuerySet[Message]:
    """What was sent to one of these spellings when it was nobody's, at any customer."""
    messages: Any = Message.objects.annotate(lowered=Lower("recipient"))
    found: OwnedQuerySet[Message] = messages.filter(
        user_id=None, lowered__in=[Lower(Value(text)) for text in spellings]
    )
    return found


def _to_address(user: User) -> Q:
    """To the user's present address, when it was nobody's.

    PostgreSQL finds candidates by its index, but takes an `İ` for an `i`. So addresses beyond ASCII are compared here.
    """
    spellings = [Lower(Value(text)) for text in {user.email, user.email_identity}]
    alike = Q(user_id=None, lowered__in=spellings)
    if user.email.isascii():
        return alike & Q(recipient__regex=ASCII)
    rows = Message.objects.of(user.customer_id).annotate(lowered=Lower("recipient")).filter(alike)
    found = rows.values_list("id", "recipient")
    return Q(id__in=[row for row, recipient in found if emails.same_mailbox(recipient, user.email)])
