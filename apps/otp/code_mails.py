"""Mails that carry a code, or a link that is worth as much."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from apps.audit.events import NewEvent
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.mail import outbox
from apps.mail.outbox import MailDraft
from apps.otp.new_codes import NewCode
from apps.users import languages
from apps.users.models import BuiltInRole, User


def draft(
    *,
    kind: str,
    new: NewCode,
    customer: CustomerState,
    user: User | None,
    recipient: str,
    context: RequestContext,
    locale: str = "",
    more: Mapping[str, Any] | None = None,
) -> MailDraft:
    """The mail with this code, which is worth sending for as long as the code lives. `locale`: what the request asks for.

    `more`: for templates that say more than the code.
    """
    asked = languages.asked_for(locale=locale, user=user, context=context)
    return MailDraft(
        message_id=new.message_id,
        kind=kind,
        recipient=recipient,
        locale=asked or customer.default_locale,
        asked_locale=asked,
        expires_at=context.now + timedelta(seconds=customer.code_lifetime),
        facts={**facts_of(new, customer), **(more or {})},
        user_id=user.id if user else None,
        sandbox_key_id=context.sandbox_key_id,
        code_set=new.set_name,
        credentials_version=user.credentials_version if user else 0,
    )


def post(
    draft: MailDraft,
    *,
    customer: CustomerState,
    user: User | None,
    receives: bool,
    now: datetime,
    counts: bool = True,
    pays: CustomerState | None = None,
    event: NewEvent | None = None,
) -> None:
    """Post the mail; if nobody may receive it, do the same work and send nothing. One statement. Raises QuotaExceeded.

    `counts`: whether it uses up a quota; in the sandbox nothing does. `pays`: the customer whose quota it is, if another.
    `event`: written by the same statement.
    """
    insert = outbox.post if receives and not is_kept_from(user, draft.sandbox_key_id) else outbox.suppress
    quota = (pays or customer).quota if counts and not draft.sandbox_key_id else None
    insert(draft=draft, branding=customer.branding, quota=quota, now=now, event=event)


def is_kept_from(user: User | None, sandbox_key_id: str) -> bool:
    """Whether it must not be sent: the holder of a test key can read it, and must not enter an administrator's account."""
    return bool(sandbox_key_id) and user is not None and user.role == BuiltInRole.ADMIN


def facts_of(new: NewCode, customer: CustomerState) -> dict[str, Any]:
    """What templates of code mails read."""
    return {
        "code": new.code,
        "spelled_code": " ".join(new.code),
        "minutes": max(1, customer.code_lifetime // 60),
    }
