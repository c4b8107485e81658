"""Background work of sign-in."""

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.core import batches, queues
from apps.core.advisory_locks import alone
from apps.signin import locks, outside_checks, waiting
from apps.signin.models import Challenge, EmailChange, Registration, ResetToken

# One check is one conversation of `outgoing.PATIENCE_SECONDS`; a class of one's own (IDENTITY_CHECK) may take a little longer.
ASKING_SECONDS, ASKING_SECONDS_AT_MOST = 20, 30
KEPT = timedelta(days=1)  # what has ended is of use to whoever looks into a trouble, for this long


@shared_task(name="signin.tell_locked")
@alone
def tell_locked() -> int:
    """Tell users that their password is locked: not in the request that locked it, which is to do no more than others."""
    return locks.tell(now=timezone.now())


@shared_task(name="signin.tell_operators")
@alone
def tell_operators() -> int:
    """Tell operators of users who wait to be approved. Returns of how many."""
    now = timezone.now()
    waiting.open_missing(now=now)
    return waiting.tell_operators(now=now)


@shared_task(name="signin.ask_identity_checks")
@alone
def ask_identity_checks() -> int:
    """Hand over the checks that outside identity checks are to be asked for, each by itself. Returns how many.

    What waits in the queue for longer than a lease is dropped there, and handed over anew. Nothing is added to a full batch:
    so the queue stays short, however slow they are outside, even if no worker takes from it.
    """
    if queues.length(ask_identity_check) >= outside_checks.BATCH:
        return 0
    due = outside_checks.due(now=timezone.now())
    for check_id in due:
        ask_identity_check.apply_async((str(check_id),), expires=outside_checks.LEASE.total_seconds())
    return len(due)


@shared_task(name="signin.ask_identity_check", soft_time_limit=ASKING_SECONDS, time_limit=ASKING_SECONDS_AT_MOST)
def ask_identity_check(check_id: str) -> bool:
    """Ask for one check, in a queue of its own (CELERY_TASK_ROUTES): what is slow outside keeps no mail waiting."""
    return outside_checks.ask(UUID(check_id), now=timezone.now())


@shared_task(name="signin.remove_expired")
@alone
def remove_expired() -> int:
    """Delete what leads into no account any more. Returns how many rows."""
    before = timezone.now() - KEPT
    return (
        batches.delete(Registration.objects.filter(expires_at__lt=before), by="expires_at")
        + batches.delete(Challenge.objects.filter(expires_at__lt=before), by="expires_at")
        + batches.delete(ResetToken.objects.filter(expires_at__lt=before), by="expires_at")
        + batches.delete(EmailChange.objects.filter(undo_until=None, expires_at__lt=before), by="expires_at")
        + batches.delete(EmailChange.objects.filter(undo_until__lt=before), by="undo_until")
    )
