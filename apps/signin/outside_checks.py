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
from django.db.models import Q
from django.utils.module_loading import import_string

from apps.audit import actions, events
from apps.core import outgoing, sealed, signatures
from apps.core.outgoing import Unreachable
from apps.core.requests import Caller
from apps.core.times import rfc3339
from apps.customers import standing as customers
from apps.customers.models import Customer
from apps.signin import identity_check
from apps.signin.errors import InvalidSignature
from apps.signin.models import CheckState, IdentityCheck

SECRET_BYTES = 32
PATH = "/api/identity-checks/"
LEASE = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
LONGEST_REASON = 500
BATCH = 50


class OutsideCheck(ABC):
    """Asks somebody outside who a user is. One is made a process."""

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
    """What came back for a check: the body as it came, and its signature."""

    check_id: UUID
    body: bytes = field(repr=False)
    signature: str
    caller: Caller
    now: datetime


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


def due(*, now: datetime) -> list[IdentityCheck]:
    """The checks to be asked for now, those that wait longest first."""
    waiting = IdentityCheck.objects.filter(Q(next_try_at=None) | Q(next_try_at__lte=now), state=CheckState.WAITING)
    asked_outside = waiting.filter(asked_at=None).exclude(customer__identity_check_url="")
    return list(
        asked_outside.exclude(customer__identity_check_secret="")
        .select_related("user", "customer")
        .order_by("created_at")[:BATCH]
    )


def ask(check: IdentityCheck, *, now: datetime) -> bool:
    """Ask for one check, if no other worker is at it. False: not now; the next try is noted."""
    mine = IdentityCheck.objects.filter(id=check.id, asked_at=None, next_try_at=check.next_try_at)
    if not mine.update(next_try_at=now + LEASE, attempts=check.attempts + 1):
        return False
    try:
        configured().ask(check, customer=check.customer, now=now)
    except Unreachable:
        wait = min(timedelta(seconds=15 * 2 ** min(check.attempts, 10)), LONGEST_WAIT)
        IdentityCheck.objects.filter(id=check.id).update(next_try_at=now + wait)
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


def take_answer(answer: Answer, *, approved: bool, reason: str) -> None:
    """What the outside check has found. The signature must have been checked. Raises AlreadyDecided."""
    check = IdentityCheck.objects.get(id=answer.check_id)
    customer = customers.read(check.customer_id)
    acting = {"actor": f"identity-check:{check.id}", "caller": answer.caller, "now": answer.now}
    if approved:
        identity_check.approve(check, customer=customer, **acting)  # type: ignore[arg-type]
    else:
        identity_check.reject(check, reason=reason[:LONGEST_REASON], customer=customer, **acting)  # type: ignore[arg-type]


def require_genuine(answer: Answer) -> None:
    """Raises InvalidSignature: for a wrong one, and for a check that there is not."""
    check = IdentityCheck.objects.filter(id=answer.check_id).select_related("customer").first()
    key = (
        sealed.read(check.customer, "identity_check_secret") if check and check.customer.identity_check_secret else b""
    )
    genuine = signatures.is_genuine(answer.signature, answer.body, key=key or secrets.token_bytes(1), now=answer.now)
    if not key or not genuine:
        raise InvalidSignature
