"""The first proof that somebody reads a user's mailbox. What strangers may have set before is removed (pre-hijacking).

Otherwise a stranger could register somebody else's address, and wait with a password, a passkey or a session of their own
until the owner of the mailbox comes to use the account.
"""

from datetime import datetime
from typing import Any

from apps.approvals import decisions
from apps.audit import actions
from apps.core import actors
from apps.core.context import RequestContext
from apps.core.state.announcements import announce
from apps.customers import lifecycle as customers
from apps.customers.state import CustomerState
from apps.factors import removal
from apps.signin.models import Password
from apps.tokens import sessions
from apps.tokens.errors import UserInactive
from apps.tokens.models import EndReason, Session
from apps.users import credentials, directory, lifecycle, state, user_events
from apps.users.models import User, UserStatus


def by_mail(user: User, *, customer: CustomerState, context: RequestContext) -> None:
    """Mark the address as proven by a code or link that was sent there, and remove what was set before. In the caller's
    transaction.

    Of two proofs at once the second finds the address proven, and leaves what the first has set. Raises UserInactive for
    a user who is being erased.
    """
    _prove(user, customer=customer, context=context.by(actors.user(user.id)))


def by_operator(user: User, *, reason: str, customer: CustomerState, context: RequestContext) -> None:
    """The same because an operator says so. What was set before goes, too: a stranger may ask an operator as well.

    Raises UserInactive for a user who is being erased.
    """
    _prove(user, customer=customer, context=context, reason=reason)


def _prove(user: User, *, customer: CustomerState, context: RequestContext, **details: Any) -> None:
    present = directory.lock(user.id)
    if present is None:
        raise UserInactive
    if present.email_verified_at is not None:
        user.refresh_from_db()
        return
    user.status = present.status  # it may have been deactivated since it was read
    if _was_used(user):
        user.name, user.phone = "", ""
        user.save(update_fields=["name", "phone"])
    Password.objects.filter(user=user).delete()
    credentials.change(user, now=context.now)
    removal.remove_all(user)
    user._state.fields_cache.pop("password", None)
    sessions.end_all(customer_id=customer.id, user_id=user.id, reason=EndReason.EMAIL_PROVEN, context=context)
    _note(user, customer=customer, context=context, **details)


def _was_used(user: User) -> bool:
    """Whether somebody could sign in before the proof: then name and phone number may be a stranger's."""
    return Password.objects.filter(user=user).exists() or Session.objects.filter(user=user).exists()


def begin(user: User, *, customer: CustomerState, now: datetime) -> None:
    """Let a user whom a proof has just made wait for approval, if the customer demands it. In the caller's transaction."""
    user.status = lifecycle.status_due(user, customer)
    if user.status == UserStatus.PENDING:
        user.save(update_fields=["status"])
        decisions.open_for(user, customer=customer, now=now)


def note(user: User, *, customer: CustomerState, context: RequestContext) -> None:
    """Mark the address as proven; the status follows from what else the customer demands. In the caller's transaction."""
    _note(user, customer=customer, context=context.by(actors.user(user.id)))


def _note(user: User, *, customer: CustomerState, context: RequestContext, **details: Any) -> None:
    user.email_verified_at = context.now
    if user.status == UserStatus.PENDING:
        user.status = lifecycle.status_due(user, customer)
    user.save(update_fields=["email_verified_at", "status"])
    if user.status == UserStatus.PENDING:
        decisions.open_for(user, customer=customer, now=context.now)
    user_events.record(actions.EMAIL_VERIFIED, user, context, **details)
    if user.is_owner:
        customers.note_owner(customer.id)
    announce(state.subject(customer.id, user.id))
