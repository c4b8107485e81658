"""The same calls where there is little, and where there is a lot: customers, users, sessions, mails, events.

Two installations stand side by side, one of them grown (`benchmarks.seed`), and are asked in turns, call by call: each round compares
what was measured within the same second or two. In full the grown one has 100,000 customers, a million users, 5 million sessions with
their tokens, a million mails and 10 million events; a run of everything takes a part of it.

"Who am I" of known users asks no database: whatever its two sides differ by is the machine's noise.
"""

import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import redis

from benchmarks.bench import Bench
from benchmarks.gatehouse.copies import Copy
from benchmarks.load import Requests
from benchmarks.rounds import Sample, Spread, ratio
from benchmarks.seeding.scale import Scale
from benchmarks.servers import Server, environment_of
from benchmarks.subject import NotKept, Phase
from benchmarks.table import Row, row
from config.embedded.engine import end_with_parent
from config.environment import PROJECT_ROOT

TITLE = "As work grows"
WHOLE = Scale(customers=100_000, users=1_000_000, sessions=5_000_000, mails=1_000_000, events=10_000_000)
SMALL = 0.05  # of the whole, but all customers
ROUNDS = 9  # short ones, since a ratio is of one round; with `--rounds 1` one
SECONDS = 0.5  # of a call whose requests may be sent again
NEW_USERS = 250  # a round
SMALL_VALKEY, GROWN_VALKEY = 2, 3  # numbers of their databases
ME, NEW = "who am I, of a known user", "who am I, of a new user"

Call = Callable[[], Sample]


def run(bench: Bench) -> list[Row]:
    small, grown = Copy(bench.ours, "small", valkey=SMALL_VALKEY), Copy(bench.ours, "grown", valkey=GROWN_VALKEY)
    _grow(bench, grown, WHOLE if bench.is_full else WHOLE.share(SMALL))
    sides = Side(bench, small), Side(bench, grown)
    compared = [_compared(name, *samples) for name, samples in _in_turns(bench, *sides).items()]
    codes = sides[0].valkey_bytes_of_a_code()  # now that connections have their buffers
    bench.end_job()
    return [*compared, *_sizes(grown), Row("valkey", "Valkey: a code that was asked for", beside={"bytes": codes})]


class Side:
    """One of the two, with a server of its own, and the calls that it is asked."""

    def __init__(self, bench: Bench, copy: Copy) -> None:
        self.copy = copy
        self._bench = bench
        self._server: Server = bench.serve(copy)
        with copy.inside():
            self._phases: Sequence[Phase] = copy.phases()

    def calls(self) -> Mapping[str, Call]:
        with self.copy.inside():
            known = self.copy.who_am_i()
        befores = [None, *self._phases]
        return {
            ME: lambda: self._bench.measure(self._server, known, seconds=min(SECONDS, self._bench.seconds)),
            NEW: self._of_new_users,
            **{phase.name: self._way(phase, before) for phase, before in zip(self._phases, befores, strict=False)},
        }

    def valkey_bytes_of_a_code(self) -> float:
        """With all that counts it: limits, the mark against replay."""
        phase, folder = self._phases[0], self.copy.folder
        client = redis.Redis.from_url(self.copy.environment["REDIS_URL"])
        with self.copy.inside():
            requests = phase.prepare(self._bench.calls, None)
        before = int(client.info("memory")["used_memory"])
        calls = self._bench.measure(self._server, requests, answers=folder / "growth.answers").calls
        used = (int(client.info("memory")["used_memory"]) - before) / calls
        client.close()
        with self.copy.inside():
            phase.check(calls)
        return used

    def _of_new_users(self) -> Sample:
        with self.copy.inside():
            requests = self.copy.of_new_users(min(NEW_USERS, 10 * self._bench.calls))
        return self._all(requests, "new-users")

    def _way(self, phase: Phase, before: Phase | None) -> Call:
        def measure() -> Sample:
            with self.copy.inside():
                requests = phase.prepare(self._bench.calls, self._answers(before.name) if before else None)
            sample = self._all(requests, phase.name)
            with self.copy.inside():
                phase.check(sample.calls)
            return sample

        return measure

    def _all(self, requests: Requests, name: str) -> Sample:
        return self._bench.measure(self._server, requests, answers=self._answers(name))

    def _answers(self, name: str) -> Path:
        return self.copy.folder / f"{name}.answers"


Samples = tuple[list[Sample], list[Sample]]  # of the small one and of the grown one, round by round


def _in_turns(bench: Bench, small: Side, grown: Side) -> Mapping[str, Samples]:
    """Each call of each round on both sides, one right after the other; who is first changes from round to round."""
    ways = [small.calls(), grown.calls()]
    bench.say("  warming up …")
    for name in ways[0]:
        for way in ways:
            way[name]()
    samples: dict[str, Samples] = {name: ([], []) for name in ways[0]}
    rounds = ROUNDS if bench.rounds > 1 else 1
    for number in range(rounds):
        began = time.monotonic()
        for name, found in samples.items():
            for side in (0, 1) if number % 2 else (1, 0):
                found[side].append(ways[side][name]())
        bench.say(f"  round {number + 1} of {rounds} ({time.monotonic() - began:.0f} s)")
    return samples


def _compared(name: str, small: Sequence[Sample], grown: Sequence[Sample]) -> Row:
    """The call where there is a lot. Beside it: where there is little, and how the two compare, round by round."""
    against = ratio(grown, small)
    beside = {
        "CPU µs while small": 1e6 / Spread.of([one.per_cpu_second for one in small]).median,
        "grown against small": against.median,
        "at least": against.least,
        "at most": against.most,
        "PostgreSQL CPU µs": _postgres_us(grown),
        "while small": _postgres_us(small),
    }
    return row(f"growth/{name}", f"Gatehouse, grown: {name}", grown, beside=beside)


def _postgres_us(samples: Sequence[Sample]) -> float:
    """Of a call, in the median round."""
    return statistics.median(one.extra["postgres_seconds"] / one.calls for one in samples) * 1e6


def _grow(bench: Bench, copy: Copy, scale: Scale) -> None:
    """In a process of its own, as one of the installation's commands."""
    bench.say(f"  growing: {', '.join(f'{count:,} {what}' for what, count in vars(scale).items())} …")
    options = [f"--{what}={count}" for what, count in vars(scale).items()]
    errors = copy.folder / "growth.errors"
    with (
        errors.open("wb") as said,
        subprocess.Popen(
            [sys.executable, "-u", "-m", "benchmarks.seed", *options],
            cwd=PROJECT_ROOT,
            env=environment_of(copy.application()),
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  (the benchmarks have one thread)
        ) as process,
    ):
        for line in process.stdout or ():
            bench.say(f"    {line.rstrip()}")
    if process.returncode:
        raise NotKept(f"The database did not grow:\n{errors.read_text(errors='replace')[-2000:]}")


def _sizes(copy: Copy) -> list[Row]:
    """What a row of each large table takes in PostgreSQL."""
    from django.db import connection  # when the installation is there

    from benchmarks.seeding import sizes

    with copy.inside(), connection.cursor() as cursor:
        found = sizes.of_tables(cursor)
    return [
        Row(
            f"size/{table.name}",
            f"PostgreSQL: {table.name}",
            beside={"rows": table.rows, "bytes a row": table.bytes_a_row, "of these, indexes": table.index_bytes_a_row},
        )
        for table in found
    ]
