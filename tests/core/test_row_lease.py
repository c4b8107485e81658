"""One worker at a time works on a row; what a dead one leaves is taken anew."""

from datetime import datetime, timedelta
from functools import partial
from threading import Thread

import pytest
from django.db import transaction
from django.utils import timezone

from apps.approvals.models import IdentityCheck
from apps.core import lease_keeper, row_lease
from apps.core.row_lease import LeaseLost, RowLease
from tests import factories
from tests.races import at_once
from tests.roundtrips import counted
from tests.worker import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def row() -> IdentityCheck:
    user = factories.user(factories.customer())
    return IdentityCheck.objects.create(user=user, customer=user.customer, created_at=timezone.now())


def take(row: IdentityCheck, now: datetime) -> RowLease[IdentityCheck] | None:
    """Free rows, and those whose holder's time is over."""
    due = IdentityCheck.objects.filter(id=row.id).exclude(next_try_at__gt=now)
    with transaction.atomic():
        return row_lease.take(due, length=lambda _: MINUTE, now=now, reason="taken")


@pytest.mark.race
def test_of_many_workers_one_takes_the_row(row: IdentityCheck) -> None:
    now = timezone.now()
    leases = [lease for lease in at_once(32, lambda _: take(row, now)) if lease]
    assert len(leases) == 1
    row.refresh_from_db()
    assert (row.attempts, row.next_try_at, row.reason) == (1, now + MINUTE, "taken")
    assert (leases[0].row.attempts, leases[0].row.next_try_at, leases[0].row.reason) == (1, now + MINUTE, "taken")


def test_what_is_held_is_not_taken_until_its_holders_time_is_over(row: IdentityCheck) -> None:
    now = timezone.now()
    assert take(row, now) is not None
    assert take(row, now + MINUTE - timedelta(seconds=1)) is None
    successor = take(row, now + MINUTE)
    assert successor is not None
    assert successor.row.attempts == 2


def test_who_renews_holds_it_for_as_long_again(row: IdentityCheck) -> None:
    now = timezone.now()
    lease = take(row, now)
    assert lease is not None
    lease.renew()
    row.refresh_from_db()
    assert row.next_try_at is not None
    assert row.next_try_at > now + MINUTE
    lease.renew()  # knows its own mark


def test_who_came_back_too_late_has_lost_it_and_changes_nothing(row: IdentityCheck) -> None:
    now = timezone.now()
    sleeper, successor = take(row, now), take(row, now + MINUTE)
    assert sleeper is not None
    assert successor is not None
    with pytest.raises(LeaseLost):
        sleeper.renew()
    assert row_lease.unchanged(sleeper.row).update(reason="mine") == 0
    assert row_lease.unchanged(successor.row).update(reason="mine") == 1


def test_a_column_that_somebody_else_changed_is_noticed_where_it_matters(row: IdentityCheck) -> None:
    known = IdentityCheck.objects.get(id=row.id)
    IdentityCheck.objects.filter(id=row.id).update(state="approved")
    assert row_lease.unchanged(known).exists()
    assert not row_lease.unchanged(known, "state").exists()


def test_each_wait_is_twice_the_last_up_to_the_longest() -> None:
    waits = [row_lease.backoff(tries, shortest=timedelta(seconds=15), longest=MINUTE * 4) for tries in range(1, 7)]
    assert [wait.total_seconds() for wait in waits] == [15, 30, 60, 120, 240, 240]
    assert row_lease.backoff(10_000, shortest=MINUTE, longest=timedelta(days=365)) == MINUTE * 1024


def test_what_is_kept_is_renewed_again_and_again_beside_others(row: IdentityCheck) -> None:
    """One thread renews them all."""
    user = factories.user(factories.customer())
    other = IdentityCheck.objects.create(user=user, customer=user.customer, created_at=timezone.now())
    leases = [RowLease(each, timedelta(seconds=0.6), taken_at=timezone.now()) for each in (row, other)]

    def renewed(since: list[datetime | None]) -> bool:
        return all(before != after for before, after in zip(since, until(), strict=True))

    def until() -> list[datetime | None]:
        return [IdentityCheck.objects.get(id=lease.row.id).next_try_at for lease in leases]

    with leases[0].kept(), leases[1].kept():
        for _ in range(3):
            wait_until(partial(renewed, until()))
    assert not any(lease.renew_if_possible() for lease in leases), "it is over"


def test_a_lease_is_confirmed_by_a_look_while_it_is_fresh(row: IdentityCheck) -> None:
    lease = take(row, timezone.now())
    assert lease is not None
    with counted() as cost:
        lease.confirm()
    assert [statement.split()[0] for statement in cost.statements] == ["SELECT"]


def test_a_lease_that_is_half_over_is_confirmed_by_a_renewal(row: IdentityCheck) -> None:
    lease = take(row, timezone.now() - MINUTE * 0.6)
    assert lease is not None
    lease.confirm()
    row.refresh_from_db()
    assert row.next_try_at is not None
    assert row.next_try_at > timezone.now() + MINUTE * 0.3


def test_a_lease_that_was_lost_is_not_confirmed(row: IdentityCheck) -> None:
    now = timezone.now()
    fresh, successor = take(row, now), take(row, now + MINUTE)
    assert fresh is not None
    assert successor is not None
    with pytest.raises(LeaseLost):
        fresh.confirm()
    successor.confirm()


def test_leases_are_renewed_though_the_first_found_no_thread(
    row: IdentityCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system allowed no further one at that moment."""

    def refuse(_thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    lease, keeper = take(row, timezone.now()), lease_keeper.Keeper()
    assert lease is not None
    lease.length = timedelta(seconds=0.3)
    until = lease.row.next_try_at
    with monkeypatch.context() as patch, pytest.raises(RuntimeError):
        patch.setattr(lease_keeper.Thread, "start", refuse)
        with keeper.keeping(lease):
            pass
    with keeper.keeping(lease):
        wait_until(lambda: IdentityCheck.objects.get().next_try_at != until)
