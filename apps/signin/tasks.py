"""Background work of sign-in."""

from datetime import timedelta

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from apps.core import batches
from apps.signin import locks, outside_checks, waiting
from apps.signin.models import Challenge, EmailChange, Registration, ResetToken

KEPT = timedelta(days=1)  # what has ended is of use to whoever looks into a trouble, for this long


@shared_task(name="signin.tell_locked")
def tell_locked() -> int:
    """Tell users that their password is locked: not in the request that locked it, which is to do no more than others."""
    return locks.tell(now=timezone.now())


@shared_task(name="signin.tell_operators")
def tell_operators() -> int:
    """Tell operators of users who wait to be approved. Returns of how many."""
    now = timezone.now()
    waiting.open_missing(now=now)
    return waiting.tell_operators(now=now)


@shared_task(name="signin.ask_identity_checks")
def ask_identity_checks() -> int:
    """Ask outside identity checks for those who wait. Returns how many took it."""
    now = timezone.now()
    return sum(outside_checks.ask(check, now=now) for check in outside_checks.due(now=now))


@shared_task(name="signin.remove_expired")
def remove_expired() -> int:
    """Delete what leads into no account any more. Returns how many rows."""
    before = timezone.now() - KEPT
    neither = Q(undo_until=None, expires_at__lt=before) | Q(undo_until__lt=before)
    return sum(
        batches.delete(rows)
        for rows in (
            Registration.objects.filter(expires_at__lt=before),
            Challenge.objects.filter(expires_at__lt=before),
            ResetToken.objects.filter(expires_at__lt=before),
            EmailChange.objects.filter(neither),
        )
    )
