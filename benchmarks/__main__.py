"""`make bench`, or `python -m benchmarks [JOB…]` for some of its jobs: measures, and prints the table.

A whole run is kept in benchmarks/results/, and shown in README.md and docs/performance.md. Nothing that was started goes on running.
"""

import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from benchmarks import load, machine, results, table
from benchmarks.bench import CALLS, Bench
from benchmarks.engines import FOLDER, BenchBusy, Engines, EnginesNotDurable
from benchmarks.jobs import JOBS
from benchmarks.load import LoadFailed, WrkMissing
from benchmarks.machine import CheckoutChanged
from benchmarks.peers.installing import PeerFailed
from benchmarks.results import Group, Result
from benchmarks.servers import ServerFailed
from benchmarks.subject import NotKept

FAILURES = (BenchBusy, CheckoutChanged, EnginesNotDurable, LoadFailed, NotKept, PeerFailed, ServerFailed, WrkMissing)
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    chosen = _parse(arguments)
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        load.wrk()
        result = run(chosen)
    except FAILURES as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: everything that was started has ended.", file=sys.stderr)
        return INTERRUPTED
    print(f"\n{table.text(result.tabled())}\n\n{result.caption()}")
    if not (chosen.jobs or chosen.only):
        print(f"Kept as {results.save(result)}")
        results.show(result)
    return 0


def run(chosen: Namespace) -> Result:
    """All that was asked for. Whatever happens, nothing goes on running."""
    began, revision = time.monotonic(), machine.revision()
    engines = Engines(chosen.folder)
    bench = Bench(engines, chosen.rounds, chosen.seconds, chosen.calls, frozenset(chosen.only), _saying(began))
    bench.is_full = chosen.sizes == "full"
    try:
        groups = [_measured(name, bench) for name in chosen.jobs or JOBS]
        machine.refuse_another(revision)
        return Result(
            date=results.today(),
            revision=revision,
            versions=machine.versions(engines),
            machine=machine.facts(),
            options={name: getattr(chosen, name) for name in ("rounds", "seconds", "calls", "sizes")},
            took_seconds=time.monotonic() - began,
            groups=groups,
        )
    finally:
        bench.end_job()
        engines.stop()


def _measured(name: str, bench: Bench) -> Group:
    job = JOBS[name]
    bench.say(f"{job.TITLE} …")
    try:
        return Group(name, job.TITLE, job.run(bench))
    finally:
        bench.end_job()


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description="Measure, and print the table.")
    parser.add_argument("jobs", nargs="*", metavar="JOB", help=f"of {', '.join(JOBS)}; all if none is named")
    parser.add_argument("--rounds", type=int, default=5, help="beside the one that warms up (5)")
    parser.add_argument("--seconds", type=float, default=1.2, help="of each way in each round (1.2)")
    parser.add_argument(
        "--calls", type=int, default=CALLS, help=f"of each step and round whose requests are good once ({CALLS})"
    )
    parser.add_argument(
        "--sizes",
        choices=("small", "full"),
        default="small",
        help="to which the database grows (full: 12 GB, half an hour)",
    )
    parser.add_argument("--only", type=_names, default=[], metavar="NAME,…", help="these rows alone: ours,bare_drf")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the engines' data (.bench)")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.jobs) - set(JOBS):
        parser.error(f"there is no job {', '.join(sorted(unknown))}")
    return chosen


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _saying(began: float) -> Callable[[str], None]:
    return lambda text: print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
