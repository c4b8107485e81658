"""Commands that read or change whole tables take their time; requests and background tasks never do (config/databases.py)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import Error, connection
from psycopg import errors

from apps.core.commands import OwnCommand

BUSY = (errors.LockNotAvailable, errors.DeadlockDetected)  # somebody else's lock; trying again may help


@contextmanager
def unhurried(*, lock_seconds: float) -> Iterator[None]:
    """A connection without a time limit on statements, past a pooler if there is one. It waits for locks for so many seconds."""
    usual = connection.settings_dict
    patient = _patient(usual, lock_seconds)
    if connection.in_atomic_block or patient is None:
        yield
        return
    connection.close()
    connection.settings_dict = patient
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = usual


def _patient(usual: dict[str, Any], lock_seconds: float) -> dict[str, Any] | None:
    """None where only a pooler can be reached, which takes no parameters."""
    direct: dict[str, Any] | None = settings.UNHURRIED_DATABASE
    if not direct:
        return None
    options = f"{direct['OPTIONS']['options']} -c lock_timeout={lock_seconds}s"
    # The database's name as it is now: in tests it is not that of the settings.
    return {**usual, **direct, "NAME": usual["NAME"], "OPTIONS": {**direct["OPTIONS"], "options": options}}


def take_time() -> None:
    """Lift the time limit on statements for this transaction: for the few that may change all rows of a customer."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")


def is_busy(error: Error) -> bool:
    """Whether PostgreSQL gave up waiting for a lock."""
    return isinstance(error.__cause__, BUSY)


class UnhurriedCommand(OwnCommand):
    """A command that may take minutes."""

    lock_seconds = 30.0

    def execute(self, *args: Any, **options: Any) -> str | None:
        run: Callable[..., str | None] = super().execute
        with unhurried(lock_seconds=self.lock_seconds):
            return run(*args, **options)
