"""Changing the password: by a user who is signed in and gives the present one (contract 4, change-password), or by a link.

Everybody who knew the old password is out: other sessions end with it, and what was issued before is void.
"""

from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction

from apps.audit import actions
from apps.audit.models import Severity
from apps.core import actors
from apps.core.context import RequestContext
from apps.customers.state import CustomerState
from apps.factors import enrolled
from apps.otp import attempt_limits
from apps.signin import by_password, password_lock, passwords
from apps.signin.errors import InvalidCredentials, InvalidPassword
from apps.signin.models import Password
from apps.tokens import fresh_proof, sessions
from apps.tokens.models import EndReason
from apps.users import credentials, directory, emails, notices, user_events
from apps.users.models import User


@dataclass(frozen=True)
class PasswordChange:
    """A user who is signed in wants another password."""

    customer: CustomerState
    user: User
    session_id: UUID
    current: str = field(repr=False)
    password: str = field(repr=False)
    context: RequestContext


def change(wanted: PasswordChange) -> None:
    """Set another password, and end the other sessions.

    Raises InvalidPassword, ValidationFailed, RateLimited or ValkeyUnavailable.
    """
    customer, user, context = wanted.customer, wanted.user, wanted.context
    checked = require_password(user, wanted.current, session_id=wanted.session_id, customer=customer, context=context)
    password = passwords.require_acceptable(wanted.password, address=emails.parse(user.email))
    encoded = passwords.encode(password)
    with transaction.atomic():
        directory.lock(user.id)
        _require_unchanged(checked)
        by_mail = not enrolled.of(user.id).has_usable
        replace(user, encoded, by_mail=by_mail, except_for=wanted.session_id, customer=customer, context=context)
        user_events.record_own(actions.PASSWORD_CHANGED, user, context, severity=Severity.LOW)


@dataclass(frozen=True)
class FirstPassword:
    """A user who is signed in, and whose account has no password, wants one. The session's proof is fresh (contract 3.10)."""

    customer: CustomerState
    user: User
    session_id: UUID
    password: str = field(repr=False)
    context: RequestContext


def set_first(wanted: FirstPassword) -> None:
    """Give the account a password, and end the other sessions.

    Where the account has no factor, the mailbox alone has proven who sets it: then a code by mail is no second factor to it.
    Raises ValidationFailed; InvalidPassword if the account has one already, for that is changed by `change`.
    """
    customer, user, context = wanted.customer, wanted.user, wanted.context
    password = passwords.require_acceptable(wanted.password, address=emails.parse(user.email))
    encoded = passwords.encode(password)
    with transaction.atomic():
        directory.hold(user.id)
        if passwords.exists(user.id):
            raise InvalidPassword
        by_mail = not enrolled.of(user.id).has_usable
        replace(user, encoded, by_mail=by_mail, except_for=wanted.session_id, customer=customer, context=context)
        user_events.record_own(actions.PASSWORD_CHANGED, user, context, severity=Severity.LOW)


def require_password(
    user: User, text: str, *, session_id: UUID, customer: CustomerState, context: RequestContext
) -> User:
    """Check the password that a user who is signed in gives once more. A wrong one counts towards the lock, as at sign-in.

    But a lock does not stand in the way, nor do the tries of strangers: tries are counted for the session, which ends after
    too many wrong ones. So a thief of its token can guess a few times, and keeps the user from nothing.
    Returns the user with the password that was right. Raises InvalidPassword, SessionEnded, RateLimited or
    ValkeyUnavailable.
    """
    address = emails.parse(user.email)
    attempt_limits.hit_network(customer, context)
    fresh_proof.count_try(customer_id=customer.id, user_id=user.id, session_id=session_id, context=context)
    found = by_password.find(customer, address)
    checked = by_password.check(found, text, now=context.now, despite_lock=True)
    if checked is None:
        rule = by_password.WRONG_PASSWORD
        password_lock.count_wrong(customer, address, found, rule=rule, context=context)
        raise InvalidPassword  # after the commit: a counted failure is never undone by its own request
    try:
        by_password.accept(checked, text, now=context.now, despite_lock=True)
    except InvalidCredentials as error:
        raise InvalidPassword from error
    fresh_proof.forget_tries(customer_id=customer.id, session_id=session_id)
    return checked


def replace(
    user: User,
    encoded: str,
    *,
    by_mail: bool,
    except_for: UUID | None = None,
    customer: CustomerState,
    context: RequestContext,
) -> None:
    """Set the password, and end what was begun with the old one. In the caller's transaction.

    `by_mail`: it was set by a link in a mail. `except_for`: a session that goes on.
    """
    passwords.put(user, encoded, by_mail=by_mail, now=context.now)
    credentials.change(user, now=context.now)
    directory.open_to_codes(user)
    sessions.end_all(
        customer_id=user.customer_id,
        user_id=user.id,
        except_for=except_for,
        reason=EndReason.PASSWORD_CHANGED,
        context=context.by(actors.user(user.id)),
    )
    notices.post(notices.PASSWORD_CHANGED, customer=customer, user=user, context=context)


def _require_unchanged(checked: User) -> None:
    """Raises InvalidPassword if the password was replaced after it was checked."""
    if not Password.objects.filter(user=checked, set_at=checked.password.set_at).exists():
        raise InvalidPassword
