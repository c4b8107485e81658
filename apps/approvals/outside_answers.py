"""What an outside check answers, by webhook: genuine, newer than what was heard before, and not against an operator."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.approvals import decisions
from apps.approvals.errors import AlreadyDecided, InvalidSignature
from apps.approvals.models import CheckState, IdentityCheck
from apps.core import actors, sealed, signatures
from apps.core.context import RequestContext
from apps.core.errors import PermissionDenied
from apps.customers import state as customers
from apps.customers.state import CustomerState

LONGEST_REASON = 500


@dataclass(frozen=True)
class CheckAnswer:
    """What came back for a check, by its address: the body as it came, and its signature."""

    check_id: UUID
    body: bytes = field(repr=False)
    signature: str
    context: RequestContext


@dataclass(frozen=True)
class GenuineAnswer:
    """An answer that is known to come from the customer's outside check: its signature was right (`require_genuine`)."""

    check: IdentityCheck
    customer: CustomerState
    signed_at: datetime
    context: RequestContext  # whose actor is the check


def require_genuine(answer: CheckAnswer) -> GenuineAnswer:
    """Raises InvalidSignature for a wrong signature, and for a check that does not exist.

    Then CustomerSuspended, and PermissionDenied where nobody outside is asked (any more).
    """
    check = IdentityCheck.objects.filter(id=answer.check_id).select_related("customer").first()
    sealed_key = check.customer.identity_check_secret if check else ""
    key = sealed.read(check.customer, "identity_check_secret") if check and sealed_key else b""
    at = signatures.signed_at(answer.signature, answer.body, key=key or secrets.token_bytes(1), now=answer.context.now)
    if not check or not key or not at:
        raise InvalidSignature
    context = answer.context.by(actors.identity_check(check.id))
    return GenuineAnswer(check, _asking_outside(check.customer_id), at, context)


def take(answer: GenuineAnswer, *, check_id: UUID, approved: bool, reason: str) -> bool:
    """Approve or reject the user, as the outside check says. False: it was so already. `check_id`: as it was signed.

    Raises InvalidSignature if the check that was signed is not the one that the address names; AlreadyDecided by an operator,
    or by an answer that was signed in the same second or later.
    """
    check = answer.check
    if check_id != check.id:
        raise InvalidSignature
    wanted = CheckState.APPROVED if approved else CheckState.REJECTED
    with transaction.atomic():
        decisions.lock_user(check)
        is_newest = _note_newest(answer)
        if IdentityCheck.objects.filter(id=check.id, state=wanted).exists():
            return False
        if not is_newest:
            raise AlreadyDecided
        _decide(answer, approved=approved, reason=reason)
    return True


def _asking_outside(customer_id: UUID) -> CustomerState:
    """The customer as it is now. Raises CustomerSuspended; PermissionDenied where nobody outside is asked (any more)."""
    customer = customers.read(customer_id)
    customers.require_active(customer)
    if not customer.identity_check_url:
        raise PermissionDenied
    return customer


def _note_newest(answer: GenuineAnswer) -> bool:
    """Note it as the newest. False: one signed as late was heard before, or an operator has decided, which is final."""
    newer = Q(answer_signed_at=None) | Q(answer_signed_at__lt=answer.signed_at)
    undecided = Q(state=CheckState.WAITING) | Q(decided_by=answer.context.actor)
    heard = IdentityCheck.objects.filter(newer, undecided, id=answer.check.id)
    return bool(heard.update(answer_signed_at=answer.signed_at))


def _decide(answer: GenuineAnswer, *, approved: bool, reason: str) -> None:
    check, customer, context = answer.check, answer.customer, answer.context
    if approved:
        decisions.approve(check, customer=customer, context=context)
    else:
        reason = reason[:LONGEST_REASON]
        decisions.reject(check, reason=reason, customer=customer, context=context)
