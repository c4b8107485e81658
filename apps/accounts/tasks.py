"""Background work of accounts."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.accounts.models import EmailChange, Registration, ResetToken
from apps.core import batches
from apps.core.advisory_locks import alone

KEPT = timedelta(days=1)  # what has ended is of use to whoever looks into a trouble, for this long


@shared_task(name="accounts.remove_expired")
@alone
def remove_expired() -> int:
    """Delete what leads back into no account any more. Returns how many rows."""
    before = timezone.now() - KEPT
    return (
        batches.delete(Registration.objects.filter(expires_at__lt=before), by="expires_at")
        + batches.delete(ResetToken.objects.filter(expires_at__lt=before), by="expires_at")
        + batches.delete(EmailChange.objects.filter(undo_until=None, expires_at__lt=before), by="expires_at")
        + batches.delete(EmailChange.objects.filter(undo_until__lt=before), by="undo_until")
    )
