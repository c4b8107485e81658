"""Background work of the audit log."""

from celery import shared_task

from apps.audit import chain


@shared_task(name="audit.chain_events")
def chain_events() -> int:
    """Link every event that waits. Returns how many."""
    total = 0
    while linked := chain.extend():
        total += linked
    return total
