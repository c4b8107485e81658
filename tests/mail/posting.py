"""Posting a mail or an SMS, as a request for a code does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.core.ids import new_id
from apps.mail import outbox, sms
from apps.mail.content import Branding
from apps.mail.models import LedgerEntry, LedgerStep, Message
from apps.mail.outbox import MailDraft, Quota
from apps.mail.sms import SmsDraft

PLENTY = Quota(daily=1000, monthly=1000)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # a day and a month that do not end in a test
CODE = "482913"
NUMBER = "+4915112345678"


def branding(customer_id: UUID | None = None, **facts: Any) -> Branding:
    values = {"name": "Acme", "site_domain": "example.com", **facts}
    return Branding(customer_id=customer_id or new_id(), **values)


def draft(*, now: datetime | None = None, lifetime: float = 600, **facts: Any) -> MailDraft:
    values: dict[str, Any] = {
        "message_id": new_id(),
        "kind": "sign_in_code",
        "recipient": "ada@example.com",
        "locale": "en",
        "expires_at": (now or timezone.now()) + timedelta(seconds=lifetime),
        "facts": {"code": CODE, "spelled_code": " ".join(CODE), "minutes": 10},
    }
    return MailDraft(**{**values, **facts})


def post(
    brand: Branding | None = None, *, quota: Quota | None = PLENTY, now: datetime | None = None, **facts: Any
) -> Message:
    now = now or timezone.now()
    return outbox.post(draft=draft(now=now, **facts), branding=brand or branding(), quota=quota, now=now)


def sms_draft(**facts: Any) -> SmsDraft:
    values: dict[str, Any] = {
        "message_id": new_id(),
        "kind": "second_factor_sms",
        "number": NUMBER,
        "locale": "en",
        "expires_at": timezone.now() + timedelta(minutes=10),
        "facts": {"code": CODE, "minutes": 10},
    }
    return SmsDraft(**{**values, **facts})


def post_sms(
    brand: Branding | None = None,
    *,
    quota: Quota | None = PLENTY,
    sender: str = "Acme",
    now: datetime | None = None,
    **facts: Any,
) -> Message:
    now = now or timezone.now()
    return sms.post(draft=sms_draft(**facts), branding=brand or branding(), sender=sender, quota=quota, now=now)


def steps(message: Message) -> list[str]:
    return list(LedgerEntry.objects.filter(message=message).values_list("step", flat=True))


def answer(message: Message, step: LedgerStep) -> tuple[str, str]:
    """Which server, and what it said."""
    entry = LedgerEntry.objects.filter(message=message, step=step).latest("at", "id")
    return entry.server, entry.answer
