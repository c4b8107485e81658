"""Identity checks that somebody outside makes: asked for, signed, and answered by a webhook.

IDENTITY_CHECK names the class; write your own by deriving from `OutsideCheck`.
"""

import json
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.module_loading import import_string

from apps.approvals import decisions
from apps.approvals.errors import AlreadyDecided, InvalidSignature
from apps.approvals.models import CheckState, IdentityCheck
from apps.audit import actions, events
from apps.core import outgoing, sealed, signatures
from apps.core.errors import PermissionDenied
from apps.core.outgoing import Unreachable
from apps.core.requests import Caller
from apps.core.times import rfc3339
from apps.customers import state as customers
from apps.customers.models import Customer, CustomerStatus
from apps.customers.state import CustomerState
from apps.users.models import UserStatus

SECRET_BYTES = 32
PATH = "/api/identity-checks/"
LEASE = timedelta(minutes=1)  # longer than asking may take (tasks.py)
SHORTEST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=1)
LONGEST_REASON = 500
BATCH = 50


class OutsideCheck(ABC):
    """Asks somebody outside who a user is. One is made for each question."""

    @abstractmethod
    def ask(self, check: IdentityCheck, *, customer: Customer, now: datetime) -> None:
        """Hand the check over. Raises Unreachable to be asked again later. The answer comes by `take_answer`."""


class PostedCheck(OutsideCheck):
    """Posts a signed request to the customer's `identity_check_url`; the answer comes back as a webhook, signed alike."""

    def ask(self, check: IdentityCheck, *, customer: Customer, now: datetime) -> None:
        body = json.dumps(self._document(check)).encode()
        signature = signatures.sign(body, key=sealed.read(customer, "identity_check_secret"), now=now)
        reply = outgoing.post(
            customer.identity_check_url,
            body,
            {"Content-Type": "application/json", signatures.HEADER: signature},
            private_allowed=settings.IDENTITY_CHECK_PRIVATE_ADDRESSES,
        )
        if reply.status not in range(200, 300):
            raise Unreachable(f"{reply.status} {reply.text}")

    def _document(self, check: IdentityCheck) -> dict[str, Any]:
        user = check.user
        return {
            "check_id": str(check.id),
            "user": {"id": str(user.id), "email": user.email, "name": user.name, "locale": user.locale},
            "callback_url": f"{settings.PUBLIC_URL}{PATH}{check.id}",
            "created_at": rfc3339(check.created_at),
        }


@dataclass(frozen=True)
class Answer:
    """What came back for a check, by its address: the body as it came, and its signature."""

    check_id: UUID
    body: bytes = field(repr=False)
    signature: str
    caller: Caller
    now: datetime


@dataclass(frozen=True)
class GenuineAnswer:
    """An answer that is known to come from the customer's outside check: its signature was right (`require_genuine`)."""

    check: IdentityCheck
    customer: CustomerState
    signed_at: datetime
    caller: Caller
    now: datetime

    @property
    def actor(self) -> str:
        return events.identity_check(self.check.id)


def configured() -> OutsideCheck:
    """What IDENTITY_CHECK names. Raises ImportError."""
    made: OutsideCheck = import_string(settings.IDENTITY_CHECK)()
    return made


def renew_secret(customer: Customer, *, actor: str, caller: Caller | None, now: datetime) -> str:
    """A fresh secret for signing both ways; shown once. The old one is worthless from now on."""
    text = secrets.token_hex(SECRET_BYTES)
    sealed.write(customer, "identity_check_secret", text.encode())
    with transaction.atomic():
        customer.save(update_fields=["identity_check_secret", "updated_at"])
        events.record(
            action=actions.POLICY_CHANGED,
            customer_id=customer.id,
            actor=actor,
            caller=caller,
            details={"fields": ["identity_check"]},
            now=now,
        )
    return text


def due(*, now: datetime) -> list[UUID]:
    """The checks to be asked for now. Customers take turns: one whose checker is slow keeps no other's users waiting."""
    turn = Window(RowNumber(), partition_by="customer_id", order_by=("attempts", "created_at"))
    return list(_askable(now).order_by(turn, "created_at").values_list("id", flat=True)[:BATCH])


