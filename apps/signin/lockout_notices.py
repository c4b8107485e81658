"""Telling users that their password is locked: some seconds later, so that the request that locked it does no more than others."""

from datetime import datetime

from django.db import transaction

from apps.core import actors
from apps.core.context import RequestContext
from apps.customers import state as customers
from apps.signin.models import Password
from apps.signin.password_lock import LOCKED_FOR
from apps.users import notices

BATCH = 100


def tell(*, now: datetime) -> int:
    """Post a mail for each lock that its user does not know of. Returns how many.

    Two workers at once never tell of the same lock.
    """
    with transaction.atomic():
        untold = (
            Password.objects.filter(locked_until__gt=now, lock_told_at=None)
            .select_for_update(of=("self",), skip_locked=True)
            .select_related("user")
            .order_by("locked_until")[:BATCH]
        )
        rows = list(untold)
        for row in rows:
            notices.post(
                notices.PASSWORD_LOCKED,
                customer=customers.read(row.user.customer_id),
                user=row.user,
                context=RequestContext(now=now, actor=actors.SYSTEM, sandbox_key_id=row.lock_sandbox_key_id),
                minutes=int(LOCKED_FOR.total_seconds()) // 60,
            )
        Password.objects.filter(pk__in=[row.pk for row in rows]).update(lock_told_at=now)
    return len(rows)
