"""A4, C3.4: a change takes effect on the first request after it was answered, whatever readers, flushes and restarts do meanwhile."""

import shutil
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django_redis.pool import get_connection_factory

from apps.core import snapshots, tasks, valkey
from apps.core.models import PendingInvalidation
from apps.customers.models import Customer
from tests import factories
from tests.engines import OwnValkey
from tests.races import at_once
from tests.roundtrips import counted

pytestmark = pytest.mark.django_db(transaction=True)

State = dict[str, Any] | None


class Subject:
    """A customer's name: a row in PostgreSQL, read through a snapshot."""

    def __init__(self) -> None:
        self.row = factories.customer(name="old")
        self.key = valkey.key(self.row.id, "name")
        self.loads = 0

    def load(self) -> State:
        self.loads += 1
        return Customer.objects.filter(id=self.row.id).values("name").first()

    def read(self, *, during: Callable[[], object] = lambda: None) -> str:
        """What a request sees. `during`: what happens between its look at PostgreSQL and its filling of Valkey."""

        def load() -> State:
            state = self.load()
            during()
            return state

        state = snapshots.read_through({self.key: load})[self.key]
        assert state is not None
        return str(state["name"])

    def write(self, name: str) -> None:
        Customer.objects.filter(id=self.row.id).update(name=name)

    def change(self, name: str) -> bool:
        """As a flow does it: write, commit, invalidate."""
        with transaction.atomic():
            self.write(name)
            propagation = snapshots.invalidate_on_commit(self.key)
        return propagation.complete


@pytest.fixture
def subject() -> Subject:
    return Subject()


@pytest.fixture
def subject_of_own_valkey(valkey_away: OwnValkey) -> Subject:
    return Subject()


def test_postgresql_is_asked_once_and_valkey_in_one_round_trip_from_then_on(subject: Subject) -> None:
    assert subject.read() == "old"
    with counted() as cost:
        assert subject.read() == "old"
    assert (cost.statements, cost.round_trips, subject.loads) == ([], 1, 1)


def test_several_are_read_in_one_round_trip(subject: Subject) -> None:
    other = Subject()
    loaders = {subject.key: subject.load, other.key: other.load, valkey.key("nobody", "name"): lambda: None}
    snapshots.read_through(loaders)
    with counted() as cost:
        found = snapshots.read_through({subject.key: subject.load, other.key: other.load})
    assert (cost.round_trips, list(found.values())) == (1, [{"name": "old"}] * 2)


def test_what_is_not_there_is_not_remembered(subject: Subject) -> None:
    """A user made a moment later must be seen at once."""
    loads: list[State] = [None, {"name": "made meanwhile"}]
    key = valkey.key("nobody", "name")
    assert snapshots.read_through({key: lambda: loads.pop(0)}) == {key: None}
    assert snapshots.read_through({key: lambda: loads.pop(0)}) == {key: {"name": "made meanwhile"}}


def test_a_change_is_seen_by_the_next_read_and_others_stay(subject: Subject) -> None:
    other = Subject()
    assert (subject.read(), other.read()) == ("old", "old")
    assert subject.change("new") is True
    assert (subject.read(), other.read(), other.loads) == ("new", "old", 1)


def test_a_snapshot_ends_by_itself(subject: Subject) -> None:
    subject.read()
    assert 0 < valkey.client().ttl(subject.key) <= snapshots.LIFETIME_SECONDS


def test_a_rolled_back_change_invalidates_nothing(subject: Subject) -> None:
    subject.read()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        snapshots.invalidate_on_commit(subject.key)
        _ = 1 / 0
    assert subject.read() == "old"
    assert subject.loads == 1


# --- Races ------------------------------------------------------------------------------------------------------------


def test_a_reader_overtaken_by_a_change_does_not_write_the_old_state_back(subject: Subject) -> None:
    """It looked at PostgreSQL before the commit, and fills after the invalidation."""
    assert subject.read(during=lambda: subject.change("new")) == "old"
    assert subject.read() == "new"


