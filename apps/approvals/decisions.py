"""Approving and rejecting users, for operators and outside identity checks alike."""

from datetime import datetime

from django.db import transaction

from apps.approvals import documents
from apps.approvals.errors import AlreadyDecided
from apps.approvals.models import CheckState, IdentityCheck
from apps.audit import actions, events
from apps.core.context import RequestContext
from apps.core.state.announcements import announce
from apps.customers.state import CustomerState
from apps.users import directory, lifecycle, notices, state
from apps.users.models import User, UserStatus


def open_for(user: User, *, customer: CustomerState, now: datetime) -> None:
    """Let the user wait for approval. In the caller's transaction; doing it again changes nothing."""
    IdentityCheck.objects.get_or_create(user=user, defaults={"customer_id": customer.id, "created_at": now})


def approve(check: IdentityCheck, *, customer: CustomerState, context: RequestContext) -> None:
    """Approve the user, who is active from now on unless the address is still to be proven. Raises AlreadyDecided."""
    with transaction.atomic():
        user = lock_user(check)
        _decide(check, CheckState.APPROVED, "", context)
        user.approved_at = context.now
        if user.status == UserStatus.PENDING:
            user.status = lifecycle.status_due(user, customer)
        _save(user, check, actions.USER_APPROVED, context)
        notices.post(notices.USER_APPROVED, customer=customer, user=user, context=context)


def reject(
    check: IdentityCheck,
    *,
    reason: str,
    customer: CustomerState,
    context: RequestContext,
) -> None:
    """Reject the user, who goes on waiting and is told why. It can be approved later. Raises AlreadyDecided."""
    with transaction.atomic():
        user = lock_user(check)
        _decide(check, CheckState.REJECTED, reason, context)
        user.approved_at = None
        if user.status == UserStatus.ACTIVE and customer.demands_approval:
            user.status = UserStatus.PENDING
        _save(user, check, actions.USER_REJECTED, context)
        notices.post(notices.USER_REJECTED, customer=customer, user=user, context=context, reason=reason)


def lock_user(check: IdentityCheck) -> User:
    """The user, locked before the check, in the same order as an erasure. Raises AlreadyDecided if it has been erased."""
    user = directory.lock(check.user_id)
    if user is None:
        raise AlreadyDecided
    return user


def _decide(check: IdentityCheck, state: CheckState, reason: str, context: RequestContext) -> None:
    """Write the decision in one statement, so that of two at once only one counts. Raises AlreadyDecided."""
    undecided = IdentityCheck.objects.filter(id=check.id).exclude(state=state)
    if not undecided.update(state=state, reason=reason, decided_at=context.now, decided_by=context.actor):
        raise AlreadyDecided


def _save(user: User, check: IdentityCheck, action: str, context: RequestContext) -> None:
    user.save(update_fields=["approved_at", "status"])
    shown = documents.named(check)
    facts = {"documents": shown} if shown else {}
    events.record(action=action, customer_id=user.customer_id, user_id=user.id, context=context, details=facts)
    announce(state.subject(user.customer_id, user.id))
