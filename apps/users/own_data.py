"""All that is held about a user, for the user to see: a register of sections that every room adds its own to.

Rooms above this one hold data of users too (factors, passwords, devices, files), and a room imports only those below it. So the arrow is
turned round: each room registers, when Django starts (`AppConfig.ready`), which of its rows are a user's and how they are shown.
A room that begins to keep something about users adds a section, and the export has it.

Anybody can register an address that is not theirs, and have a session before its owner comes. What whoever merely names the
address can bring about is therefore exported only of an address that the user has proven (`of_proven_address`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Lower

from apps.audit import actions, events
from apps.audit.models import Event
from apps.core.requests import Caller
from apps.core.times import rfc3339
from apps.mail.models import Message
from apps.users import emails, state
from apps.users.models import User

ASCII = r"^[\x01-\x7f]*$"

Row = TypeVar("Row", bound=Model)
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
    now = state.of(user)
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
        "wrong_second_factors": user.wrong_second_factors,
        "is_owner": user.is_owner,
    }


def moment(at: datetime | None) -> str | None:
    """A time as answers write it."""
    return rfc3339(at) if at else None


def mails_of(user: User) -> QuerySet[Message]:
    """What was sent to the user; also to the address, before it was anybody's."""
    return (
        Message.objects.of(user.customer_id)
        .annotate(lowered=Lower("recipient"))
        .filter(Q(user_id=user.id) | _to_address(user))
    )


def _to_address(user: User) -> Q:
    """To an address that was nobody's then, and is the user's now.

    PostgreSQL finds by its index what may have been; to it, `İ` may be an `i`. So of addresses beyond ASCII it is decided here.
    """
    spellings = [Lower(Value(text)) for text in {user.email, user.email_identity}]
    alike = Q(user_id=None, lowered__in=spellings)
    if user.email.isascii():
        return alike & Q(recipient__regex=ASCII)
    rows = Message.objects.of(user.customer_id).annotate(lowered=Lower("recipient")).filter(alike)
    found = rows.values_list("id", "recipient")
    return Q(id__in=[row for row, recipient in found if emails.same_mailbox(recipient, user.email)])


def of_proven_address(rows: QuerySet[Row], user: User, *, at: str) -> QuerySet[Row]:
    """Those that came about since the user's address is one that it has proven. `at`: the column that says when.

    Once an address is proven, so is what came about before: it was the user's address all the time. But whoever moves to
    another address before the proof has never proven the first one.
    """
    if user.email_verified_at is None:
        return rows.none()
    return rows.filter(**{f"{at}__gte": _since(user)})


def _since(user: User) -> Coalesce:
    """Since when the address is one that the user has proven, then or later."""
    mine = Event.objects.of(user.customer_id).filter(user_id=user.id)
    proofs = mine.filter(action=actions.EMAIL_VERIFIED)
    first_proof_was_a_move = mine.filter(action=actions.EMAIL_CHANGED, at__in=proofs.values("at"))
    return Coalesce(Subquery(first_proof_was_a_move.values("at")[:1]), Value(user.created_at))


def _mails(user: User) -> QuerySet[Message]:
    """What was sent to the user at addresses that it has proven, and to the present one before it was anybody's."""
    if user.email_verified_at is None:
        return mails_of(user).none()
    return mails_of(user).filter(Q(user_id=None) | Q(created_at__gte=_since(user)))


def note_export(user: User, *, section: str, caller: Caller, now: datetime) -> None:
    """Write down that the data, or one section of it, was handed out."""
    events.record(
        action=actions.USER_EXPORTED,
        customer_id=user.customer_id,
        user_id=user.id,
        actor=events.user(user.id),
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


def _events(user: User) -> QuerySet[Event]:
    """What happened to the account. What nobody knows who did may have been the owner of an address that is not the user's."""
    found = Event.objects.of(user.customer_id).filter(user_id=user.id)
    by_known = ~Q(actor=events.ANONYMOUS)
    if user.email_verified_at is None:
        return found.filter(by_known)
    return found.filter(by_known | Q(at__gte=_since(user)))


def _event(row: Event) -> dict[str, Any]:
    """Where from, and with what, only if it may have been the user: else these are the data of operators and servers."""
    is_others = row.actor not in (events.user(row.user_id), events.ANONYMOUS)  # type: ignore[arg-type]  # all are of a user
    return {
        "id": str(row.id),
        "at": moment(row.at),
        "action": row.action,
        "outcome": row.outcome,
        "actor": "operator" if events.is_operator(row.actor) else row.actor,  # whose name is its own
        "ip": None if is_others else row.ip,
        "user_agent": "" if is_others else row.user_agent,
        "details": row.details,
    }


register("mails", rows=_mails, represent=_mail)
register("events", rows=_events, represent=_event)
