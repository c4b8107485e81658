"""The lease: from when it counts, who renews it, and in what order."""

import threading
import time
from collections.abc import Iterable
from typing import Any

import pytest

from apps.core.state import clock, lease, listener
from apps.core.state.lease import Lease, duration
from apps.core.state.memory import Memory
from apps.core.state.process import Process
from apps.core.state.subjects import Announcement
from tests.races import at_once
from tests.roundtrips import counted
from tests.state.proxy import Proxy
from tests.state.subject import change_elsewhere, elsewhere, fresh, name_of
from tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
clock_of_the_machine = clock.now


class Clock:
    """The clock of leases, which stands still until the test says that time passes: a busy machine lets nobody be too late."""

    def __init__(self) -> None:
        self._now = 1024.0

    def now(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


@pytest.fixture(autouse=True)
def time_that_passes(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Clock:
    """And nobody is given up who is only slow."""
    settings.STATE_LEASE_MS = 500  # a float tells it exactly, and its halves
    made = Clock()
    monkeypatch.setattr(clock, "now", made.now)
    for module in (lease, listener):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 90.0)
    return made


def test_it_is_renewed_by_whoever_finds_it_half_run_out(own_process: Process, time_that_passes: Clock) -> None:
    assert own_process.lease.holds()
    began = own_process.lease.began_at
    assert own_process.lease.holds()
    time_that_passes.advance(duration() / 4)
    assert own_process.lease.holds()
    assert own_process.lease.began_at == began
    time_that_passes.advance(duration() / 4)
    assert own_process.lease.holds()
    assert own_process.lease.began_at > began


def test_it_counts_from_when_the_round_trip_began(own_process: Process, proxy: Proxy, time_that_passes: Clock) -> None:
    """Guard: what is committed while the answer is on its way is not in it."""
    customer = fresh()
    assert name_of(customer) == "old"
    time_that_passes.advance(duration() / 2)
    proxy.hold()
    renewing = threading.Thread(target=own_process.lease.holds)
    renewing.start()
    wait_until(lambda: proxy.held_back)  # PostgreSQL has answered
    change_elsewhere(customer, "new")
    time_that_passes.advance(duration())  # the call that changed it answers now
    proxy.let_one_go()
    renewing.join()
    proxy.let_go()
    assert name_of(customer) == "new"


class Watched(Memory):
    """Looks at the lease at the moment when it is told to forget."""

    lease: Lease | None = None
    found_it_valid: list[bool]

    def forget(self, heard: Iterable[Announcement]) -> None:
        if self.lease is not None:
            self.found_it_valid.append(self.lease.age() < duration())
        super().forget(heard)


def test_what_was_announced_is_applied_before_the_lease_is_renewed(
    own_process: Process, time_that_passes: Clock
) -> None:
    """Guard: else another thread would trust, for a moment, what is about to be forgotten."""
    memory = Watched()
    memory.found_it_valid = []
    own_process.memory, own_process.lease = memory, Lease(own_process.listener, memory)
    customer = fresh()
    assert name_of(customer) == "old"
    change_elsewhere(customer, "new")
    time_that_passes.advance(duration())
    memory.lease = own_process.lease
    assert name_of(customer) == "new"
    assert memory.found_it_valid == [False]


def test_while_one_renews_the_others_go_on_and_wait_only_when_it_has_run_out(
    own_process: Process, proxy: Proxy, time_that_passes: Clock
) -> None:
    assert own_process.lease.holds()
    time_that_passes.advance(duration() / 2)
    proxy.hold()
    renewing = threading.Thread(target=own_process.lease.holds)
    renewing.start()
    wait_until(own_process.lease._renewing.locked)
    assert own_process.lease.holds(), "without waiting"
    time_that_passes.advance(duration() / 2)
    waiting = threading.Thread(target=own_process.lease.holds)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    proxy.let_go()
    waiting.join()
    renewing.join()


def test_the_clock_goes_on_while_the_machine_sleeps() -> None:
    """A machine that wakes must not find a young lease."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    assert (boot if boot is not None else time.CLOCK_MONOTONIC) == clock._CLOCK
    assert clock_of_the_machine() <= clock_of_the_machine()


def test_a_process_that_is_asked_nothing_reads_all_the_same(own_process: Process, time_that_passes: Clock) -> None:
    """Else PostgreSQL's notification queue would fill up."""
    assert own_process.lease.holds()
    began = own_process.lease.began_at
    time_that_passes.advance(duration() / 2)
    own_process.lease.renew_if_idle()
    assert own_process.lease.began_at > began
    assert own_process._reader is None
    own_process.may_trust_memory()
    assert own_process._reader is not None
    assert own_process._reader.daemon


def test_of_many_at_once_one_renews(own_process: Process, time_that_passes: Clock) -> None:
    assert own_process.lease.holds()
    time_that_passes.advance(duration())
    trips = []
    hear = own_process.listener.hear
    own_process.listener.hear = lambda: trips.append(1) or hear()  # type: ignore[method-assign,func-returns-value]
    assert all(at_once(16, lambda _: own_process.lease.holds(), threads=16))
    assert len(trips) == 1


def test_without_one_every_read_costs_one_query_and_is_right(own_process: Process, settings: object) -> None:
    settings.LISTENING_DATABASE = {**settings.LISTENING_DATABASE, "HOST": "/nowhere"}  # type: ignore[attr-defined]
    customer = fresh()
    with counted() as cost:
        assert [name_of(customer), name_of(customer)] == ["old", "old"]
    assert len(cost.statements) == 2
    elsewhere(lambda: None)
    change_elsewhere(customer, "new")
    assert name_of(customer) == "new"


def test_a_round_trip_longer_than_the_lease_counts_for_who_asked_before_it(
    own_process: Process, proxy: Proxy, time_that_passes: Clock
) -> None:
    """On a slow network each request costs a round trip, and not a query."""
    customer = fresh()
    assert name_of(customer) == "old"
    time_that_passes.advance(duration())
    proxy.hold()

    def arrive_late() -> None:
        wait_until(lambda: proxy.held_back)
        time_that_passes.advance(duration() * 1.5)
        proxy.let_go()

    network = threading.Thread(target=arrive_late)
    network.start()
    with counted() as cost:
        assert name_of(customer) == "old"
    network.join()
    assert own_process.lease.age() >= duration()
    assert cost.statements == []
