"""What an announcement is about: one thing of a customer's, or everything of a customer's."""

import secrets
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

EVERYTHING = "*"
MOST_NAMED = 20  # of one customer in one announcement; more are announced as the whole customer
LINES_IN_A_PAYLOAD = 50  # of at most 120 bytes; PostgreSQL takes payloads under 8,000 bytes


@dataclass(frozen=True, slots=True)
class Subject:
    """A thing whose change is announced. `kind` has no spaces; `id` is empty when the customer has only one of the kind."""

    kind: str
    customer_id: UUID
    id: str = ""


def whole_customer(customer_id: UUID) -> Subject:
    """Everything that is remembered of this customer."""
    return Subject(EVERYTHING, customer_id)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What one message says. Its `mark` tells the process that sent it that it knows already."""

    mark: str
    subjects: tuple[Subject, ...]
    payload: str


def announcements(subjects: Collection[Subject]) -> Iterator[Announcement]:
    """As many as it takes: each fits into one message of PostgreSQL's. Many of one customer are all of the customer."""
    of_customer = Counter(each.customer_id for each in subjects)
    remaining = iter(
        {
            Subject(EVERYTHING, each.customer_id) if of_customer[each.customer_id] > MOST_NAMED else each
            for each in subjects
        }
    )
    while some := tuple(islice(remaining, LINES_IN_A_PAYLOAD)):
        mark = secrets.token_hex(8)
        payload = "\n".join((mark, *(f"{each.kind} {each.customer_id} {each.id}" for each in some)))
        yield Announcement(mark, some, payload)


def parse(payload: str) -> Announcement:
    """What a payload says. Raises ValueError for a text that we did not write."""
    mark, *lines = payload.split("\n")
    if not lines:
        raise ValueError(payload)
    return Announcement(mark, tuple(map(_parse_line, lines)), payload)


def _parse_line(line: str) -> Subject:
    kind, customer_id, entity_id = line.split(" ")
    return Subject(kind, UUID(customer_id), entity_id)
