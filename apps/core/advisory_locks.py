"""Turns between processes, by PostgreSQL's advisory locks.

A lock belongs to a transaction on a connection of its own. So it works behind a transaction pooler, where a session's lock
would stay on a server connection that others use next; it ends with the process that holds it; and the work done meanwhile
commits when it likes.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import wraps

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from apps.core import ciphers

# The lock's connection may stay idle in its transaction for longer than any task runs, by this much. Then PostgreSQL ends it, since
# its host may have died without a word.
MARGIN_SECONDS = 30
FOR_EVER = 0.0  # as PostgreSQL takes it
TRY = "SELECT set_config('idle_in_transaction_session_timeout', %s, true), pg_try_advisory_xact_lock(%s)"

log = structlog.get_logger(__name__)


def key_of(name: str) -> int:
    """The lock's number: 64 bits, signed."""
    return int.from_bytes(ciphers.digest(f"gatehouse/{name}".encode())[:8], "big", signed=True)


@contextmanager
def try_to_hold(name: str, *, at_most_seconds: float) -> Iterator[bool]:
    """Try to take the lock of this name: True if we hold it now, for as long as the block runs, and at most for so many seconds.

    Behind a transaction pooler with fewer than two server connections it waits for itself.
    """
    with closing(connection.copy()) as own:
        own.set_autocommit(False)
        try:
            with own.cursor() as cursor:
                cursor.execute(TRY, [str(round(at_most_seconds * 1000)), key_of(name)])
                row = cursor.fetchone()
            yield bool(row and row[1])
        finally:
            with suppress(DatabaseError, InterfaceError):  # PostgreSQL has ended it already
                own.rollback()


def take_turns(name: str) -> None:
    """Wait for the lock of this name, and hold it until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key_of(name)])


def alone(run: Callable[[], int]) -> Callable[[], int]:
    """For a periodic task: while one run is under way in any process, another does nothing and returns 0."""

    @wraps(run)
    def run_alone() -> int:
        with try_to_hold(
            f"{run.__module__}.{run.__qualname__}", at_most_seconds=settings.CELERY_TASK_TIME_LIMIT + MARGIN_SECONDS
        ) as is_ours:
            if is_ours:
                return run()
        log.info("another_run_is_under_way", task=run.__qualname__)
        return 0

    return run_alone
