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
def send(_message_id: str) -> None:
    """Try to send one message, and enqueue its next attempt if that fails.

    There is a task for each message that was not tried yet, but it sends the one whose turn it is (`turns`).
    """
    attempted = delivery.attempt_next(now=timezone.now())
    if attempted is not None:
        _try_again_later(attempted.message_id, attempted.wait)


@shared_task(name="mail.send_again")
def send_again(message_id: str) -> None:
    """The same for this very message, which was tried before: it stands in no line, and this is its time."""
    named = UUID(message_id)
    _try_again_later(named, delivery.attempt(named, now=timezone.now()))


def _try_again_later(message_id: UUID, wait: float | None) -> None:
    if wait is not None:
        enqueue(message_id, wait=wait, was_tried=True)


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
    told = list(takewhile(lambda one: enqueue(one.message_id, was_tried=one.was_tried), forgotten))
    delivery.not_enqueued([one.message_id for one in forgotten[len(told) :]])
    return len(told)


def enqueue(message_id: UUID, *, wait: float = 0, was_tried: bool = False) -> bool:
    """Tell a worker to send a message in `wait` seconds. Takes about a second at most.

    False if the broker is away. That is no failure: the row is there, and the sweeper finds it.
    """
    try:
        queues.put(send_again if was_tried else send, str(message_id), wait=wait)
    except Exception as error:  # noqa: BLE001  (each broker's client has its own errors, and none may fail a request)
        log.warning("broker_away", message_id=str(message_id), error=type(error).__name__)
        _note_that_it_is_not_enqueued(message_id)
        return False
    return True


def _note_that_it_is_not_enqueued(message_id: UUID) -> None:
    """Without this note the sweeper only waits longer: no reason to fail a request that has committed."""
    with suppress(DatabaseError, InterfaceError):
        delivery.not_enqueued([message_id])
