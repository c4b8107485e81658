"""How soon the mail of a requested code leaves, and how a burst of one customer is worked off while another has one now and then.

The time runs from the request's arrival, or from when a mail is in the outbox, until the mail server has taken the mail.
"""

import importlib
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from types import ModuleType

from benchmarks import load
from benchmarks.bench import CALLS, Bench
from benchmarks.gatehouse.mailing import Inbox, Process, worker
from benchmarks.load import LoadFailed
from benchmarks.subject import NotKept
from benchmarks.table import Row

TITLE = "Mail"
PER_SECOND = 50
BURST = 5_000
SENDERS = 16
EVERY_SECONDS = 0.25  # a mail of the other customer, while the burst is worked off
PATIENCE_SECONDS = 180
OK = 200


def run(bench: Bench) -> list[Row]:
    server = bench.serve(bench.ours, name="mail")
    posting = importlib.import_module("benchmarks.gatehouse.posting")
    posting.leave_nothing_waiting()
    folder, environment = bench.ours.folder, bench.ours.environment
    with (
        Inbox(folder) as inbox,
        worker({**environment, "EMAIL_URL": inbox.url}, log=folder / "worker.log") as sender,
    ):
        _wait_for_the_worker(posting, inbox)
        return [
            _with_cpu(lambda: _steady(bench, server.url, posting, inbox), sender, inbox),
            _with_cpu(lambda: _burst(bench, posting, inbox), sender, inbox),
        ]


def _with_cpu(measure: Callable[[], Row], sender: Process, inbox: Inbox) -> Row:
    """With CPU time of the worker for each mail, and beside it of the server that takes them, which is ours alone."""
    began, spent = len(inbox.taken), (sender.cpu_seconds(), inbox.cpu_seconds())
    row = measure()
    mails = len(inbox.taken) - began
    worker_us, server_us = (
        1e6 * (process.cpu_seconds() - before) / mails for process, before in zip((sender, inbox), spent, strict=True)
    )
    return replace(row, cpu_us=worker_us, beside={**row.beside, "CPU µs of the mail server": server_us})


def _steady(bench: Bench, url: str, posting: ModuleType, inbox: Inbox) -> Row:
    """Requests at a steady rate, however long an answer takes."""
    count = int(PER_SECOND * 5 * bench.seconds)
    bench.say(f"  {count} requests at {PER_SECOND} a second …")
    phase = next(phase for phase in bench.ours.phases() if phase.name == "request-otp")
    requests = list(load.read(phase.prepare(count, None).path))
    began, started = len(inbox.taken), time.monotonic()
    with ThreadPoolExecutor(SENDERS) as senders:
        asked = [senders.submit(_ask, url, one, started + number / PER_SECOND) for number, one in enumerate(requests)]
    if {one.result() for one in asked} != {OK}:
        raise LoadFailed("A request for a code was refused.")
    _wait(lambda: len(inbox.taken) >= began + count)
    phase.check(count)
    beside = _figures(_latencies(posting, inbox.taken[began:]))
    return Row("steady", f"Gatehouse: mail of a requested code, at {PER_SECOND} a second", calls=count, beside=beside)


def _ask(url: str, request: bytes, at: float) -> int:
    time.sleep(max(0.0, at - time.monotonic()))
    return load.send_one(url, request)


def _burst(bench: Bench, posting: ModuleType, inbox: Inbox) -> Row:
    """As fast as one process can post them; meanwhile another customer posts one mail after the other."""
    count = BURST if bench.calls >= CALLS else bench.calls
    bench.say(f"  a burst of {count} …")
    flood, other = posting.Customer("flood"), posting.Customer("other")
    began, started = len(inbox.taken), time.monotonic()
    for number in range(count):
        flood.post()
        if number % 100 == 0:
            other.post()
    while len(_of("flood", inbox)) < count:
        other.post()
        time.sleep(EVERY_SECONDS)
        if time.monotonic() - started > PATIENCE_SECONDS:
            raise NotKept(f"Of a burst of {count} mails only {len(_of('flood', inbox))} have come.")
    took = time.monotonic() - started
    _wait(lambda: len(_of("other", inbox)) >= other.posted)
    came = [address for address, _ in _of("flood", inbox)]
    if len(came) != count or len(set(came)) != count:
        raise NotKept(f"Of a burst of {count} mails {len(came)} have come, {len(set(came))} of them different ones.")
    others = _figures(_latencies(posting, _of("other", inbox)))
    beside = {
        "mails/s": (len(inbox.taken) - began) / took,
        "places out of order": float(_most_displaced(came)),
        **{f"another customer's {name}": value for name, value in others.items()},
    }
    return Row("burst", f"Gatehouse: a burst of {count} mails of one customer, none lost", calls=count, beside=beside)


def _of(name: str, inbox: Inbox) -> list[tuple[str, datetime]]:
    return [taken for taken in list(inbox.taken) if taken[0].startswith(f"{name}-")]


def _most_displaced(addresses: Sequence[str]) -> int:
    """By how many places a mail came too early or too late, at most: those that several processes send at once may."""
    numbers = [int(address.partition("@")[0].rpartition("-")[2]) for address in addresses]
    return max(abs(number - place) for place, number in enumerate(numbers))


def _latencies(posting: ModuleType, taken: Sequence[tuple[str, datetime]]) -> list[float]:
    """Milliseconds, sorted."""
    posted = posting.posted_at(address for address, _ in taken)
    return sorted((at - posted[address]).total_seconds() * 1000 for address, at in taken)


def _figures(latencies: Sequence[float]) -> dict[str, float]:
    last_of_a_hundred = latencies[min(len(latencies) - 1, int(0.99 * len(latencies)))]
    return {"ms (median)": statistics.median(latencies), "ms (99th percentile)": last_of_a_hundred}


def _wait_for_the_worker(posting: ModuleType, inbox: Inbox) -> None:
    """Until both of its processes have sent one."""
    first = posting.Customer("first")
    for _ in range(10):
        first.post()
    _wait(lambda: len(inbox.taken) >= first.posted)


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise NotKept("Mails have not left.")
        time.sleep(0.02)
