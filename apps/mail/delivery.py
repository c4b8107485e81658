"""One attempt to send one message: lease it, hand it to a server, write down how that went.

Of any number of workers exactly one holds the lease and sends. If it dies, another takes the message when the lease has expired.
A mail goes out at least once; and exactly once, unless a worker crashes between the server's answer and writing that down.
Anything that goes wrong is a failed attempt, with its reason.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q, Value
from django.db.models.lookups import GreaterThanOrEqual

from apps.core import row_lease, sealed
from apps.core.row_lease import LeaseLost, RowLease
from apps.mail import ledger, sms_transports, transports, turns
from apps.mail.content import Content, MailToRender, Sms
from apps.mail.models import Channel, LedgerStep, Message, MessageState
from apps.mail.transports import Receipt, Refused, TransportDown

SHORTEST_BACKOFF, LONGEST_BACKOFF = timedelta(seconds=1), timedelta(seconds=60)
SETTLING = timedelta(seconds=10)  # a message that is due has a task of its own; for so long the sweeper leaves it alone
LOST_AFTER = timedelta(
    seconds=60
)  # a task may be lost if it has waited for so long, and twice as long as the time before
SANDBOX_KEPT = timedelta(days=1)
SMS_WITHIN_SECONDS = 30.0  # so long a gateway may take
BATCH = 1000

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Attempted:
    """A message that was tried. `wait`: seconds until it is to be tried again; None: never."""

    message_id: UUID
    wait: float | None


@dataclass(frozen=True)
class Overdue:
    """A message that was forgotten. One that `was_tried` stands in no line (`turns`)."""

    message_id: UUID
    was_tried: bool


def attempt(message_id: UUID, *, now: datetime) -> float | None:
    """Send this message if it is due and no other worker has it. Returns seconds until the next attempt, or None."""
    lease = _take_named(message_id, now)
    return _outcome(lease) if lease else None


def attempt_next(*, now: datetime) -> Attempted | None:
    """Send the message whose turn it is, of those that were not tried yet. None if there is none that no other worker has."""
    lease = turns.take(now=now, length=_lease_length())
    return Attempted(lease.row.id, _outcome(lease)) if lease else None


def _outcome(lease: RowLease[Message]) -> float | None:
    """Send it, and write down how that went. Returns seconds until the next attempt, or None."""
    try:
        with lease.kept():
            receipt = _send(lease)
    except LeaseLost:
        return None
    except Refused as refusal:
        _give_up(lease.row, refusal, lease.now)
        return None
    except TransportDown as failure:
        return _defer(lease, failure)
    except DatabaseError:
        raise  # nothing can be written down now: the lease ends by itself
    except Exception as error:  # noqa: BLE001  (a mail that cannot be opened, a class of the operator's own)
        return _defer(lease, TransportDown("", type(error).__name__))
    _accept(lease.row, receipt, lease.now)
    return None


def _take_named(message_id: UUID, now: datetime) -> RowLease[Message] | None:
    """Take this message if it is due, and write that down. Only one of any number of workers can."""
    waits = Q(state=MessageState.QUEUED, next_try_at__lte=now)
    due = Message.objects.filter(waits | _abandoned(now), id=message_id, expires_at__gt=now).exclude(content="")
    noted = {"state": MessageState.TAKEN, "enqueued_at": None}
    with transaction.atomic():
        lease = row_lease.take(due, length=lambda _: _lease_length(), now=now, **noted)
        if lease is not None:
            ledger.note(message_id=message_id, step=LedgerStep.TAKEN, now=now)
        return lease


def _lease_length() -> timedelta:
    return timedelta(seconds=settings.MAIL_LEASE_SECONDS)


def _abandoned(now: datetime) -> Q:
    return Q(state=MessageState.TAKEN, leased_until__lt=now)


def _send(lease: RowLease[Message]) -> Receipt:
    """Send it by its channel. Raises LeaseLost, Refused, TransportDown, or any other error."""
    content = sealed.read(lease.row, "content")
    if lease.row.channel == Channel.EMAIL:
        return _send_mail(lease, MailToRender.from_json(content).render())
    return _send_sms(lease, Sms.from_json(content))


def _send_mail(lease: RowLease[Message], mail: Content) -> Receipt:
    """Try each transport in turn. Raises Refused, or TransportDown when none took it."""
    message, failure = lease.row, None
    for transport in transports.configured():
        if failure is not None:
            _note(message, LedgerStep.DEFERRED, failure, lease.now)
        try:
            return transport.send(
                mail, recipient=message.recipient, message_id=str(message.id), before_data=lease.confirm
            )
        except Refused:
            raise
        except TransportDown as error:
            failure = error
    raise failure or TransportDown("", "no transport is configured")


def _send_sms(lease: RowLease[Message], sms: Sms) -> Receipt:
    """There is one backend. Raises LeaseLost, Refused or TransportDown."""
    backend = sms_transports.configured()
    lease.confirm()
    try:
        return backend.send(sms, message_id=str(lease.row.id), within=SMS_WITHIN_SECONDS)
    except TransportDown:
        raise
    except Exception as error:
        raise TransportDown("", type(error).__name__) from error


def _accept(message: Message, receipt: Receipt, now: datetime) -> None:
    """It is sent, even if another worker holds the lease by now. Its content may hold a code, and is no longer needed."""
    ledger.accept(message_id=message.id, server=receipt.server, answer=receipt.answer, now=now)
    log.info("mail_sent", message_id=str(message.id), kind=message.kind, server=receipt.server)


def _give_up(message: Message, failure: TransportDown, now: datetime) -> bool:
    """Failed for good. The content is kept until the message expires: an operator may mend the cause and send it again."""
    ending = {"content": ""} if message.expires_at <= now else {}
    with transaction.atomic():
        ours = row_lease.unchanged(message, "state").update(
            state=MessageState.FAILED, leased_until=None, last_error=failure.answer[:500], **ending
        )
        if not ours:
            return False
        _note(message, LedgerStep.FAILED, failure, now)
    log.warning("mail_failed", message_id=str(message.id), kind=message.kind, server=failure.server)
    return True


def _note(message: Message, step: LedgerStep, said: Receipt | TransportDown, now: datetime) -> None:
    """Write one step. Servers like to repeat the address, so their answer is kept only while the message has a recipient, which
    erasing the user removes. The row is locked: of an answer and an erasure at the same moment, the second sees the first.
    """
    with transaction.atomic():
        is_kept = Message.objects.select_for_update().filter(id=message.id).exclude(recipient="").exists()
        answer = said.answer if is_kept else ""
        ledger.note(message_id=message.id, step=step, now=now, server=said.server, answer=answer)


def _defer(lease: RowLease[Message], failure: TransportDown) -> float | None:
    """Back off exponentially with full jitter, so that an outage does not end in a stampede."""
    longest = row_lease.backoff(lease.row.attempts, shortest=SHORTEST_BACKOFF, longest=LONGEST_BACKOFF)
    wait = 0.5 + random.random() * longest.total_seconds()  # noqa: S311  (spreads load; guards nothing)
    now = lease.now
    with transaction.atomic():
        ours = row_lease.unchanged(lease.row).update(
            state=MessageState.QUEUED,
            leased_until=None,
            next_try_at=now + timedelta(seconds=wait),
            last_error=failure.answer[:500],
        )
        _note(lease.row, LedgerStep.DEFERRED, failure, now)
    return wait if ours else None


def take_overdue(*, now: datetime, queue_is_empty: bool) -> list[Overdue]:
    """Messages that a lost broker or a killed worker has forgotten, oldest first; from now on noted as enqueued."""
    waiting = Q(state=MessageState.QUEUED, next_try_at__lte=now - SETTLING)
    due = Message.objects.filter(waiting | _abandoned(now), expires_at__gt=now)
    lost = Q(enqueued_at__lte=now - SETTLING) if queue_is_empty else _enqueued_long_ago(now)
    forgotten = due.filter(Q(enqueued_at=None) | lost).order_by("next_try_at").values_list("id", "attempts")
    overdue = [Overdue(message_id, was_tried=attempts > 0) for message_id, attempts in forgotten[:BATCH]]
    Message.objects.filter(id__in=[one.message_id for one in overdue]).update(enqueued_at=now)
    return overdue


def _enqueued_long_ago(now: datetime) -> Q:
    """While others wait, a task may only be slow. Each wait is twice the last, so a stopped worker finds few tasks of one mail."""
    waited, before = Value(now) - F("enqueued_at"), F("enqueued_at") - F("next_try_at")
    return Q(enqueued_at__lte=now - LOST_AFTER) & Q(GreaterThanOrEqual(waited, before))


def not_enqueued(ids: Sequence[UUID]) -> None:
    """The broker did not take their tasks: the sweeper need not wait."""
    Message.objects.filter(id__in=ids).update(enqueued_at=None)


def expire(*, now: datetime) -> int:
    """Give up messages that were not sent in time, and empty those that have expired. Returns how many failed."""
    late = Message.objects.filter(Q(state=MessageState.QUEUED) | _abandoned(now), expires_at__lte=now)
    reason = TransportDown("", "expired before a server took it")
    failed = sum(_give_up(message, reason, now) for message in late.order_by("expires_at")[:BATCH])
    refused = Q(state=MessageState.FAILED, expires_at__lte=now)
    shown = Q(state=MessageState.SANDBOXED, expires_at__lte=now - SANDBOX_KEPT)
    said = Message.objects.filter(refused | shown, expires_at__lte=now).exclude(content="").order_by("expires_at")
    Message.objects.filter(id__in=list(said.values_list("id", flat=True)[:BATCH])).update(content="")
    return failed
