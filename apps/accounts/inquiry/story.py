"""What happened to an address at one customer, in order: asked, sent, taken by a server, refused by a rule, signed in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from apps.accounts.inquiry.subject import Circumstances, InquirySubject, mails_of
from apps.audit import actions
from apps.audit.models import Event, Outcome, Refusal
from apps.mail.models import LedgerEntry, Message, MessageState

Row = TypeVar("Row", bound=Model)
MOST = 100  # steps of each kind
MOST_MAILS = 30
MOST_NAMELESS = 20
AROUND = timedelta(hours=1)  # before and after the time that is asked about
LATELY = timedelta(days=1)  # for refusals that name no address, if no time is asked about
MAIL_POSTED, MAIL_WITHHELD = "mail_posted", "mail_withheld"


@dataclass(frozen=True)
class Step:
    """One thing that happened. `name`: the event's action, or `mail_…`. `rule`: what has refused. `about_address`: it names none."""

    at: datetime
    name: str
    outcome: str = Outcome.SUCCESS
    rule: str = ""
    count: int = 1
    last_at: datetime | None = None
    event: Event | None = None
    message: Message | None = None
    server: str = ""
    answer: str = ""


def story(subject: InquirySubject, known: Circumstances) -> list[Step]:
    """The newest steps, oldest first. The number of queries does not depend on what happened."""
    sent = list(_near(mails_of(subject), known, by="created_at").order_by("-created_at", "-id")[:MOST_MAILS])
    events = {
        event.id: event for event in (*_of_user(subject, known), *_of_address(subject, known), *_asked(subject, sent))
    }
    steps = [*map(_of_event, events.values()), *map(_of_mail, sent), *_of_ledger(sent)]
    return sorted(steps, key=_order)[-MOST:]


def nameless(subject: InquirySubject, known: Circumstances, now: datetime) -> list[Step]:
    """What this customer refused before an address was known (a key, a network, a page), and what was left out in floods.

    Newest first; of the network and key that are asked about, if any.
    """
    start, end = _around(known) or (now - LATELY, now)
    rows = Refusal.objects.of(subject.customer.id).filter(address_hash=None, first_at__range=(start, end))
    events = Event.objects.of(subject.customer.id).filter(at__range=(start, end), user_id=None)
    found = events.filter(Q(refusal__in=rows) | Q(action=actions.REFUSALS_LEFT_OUT)).select_related("refusal")
    return [_of_event(event) for event in _matching(found, known).order_by("-at", "-id")[:MOST_NAMELESS]]


def _of_user(subject: InquirySubject, known: Circumstances) -> QuerySet[Event]:
    events = Event.objects.of(subject.customer.id).select_related("refusal").order_by("-at", "-id")
    if subject.user is None:
        return events.none()
    return _near(events.filter(user_id=subject.user.id), known)[:MOST]


def _of_address(subject: InquirySubject, known: Circumstances) -> Iterator[Event]:
    rows = Refusal.objects.of(subject.customer.id).select_related("event")
    if subject.address_hash is None:
        return
    for row in _near(rows.filter(address_hash=subject.address_hash), known, by="first_at").order_by("-first_at")[:MOST]:
        row.event.refusal = row
        yield row.event


def _asked(subject: InquirySubject, sent: list[Message]) -> QuerySet[Event]:
    """Who asked for codes for an address of nobody: such an event names no user, but was written with its mail."""
    times = [message.created_at for message in sent]
    ids = [str(message.id) for message in sent]
    asked = Event.objects.of(subject.customer.id).filter(action=actions.CODE_REQUESTED, at__in=times)
    return asked.filter(details__message__in=ids).select_related("refusal")


def _order(step: Step) -> tuple[datetime, int]:
    """By time; of what was written at the same moment, the event before its mail, and that before what became of it."""
    return step.at, 0 if step.event else 1 if step.name in (MAIL_POSTED, MAIL_WITHHELD) else 2


def _of_event(event: Event) -> Step:
    noted: Refusal | None = getattr(event, "refusal", None)
    return Step(
        at=event.at,
        name=event.action,
        outcome=event.outcome,
        rule=event.details.get("rule") or event.details.get("withheld") or "",
        count=noted.count if noted else event.details.get("count", 1),
        last_at=noted.last_at if noted and noted.count > 1 else None,
        event=event,
    )


def _of_mail(message: Message) -> Step:
    is_withheld = message.state == MessageState.SUPPRESSED
    return Step(
        at=message.created_at,
        name=MAIL_WITHHELD if is_withheld else MAIL_POSTED,
        outcome=Outcome.DENIED if is_withheld else Outcome.SUCCESS,
        message=message,
    )


def _of_ledger(sent: list[Message]) -> Iterator[Step]:
    by_id = {message.id: message for message in sent}
    for entry in LedgerEntry.objects.filter(message_id__in=by_id):
        outcome = Outcome.FAILURE if entry.step in ("failed", "deferred") else Outcome.SUCCESS
        yield Step(
            at=entry.at,
            name=f"mail_{entry.step}",
            outcome=outcome,
            message=by_id[entry.message_id],
            server=entry.server,
            answer=entry.answer,
        )


def _near(rows: QuerySet[Row], known: Circumstances, *, by: str = "at") -> QuerySet[Row]:
    around = _around(known)
    return rows if around is None else rows.filter(**{f"{by}__range": around})


def _around(known: Circumstances) -> tuple[datetime, datetime] | None:
    return (known.at - AROUND, known.at + AROUND) if known.at else None


def _matching(events: QuerySet[Event], known: Circumstances) -> QuerySet[Event]:
    by_ip = events.filter(ip=known.ip) if known.ip else events
    return by_ip.filter(details__key_id=known.key_id) if known.key_id else by_ip
