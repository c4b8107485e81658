"""The mail that carries a code."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from apps.customers.standing import CustomerStanding
from apps.mail.content import supported
from apps.mail.outbox import Draft
from apps.otp.codes import NewCode
from apps.users.models import User


def draft(
    *,
    kind: str,
    new: NewCode,
    customer: CustomerStanding,
    user: User | None,
    recipient: str,
    sandbox_key_id: str,
    now: datetime,
    locale: str = "",
    more: Mapping[str, Any] | None = None,
) -> Draft:
    """In the language wished for, else the user's, else the customer's; worth sending for as long as the code lives.

    `more`: for templates that say more than the code.
    """
    return Draft(
        message_id=new.message_id,
        kind=kind,
        recipient=recipient,
        locale=supported(locale, user.locale if user else "", customer.default_locale),
        expires_at=now + timedelta(seconds=customer.code_lifetime),
        context={**context(new, customer), **(more or {})},
        user_id=user.id if user else None,
        sandbox_key_id=sandbox_key_id,
    )


def context(new: NewCode, customer: CustomerStanding) -> dict[str, Any]:
    """What templates of code mails read."""
    return {
        "code": new.code,
        "spelled_code": " ".join(new.code),
        "minutes": max(1, customer.code_lifetime // 60),
    }
