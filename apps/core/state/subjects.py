"""What an announcement is about: one thing of a customer's, or everything of a customer's."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
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

    @property
    def is_everything(self) -> bool:
        """Whether all that is remembered of the customer is meant."""
        return self.kind == EVERYTHING


def whole_customer(customer_id: UUID) -> Subject:
    """Everything that is remembered of this customer."""
    return Subject(EVERYTHING, customer_id)


def payloads(subjects: Iterable[Subject]) -> Iterator[str]:
    """The subjects as texts that each fit into one announcement."""
    remaining = iter(_merged(subjects))
    while lines := [f"{each.kind} {each.customer_id} {each.id}" for each in islice(remaining, LINES_IN_A_PAYLOAD)]:
        yield "\n".join(lines)


def parse(payload: str) -> list[Subject]:
    """The subjects of a payload. Raises ValueError for a text that is none of ours."""
    return [_parse_line(line) for line in payload.split("\n")]


def _parse_line(line: str) -> Subject:
    kind, customer_id, entity_id = line.split(" ")
    return Subject(kind, UUID(customer_id), entity_id)


def _merged(subjects: Iterable[Subject]) -> list[Subject]:
    by_customer: dict[UUID, set[Subject]] = defaultdict(set)
    for subject in subjects:
        by_customer[subject.customer_id].add(subject)
    return [subject for customer_id, named in by_customer.items() for subject in _summed_up(customer_id, named)]


def _summed_up(customer_id: UUID, named: set[Subject]) -> set[Subject]:
    whole = whole_customer(customer_id)
    return {whole} if whole in named or len(named) > MOST_NAMED else named
