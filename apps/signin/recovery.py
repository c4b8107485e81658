"""Back into an account without its password, and changing the password (contract 4, forgot-, reset-, change-password).

The link proves the mailbox and nothing else: it opens no session, and no second factor is taken away.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.api_keys.asking import Asking
from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import ciphers, rate_limits
from apps.core.ids import new_id
from apps.core.requests import Caller
from apps.core.snapshots import Propagation
from apps.customers import links
from apps.customers import standing as customers
from apps.customers.standing import CustomerStanding
from apps.mail import outbox
from apps.mail.allowances import Quota
from apps.mail.content import supported
from apps.mail.outbox import Draft
from apps.otp import requesting, tries
from apps.signin import by_password, challenges, first_proof, passwords
from apps.signin.errors import InvalidCredentials, InvalidPassword, InvalidResetToken
from apps.signin.models import Password, ResetToken
from apps.tokens import sessions
from apps.tokens.models import EndReason
from apps.users import directory, emails, notices
from apps.users.emails import Address
from apps.users.models import User, UserStatus

MAIL = "password_reset"
LIFETIME = timedelta(hours=1)
TOKEN_BYTES = 32
LONGEST_TOKEN = 64  # characters


@dataclass(frozen=True)
class Forgotten:
    """Somebody says that the password of this address is forgotten."""

    customer: CustomerStanding
    address: Address
    caller: Caller
    now: datetime


@dataclass(frozen=True)
class Reset:
    """A token from a mail, and the password to be."""

    asking: Asking
    token: str = field(repr=False)
    password: str = field(repr=False)
    caller: Caller
    now: datetime


@dataclass(frozen=True)
class Change:
    """A user who is signed in wants another password."""

    customer: CustomerStanding
    user: User
    session_id: UUID
    current: str = field(repr=False)
    password: str = field(repr=False)
    caller: Caller
    now: datetime


def forgot(forgotten: Forgotten) -> None:
    """Send a way back, if there is an account; the same work if there is none.

    Raises RateLimited, QuotaExceeded or ValkeyUnavailable.
    """
    rate_limits.hit(requesting.rules_for(forgotten.customer, forgotten.address, forgotten.caller))
    with transaction.atomic():
        user = directory.find(forgotten.customer.id, forgotten.address.identity)
        send_link(forgotten, user, quota=None if forgotten.caller.sandbox_key_id else forgotten.customer.quota)


def send_link(forgotten: Forgotten, user: User | None, *, quota: Quota | None) -> None:
    """A token and the mail that carries it, for nobody too, in the caller's transaction. Raises QuotaExceeded."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    ResetToken.objects.create(
        customer_id=forgotten.customer.id,
        user=user if _may_reset(user) else None,
        digest=_digest(token),
        created_at=forgotten.now,
        expires_at=forgotten.now + LIFETIME,
    )
    _record(actions.PASSWORD_RESET_REQUESTED, forgotten.customer.id, user, forgotten.caller, forgotten.now)
    _post(forgotten, user, token, quota)


def withdraw_links(user: User, *, now: datetime) -> None:
    """What was sent so far is worth nothing any more. In the caller's transaction."""
    ResetToken.objects.filter(user=user, used_at=None).update(used_at=now)


def reset(wanted: Reset) -> None:
    """Set the password that the token's holder wants, and end every session. The token works once.

    Raises InvalidResetToken (whatever is wrong with it), ValidationFailed (the token is kept), RateLimited,
    ValkeyUnavailable, CustomerSuspended.
    """
    tries.hit_network(wanted.asking.customer, wanted.caller)
    row = _find(wanted)
    customer = customers.read(row.customer_id)
    customers.require_active(customer)
    user = row.user
    if user is None:
        raise InvalidResetToken
    password = passwords.require_acceptable(wanted.password, address=emails.parse(user.email))
    encoded = passwords.encode(password)
    with transaction.atomic():
        _use(row, user, wanted.now)
        if user.email_verified_at is None:
            first_proof.by_mail(user, customer=customer, caller=wanted.caller, now=wanted.now)
        passwords.put(user, encoded, by_mail=True, now=wanted.now)
        challenges.void(user, now=wanted.now)
        _end_sessions(user, except_for=None, caller=wanted.caller, now=wanted.now)
        _record(actions.PASSWORD_RESET, customer.id, user, wanted.caller, wanted.now)
        notices.post(notices.PASSWORD_CHANGED, customer=customer, user=user, caller=wanted.caller, now=wanted.now)


