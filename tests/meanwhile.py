"""Concurrent changes at the worst possible moment."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection, connections, transaction

from tests.races import wait_long_for_locks

PATIENCE = 90  # seconds, as in tests/worker.py
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
        with _patient():
            yield
    finally:
        thread.join()
    assert waited == [True]


@contextmanager
def _patient() -> Iterator[None]:
    """Whoever waits here does so until the other has seen it and committed: on a busy machine, for longer than the 3 s of a request."""
    _execute(f"SET lock_timeout = '{PATIENCE}s'")
    try:
        yield
    finally:
        _execute("RESET lock_timeout")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


class Intruder:
    """Somebody else's call, begun in the middle of a transaction of ours. It must come to wait for us; `result` is what it gave."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._act = act
        self._ended: Future[object] | None = None

    def begin(self) -> None:
        """Begin, and go on once it waits for a lock that we hold. Only the first time."""
        if self._ended is None:
            self._ended = self._pool.submit(self._run)
            assert _somebody_waits()

    def result(self) -> object:
        assert self._ended is not None, "nobody has begun"
        return self._ended.result(PATIENCE)

    def _run(self) -> object:
        wait_long_for_locks()
        try:
            return self._act()
        finally:
            connections.close_all()


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
