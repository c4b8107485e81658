"""Background work of the tokens."""

from datetime import timedelta

from celery import shared_task
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from apps.tokens.models import RefreshToken, RevokedToken, Session

BATCH = 1000
ENDED_SESSIONS_KEPT = timedelta(days=30)


@shared_task(name="tokens.remove_expired")
def remove_expired() -> int:
    """Delete what no token can need any more: expired refresh tokens and blacklist entries, sessions ended long ago."""
    now = timezone.now()
    long_ago = now - ENDED_SESSIONS_KEPT  # longer than any access token lives, so no blacklist entry goes too early
    return sum(
        _remove(rows)
        for rows in (
            RevokedToken.objects.filter(expires_at__lt=now - timedelta(minutes=1)),
            RefreshToken.objects.filter(expires_at__lt=now - timedelta(minutes=1)),
            Session.objects.filter(Q(expires_at__lt=long_ago) | Q(ended_at__lt=long_ago)),
        )
    )


def _remove(rows: "QuerySet[Model]") -> int:
    """Batch by batch, so that no delete holds its locks for long."""
    removed = 0
    while batch := list(rows.values_list("pk", flat=True)[:BATCH]):
        removed += rows.model._default_manager.filter(pk__in=batch).delete()[0]
    return removed
