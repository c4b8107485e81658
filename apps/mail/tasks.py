"""Celery tasks. Each gets a row's id and nothing else."""

from contextlib import suppress
from itertools import takewhile
from uuid import UUID

import structlog
from celery import shared_task
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from apps.core import queues
from apps.core.advisory_locks import alone
from apps.mail import delivery

log = structlog.get_logger(__name__)


@shared_task(name="mail.send")
def send(message_id: str) -> None:
    """Try to send one message, and enqueue its next attempt if that fails.

    There is a task for each message, but it sends the one whose turn it is (`turns`). The named one is sent, too, if it was tried
    before: then it is in no line, and this is its time.
    """
    named = UUID(message_id)
    first = delivery.attempt_next(now=timezone.now())
    if first is not None:
        _try_again_later(first.message_id, first.wait)
    if first is None or first.message_id != named:
        _try_again_later(named, delivery.attempt(named, now=timezone.now(), again=True))


def _try_again_later(message_id: UUID, wait: float | None) -> None:
    if wait is not None:
        enqueue(message_id, wait=wait)


@shared_task(name="mail.sweep")
@alone
def sweep() -> int:
    """Enqueue again what a lost broker or a killed worker has forgotten; give up what has expired. Returns how many were enqueued."""
    now = timezone.now()
    delivery.expire(now=now)
    try:
        waiting = queues.length(send)
    except Exception as error:  # noqa: BLE001  (as in enqueue)
        log.warning("broker_away", error=type(error).__name__)
        return 0
    forgotten = delivery.take_overdue(now=now, queue_is_empty=waiting == 0)
    told = list(takewhile(enqueue, forgotten))
    delivery.not_enqueued(forgotten[len(told) :])
    return len(told)


def enqueue(message_id: UUID, *, wait: float = 0) -> bool:
    """Tell a worker to send a message in `wait` seconds. Takes about a second at most.

    False if the broker is away. That is no failure: the row is there, and the sweeper finds it.
    """
    try:
        queues.put(send, str(message_id), wait=wait)
    except Exception as error:  # noqa: BLE001  (each broker's client has its own errors, and none may fail a request)
        log.warning("broker_away", message_id=str(message_id), error=type(error).__name__)
        _note_that_it_is_not_enqueued(message_id)
        return False
    return True


def _note_that_it_is_not_enqueued(message_id: UUID) -> None:
    """Without this note the sweeper only waits longer: no reason to fail a request that has committed."""
    with suppress(DatabaseError, InterfaceError):
        delivery.not_enqueued([message_id])
