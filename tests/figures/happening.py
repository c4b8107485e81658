"""Things that happen and are counted: events, mails and sessions, at any time."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.figures import counting, reading
from apps.figures.reading import Customers, Figures, Span
from apps.mail.models import LedgerEntry, LedgerStep, Message, MessageState
from tests import factories
from tests.mail import posting

ENOUGH = 1e12  # of time


def count(now: datetime, *, kept: timedelta | None = None) -> int:
    """As the task does. `kept`: how far back it looks, where a test has no older rows: it counts every hour of 35 days else."""
    with pytest.MonkeyPatch.context() as patch:
        if kept:
            patch.setattr(counting, "KEPT", kept)
        return counting.count_due(now=now, until=ENOUGH)


def figures(now: datetime, customers: Customers = None, *, days: int = 1) -> Figures:
    return reading.read(Span.of_days(days, now=now), customers)


def sign_in(customer_id: UUID | None, at: datetime, method: str = "code") -> None:
    context = factories.context(now=at)
    events.record(action=actions.SIGN_IN, customer_id=customer_id, context=context, details={"method": method})


def failure(
    customer_id: UUID | None,
    at: datetime,
    action: str = actions.CODE_REJECTED,
    *,
    severity: Severity = Severity.LOW,
    **details: str,
) -> None:
    events.record(
        action=action,
        outcome=Outcome.FAILURE,
        severity=severity,
        customer_id=customer_id,
        context=factories.context(now=at),
        details=details,
    )


def code(customer_id: UUID, at: datetime, *, took: float | None = 1.0, used: bool = False, state: str = "") -> Message:
    """A code mail: accepted by a server after `took` seconds (None: not yet), and perhaps used."""
    message = posting.post(posting.branding(customer_id), now=at)
    if took is not None:
        note(message, LedgerStep.ACCEPTED, at + timedelta(seconds=took))
    if used:
        note(message, LedgerStep.CODE_USED, at + timedelta(seconds=60))
    become(message, state or (MessageState.SENT if took is not None else MessageState.QUEUED))
    return message


def note(message: Message, step: LedgerStep, at: datetime) -> None:
    LedgerEntry.objects.create(message=message, step=step, at=at)


def become(message: Message, state: str) -> None:
    Message.objects.filter(id=message.id).update(state=state)
