"""Ports for servers that bind them some seconds after they were chosen.

So they are none that the system may give somebody else meanwhile: it hands out those from 32768 on (Linux; elsewhere from 49152 on).
"""

import itertools
import os
import socket

HOST = "127.0.0.1"

_turn = itertools.count(os.getpid())  # runs side by side begin at different places


def free_port(first: int = 10_000, count: int = 2_000) -> int:
    """One of so many from the first on, at which nobody listens."""
    return next(port for port in (first + number % count for number in _turn) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a conversation that has ended is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