def ask(check_id: UUID, *, now: datetime) -> bool:
    """Ask for one check, if it is due and no other worker is at it. False: not now; the next try is noted."""
    check = _take(check_id, now)
    if check is None:
        return False
    try:
        configured().ask(check, customer=check.customer, now=now)
    except Unreachable:
        IdentityCheck.objects.filter(id=check.id).update(next_try_at=now + _wait(check))
        return False
    with transaction.atomic():
        IdentityCheck.objects.filter(id=check.id).update(asked_at=now)
        events.record(
            action=actions.IDENTITY_CHECK_ASKED,
            customer_id=check.customer_id,
            user_id=check.user_id,
            actor=events.SYSTEM,
            now=now,
        )
    return True


def require_genuine(answer: Answer) -> GenuineAnswer:
    """Raises InvalidSignature: for a wrong one, and for a check that there is not.

    Then CustomerSuspended, and PermissionDenied where nobody outside is asked (any more).
    """
    check = IdentityCheck.objects.filter(id=answer.check_id).select_related("customer").first()
    key = (
        sealed.read(check.customer, "identity_check_secret") if check and check.customer.identity_check_secret else b""
    )
    at = signatures.signed_at(answer.signature, answer.body, key=key or secrets.token_bytes(1), now=answer.now)
    if not check or not key or not at:
        raise InvalidSignature
    return GenuineAnswer(check, _asking_outside(check.customer_id), at, answer.caller, answer.now)


def take_answer(answer: GenuineAnswer, *, check_id: UUID, approved: bool, reason: str) -> bool:
    """What the outside check has found, of the check named in what was signed. False: it was so already.

    Raises InvalidSignature for another check than the address names; AlreadyDecided by an operator, or by an answer that was
    signed in the same second or later.
    """
    check = answer.check
    if check_id != check.id:
        raise InvalidSignature
    wanted = CheckState.APPROVED if approved else CheckState.REJECTED
    with transaction.atomic():
        decisions.lock_user(check)
        heard = _hear(answer)
        if IdentityCheck.objects.filter(id=check.id, state=wanted).exists():
            return False
        if not heard:
            raise AlreadyDecided
        _decide(answer, approved=approved, reason=reason)
    return True


def _askable(now: datetime) -> QuerySet[IdentityCheck]:
    """Of users who wait, not asked for yet nor just being so; of customers that are active and have somebody outside."""
    waiting = IdentityCheck.objects.filter(Q(next_try_at=None) | Q(next_try_at__lte=now), state=CheckState.WAITING)
    unasked = waiting.filter(asked_at=None, customer__status=CustomerStatus.ACTIVE)
    wanted = unasked.exclude(user__status=UserStatus.DEACTIVATED)
    return wanted.exclude(customer__identity_check_url="").exclude(customer__identity_check_secret="")


def _take(check_id: UUID, now: datetime) -> IdentityCheck | None:
    """The check, for this worker alone until its next try, which is noted first: then no failure can be a busy loop."""
    check = _askable(now).filter(id=check_id).select_related("user", "customer").first()
    if check is None:
        return None
    mine = IdentityCheck.objects.filter(
        id=check.id, state=CheckState.WAITING, asked_at=None, next_try_at=check.next_try_at
    )
    taken = mine.update(next_try_at=now + max(LEASE, _wait(check)), attempts=check.attempts + 1)
    return check if taken else None


def _wait(check: IdentityCheck) -> timedelta:
    """How long after a try the next one comes: twice as long each time."""
    return min(SHORTEST_WAIT * (1 << min(check.attempts, 10)), LONGEST_WAIT)


def _asking_outside(customer_id: UUID) -> CustomerState:
    """The customer as it is now. Raises CustomerSuspended; PermissionDenied where nobody outside is asked (any more)."""
    customer = customers.read(customer_id)
    customers.require_active(customer)
    if not customer.identity_check_url:
        raise PermissionDenied
    return customer


def _hear(answer: GenuineAnswer) -> bool:
    """Note it as the newest. False: an answer signed as late was heard before, or an operator has decided, which is final."""
    newer = Q(answer_signed_at=None) | Q(answer_signed_at__lt=answer.signed_at)
    undecided = Q(state=CheckState.WAITING) | Q(decided_by=answer.actor)
    heard = IdentityCheck.objects.filter(newer, undecided, id=answer.check.id)
    return bool(heard.update(answer_signed_at=answer.signed_at))


def _decide(answer: GenuineAnswer, *, approved: bool, reason: str) -> None:
    acting = {"customer": answer.customer, "actor": answer.actor, "caller": answer.caller, "now": answer.now}
    if approved:
        decisions.approve(answer.check, **acting)  # type: ignore[arg-type]
    else:
        decisions.reject(answer.check, reason=reason[:LONGEST_REASON], **acting)  # type: ignore[arg-type]
