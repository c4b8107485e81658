"""Background work of the core."""

from celery import shared_task

from apps.core import snapshots
from apps.core.advisory_locks import alone
from apps.core.valkey import ValkeyUnavailable


@shared_task(name="core.retry_invalidations")
@alone
def retry_invalidations() -> int:
    """Tell Valkey of changes that it missed while it was out of reach. Returns how many snapshots."""
    try:
        return snapshots.retry_pending()
    except ValkeyUnavailable:
        return 0
