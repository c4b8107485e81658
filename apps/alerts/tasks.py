"""Background work of alerts."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.alerts import watching
from apps.alerts.models import Alert
from apps.core import batches
from apps.core.advisory_locks import alone

KEPT = timedelta(days=400)


@shared_task(name="alerts.watch")
@alone
def watch() -> int:
    """Raise the alerts whose threshold is reached. Returns how many."""
    return watching.watch(now=timezone.now())


@shared_task(name="alerts.remove_old")
@alone
def remove_old() -> int:
    """Delete alerts of long ago. The audit trail keeps that they were raised. Returns how many."""
    return batches.delete(Alert.objects.filter(raised_at__lt=timezone.now() - KEPT), by="raised_at")
