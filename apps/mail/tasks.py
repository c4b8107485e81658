"""Celery's part: each task gets a row's id and nothing else."""

from uuid import UUID

import structlog
from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from apps.mail import delivery

log = structlog.get_logger(__name__)


@shared_task(name="mail.send")
def send(message_id: str) -> None:
    """Try to send one message, and come back when it did not go."""
    wait = delivery.attempt(UUID(message_id), now=timezone.now())
    if wait is not None:
        send.apply_async((message_id,), countdown=wait)


@shared_task(name="mail.sweep")
def sweep() -> int:
    """Hand over again what a lost broker or a killed worker forgot; give up what has expired. Returns how many."""
    now = timezone.now()
    delivery.expire(now=now)
    forgotten = delivery.overdue(now=now)
    for message_id in forgotten:
        hand_over(message_id)
    return len(forgotten)


def hand_over(message_id: UUID) -> None:
    """Tell a worker of a message. A broker that is away is no failure: the row is there, and the sweeper finds it."""
    try:
        send.apply_async((str(message_id),), retry=False)
    except (OperationalError, OSError) as error:
        log.warning("broker_away", message_id=str(message_id), error=type(error).__name__)
