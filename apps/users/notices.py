"""Mails that tell a user what has happened to the account, each with a way to say "this was not me"."""

from datetime import timedelta
from typing import Any

from apps.core.context import RequestContext
from apps.core.ids import new_id
from apps.customers import links
from apps.customers.state import CustomerState
from apps.mail import outbox
from apps.mail.outbox import MailDraft
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
CHOSEN = {"device", "factor", "passkey"}  # facts that the signed-in user can choose


def post(
    kind: str,
    *,
    customer: CustomerState,
    user: User,
    context: RequestContext,
    recipient: str = "",
    **facts: Any,
) -> None:
    """Post one in the caller's transaction. Uses no quota. `recipient`: another address than the user's present one.

    Until the user has proven the address it holds no text that anybody chose (contract 4): the mailbox may be a stranger's.
    """
    if user.email_verified_at is None:
        facts = {name: value for name, value in facts.items() if name not in CHOSEN}
    draft = MailDraft(
        message_id=new_id(),
        kind=kind,
        recipient=recipient or user.email,
        locale=languages.of_mail(customer, user=user, context=context),
        expires_at=context.now + KEPT_TRYING,
        facts={"reset_link": links.to(customer, links.FORGOT_PASSWORD), **facts},
        user_id=user.id,
        sandbox_key_id=context.sandbox_key_id,
    )
    outbox.post(draft=draft, branding=customer.branding, quota=None, now=context.now)
