"""Background work of figures."""

import time

from celery import shared_task
from django.utils import timezone

from apps.core.advisory_locks import alone
from apps.figures import counting

RUN_SECONDS = 15  # then the next run goes on, and the queue's other tasks have had their turn


@shared_task(name="figures.count")
@alone
def count() -> int:
    """Count the hours that are due. Returns how many."""
    return counting.count_due(now=timezone.now(), until=time.monotonic() + RUN_SECONDS)


@shared_task(name="figures.remove_old")
@alone
def remove_old() -> int:
    """Delete figures of long ago. Returns how many rows."""
    return counting.remove_old(now=timezone.now())
