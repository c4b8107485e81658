"""Commands that read or change whole tables take their time; requests and background tasks never do (config/databases.py)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, connection
from psycopg import errors

BUSY = (errors.LockNotAvailable, errors.DeadlockDetected)  # somebody else's lock; trying again may well do


@contextmanager
def unhurried(*, lock_seconds: float) -> Iterator[None]:
    """A connection without a bound on statements, directly to PostgreSQL where a pooler is in between. Locks are waited for so long."""
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
    """None where there is nothing but a pooler, to which no parameters can be given."""
    direct: dict[str, Any] | None = settings.UNHURRIED_DATABASE
    if not direct:
        return None
    options = f"{direct['OPTIONS']['options']} -c lock_timeout={lock_seconds}s"
    # The name of the database as it is now: the tests' is another than the settings'.
    return {**usual, **direct, "NAME": usual["NAME"], "OPTIONS": {**direct["OPTIONS"], "options": options}}


def take_time() -> None:
    """No statement of the present transaction has a bound: for the few that change as many rows as a customer has."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")


def is_busy(error: Error) -> bool:
    """Whether PostgreSQL gave up waiting for a lock."""
    return isinstance(error.__cause__, BUSY)


class UnhurriedCommand(BaseCommand):
    """A command that may take minutes."""

    lock_seconds = 30.0

    def execute(self, *args: Any, **options: Any) -> str | None:
        run: Callable[..., str | None] = super().execute
        with unhurried(lock_seconds=self.lock_seconds):
            return run(*args, **options)
