"""One worker at a time works on a row; what a dead one leaves is taken anew."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.approvals.models import IdentityCheck
from apps.core import row_lease
from apps.core.row_lease import LeaseLost, RowLease
from tests import factories
from tests.races import at_once

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
