"""Asking an outside check: which users it is asked about now, and by one worker at a time."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet, Window
from django.db.models.functions import RowNumber

from apps.approvals import outside_checks
from apps.approvals.models import CheckState, IdentityCheck
from apps.audit import actions, events
from apps.core import row_lease
from apps.core.context import RequestContext
from apps.core.outgoing import Unreachable
from apps.customers.models import CustomerStatus
from apps.users.models import UserStatus

LEASE = timedelta(minutes=1)  # longer than asking may take (tasks.py)
SHORTEST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
BATCH = 50


def due(*, now: datetime) -> list[UUID]:
    """The checks to ask for now. Customers take turns, so that one with a slow checker keeps no other's users waiting."""
    turn = Window(RowNumber(), partition_by="customer_id", order_by=("attempts", "created_at"))
    return list(_askable(now).order_by(turn, "created_at").values_list("id", flat=True)[:BATCH])


def ask(check_id: UUID, *, now: datetime) -> bool:
    """Ask for one check, if it is due and no other worker is at it. False if it was not asked for: the next try is noted."""
    check = _take(check_id, now)
    if check is None:
        return False
    try:
        outside_checks.configured().ask(check, customer=check.customer, now=now)
    except Unreachable:
        row_lease.unchanged(check).update(next_try_at=now + _wait(check))
        return False
    with transaction.atomic():
        IdentityCheck.objects.filter(id=check.id).update(asked_at=now)
        events.record(
            action=actions.IDENTITY_CHECK_ASKED,
            customer_id=check.customer_id,
            user_id=check.user_id,
            context=RequestContext.system(now=now),
        )
    return True


def _askable(now: datetime) -> QuerySet[IdentityCheck]:
    """Checks of users who wait and that no worker is asking about, of active customers with an outside check."""
    waiting = IdentityCheck.objects.filter(Q(next_try_at=None) | Q(next_try_at__lte=now), state=CheckState.WAITING)
    unasked = waiting.filter(asked_at=None, customer__status=CustomerStatus.ACTIVE)
    wanted = unasked.exclude(user__status=UserStatus.DEACTIVATED)
    return wanted.exclude(customer__identity_check_url="").exclude(customer__identity_check_secret="")


def _take(check_id: UUID, now: datetime) -> IdentityCheck | None:
    """The check, for this worker alone until its next try. That is noted first, so that no failure becomes a busy loop."""
    this = _askable(now).filter(id=check_id).select_related("user", "customer")
    with transaction.atomic():
        lease = row_lease.take(this, length=lambda check: max(LEASE, _wait(check)), now=now)
    return lease.row if lease else None


def _wait(check: IdentityCheck) -> timedelta:
    return row_lease.backoff(check.attempts, shortest=SHORTEST_WAIT, longest=LONGEST_WAIT)
