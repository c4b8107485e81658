"""Background work of accounts."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.accounts.models import EmailChange, Registration, ResetToken
from apps.core import batches
from apps.core.advisory_locks import alone

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
