"""Background work of the audit log."""

import time

from celery import shared_task
from django.utils import timezone

from apps.audit import chain, refusals, verification
from apps.core.advisory_locks import alone

VERIFY_SECONDS = 4  # of every five
RUN_SECONDS = 8  # then the next run goes on, and the queue's other tasks have had their turn


@shared_task(name="audit.chain_events")
@alone
def chain_events() -> int:
    """Link the events that wait. Returns how many."""
    total, until = 0, time.monotonic() + RUN_SECONDS
    while time.monotonic() < until and (linked := chain.extend()):
        total += linked
    return total


@shared_task(name="audit.verify")
@alone
def verify() -> int:
    """Go on with the verification that an operator has asked for. Returns how many events were verified."""
    return verification.go_on(seconds=VERIFY_SECONDS, clock=timezone.now)


@shared_task(name="audit.forget_addresses")
@alone
def forget_addresses() -> int:
    """Refusals of long ago lose the hash by which their address is found. Returns how many."""
    return refusals.forget_old_addresses(timezone.now())
