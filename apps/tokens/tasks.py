"""Background work of the tokens."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.core import batches
from apps.core.advisory_locks import alone
from apps.tokens.models import RefreshToken, RevokedToken, Session

ENDED_SESSIONS_KEPT = timedelta(days=30)


@shared_task(name="tokens.remove_expired")
@alone
def remove_expired() -> int:
    """Delete what no token can need any more: expired refresh tokens and blacklist entries, sessions ended long ago."""
    now = timezone.now()
    long_ago = now - ENDED_SESSIONS_KEPT  # longer than any access token lives, so no blacklist entry goes too early
    just_now = now - timedelta(minutes=1)
    return (
        batches.delete(RevokedToken.objects.filter(expires_at__lt=just_now), by="expires_at")
        + batches.delete(RefreshToken.objects.filter(expires_at__lt=just_now), by="expires_at")
        + batches.delete(
            Session.objects.filter(expiry_week__lte=long_ago.date(), expires_at__lt=long_ago), by="expiry_week"
        )
        + batches.delete(Session.objects.filter(ended_at__lt=long_ago), by="ended_at")
    )
