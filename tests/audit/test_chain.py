"""The hash chain shows every event that was altered, removed or slipped in, even by the owner of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import StringIO
from threading import Event as Signal
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from apps.audit import actions, chain, events, tasks
from apps.audit.models import ChainLink, Event
from apps.core.ids import new_id
from tests import factories, races

pytestmark = pytest.mark.django_db(transaction=True)


def record(customer_id: UUID | None, *, times: int = 1, at: datetime | None = None) -> list[Event]:
    for _ in range(times):
        events.record(
            action=actions.SIGN_IN,
            customer_id=customer_id,
            details={"method": "code"},
            context=factories.context(now=at or timezone.now()),
        )
    return list(Event.objects.filter(customer_id=customer_id).order_by("at", "id"))


@contextmanager
def intruder() -> Iterator[Any]:
    """A cursor for which no trigger fires: the database's superuser."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor


def verify(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("verify_audit_log", *arguments, stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


def failure(*arguments: str, exit_code: int = 1) -> str:
    """What the command says when the log is not intact. Its exit code is then 1, or 2 if it could not check."""
    err = StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("verify_audit_log", *arguments, stdout=StringIO(), stderr=err, no_color=True)
    assert raised.value.returncode == exit_code
    return f"{err.getvalue()}{raised.value}"


@pytest.fixture
def two_customers() -> tuple[UUID, UUID]:
    """Each with five linked events."""
    ids = (new_id(), new_id())
    for customer_id in ids:
        record(customer_id, times=5)
    tasks.chain_events()
    return ids


def test_every_event_gets_its_place_in_its_customers_chain_and_the_log_is_whole(
    two_customers: tuple[UUID, UUID],
) -> None:
    """C8: each customer's events are hash-chained in the background."""
    record(None)
    assert tasks.chain_events() == 1
    for customer_id in two_customers:
        links = ChainLink.objects.filter(customer_id=customer_id).order_by("position")
        assert [link.position for link in links] == [1, 2, 3, 4, 5]
    out, err = verify()
    assert "The audit log is whole: 3 chain(s)." in out
    assert err == ""


@pytest.mark.parametrize(
    "change",
    [
        "action = 'logout'",
        "outcome = 'failure'",
        "severity = 'high'",
        "actor = 'system'",
        "user_id = gen_random_uuid()",
        "ip = '203.0.113.9'",
        "user_agent = 'x'",
        "request_id = 'x'",
        "details = '{}'",
        "at = at + interval '1 microsecond'",
    ],
)
def test_an_altered_event_is_found_and_named(change: str, two_customers: tuple[UUID, UUID]) -> None:
    """C8: nothing was altered, in any column."""
    victim = Event.objects.filter(customer_id=two_customers[0]).order_by("at", "id")[2]
    with intruder() as cursor:
        cursor.execute(f"UPDATE audit_event SET {change} WHERE id = %s", [victim.id])  # noqa: S608  (the cases above)
    assert f"{two_customers[0]}: at 3: event {victim.id} was altered" in failure()
    verify("--customer", str(two_customers[1]))


def test_a_removed_event_is_found_and_named(two_customers: tuple[UUID, UUID]) -> None:
    """C8: nothing was removed."""
    victim = Event.objects.filter(customer_id=two_customers[0]).order_by("at", "id")[2]
    with intruder() as cursor:
        cursor.execute("DELETE FROM audit_event WHERE id = %s", [victim.id])
    assert f"event {victim.id} was removed" in failure("--customer", str(two_customers[0]))


def test_an_event_removed_with_its_link_is_found(two_customers: tuple[UUID, UUID]) -> None:
    victim = ChainLink.objects.get(customer_id=two_customers[0], position=3)
    with intruder() as cursor:
        cursor.execute("DELETE FROM audit_chainlink WHERE event_id = %s", [victim.event_id])
        cursor.execute("DELETE FROM audit_event WHERE id = %s", [victim.event_id])
    assert "at 3: a link was removed" in failure()


def test_closing_the_gap_or_swapping_two_events_does_not_help(two_customers: tuple[UUID, UUID]) -> None:
    gap, swapped = two_customers
    with intruder() as cursor:
        cursor.execute("DELETE FROM audit_chainlink WHERE customer_id = %s AND position = 3", [gap])
        for position in (4, 5):
            cursor.execute(
                "UPDATE audit_chainlink SET position = %s WHERE customer_id = %s AND position = %s",
                [position - 1, gap, position],
            )
        for old, new in ((2, 99), (3, 2), (99, 3)):
            cursor.execute(
                "UPDATE audit_chainlink SET position = %s WHERE customer_id = %s AND position = %s", [new, swapped, old]
            )
    said = failure()
    assert f"{gap}: at 3" in said
    assert f"{swapped}: at 2" in said


def test_an_event_moved_to_another_customer_is_found(two_customers: tuple[UUID, UUID]) -> None:
    victim = ChainLink.objects.get(customer_id=two_customers[0], position=2)
    with intruder() as cursor:
        cursor.execute("UPDATE audit_event SET customer_id = %s WHERE id = %s", [two_customers[1], victim.event_id])
    assert f"event {victim.event_id} was altered" in failure("--customer", str(two_customers[0]))


def test_events_cut_off_the_end_are_found_by_a_head_kept_elsewhere(two_customers: tuple[UUID, UUID]) -> None:
    """A chain cannot tell that its own end is missing; a printed head can (docs/operations.md)."""
    customer_id = two_customers[0]
    head = chain.head(customer_id)
    anchor = ("--customer", str(customer_id), "--expect", f"{head.length}:{head.hash}")
    assert f"head {head.length}:{head.hash}" in verify(*anchor)[0]
    last = ChainLink.objects.get(customer_id=customer_id, position=5)
    with intruder() as cursor:
        cursor.execute("DELETE FROM audit_chainlink WHERE event_id = %s", [last.event_id])
        cursor.execute("DELETE FROM audit_event WHERE id = %s", [last.event_id])
    verify("--customer", str(customer_id))
    assert "no longer contains" in failure(*anchor)


def test_a_head_stays_good_while_the_chain_grows_and_serves_for_the_services_own_chain_too() -> None:
    record(None, times=2)
    tasks.chain_events()
    head = chain.head(None)
    record(None)
    verify("--customer", "service", "--expect", f"{head.length}:{head.hash}")
    assert "no longer contains" in failure("--customer", "service", "--expect", f"{head.length}:{'0' * 64}")
    assert "give --customer" in failure("--expect", f"{head.length}:{head.hash}", exit_code=2)
    assert "is no head" in failure("--customer", "service", "--expect", "nonsense", exit_code=2)


def test_not_being_able_to_look_is_another_exit_code_than_having_found_something(
    two_customers: tuple[UUID, UUID],
) -> None:
    """C8. A table that is not there, in the place of anything that can go wrong."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_chainlink RENAME TO elsewhere")
    try:
        assert "could not be verified" in failure(exit_code=2)
    finally:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO audit_chainlink")
    assert verify()[1] == ""


def test_an_event_that_was_inserted_past_the_trigger_is_linked_by_the_command(two_customers: tuple[UUID, UUID]) -> None:
    customer_id = two_customers[0]
    with intruder() as cursor:
        cursor.execute(
            "INSERT INTO audit_event SELECT gen_random_uuid(), at, customer_id, user_id, actor, action, outcome, severity, ip,"
            " user_agent, request_id, details FROM audit_event WHERE customer_id = %s LIMIT 1",
            [customer_id],
        )
    assert tasks.chain_events() == 0
    assert f"{customer_id}: 6 events" in verify()[0]


def test_a_link_that_was_put_before_the_first_is_found(two_customers: tuple[UUID, UUID]) -> None:
    """Links are read by position: one at an impossible position must not be skipped."""
    with intruder() as cursor:
        cursor.execute(
            "UPDATE audit_chainlink SET position = -5 WHERE customer_id = %s AND position = 5", [two_customers[0]]
        )
    assert "a link was removed" in failure("--customer", str(two_customers[0]))


def test_an_event_dated_back_is_linked_where_it_appeared_and_pointed_out(two_customers: tuple[UUID, UUID]) -> None:
    customer_id = two_customers[0]
    record(customer_id, at=timezone.now() - timedelta(days=3))
    slipped_in = Event.objects.filter(customer_id=customer_id).order_by("at").first()
    assert slipped_in is not None
    for _ in range(2):
        assert f"event {slipped_in.id} is dated before" in verify()[1]
    assert ChainLink.objects.get(event=slipped_in).position == 6


def test_an_event_whose_transaction_commits_late_still_gets_its_link() -> None:
    customer_id = new_id()
    recorded, may_commit = Signal(), Signal()

    def slow_transaction() -> None:
        with transaction.atomic():
            events.record(action=actions.LOGOUT, customer_id=customer_id, context=factories.context())
            recorded.set()
            may_commit.wait(60)
        connections.close_all()

    thread = Thread(target=slow_transaction)
    thread.start()
    recorded.wait(60)
    record(customer_id, times=2)
    assert tasks.chain_events() == 2
    may_commit.set()
    thread.join()

    assert tasks.chain_events() == 1
    assert ChainLink.objects.get(event__action=actions.LOGOUT).position == 3
    assert verify()[1] == ""


def test_a_clock_that_ran_ahead_hides_nothing_that_comes_after_it_was_set_right() -> None:
    customer_id = new_id()
    record(customer_id, at=timezone.now() + timedelta(days=2))
    tasks.chain_events()
    record(customer_id)
    assert tasks.chain_events() == 1


@pytest.mark.race
def test_chains_extended_by_many_at_once_have_no_gap_and_no_fork() -> None:
    ids = [new_id(), new_id()]
    for customer_id in ids:
        record(customer_id, times=20)
    linked = races.at_once(8, lambda _: chain.extend())
    assert sum(linked) == 40
    assert verify()[1] == ""
