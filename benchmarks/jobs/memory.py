"""Memory of a worker as it answers more and more requests: tokens and users that it has never seen, sign-ins, then the same ones again.

At first what a process remembers is filled to its bounds. Then it answers until a million requests are reached, or BUDGET_SECONDS
are over: the table says how many there were. Production's packages alone are there, as in the image: what only tests need takes 12 MiB.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.gatehouse import packages
from benchmarks.load import Requests
from benchmarks.servers import Server
from benchmarks.table import Row

TITLE = "Memory of a worker"
MARKS = (1_000, 10_000, 100_000, 1_000_000)  # requests after which it is weighed
BUDGET_SECONDS = 130
SECONDS_OF_ONE_LOAD = 12
# Times the calls of a step: with 150, more than the bounds of 6,144 tokens and 8,000 entries of two to a user.
NEW_TOKENS, NEW_USERS = 60, 40
MIB = 1 << 20

Load = Callable[[], int]


@dataclass
class Scales:
    """What the process weighs, after how many requests."""

    server: Server
    count: int = 0
    most: float = 0.0
    most_own: float = 0.0
    marks: dict[str, float] = field(default_factory=dict)

    def weigh(self) -> float:
        memory = self.server.memory()
        self.most = max(self.most, memory.resident / MIB)
        self.most_own = max(self.most_own, memory.own / MIB)
        return memory.resident / MIB

    def add(self, calls: int) -> None:
        self.count += calls
        mib = self.weigh()
        for mark in MARKS:
            if self.count >= mark:
                self.marks.setdefault(f"MiB after {mark:,} requests", mib)


def run(bench: Bench) -> list[Row]:
    server = bench.serve(bench.ours, bench.ours.application(python=packages.python(bench)), name="memory")
    scales = Scales(server)
    at_start, began = scales.weigh(), time.monotonic()
    for load in _filling(bench, server):
        scales.add(load())
        bench.say(f"  {scales.count:,} requests: {scales.weigh():.0f} MiB")
    for load in cycle(_steady(bench, server)):
        if scales.count >= MARKS[-1] or time.monotonic() - began > min(BUDGET_SECONDS, 100 * bench.seconds):
            break
        scales.add(load())
    bench.say(f"  {scales.count:,} requests: {scales.weigh():.0f} MiB")
    beside = {
        "MiB when it is up": at_start,
        **scales.marks,
        "MiB at the end": scales.weigh(),
        "MiB at most": scales.most,
        "MiB at most without pages of files": scales.most_own,
        "requests": scales.count,
    }
    return [Row("ours", "Gatehouse: memory of the one worker", calls=scales.count, beside=beside)]


def _filling(bench: Bench, server: Server) -> Iterator[Load]:
    """A thousand at first; then everything that there is to remember."""
    new_tokens, new_users = NEW_TOKENS * bench.calls, NEW_USERS * bench.calls
    yield lambda: _all(bench, server, bench.ours.with_new_tokens(min(MARKS[0], new_tokens)))
    yield lambda: _sign_ins(bench, server)
    yield lambda: _all(bench, server, bench.ours.with_new_tokens(new_tokens))
    yield lambda: _all(bench, server, bench.ours.of_new_users(new_users))


def _steady(bench: Bench, server: Server) -> Iterator[Load]:
    seconds = SECONDS_OF_ONE_LOAD * min(1.0, bench.seconds)
    known, checks = bench.ours.who_am_i(), bench.ours.forward_auth()
    yield lambda: bench.measure(server, checks, seconds=seconds).calls
    yield lambda: bench.measure(server, known).calls
    yield lambda: bench.measure(server, checks, seconds=seconds).calls
    yield lambda: _sign_ins(bench, server)


def _all(bench: Bench, server: Server, requests: Requests) -> int:
    """Each of them, however long that takes."""
    return bench.measure(server, requests, answers=bench.ours.folder / "memory.answers").calls


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
