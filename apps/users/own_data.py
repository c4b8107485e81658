"""All that is held about a user, for the user to see: a register of sections that every room adds its own to.

Rooms above this one hold data of users too (factors, passwords, devices, files), and a room imports only those below it. So the arrow is
turned round: each room registers, when Django starts (`AppConfig.ready`), which of its rows are a user's and how they are shown.
A room that begins to keep something about users adds a section, and the export has it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from apps.audit import actions, events
from apps.audit.models import Event
from apps.core.requests import Caller
from apps.core.times import rfc3339
from apps.mail.models import Message
from apps.users import standing
from apps.users.models import User

Rows = Callable[[User], QuerySet[Any]]
Represent = Callable[[Any], dict[str, Any]]


@dataclass(frozen=True)
class Section:
    """One list of the export: the user's rows (their primary keys are UUIDv7), and how one is shown. Never a secret or a hash."""

    name: str
    rows: Rows
    represent: Represent


_register: dict[str, Section] = {}


def register(name: str, *, rows: Rows, represent: Represent) -> None:
    """Add a section to the export."""
    _register[name] = Section(name, rows, represent)


def sections() -> dict[str, Section]:
    """All sections by name."""
    return dict(_register)


def account(user: User) -> dict[str, Any]:
    """The user's own row."""
    now = standing.of(user)
    return {
        "id": str(user.id),
        "customer_id": str(user.customer_id),
        "email": user.email,
        "email_verified_at": moment(user.email_verified_at),
        "name": user.name,
        "phone": now.phone(),
        "locale": user.locale,
        "role": user.role,
        "permissions": list(now.permissions),
        "permissions_of_its_own": list(user.permissions),
        "status": user.status,
        "created_at": moment(user.created_at),
        "approved_at": moment(user.approved_at),
        "last_sign_in_at": moment(user.last_sign_in_at),
        "wrong_codes": user.wrong_codes,
        "is_owner": user.is_owner,
    }


def moment(at: datetime | None) -> str | None:
    """A time as answers write it."""
    return rfc3339(at) if at else None


def mails_of(user: User) -> QuerySet[Message]:
    """What was sent to the user; also to the address, before it was anybody's."""
    to_address = Q(user_id=None, lowered=user.email.lower())
    return Message.objects.annotate(lowered=Lower("recipient")).filter(
        Q(user_id=user.id) | to_address, customer_id=user.customer_id
    )


def note_export(user: User, *, section: str, caller: Caller, now: datetime) -> None:
    """Write down that the data, or one section of it, was handed out."""
    events.record(
        action=actions.USER_EXPORTED,
        customer_id=user.customer_id,
        user_id=user.id,
        actor=f"user:{user.id}",
        caller=caller,
        details={"section": section or "all"},
        now=now,
    )


def _mail(row: Message) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "recipient": row.recipient,
        "state": row.state,
        "created_at": moment(row.created_at),
    }


def _events_of(user: User) -> QuerySet[Event]:
    return Event.objects.filter(customer_id=user.customer_id, user_id=user.id)


def _event(row: Event) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "at": moment(row.at),
        "action": row.action,
        "outcome": row.outcome,
        "actor": _actor(row),
        "ip": row.ip,
        "user_agent": row.user_agent,
        "details": row.details,
    }


def _actor(row: Event) -> str:
    """Who did it; of an operator no more than that, for its name is its own."""
    kind = row.actor.partition(":")[0]
    return kind if kind == "operator" else row.actor


register("mails", rows=mails_of, represent=_mail)
register("events", rows=_events_of, represent=_event)
