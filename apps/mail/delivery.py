"""One try to send one message: lease it, hand it to a server, write down how that went.

The lease is one UPDATE, so of any number of workers exactly one sends; a worker that dies holding it is succeeded by whoever finds
the lease expired. A mail goes out at least once and, short of a crash between the server's answer and our writing it down, once.
"""

import random
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from apps.core import sealed
from apps.mail import ledger, transports
from apps.mail.content import Content
from apps.mail.models import LedgerStep, Message, MessageState
from apps.mail.transports import Receipt, Refused, TransportDown

LONGEST_BACKOFF_SECONDS = 60
SETTLING = timedelta(seconds=10)  # a fresh message has its own task; the sweeper leaves it alone for this long
SANDBOX_KEPT = timedelta(days=1)

log = structlog.get_logger(__name__)


def attempt(message_id: UUID, *, now: datetime) -> float | None:
    """Send the message if it is due and nobody else is at it. Returns seconds until the next try, None if there is none."""
    message = _lease(message_id, now)
    if message is None:
        return None
    mail = Content.from_json(sealed.read(message, "content"))
    try:
        receipt = _hand_over(message, mail, now)
    except Refused as refusal:
        return _give_up(message, refusal, now)
    except TransportDown as failure:
        return _defer(message, failure, now)
    _accept(message, receipt, now)
    return None


def _lease(message_id: UUID, now: datetime) -> Message | None:
    """Take the message, and write that down: one statement decides between workers."""
    with transaction.atomic():
        due = _due(now).filter(id=message_id, expires_at__gt=now)
        leased_until = now + timedelta(seconds=settings.MAIL_LEASE_SECONDS)
        taken = due.update(state=MessageState.TAKEN, leased_until=leased_until, attempts=F("attempts") + 1)
        if not taken:
            return None
        ledger.note(message_id=message_id, step=LedgerStep.TAKEN, now=now)
    return Message.objects.get(id=message_id)


def _due(now: datetime) -> QuerySet[Message]:
    waiting = Q(state=MessageState.QUEUED, next_try_at__lte=now)
    abandoned = Q(state=MessageState.TAKEN, leased_until__lt=now)
    return Message.objects.filter(waiting | abandoned)


def _hand_over(message: Message, mail: Content, now: datetime) -> Receipt:
    """Try each transport in turn. Raises Refused, or TransportDown when none took it."""
    failure = TransportDown("", "no transport is configured")
    for transport in transports.configured():
        try:
            return transport.send(mail, recipient=message.recipient, message_id=str(message.id))
        except Refused:
            raise
        except TransportDown as error:
            failure = error
            ledger.note(
                message_id=message.id, step=LedgerStep.DEFERRED, now=now, server=error.server, answer=error.answer
            )
    raise failure


def _accept(message: Message, receipt: Receipt, now: datetime) -> None:
    _finish(message, MessageState.SENT)
    ledger.note(
        message_id=message.id, step=LedgerStep.ACCEPTED, now=now, server=receipt.server, answer=receipt.answer
    )
    log.info("mail_sent", message_id=str(message.id), kind=message.kind, server=receipt.server)


def _give_up(message: Message, failure: TransportDown, now: datetime) -> None:
    _finish(message, MessageState.FAILED, last_error=failure.answer)
    ledger.note(
        message_id=message.id, step=LedgerStep.FAILED, now=now, server=failure.server, answer=failure.answer
    )
    log.warning("mail_failed", message_id=str(message.id), kind=message.kind, server=failure.server)


def _defer(message: Message, failure: TransportDown, now: datetime) -> float:
    """Back off exponentially with full jitter, so that an outage does not end in a stampede."""
    longest = min(2.0 ** (message.attempts - 1), LONGEST_BACKOFF_SECONDS)
    wait = 0.5 + random.random() * longest  # noqa: S311  (spreads load; guards nothing)
    Message.objects.filter(id=message.id, state=MessageState.TAKEN).update(
        state=MessageState.QUEUED,
        leased_until=None,
        next_try_at=now + timedelta(seconds=wait),
        last_error=failure.answer[:500],
    )
    return wait


def _finish(message: Message, state: MessageState, last_error: str = "") -> None:
    """The end of a message: its content, which may hold a code, is no longer needed."""
    Message.objects.filter(id=message.id).update(
        state=state, leased_until=None, content="", last_error=last_error[:500]
    )


def overdue(*, now: datetime) -> list[UUID]:
    """Messages that a lost broker or a killed worker forgot."""
    return list(_due(now - SETTLING).filter(expires_at__gt=now).values_list("id", flat=True)[:1000])


def expire(*, now: datetime) -> int:
    """Give up what was not sent before its code expired, and forget what sandbox messages said. Returns how many failed."""
    late = Message.objects.filter(
        Q(state=MessageState.QUEUED) | Q(state=MessageState.TAKEN, leased_until__lt=now), expires_at__lte=now
    )
    failed = [(message, TransportDown("", "expired before a server took it")) for message in late[:1000]]
    for message, reason in failed:
        _give_up(message, reason, now)
    Message.objects.filter(state=MessageState.SANDBOXED, expires_at__lte=now - SANDBOX_KEPT).exclude(
        content=""
    ).update(content="")
    return len(failed)