def test_a_reader_that_looks_between_commit_and_invalidation_leaves_the_new_state(subject: Subject) -> None:
    subject.read()
    subject.write("new")
    assert subject.read() == "old"  # the call that changes it has not answered yet
    assert snapshots.invalidate(subject.key)
    assert subject.read() == "new"


def test_a_fill_that_comes_before_the_invalidation_is_undone_by_it(subject: Subject) -> None:
    with transaction.atomic():
        snapshots.invalidate_on_commit(subject.key)
        at_once(1, lambda _: subject.read())  # a reader elsewhere fills what is still true for it
        subject.write("new")
    assert subject.read() == "new"


def test_of_two_readers_the_one_that_looked_before_the_change_does_not_win(subject: Subject) -> None:
    def meanwhile() -> None:
        subject.change("new")
        assert subject.read() == "new"

    assert subject.read(during=meanwhile) == "old"
    loads = subject.loads
    assert subject.read() == "new"
    assert subject.loads == loads  # what the second reader filled is still there


def test_a_reader_overtaken_by_a_flush_does_not_write_the_old_state_back(subject: Subject) -> None:
    """A version kept in Valkey would be lost here; the lease is lost, and that refuses."""

    def meanwhile() -> None:
        subject.write("new")
        valkey.client().flushdb()
        assert snapshots.invalidate(subject.key)

    subject.read(during=meanwhile)
    assert subject.read() == "new"


def test_a_flush_alone_costs_one_read_of_postgresql(subject: Subject) -> None:
    subject.read()
    valkey.client().flushdb()
    assert [subject.read(), subject.read()] == ["old", "old"]
    assert subject.loads == 2


def test_a_reader_slower_than_its_lease_does_not_fill(subject: Subject) -> None:
    subject.read(during=lambda: valkey.client().delete(f"{subject.key}:fill"))  # as its expiry does
    subject.read()
    assert subject.loads == 2


def test_what_a_transaction_sees_is_not_shown_to_others(subject: Subject) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        subject.write("never committed")
        assert subject.read() == "never committed"
        _ = 1 / 0
    assert subject.read() == "old"


@pytest.mark.race
def test_no_reader_ever_sees_the_old_state_after_the_change_was_answered(subject: Subject) -> None:
    """C3.4: with many readers at work all the time."""
    done = threading.Event()

    def work(number: int) -> list[tuple[str, str]]:
        if number:
            while not done.is_set():
                subject.read()
            return []
        seen = []
        for version in range(150):
            subject.change(str(version))
            seen.append((str(version), subject.read()))
        done.set()
        return seen

    pairs = [pair for share in at_once(6, work, threads=6) for pair in share]
    assert len(pairs) == 150
    assert [seen for _, seen in pairs] == [written for written, _ in pairs]


# --- Valkey restarts, or is away --------------------------------------------------------------------------------------


def test_a_valkey_restarted_from_an_old_dump_brings_nothing_back(
    subject_of_own_valkey: Subject, valkey_away: OwnValkey
) -> None:
    """C3.4: without a revoked token coming back."""
    subject, dump = subject_of_own_valkey, valkey_away._folder / "appendonlydir"
    subject.read()
    shutil.copytree(dump, valkey_away._folder / "copy")
    assert subject.change("new")
    valkey_away.kill()
    shutil.rmtree(dump)
    (valkey_away._folder / "copy").rename(dump)
    valkey_away.start()
    assert valkey.client().exists(subject.key)  # the old state is back in Valkey's memory …
    assert subject.read() == "new"  # … and counts for nothing
    assert [subject.read(), subject.loads] == ["new", 2]


def test_a_lease_restored_from_an_old_dump_lets_nobody_fill(
    subject_of_own_valkey: Subject, valkey_away: OwnValkey
) -> None:
    subject, dump = subject_of_own_valkey, valkey_away._folder / "appendonlydir"

    def meanwhile() -> None:
        shutil.copytree(dump, valkey_away._folder / "copy")
        assert subject.change("new")
        valkey_away.kill()
        shutil.rmtree(dump)
        (valkey_away._folder / "copy").rename(dump)
        valkey_away.start()

    assert subject.read(during=meanwhile) == "old"
    assert subject.read() == "new"


