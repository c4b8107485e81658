"""What somebody else does at the very moment when it hurts."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection, connections, transaction

PATIENCE = 20  # seconds
SOMEBODY_WAITS = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
)


@contextmanager
def uncommitted(act: Callable[[], object]) -> Iterator[None]:
    """Somebody else has done this, and commits as soon as what runs in here has to wait for it. It must come to wait."""
    done, waited = threading.Event(), []

    def work() -> None:
        try:
            with transaction.atomic():
                act()
                done.set()
                waited.append(_somebody_waits())
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    assert done.wait(PATIENCE)
    try:
        yield
    finally:
        thread.join()
    assert waited == [True]


def _somebody_waits() -> bool:
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(SOMEBODY_WAITS)
            row = cursor.fetchone()
            if row and row[0]:
                return True
            time.sleep(0.01)
    return False
