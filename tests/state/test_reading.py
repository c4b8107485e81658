"""Nothing stale is trusted: what a process remembers, when it asks PostgreSQL, and what it never stores (C3.4)."""

import time
import uuid

import pytest
from django.db import transaction

from apps.core.state import reading
from apps.core.state.announcements import announce
from apps.core.state.lease import duration
from apps.core.state.process import Process
from apps.core.state.subjects import whole_customer
from tests import factories
from tests.races import at_once
from tests.roundtrips import counted
from tests.state.subject import BY_SLUG, NAMED, change, change_elsewhere, during_load, elsewhere, fresh, name_of, write

pytestmark = pytest.mark.django_db(transaction=True)


def let_the_lease_run_out() -> None:
    time.sleep(duration())


def test_postgresql_is_asked_once_and_then_nobody() -> None:
    customer = fresh()
    with counted() as cold:
        assert name_of(customer) == "old"
    with counted() as warm:
        assert name_of(customer) == "old"
    assert (len(cold.statements), warm.statements, cold.round_trips + warm.round_trips) == (1, [], 0)


def test_several_are_loaded_by_one_query_and_only_what_is_missing() -> None:
    one, other = fresh(), fresh()
    lookups = (NAMED.at(one.id), NAMED.at(other.id), BY_SLUG.at(other.slug), NAMED.at(uuid.uuid4()))
    assert name_of(one) == "old"
    with counted() as cost:
        found = reading.read(*lookups)
    assert [bool(found[lookup]) for lookup in lookups] == [True, True, True, False]
    assert len(cost.statements) == 1
    assert str(one.id) not in cost.statements[0]


def test_what_is_not_there_is_not_remembered() -> None:
    """C3.4: a session that begins a moment later is found at once, although nobody announces it."""
    key = uuid.uuid4()
    assert reading.read_one(NAMED.at(key)) is None
    factories.customer(id=key, name="made meanwhile")
    assert reading.read_one(NAMED.at(key)) is not None


def test_a_change_of_this_process_is_seen_at_once() -> None:
    customer, other = fresh(), fresh()
    assert (name_of(customer), name_of(other)) == ("old", "old")
    change(customer, "new")
    with counted() as cost:
        assert (name_of(customer), name_of(other)) == ("new", "old")
    assert len(cost.statements) <= 2


def test_a_change_elsewhere_is_seen_once_the_lease_has_run_out() -> None:
    customer = fresh()
    assert name_of(customer) == "old"
    change_elsewhere(customer, "new")
    let_the_lease_run_out()
    assert name_of(customer) == "new"


def test_all_names_of_a_thing_are_forgotten_by_one_announcement() -> None:
    customer = fresh()
    lookups = (NAMED.at(customer.id), BY_SLUG.at(customer.slug))
    reading.read(*lookups)
    change_elsewhere(customer, "new")
    let_the_lease_run_out()
    found = reading.read(*lookups)
    assert [found[lookup].name for lookup in lookups] == ["new", "new"]  # type: ignore[union-attr]


def test_a_whole_customer_is_forgotten_by_one_announcement(own_process: Process) -> None:
    customer, other = fresh(), fresh()
    reading.read(NAMED.at(customer.id), BY_SLUG.at(customer.slug), NAMED.at(other.id))
    elsewhere(lambda: announce(whole_customer(customer.id)))
    let_the_lease_run_out()
    reading.read_one(NAMED.at(other.id))
    assert len(own_process.memory) == 1


def test_what_nobody_announces_is_remembered() -> None:
    customer = fresh()
    assert name_of(customer) == "old"
    write(customer, "new")
    let_the_lease_run_out()
    assert name_of(customer) == "old"
    assert reading.read_anew(NAMED.at(customer.id))[NAMED.at(customer.id)].name == "new"  # type: ignore[union-attr]
    assert name_of(customer) == "new"


def test_a_change_that_is_rolled_back_announces_nothing(own_process: Process) -> None:
    customer = fresh()
    name_of(customer)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        change(customer, "new")
        _ = 1 / 0
    let_the_lease_run_out()
    with counted() as cost:
        assert name_of(customer) == "old"
    assert cost.statements == []


# --- Guards ---------------------------------------------------------------------------------------------------------


def test_a_reader_overtaken_by_an_announcement_does_not_store_the_old_state(own_process: Process) -> None:
    """Guard: the generation. It looked before the commit, and stores after the announcement was heard."""
    customer = fresh()
    during_load.append(lambda: (during_load.clear(), change_elsewhere(customer, "new"), _renew(own_process)))
    assert name_of(customer) == "old"  # the request began before the change was answered
    assert name_of(customer) == "new"


def _renew(process: Process) -> None:
    let_the_lease_run_out()
    assert process.lease.holds()


def test_a_reader_overtaken_by_a_change_of_its_own_process_does_not_store_the_old_state() -> None:
    customer = fresh()
    during_load.append(lambda: (during_load.clear(), elsewhere(lambda: change(customer, "new"))))
    assert name_of(customer) == "old"
    assert name_of(customer) == "new"


def test_what_a_transaction_sees_is_not_remembered() -> None:
    customer = fresh()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        write(customer, "never committed")
        assert name_of(customer) == "never committed"
        _ = 1 / 0
    assert name_of(customer) == "old"


def test_a_transaction_may_read_what_is_remembered() -> None:
    customer = fresh()
    name_of(customer)
    with counted() as cost, transaction.atomic():
        name_of(customer)
    assert cost.statements == []


@pytest.mark.race
def test_no_reader_sees_the_old_state_once_the_leases_have_run_out() -> None:
    """C3.4: with many readers at work all the time."""
    customer = fresh()
    done: list[bool] = []

    def work(number: int) -> list[tuple[str, str | None]]:
        if number:
            while not done:
                name_of(customer)
            return []
        seen = []
        for version in range(60):
            change(customer, str(version))
            let_the_lease_run_out()
            seen.append((str(version), name_of(customer)))
        done.append(True)
        return seen

    pairs = [pair for share in at_once(6, work, threads=6) for pair in share]
    assert len(pairs) == 60
    assert [seen for _, seen in pairs] == [written for written, _ in pairs]
