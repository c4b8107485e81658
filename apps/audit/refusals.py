"""Every refusal is an event: which rule, at which customer, for whom, from where, by which key (contract 8).

The same refusal again within ten minutes is counted. The count stands beside the event, in a row of its own: an event is never
changed, so the hash chain holds. There too stands the address, as a keyed hash, which erasure and time take away.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, connection

from apps.audit import actions, address_hashes, events, refusal_budget
from apps.audit.events import NewEvent
from apps.audit.models import EventQuerySet, Outcome, Refusal, Severity
from apps.core import batches, ciphers
from apps.core.client_address import counted_as
from apps.core.context import RequestContext
from apps.core.errors import GatehouseError
from apps.core.times import rfc3339

log = structlog.get_logger(__name__)

COUNTED_FOR = timedelta(minutes=10)
FOUND_FOR = timedelta(days=90)  # for so long, refusals are found by their address
FORBIDDING = (401, 403, 429)  # the answers that refuse somebody; a 400 says that the request itself was wrong

# One statement, whatever happens at the same time: the open row of the same refusal is counted up, or the row and its event
# are inserted. A row is open for ten minutes; the first refusal after that closes it.
WRITE = f"""
WITH closed AS (
    UPDATE audit_refusal SET open_as = NULL
    WHERE open_as = %(open_as)s AND first_at <= %(since)s RETURNING 1
), noted AS (
    INSERT INTO audit_refusal AS known (event_id, customer_id, address_hash, open_as, count, first_at, last_at)
    SELECT %(event_id)s, %(event_customer_id)s, %(address_hash)s, %(open_as)s, 1, %(event_at)s, %(event_at)s
    FROM (SELECT count(*) FROM closed) AS first_of_all
    ON CONFLICT (open_as) DO UPDATE
    SET count = known.count + 1, last_at = GREATEST(known.last_at, excluded.last_at)
    RETURNING event_id
)
{events.INSERT}
FROM noted WHERE noted.event_id = %(event_id)s
"""  # noqa: S608  (all parts are constants)


@dataclass(frozen=True, kw_only=True)
class NewRefusal:
    """A refusal that is not written yet. `step`: what was asked for. `address`: as addresses are compared, if one was given."""

    rule: str
    step: str
    context: RequestContext
    customer_id: UUID | None = None
    user_id: UUID | None = None
    address: str = ""
    action: str = actions.REFUSED
    outcome: Outcome = Outcome.DENIED
    severity: Severity = Severity.INFO
    details: Mapping[str, Any] = field(default_factory=dict)

    def event(self) -> NewEvent:
        key = {"key_id": self.context.key_id} if self.context.key_id else {}
        return NewEvent(
            action=self.action,
            outcome=self.outcome,
            severity=self.severity,
            customer_id=self.customer_id,
            user_id=self.user_id,
            context=self.context,
            details={"rule": self.rule, "step": self.step, **key, **self.details},
        )

    def open_as(self) -> bytes:
        """What makes two refusals the same."""
        context = self.context
        who = (self.customer_id, self.user_id, self.address, context.actor, context.key_id, counted_as(context.ip))
        return ciphers.digest(repr((self.action, self.rule, self.step, *map(str, who))).encode())


def record(refusal: NewRefusal) -> None:
    """Write the refusal, or count it: one statement, in the present transaction if there is one.

    In a flood it is left out, and how many were is written when that is over.
    """
    customer_id, now = refusal.customer_id, refusal.context.now
    budget = refusal_budget.of(refusal.action)
    if not budget.allows(customer_id, at=now.timestamp()):
        return
    _write(refusal, now)
    if left_out := budget.take_left_out(customer_id):
        events.record(
            action=actions.REFUSALS_LEFT_OUT,
            outcome=Outcome.DENIED,
            severity=Severity.MEDIUM,
            customer_id=customer_id,
            context=RequestContext.system(now=now),
            details={"count": left_out},
        )


def note(error: GatehouseError, refusal: NewRefusal) -> None:
    """Write down what this error refuses, once."""
    if error.is_recorded or error.status not in FORBIDDING:
        return
    error.is_recorded = True
    frees = {} if error.retry_after is None else {"frees_at": _frees_at(error.retry_after, refusal.context.now)}
    record_if_possible(replace(refusal, details={**frees, **refusal.details}))


def record_if_possible(refusal: NewRefusal) -> None:
    """The same as `record`, but without PostgreSQL there is only a line in the log: for answers that do not depend on it."""
    try:
        record(refusal)
    except (DatabaseError, InterfaceError):
        if connection.in_atomic_block:  # it is broken now, and only its end mends it
            raise
        log.exception("refusal_not_recorded", rule=refusal.rule, step=refusal.step)


@contextmanager
def recorded(
    step: str,
    context: RequestContext,
    *,
    customer_id: UUID | None = None,
    user_id: UUID | None = None,
    address: str = "",
) -> Iterator[None]:
    """Whatever the block refuses becomes an event, unless it has written one itself. Put it around transactions, not within."""
    try:
        yield
    except GatehouseError as error:
        facts = NewRefusal(
            rule=error.refused_by,
            step=step,
            context=context,
            customer_id=customer_id,
            user_id=user_id,
            address=address,
        )
        note(error, facts)
        raise


def of_address(identity: str) -> EventQuerySet[Refusal]:
    """What was refused to this address, at any customer."""
    found: EventQuerySet[Refusal] = Refusal.objects.filter(address_hash=address_hashes.of(identity))
    return found


def forget_address(customer_id: UUID, identity: str, *, until: datetime | None = None) -> None:
    """Nobody can find the refusals of this address any more, at this customer. The events stay: they do not name it."""
    found = of_address(identity).of(customer_id)
    mine = found if until is None else found.filter(first_at__lte=until)
    mine.update(address_hash=None, open_as=None)


def forget_addresses_of_customer(customer_id: UUID) -> bool:
    """Nobody can find refusals at this customer by their address any more. False: there are more than one run manages."""
    found = Refusal.objects.of(customer_id).filter(address_hash__isnull=False)
    batches.update(found, by="first_at", address_hash=None, open_as=None)
    return not found.exists()


def forget_old_addresses(now: datetime) -> int:
    """Of what was refused long ago, nobody can find the address any more. Returns how many refusals that were."""
    old = Refusal.objects.filter(address_hash__isnull=False, first_at__lt=now - FOUND_FOR)
    return batches.update(old, by="first_at", address_hash=None, open_as=None)


def _write(refusal: NewRefusal, now: datetime) -> None:
    facts = {
        **refusal.event().parameters(),
        "address_hash": address_hashes.of(refusal.address) if refusal.address else None,
        "open_as": refusal.open_as(),
        "since": now - COUNTED_FOR,
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, facts)


def _frees_at(wait: float, now: datetime) -> str:
    return rfc3339(now + timedelta(seconds=wait))
