"""Background work of accounts."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.accounts import customer_deletion
from apps.accounts.models import EmailChange, Registration, ResetToken
from apps.core import batches
from apps.core.advisory_locks import alone

RUN_SECONDS = 4  # of every five; then the queue's other tasks have their turn
KEPT = timedelta(days=1)  # for operators who look into a problem


@shared_task(name="accounts.remove_expired")
@alone
def remove_expired() -> int:
    """Delete registrations, reset tokens and changes of address that are of no use any more. Returns how many rows."""
    before = timezone.now() - KEPT
    return (
        batches.delete(Registration.objects.filter(expires_at__lt=before), by="expires_at")
        + batches.delete(ResetToken.objects.filter(expires_at__lt=before), by="expires_at")
        + batches.delete(EmailChange.objects.filter(undo_until=None, expires_at__lt=before), by="expires_at")
        + batches.delete(EmailChange.objects.filter(undo_until__lt=before), by="undo_until")
    )


@shared_task(name="accounts.delete_customers")
@alone
def delete_customers() -> int:
    """Go on with the deletions that operators have asked for. Returns how many customers are gone now."""
    return customer_deletion.go_on(seconds=RUN_SECONDS, clock=timezone.now)
