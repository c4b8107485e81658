"""Memory of a worker as it answers more and more requests: of known tokens, of tokens it has never seen, and sign-ins.

A million requests, or as many as fit into BUDGET_SECONDS: the table says how many there were.
"""

import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.load import Requests
from benchmarks.servers import Server
from benchmarks.table import Row

TITLE = "Memory of a worker"
WANTED_REQUESTS = 1_000_000
BUDGET_SECONDS = 90
NEW_TOKENS = 5_000
MIB = 1 << 20


def run(bench: Bench) -> list[Row]:
    server = bench.serve(bench.ours, name="memory")
    kinds = cycle(_kinds(bench, server))
    next(kinds)()
    began, at_first, count, most = time.monotonic(), server.resident_bytes(), 0, 0
    while count < WANTED_REQUESTS and time.monotonic() - began < min(BUDGET_SECONDS, 45 * bench.seconds):
        count += next(kinds)()
        most = max(most, server.resident_bytes())
    figures = {"MiB after the first requests": at_first / MIB, "MiB at the end": server.resident_bytes() / MIB}
    return [
        Row(
            "ours",
            "Gatehouse: memory of the one worker",
            calls=count,
            beside={**figures, "MiB at most": most / MIB, "requests": count},
        )
    ]


def _kinds(bench: Bench, server: Server) -> Iterator[Callable[[], int]]:
    warm, checks = bench.ours.who_am_i(), bench.ours.forward_auth()
    yield lambda: bench.measure(server, warm).calls
    yield lambda: bench.measure(server, checks).calls
    yield lambda: bench.measure(server, bench.ours.with_new_tokens(NEW_TOKENS)).calls
    yield lambda: bench.measure(server, checks).calls
    yield lambda: _sign_ins(bench, server)


def _sign_ins(bench: Bench, server: Server) -> int:
    """Every step of as many sign-ins as the other job has in a round."""
    answers: Path | None = None
    count = 0
    for phase in bench.ours.phases():
        requests: Requests = phase.prepare(bench.calls, answers)
        answers = bench.ours.folder / f"memory-{phase.name}.answers"
        calls = bench.measure(server, requests, answers=answers).calls
        phase.check(calls)
        count += calls
    return count
