"""Ports for servers that a test starts as processes. Each worker of a run has a range of its own."""

import os

from benchmarks import ports

FIRST, EACH, RANGES = 12_000, 1_000, 20


def free_port() -> int:
    """One that nobody listens at."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    return ports.free_port(FIRST + worker % RANGES * EACH, EACH)
