"""Background work of the audit log."""

import time

from celery import shared_task

from apps.audit import chain
from apps.core.advisory_locks import alone

RUN_SECONDS = 8  # then the next run goes on, and the queue's other tasks have had their turn


@shared_task(name="audit.chain_events")
@alone
def chain_events() -> int:
    """Link the events that wait. Returns how many."""
    total, until = 0, time.monotonic() + RUN_SECONDS
    while time.monotonic() < until and (linked := chain.extend()):
        total += linked
    return total
