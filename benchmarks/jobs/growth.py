"""The same calls while there is little, and when there is a lot: customers, users, sessions, mails, events.

One database grows in between (`benchmarks.seed`), so the two are compared by what each is of the baseline measured in turns with it.
In full that is 100,000 customers, a million users, 5 million sessions with their tokens, a million mails and 10 million events; a run of
everything takes a part of it.
"""

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping

import redis

from benchmarks.bare.subjects import BareDrf
from benchmarks.bench import Bench
from benchmarks.gatehouse import installation
from benchmarks.jobs.code_out_code_in import Journey
from benchmarks.rounds import Sample, ratio
from benchmarks.seeding.scale import Scale
from benchmarks.servers import environment_of
from benchmarks.subject import NotKept
from benchmarks.table import Row, row
from config.embedded.engine import end_with_parent
from config.environment import PROJECT_ROOT

TITLE = "As work grows"
WHOLE = Scale(customers=100_000, users=1_000_000, sessions=5_000_000, mails=1_000_000, events=10_000_000)
SMALL = 0.05  # of the whole, but all customers
ROUNDS = 2  # twice: a run of everything must stay short
NEW_USERS = 2_000  # a round; more than it has time for
ME, NEW = "me", "me_new_users"

Samples = Mapping[str, list[Sample]]


def run(bench: Bench) -> list[Row]:
    small = _measured(bench)
    codes = _valkey_bytes_of_a_code(bench)
    _grow(bench, WHOLE if bench.is_full else WHOLE.share(SMALL))
    grown = _measured(bench)
    compared = [_compared(name, small, grown) for name in small if name != BareDrf.name]
    return [*compared, *_sizes(), Row("valkey", "Valkey: a code that was asked for", beside={"bytes": codes})]


def _measured(bench: Bench) -> Samples:
    """Every way, in turns with the baseline."""
    plain, ours = bench.subject(BareDrf), bench.ours
    server = bench.serve(ours, name="growth")
    ways: dict[str, Callable[[], Sample]] = {
        BareDrf.name: bench.repeating(bench.serve(plain), plain.who_am_i()),
        ME: bench.repeating(server, ours.who_am_i()),
        NEW: lambda: bench.measure(server, ours.of_new_users(NEW_USERS)),
        **Journey(bench, ours).ways(),
    }
    samples = bench.in_turns(ways, most=None if bench.is_full else ROUNDS)
    bench.end_job()
    return samples


def _compared(name: str, small: Samples, grown: Samples) -> Row:
    """A call when there is a lot. Beside it: the same while there was little, and how the two compare."""
    before = ratio(small[name], small[BareDrf.name]).median
    after = ratio(grown[name], grown[BareDrf.name]).median
    beside = {"of bare DRF while small": before, "grown against small": after / before}
    return row(f"growth/{name}", f"Gatehouse, grown: {name}", grown[name], drf=grown[BareDrf.name], beside=beside)


def _grow(bench: Bench, scale: Scale) -> None:
    """In a process of its own, as one of the installation's commands."""
    bench.say(f"  growing: {', '.join(f'{count:,} {what}' for what, count in vars(scale).items())} …")
    options = [f"--{what}={count}" for what, count in vars(scale).items()]
    errors = bench.ours.folder / "growth.errors"
    with (
        errors.open("wb") as said,
        subprocess.Popen(
            [sys.executable, "-u", "-m", "benchmarks.seed", *options],
            cwd=PROJECT_ROOT,
            env=environment_of(bench.ours.application()),
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


def _sizes() -> list[Row]:
    """What a row of each large table takes in PostgreSQL."""
    from django.db import connection  # when the installation is there

    from benchmarks.seeding import sizes

    with connection.cursor() as cursor:
        found = sizes.of_tables(cursor)
    return [
        Row(
            f"size/{table.name}",
            f"PostgreSQL: {table.name}",
            beside={"rows": table.rows, "bytes a row": table.bytes_a_row, "of these, indexes": table.index_bytes_a_row},
        )
        for table in found
    ]


def _valkey_bytes_of_a_code(bench: Bench) -> float:
    """With all that counts it: limits, the mark against replay."""
    ours = bench.ours
    server = bench.serve(ours, name="growth")
    client = redis.Redis.from_url(bench.engines.valkey_database(installation.VALKEY_DATABASE))
    phase = ours.phases()[0]
    requests = phase.prepare(bench.calls, None)
    before = int(client.info("memory")["used_memory"])
    calls = bench.measure(server, requests, answers=ours.folder / "growth.answers").calls
    phase.check(calls)
    used = (int(client.info("memory")["used_memory"]) - before) / calls
    client.close()
    bench.end_job()
    return used
