"""Ports for servers that a test starts as processes: chosen here, bound there some seconds later.

So they are none that the system may give somebody else meanwhile: it hands out those from 32768 on (Linux; elsewhere from 49152
on). Each worker of a run has a range of its own.
"""

import itertools
import os
import socket
from contextlib import closing

FIRST, EACH, RANGES = 12_000, 1_000, 20

_turn = itertools.count(os.getpid())  # runs side by side begin at different places


def free_port() -> int:
    """One that nobody listens at."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    first = FIRST + worker % RANGES * EACH
    return next(port for port in (first + number % EACH for number in _turn) if _is_free(port))


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: a conversation that has ended is no hindrance
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
