"""Background work of the admin."""

from celery import shared_task

from apps.core.advisory_locks import alone
from apps.operators.new_secrets import kept_secrets
from apps.operators.sign_in import expiry


@shared_task(name="operators.remove_expired")
@alone
def remove_expired() -> int:
    """Delete new secrets that no page has shown in time, and sessions that have ended by themselves."""
    return kept_secrets.remove_expired() + expiry.remove_expired()
