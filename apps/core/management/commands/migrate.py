"""Django's `migrate`, safe while the service runs and beside another `migrate`.

A migration that waits for a lock on a busy table makes everybody else wait behind it. So it waits for two seconds, gives way, and
tries again. Two runs at once take turns.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.checks import Tags
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError

from apps.core import advisory_locks, migration_state, patience

migrate.MigrationExecutor = migration_state.Executor  # type: ignore[attr-defined]
LOCK_SECONDS = 2.0
TRIES = 30
LONGEST_PAUSE_SECONDS = 10.0
LOOK_AGAIN_AFTER_SECONDS = 0.5


class Command(migrate.Command):
    requires_system_checks = [Tags.database]  # `manage.py check` says the rest, for which every page and view is loaded

    def handle(self, *args: Any, **options: Any) -> None:
        with patience.unhurried(lock_seconds=LOCK_SECONDS), self._turn():
            for tried in range(1, TRIES + 1):
                try:
                    super().handle(*args, **options)
                except OperationalError as error:
                    self._give_way(error, tried)
                else:
                    return

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other `migrate` is at work on this database."""
        has_said = False
        while True:
            with advisory_locks.try_to_hold("migrate", at_most_seconds=advisory_locks.FOR_EVER) as is_ours:
                if is_ours:
                    yield
                    return
            if not has_said:
                self.stderr.write("Another migrate is at work on this database: waiting for it to end …")
                has_said = True
            time.sleep(LOOK_AGAIN_AFTER_SECONDS)

    def _give_way(self, error: OperationalError, tried: int) -> None:
        """Let the others finish with the table. Raises an error of another kind again, and CommandError after the last try."""
        if not patience.is_busy(error):
            raise error
        if tried == TRIES:
            raise CommandError(
                f"A table was in use at each of {TRIES} tries ({str(error).strip()}). What has been applied stays "
                "applied: find the long transaction in pg_stat_activity, and run migrate again."
            ) from error
        pause = min(float(tried), LONGEST_PAUSE_SECONDS)
        self.stderr.write(f"\nA table is in use: try {tried} of {TRIES}; the next one is in {pause:.0f} s.")
        time.sleep(pause)
