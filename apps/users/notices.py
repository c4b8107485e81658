"""Mails that tell a user what was done with the account, each with a way to say "this was not me"."""

from datetime import datetime, timedelta
from typing import Any

from apps.core.ids import new_id
from apps.core.requests import Caller
from apps.customers import links
from apps.customers.state import CustomerState
from apps.mail import outbox
from apps.mail.outbox import Draft
from apps.users import languages
from apps.users.models import User

NEW_DEVICE = "new_device"
PASSWORD_LOCKED = "password_locked"  # noqa: S105  (a template's name)
PASSWORD_CHANGED = "password_changed"  # noqa: S105
FACTOR_ADDED = "factor_added"
FACTOR_REMOVED = "factor_removed"
PASSKEY_CLONED = "passkey_cloned"
RECOVERY_CODES_LOW = "recovery_codes_low"
EMAIL_CHANGED = "email_changed"
USER_APPROVED = "user_approved"
USER_REJECTED = "user_rejected"

KEPT_TRYING = timedelta(days=2)
CHOSEN = {"device", "factor", "passkey"}  # texts of the context that whoever is signed in can choose


def post(
    kind: str,
    *,
    customer: CustomerState,
    user: User,
    caller: Caller | None,
    now: datetime,
    recipient: str = "",
    **context: Any,
) -> None:
    """Post one in the caller's transaction. Uses no quota. `recipient`: another address than the user's present one.

    Nothing that somebody chose stands in it until the user has proven the address (contract 4): it may be anybody's.
    """
    if user.email_verified_at is None:
        context = {name: value for name, value in context.items() if name not in CHOSEN}
    draft = Draft(
        message_id=new_id(),
        kind=kind,
        recipient=recipient or user.email,
        locale=languages.of_mail(customer, user=user, caller=caller),
        expires_at=now + KEPT_TRYING,
        context={"reset_link": links.to(customer, links.FORGOT_PASSWORD), **context},
        user_id=user.id,
        sandbox_key_id=caller.sandbox_key_id if caller else "",
    )
    outbox.post(draft=draft, branding=customer.branding, quota=None, now=now)
