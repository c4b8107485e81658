"""The hash chain of each customer's events: proof that none was altered, removed or inserted later.

A link's hash covers the event and the link before it. Links are made in the background, in the order in which events become
visible, so an event whose transaction committed late still gets a link: the next one, not one in the past. A trigger notes each
new event as unchained in the event's own transaction, so the work depends on the number of new events alone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from apps.audit.models import ChainLink, Event, UnchainedEvent
from apps.core import advisory_locks, ciphers
from apps.core.times import rfc3339

BEGINNING = bytes(32)
BATCH = 500
BEFORE_ALL = -(2**63)  # an intruder may have put links at any position
LONGEST_TRANSACTION = timedelta(hours=1)
NOTE_UNCHAINED = """
INSERT INTO audit_unchainedevent (event_id)
SELECT event.id FROM audit_event AS event
WHERE NOT EXISTS (SELECT 1 FROM audit_chainlink AS link WHERE link.event_id = event.id)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Flaw:
    """The first place where a customer's chain is not as it was written."""

    customer_id: UUID | None
    position: int
    what: str


@dataclass(frozen=True)
class Place:
    """How far a chain has been verified: the position of a link, its hash, and the latest time of an event so far."""

    position: int
    hash: bytes
    latest: datetime | None = None


START = Place(0, BEGINNING)


@dataclass(frozen=True)
class Piece:
    """Some links of a chain that were verified. With a flaw, the rest of the chain proves nothing.

    `backdated`: events dated long before one that was linked earlier. They were inserted afterwards, unless a clock ran ahead.
    """

    end: Place
    flaw: Flaw | None
    backdated: list[Event]
    is_last: bool


@dataclass(frozen=True)
class Head:
    """The end of a customer's chain. A copy kept elsewhere shows later whether events were cut off the end."""

    customer_id: UUID | None
    length: int
    hash: str


def extend() -> int:
    """Link one batch of events that have no link yet. Returns how many."""
    with transaction.atomic():
        advisory_locks.take_turns("audit chain")
        ids = list(UnchainedEvent.objects.order_by("event_id").values_list("event_id", flat=True)[:BATCH])
        _link(Event.objects.filter(id__in=ids, chainlink=None).order_by("at", "id"))
        UnchainedEvent.objects.filter(event_id__in=ids).delete()
    return len(ids)


def note_what_is_unchained() -> int:
    """Note events without a link that the trigger has not noted. Reads all events. Returns how many it noted."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE_UNCHAINED)
        noted: int = cursor.rowcount
    return noted


def _link(events: QuerySet[Event]) -> None:
    waiting = list(events)
    ends = {customer_id: _end(customer_id) for customer_id in {event.customer_id for event in waiting}}
    links = []
    for event in waiting:
        position, previous = ends[event.customer_id]
        link = ChainLink(event=event, customer_id=event.customer_id, position=position + 1, hash=_hash(previous, event))
        links.append(link)
        ends[event.customer_id] = (link.position, bytes(link.hash))
    ChainLink.objects.bulk_create(links)


def pieces(customer_id: UUID | None) -> Iterator[Piece]:
    """A customer's whole chain, verified piece by piece."""
    piece = check(customer_id, START)
    yield piece
    while not piece.is_last:
        piece = check(customer_id, piece.end)
        yield piece


def check(customer_id: UUID | None, start: Place) -> Piece:
    """Verify the next links of a customer's chain: a long one is verified in many steps."""
    place, backdated = start, list[Event]()
    batch = _batch(customer_id, start.position or BEFORE_ALL)
    for link, event in batch:
        what = _what_is_wrong(place, link, event)
        if what or event is None:
            return Piece(place, Flaw(customer_id, place.position + 1, what), backdated, is_last=True)
        latest = place.latest or event.at
        if event.at < latest - LONGEST_TRANSACTION:
            backdated.append(event)
        place = Place(link.position, bytes(link.hash), max(event.at, latest))
    return Piece(place, None, backdated, is_last=len(batch) < BATCH)


def _what_is_wrong(before: Place, link: ChainLink, event: Event | None) -> str:
    if link.position != before.position + 1:
        return "a link was removed"
    if event is None:
        return f"event {link.event_id} was removed"
    return f"event {event.id} was altered" if _hash(before.hash, event) != bytes(link.hash) else ""


def head(customer_id: UUID | None) -> Head:
    position, last = _end(customer_id)
    return Head(customer_id, position, last.hex())


def customers() -> list[UUID | None]:
    """The customers that have a chain; None is the service itself."""
    return list(ChainLink.objects.order_by("customer_id").values_list("customer_id", flat=True).distinct())


def contains(customer_id: UUID | None, position: int, value: str) -> bool:
    """Whether the chain has this hash (hex) at this position."""
    link = ChainLink.objects.of(customer_id).filter(position=position).first()
    return link is not None and bytes(link.hash).hex() == value


def _batch(customer_id: UUID | None, after: int) -> list[tuple[ChainLink, Event | None]]:
    """Links in order, each with its event, or None if the event is gone (an inner join would hide that).

    By position: behind a transaction pooler a cursor on the server would not outlive its transaction.
    """
    links = list(ChainLink.objects.of(customer_id).filter(position__gt=after).order_by("position")[:BATCH])
    events = Event.objects.in_bulk([link.event_id for link in links])
    return [(link, events.get(link.event_id)) for link in links]


def _end(customer_id: UUID | None) -> tuple[int, bytes]:
    last = ChainLink.objects.of(customer_id).order_by("-position").first()
    return (last.position, bytes(last.hash)) if last else (0, BEGINNING)


def _hash(previous: bytes, event: Event) -> bytes:
    """SHA-256 over the previous hash and the event's columns as canonical JSON."""
    columns = [
        str(event.id),
        rfc3339(event.at),
        event.at.microsecond,
        str(event.customer_id),
        str(event.user_id),
        event.actor,
        event.action,
        event.outcome,
        event.severity,
        str(event.ip),
        event.user_agent,
        event.request_id,
        event.details,
    ]
    canonical = json.dumps(columns, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return ciphers.digest(previous + canonical.encode())
