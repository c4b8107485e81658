"""Mails to operators: of which kinds there are, to which address they go, and how they are posted.

They are about no customer's users, stand outside of all quotas, and are rows of the default customer: there is always one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User as Operator

from apps.core.ids import new_id
from apps.customers.models import DEFAULT_CUSTOMER_ID
from apps.mail import outbox
from apps.mail.content import Branding
from apps.mail.models import Message
from apps.mail.outbox import MailDraft

BRANDING = Branding(DEFAULT_CUSTOMER_ID, "Gatehouse")
KEPT_TRYING = timedelta(days=2)


class OperatorMail(StrEnum):
    """Each is the name of its template. The admin shows mails of these kinds to those alone who may see operators."""

    ALERTS = "alerts_raised"
    USERS_WAITING = "users_waiting"
    INVITATION = "operator_invitation"
    FORGOTTEN = "operator_password_reset"
    NOTICE = "operator_notice"


@dataclass(frozen=True, kw_only=True)
class OperatorDraft:
    """`expires_at`: None, if it stays true for as long as mails are tried at all."""

    kind: OperatorMail
    address: str
    facts: dict[str, Any]
    locale: str = ""
    expires_at: datetime | None = None


def post(draft: OperatorDraft, *, now: datetime) -> Message:
    """Post it, in the caller's transaction."""
    return outbox.post(draft=_mail(draft, now), branding=BRANDING, quota=None, now=now)


def suppress(draft: OperatorDraft, *, now: datetime) -> Message:
    """The same work for a mail that nobody shall get."""
    return outbox.suppress(draft=_mail(draft, now), branding=BRANDING, quota=None, now=now)


def _mail(draft: OperatorDraft, now: datetime) -> MailDraft:
    return MailDraft(
        message_id=new_id(),
        kind=draft.kind.value,
        recipient=draft.address,
        locale=draft.locale,
        expires_at=draft.expires_at or now + KEPT_TRYING,
        facts=draft.facts,
    )


def address_of(operator: Operator) -> str:
    """Where an operator gets mail; empty if nobody has said so."""
    name = operator.get_username()
    return operator.email or (name if "@" in name else "")


def readers() -> Iterator[Operator]:
    """Operators who can sign in, and get mail. Ask each `has_perm(permission, row)`: not all may see every customer."""
    found = Operator.objects.filter(is_active=True, is_staff=True).select_related("team_role")
    return filter(address_of, found.order_by("pk"))
