"""Users who come back: what their sign-in by code needs to know, read by one statement and without a lock.

Most who sign in are such users. For them the rest is one statement, too (`completion.at_once`), which looks whether the user is
still as read here. So the whole waits for PostgreSQL twice; as a transaction it did eleven times, for more than half of its CPU.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery

from apps.core.lookups import RowLookup
from apps.factors import enrolled
from apps.factors.enrolled import Enrolled
from apps.mail import outbox
from apps.mail.outbox import Destination
from apps.signin.models import KnownDevice
from apps.tokens.models import Session
from apps.users.directory import RowVersion
from apps.users.models import User

Key = tuple[UUID, str, UUID, str]


@dataclass(frozen=True)
class ReturningUser:
    """A user as it was read, at `row_version`. `sent`: where the code went, if that is not spent."""

    user: User
    row_version: str
    sent: Destination | None
    enrolled: Enrolled
    device_is_known: bool
    sessions: int  # not ended; some may have expired


def _rows(key: Key) -> "QuerySet[User]":
    customer_id, identity, message_id, device = key
    mine = OuterRef("id")
    living = Session.objects.filter(user=mine, ended_at=None).order_by().values("user").annotate(number=Count("id"))
    return (
        User.objects.of(customer_id)
        .filter(email_identity=identity)
        .annotate(
            **enrolled.confirmed(),
            row_version=RowVersion(),
            sent=Subquery(outbox.destinations(message_id)),
            device_is_known=Exists(KnownDevice.objects.filter(user=mine, name=device)),
            living=Subquery(living.values("number")),
        )
    )


_BY_ADDRESS: RowLookup[Key, User] = RowLookup(_rows)


def find(customer_id: UUID, identity: str, *, message_id: UUID, device: str) -> ReturningUser | None:
    """The user of this address, with what counts for a sign-in by the code of this message, from this device. One statement."""
    user: Any = _BY_ADDRESS.first((customer_id, identity, message_id, device))  # with the annotations of `_rows`
    if user is None:
        return None
    return ReturningUser(
        user=user,
        row_version=user.row_version,
        sent=outbox.destination_in(user.sent),
        enrolled=enrolled.of_annotated(user),
        device_is_known=user.device_is_known,
        sessions=user.living or 0,
    )
