"""Background work of approvals."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from apps.approvals import approval_queue, documents, outside_requests
from apps.core import queues
from apps.core.advisory_locks import alone

# One check is one conversation of `outgoing.PATIENCE_SECONDS`; another class (IDENTITY_CHECK) may take a little longer.
ASKING_SECONDS, ASKING_SECONDS_AT_MOST = 20, 30


@shared_task(name="approvals.tell_operators")
@alone
def tell_operators() -> int:
    """Tell operators of users who wait to be approved. Returns how many users."""
    now = timezone.now()
    approval_queue.open_missing(now=now)
    return approval_queue.tell_operators(now=now)


@shared_task(name="approvals.ask_identity_checks")
@alone
def ask_identity_checks() -> int:
    """Enqueue a task for each check that is due. Returns how many.

    A task that waits in the queue for longer than a lease is dropped there, and enqueued anew. Nothing is added to a full
    batch: so the queue stays short, however slow the other side is, and even if no worker takes from it.
    """
    if queues.length(ask_identity_check) >= outside_requests.BATCH:
        return 0
    due = outside_requests.due(now=timezone.now())
    for check_id in due:
        ask_identity_check.apply_async((str(check_id),), expires=outside_requests.LEASE.total_seconds())
    return len(due)


@shared_task(name="approvals.ask_identity_check", soft_time_limit=ASKING_SECONDS, time_limit=ASKING_SECONDS_AT_MOST)
def ask_identity_check(check_id: str) -> bool:
    """Ask for one check, in a queue of its own (CELERY_TASK_ROUTES): a slow other side keeps no mail waiting."""
    return outside_requests.ask(UUID(check_id), now=timezone.now())


@shared_task(name="approvals.delete_old_documents")
@alone
def delete_old_documents() -> int:
    """Delete identity documents that are needed no more. Returns how many."""
    return documents.delete_old(now=timezone.now())
