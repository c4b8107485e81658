"""Many calls at once, on real connections."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection, connections

Result = TypeVar("Result")
THREADS = 32
PATIENT = " -c lock_timeout=90s -c statement_timeout=90s"


def at_once(times: int, act: Callable[[int], Result], *, threads: int = THREADS) -> list[Result]:
    """Do it so many times, `threads` of them at any moment, all released together. Each thread has its own connection."""
    threads = min(threads, times)
    barrier = Barrier(threads)

    def work(numbers: range) -> list[Result]:
        wait_long_for_locks()
        barrier.wait()
        try:
            return [act(number) for number in numbers]
        finally:
            connections.close_all()

    shares = [range(start, times, threads) for start in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        return [result for share in pool.map(work, shares) for result in share]


def wait_long_for_locks() -> None:
    """From this thread's next connection on: the last of a hundred that want one lock waits for longer than the 3 s of a request."""
    usual = connection.settings_dict
    options = usual["OPTIONS"]
    connection.settings_dict = {**usual, "OPTIONS": {**options, "options": options.get("options", "") + PATIENT}}


def outcome(act: Callable[[], object]) -> str:
    """How it ended: "done", or the name of the error."""
    try:
        act()
    except Exception as error:  # noqa: BLE001  (the name is the result)
        return type(error).__name__
    return "done"