def test_a_value_is_judged_by_the_server_it_came_from(
    subject_of_own_valkey: Subject, valkey_away: OwnValkey, settings: Any
) -> None:
    """Another thread may be connected to another run of the server at the same moment, as in a failover."""
    subject = subject_of_own_valkey
    subject.read()
    mine = valkey.run_id()

    def connect_elsewhere() -> None:
        elsewhere = get_connection_factory(options=settings.CACHES["default"]["OPTIONS"])
        other = OwnValkey(valkey_away._folder / "other", persistent=False)
        (valkey_away._folder / "other").mkdir()
        other.start()
        assert elsewhere.connect(other.url).ping()
        other.kill()

    thread = threading.Thread(target=connect_elsewhere)
    thread.start()
    thread.join()
    valkey.client().ping()
    assert valkey.run_id() == mine
    assert [subject.read(), subject.loads] == ["old", 1]


def test_while_valkey_is_away_postgresql_answers_and_nobody_waits(
    subject_of_own_valkey: Subject, valkey_away: OwnValkey
) -> None:
    """C6: verifying tokens goes on from PostgreSQL."""
    subject = subject_of_own_valkey
    subject.read()
    valkey_away.kill()
    started = time.monotonic()
    assert [subject.read() for _ in range(20)] == ["old"] * 20
    assert time.monotonic() - started < 0.8


def test_a_valkey_that_hangs_is_waited_for_once_and_then_avoided(
    subject_of_own_valkey: Subject, valkey_away: OwnValkey
) -> None:
    subject = subject_of_own_valkey
    subject.read()
    assert valkey_away._process is not None
    valkey_away._process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    assert [subject.read() for _ in range(20)] == ["old"] * 20
    assert time.monotonic() - started < 0.9


def test_a_valkey_that_is_back_is_used_again(subject_of_own_valkey: Subject, valkey_away: OwnValkey) -> None:
    subject = subject_of_own_valkey
    valkey_away.kill()
    subject.read()
    valkey_away.start()
    time.sleep(snapshots.AVOID_SECONDS)
    assert [subject.read() for _ in range(3)] == ["old"] * 3
    assert subject.loads == 2


def test_a_change_that_valkey_could_not_be_told_is_recorded_and_told_later(
    subject_of_own_valkey: Subject, valkey_away: OwnValkey
) -> None:
    """A4: the change is retried until it is told, and the answer says so honestly."""
    subject = subject_of_own_valkey
    subject.read()
    valkey_away.kill()
    assert subject.change("new") is False
    assert tasks.retry_invalidations() == 0
    assert PendingInvalidation.objects.get().key == subject.key
    valkey_away.start()  # a process that could reach it all the time would find the old state
    assert tasks.retry_invalidations() == 1
    assert not valkey.client().exists(subject.key)
    assert not PendingInvalidation.objects.exists()
    assert tasks.retry_invalidations() == 0


@pytest.mark.parametrize("refusal", ["replica", "full"])
def test_a_valkey_that_answers_but_takes_no_writes_counts_as_away(
    refusal: str, subject_of_own_valkey: Subject, valkey_away: OwnValkey
) -> None:
    """After a failover the old primary is a replica; a full disk or memory refuses writes too."""
    subject, client = subject_of_own_valkey, valkey.client()
    subject.read()
    if refusal == "replica":
        client.replicaof("127.0.0.1", "1")
        assert subject.change("new") is False
        client.replicaof("NO", "ONE")
        assert tasks.retry_invalidations() == 1
        assert subject.read() == "new"
    client.config_set("maxmemory", "1")
    other = Subject()
    assert [other.read(), other.read()] == ["old", "old"]
    assert other.loads == 2
    client.config_set("maxmemory", "0")
