"""Celery's part: each task gets a row's id and nothing else."""

from itertools import takewhile
from uuid import UUID

import structlog
from celery import shared_task
from django.utils import timezone
from kombu.pools import producers

from apps.mail import delivery

# Requests publish too, and must not hang on a broker that accepts connections and says nothing.
PATIENCE_SECONDS = 1.0
PATIENCE = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}

log = structlog.get_logger(__name__)


@shared_task(name="mail.send")
def send(message_id: str) -> None:
    """Try to send one message, and come back when it did not go."""
    wait = delivery.attempt(UUID(message_id), now=timezone.now())
    if wait is not None:
        hand_over(UUID(message_id), wait=wait)


@shared_task(name="mail.sweep")
def sweep() -> int:
    """Hand over again what a lost broker or a killed worker forgot; give up what has expired. Returns how many."""
    now = timezone.now()
    delivery.expire(now=now)
    return sum(1 for _ in takewhile(hand_over, delivery.overdue(now=now)))


def hand_over(message_id: UUID, *, wait: float = 0) -> bool:
    """Tell a worker of a message, to be tried in `wait` seconds. Takes about a second at most.

    A broker that is away is no failure (False): the row is there, and the sweeper finds it.
    """
    broker = send.app.connection_for_write(transport_options=PATIENCE)
    try:
        with producers[broker].acquire(block=True, timeout=PATIENCE_SECONDS) as producer:
            send.apply_async((str(message_id),), countdown=wait, producer=producer, retry=False)
    except Exception as error:  # noqa: BLE001  (each broker's client has errors of its own, and none may fail a request)
        log.warning("broker_away", message_id=str(message_id), error=type(error).__name__)
        return False
    return True
