"""What has expired of operators' sign-in, and is deleted."""

from django.utils import timezone

from apps.core import batches
from apps.operators.models import OperatorLink, OperatorSession, UsedChallenge


def remove_expired() -> int:
    """Returns how many rows were deleted."""
    now = timezone.now()
    sessions = batches.delete(OperatorSession.objects.filter(expire_date__lt=now), by="expire_date")
    dated = (OperatorLink.objects.all(), UsedChallenge.objects.all())
    return sessions + sum(batches.delete(rows.filter(expires_at__lt=now), by="expires_at") for rows in dated)
