"""Background work of sign-in."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.core import batches
from apps.core.advisory_locks import alone
from apps.signin import lockout_notices, many_networks
from apps.signin.models import Challenge, RememberedDevice

KEPT = timedelta(days=1)  # for operators who look into a problem


@shared_task(name="signin.tell_locked")
@alone
def tell_locked() -> int:
    """Tell users that their password is locked. The request that locked it must do no more work than others."""
    return lockout_notices.tell(now=timezone.now())


@shared_task(name="signin.watch_networks")
@alone
def watch_networks() -> int:
    """Record that accounts are used from many networks in a short time. Returns how many."""
    return many_networks.record(now=timezone.now())


@shared_task(name="signin.remove_expired")
@alone
def remove_expired() -> int:
    """Delete challenges and remembered devices that are of no use any more. Returns how many rows."""
    before = timezone.now() - KEPT
    return batches.delete(Challenge.objects.filter(expires_at__lt=before), by="expires_at") + batches.delete(
        RememberedDevice.objects.filter(expires_at__lt=before), by="expires_at"
    )
