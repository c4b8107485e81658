"""Background work of OAuth."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.core import batches
from apps.core.advisory_locks import alone
from apps.oauth.models import AuthorizationCode

KEPT = timedelta(days=1)  # for operators who look into a problem


@shared_task(name="oauth.remove_expired")
@alone
def remove_expired() -> int:
    """Delete codes that nobody has used. A used one goes with the session that it gave, which its second use would end."""
    unused = AuthorizationCode.objects.filter(used_at=None)
    return batches.delete(unused.filter(expires_at__lt=timezone.now() - KEPT), by="expires_at")