def change(wanted: Change) -> Propagation:
    """Set another password, and end the other sessions. Raises InvalidPassword, ValidationFailed, RateLimited."""
    customer, user, caller, now = wanted.customer, wanted.user, wanted.caller, wanted.now
    checked = require_password(user, wanted.current, customer=customer, caller=caller, now=now)
    password = passwords.require_acceptable(wanted.password, address=emails.parse(user.email))
    encoded = passwords.encode(password)
    with transaction.atomic():
        _require_unchanged(checked)
        passwords.put(user, encoded, by_mail=False, now=now)
        challenges.void(user, now=now)
        told = _end_sessions(user, except_for=wanted.session_id, caller=caller, now=now)
        _record(actions.PASSWORD_CHANGED, customer.id, user, caller, now)
        notices.post(notices.PASSWORD_CHANGED, customer=customer, user=user, caller=caller, now=now)
    return told


def require_password(user: User, text: str, *, customer: CustomerStanding, caller: Caller, now: datetime) -> User:
    """The user who is signed in gives the password once more. A wrong one counts as at sign-in, a right one breaks the row.

    Returns the user with the password that was right. Raises InvalidPassword, RateLimited or ValkeyUnavailable.
    """
    address = emails.parse(user.email)
    tries.hit_network(customer, caller)
    rate_limits.hit(tries.rules(customer, address, caller))
    found = by_password.find(customer, address)
    checked = by_password.check(found, text, now=now)
    if checked is None:
        by_password.count_wrong(customer, address, found, caller=caller, now=now)
        raise InvalidPassword  # after the commit: a counted failure is never undone by its own request
    try:
        by_password.accept(checked, text)
    except InvalidCredentials as error:
        raise InvalidPassword from error
    return checked


def _require_unchanged(checked: User) -> None:
    """Raises InvalidPassword when a reset has just taken the password from whoever gave it here."""
    present = Password.objects.select_for_update().filter(user=checked, set_at=checked.password.set_at)
    if present.first() is None:
        raise InvalidPassword


def _may_reset(user: User | None) -> bool:
    return user is not None and user.status != UserStatus.DEACTIVATED


def _post(forgotten: Forgotten, user: User | None, token: str, quota: Quota | None) -> None:
    customer = forgotten.customer
    draft = Draft(
        message_id=new_id(),
        kind=MAIL,
        recipient=user.email if user else forgotten.address.typed,
        locale=supported(user.locale if user else "", customer.default_locale),
        expires_at=forgotten.now + LIFETIME,
        context={
            "reset_link": links.to(customer, links.RESET_PASSWORD, token=token),
            "minutes": int(LIFETIME.total_seconds()) // 60,
        },
        user_id=user.id if user else None,
        sandbox_key_id=forgotten.caller.sandbox_key_id,
    )
    insert = outbox.post if _may_reset(user) else outbox.suppress
    insert(draft=draft, branding=customer.branding, quota=quota, now=forgotten.now)


def _find(wanted: Reset) -> ResetToken:
    """The token's row; a key sent along must be of the same customer."""
    open_rows = ResetToken.objects.filter(used_at=None, expires_at__gt=wanted.now).select_related("user")
    if wanted.asking.api_key is not None:
        open_rows = open_rows.filter(customer_id=wanted.asking.customer.id)
    row = open_rows.filter(digest=_digest(wanted.token)).first()
    if row is None or not _may_reset(row.user):
        raise InvalidResetToken
    return row


def _use(row: ResetToken, user: User, now: datetime) -> None:
    """One of any number uses it. The others that were sent to this user are worthless with it.

    All are locked first, in one order: else two who use two tokens at once would wait for each other.
    """
    unused = ResetToken.objects.filter(user=user, used_at=None)
    if row.id not in set(unused.order_by("id").select_for_update(of=("self",)).values_list("id", flat=True)):
        raise InvalidResetToken
    withdraw_links(user, now=now)


def _end_sessions(user: User, *, except_for: UUID | None, caller: Caller, now: datetime) -> Propagation:
    _ended, told = sessions.end_others(
        customer_id=user.customer_id,
        user_id=user.id,
        except_for=except_for,
        reason=EndReason.PASSWORD_CHANGED,
        actor=f"user:{user.id}",
        caller=caller,
        now=now,
    )
    return told


def _digest(token: str) -> bytes:
    return ciphers.digest(token.encode())


def _record(action: str, customer_id: UUID, user: User | None, caller: Caller, now: datetime) -> None:
    events.record(
        action=action,
        outcome=Outcome.SUCCESS,
        severity=Severity.LOW,
        customer_id=customer_id,
        user_id=user.id if user else None,
        caller=caller,
        now=now,
    )
