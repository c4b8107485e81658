"""Background work of sign-in."""

from datetime import timedelta

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from apps.core import batches
from apps.signin.models import Challenge, EmailChange, Registration, ResetToken

KEPT = timedelta(days=1)  # what has ended is of use to whoever looks into a trouble, for this long


@shared_task(name="signin.remove_expired")
def remove_expired() -> int:
    """Delete what leads into no account any more. Returns how many rows."""
    before = timezone.now() - KEPT
    neither = Q(confirmed_at=None, expires_at__lt=before) | Q(undo_until__lt=before)
    return sum(
        batches.delete(rows)
        for rows in (
            Registration.objects.filter(expires_at__lt=before),
            Challenge.objects.filter(expires_at__lt=before),
            ResetToken.objects.filter(expires_at__lt=before),
            EmailChange.objects.filter(neither),
        )
    )
