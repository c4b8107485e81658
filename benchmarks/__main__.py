"""`make bench`, or `python -m benchmarks [JOB…]` for some of its jobs: prints the table."""

import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from types import FrameType

from benchmarks import load, table
from benchmarks.bench import Bench
from benchmarks.engines import Engines, EnginesNotDurable
from benchmarks.jobs import JOBS
from benchmarks.load import LoadFailed, WrkMissing
from benchmarks.peers.installing import PeerFailed
from benchmarks.servers import ServerFailed
from benchmarks.subject import NotKept
from benchmarks.table import Row

FAILURES = (EnginesNotDurable, LoadFailed, NotKept, PeerFailed, ServerFailed, WrkMissing)
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    chosen = _parse(arguments)
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        load.wrk()
        groups = run(chosen)
    except FAILURES as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    print(f"\n{table.text(groups)}")
    return 0


def run(chosen: Namespace) -> list[tuple[str, list[Row]]]:
    """The rows of each job by its title. Whatever happens, nothing goes on running."""
    engines = Engines()
    bench = Bench(engines, chosen.rounds, chosen.seconds, chosen.calls, frozenset(chosen.only), _say())
    groups = []
    try:
        for name in chosen.jobs or JOBS:
            bench.say(f"{JOBS[name].TITLE} …")
            try:
                groups.append((JOBS[name].TITLE, JOBS[name].run(bench)))
            finally:
                bench.end_job()
    finally:
        engines.stop()
    return groups


def _parse(arguments: list[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"of {', '.join(JOBS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=5, help="beside the one that warms up (5)")
    parser.add_argument("--seconds", type=float, default=2, help="of each way in each round (2)")
    parser.add_argument(
        "--calls", type=int, default=300, help="of each step in each round, where each is good once (300)"
    )
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=[],
        metavar="NAME,…",
        help="these rows alone: ours,bare_drf",
    )
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.jobs) - set(JOBS):
        parser.error(f"there is no job {', '.join(sorted(unknown))}")
    return chosen


def _say() -> Callable[[str], None]:
    began = time.monotonic()
    return lambda text: print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
