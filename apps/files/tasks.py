"""Background work of files."""

from celery import shared_task
from django.utils import timezone

from apps.core.advisory_locks import alone
from apps.files import sweeping


@shared_task(name="files.sweep")
@alone
def sweep() -> int:
    """Remove what nobody waits for any more. Returns how many objects."""
    return sweeping.sweep(now=timezone.now())
