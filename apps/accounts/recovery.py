"""Back into an account without its password (contract 4, forgot- and reset-password).

The link proves the mailbox and nothing else: it opens no session, and no second factor is taken away.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from apps.accounts import password_change
from apps.accounts.errors import InvalidResetToken
from apps.accounts.models import ResetToken
from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import actors, ciphers, rate_limits
from apps.core.context import RequestContext
from apps.core.ids import new_id
from apps.customers import links
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.mail.outbox import Draft
from apps.otp import attempt_limits, code_mails, code_requests
from apps.signin import first_proof, owner_lookup, passwords
from apps.users import directory, emails, languages
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus

MAIL = "password_reset"
LIFETIME = timedelta(hours=1)
TOKEN_BYTES = 32
LONGEST_TOKEN = 64  # characters


@dataclass(frozen=True)
class ResetRequest:
    """Somebody has forgotten the password of this address. `client_customer`: the one whose limits and quota count."""

    client_customer: CustomerState
    customer: CustomerState
    address: Address
    context: RequestContext


@dataclass(frozen=True)
class PasswordReset:
    """A token from a mail, and the new password. `customer`: the one that it is presented at.

    `owners_too`: neither a key nor a page has named that customer, so an owner may mean the customer that they made.
    """

    customer: CustomerState
    owners_too: bool
    token: str = field(repr=False)
    password: str = field(repr=False)
    context: RequestContext


def forgot(request: ResetRequest) -> None:
    """Send a reset link, if there is an account. The same work is done if there is none.

    Raises RateLimited, QuotaExceeded or ValkeyUnavailable.
    """
    hit = rate_limits.hit(code_requests.rules_for(request.client_customer, request.address, request.context))
    with rate_limits.uncounted_if_it_fails(hit), transaction.atomic():
        user = directory.find_locked(request.customer.id, request.address.identity)
        draft = _link(user, request.address, customer=request.customer, context=request.context)
        code_mails.post(
            draft,
            customer=request.customer,
            user=user,
            receives=_may_reset(user),
            pays=request.client_customer,
            now=request.context.now,
        )


def send_link(user: User, *, customer: CustomerState, context: RequestContext) -> None:
    """Send a link that nobody asked for, after an undone change of address. It uses no quota.

    In the caller's transaction.
    """
    draft = _link(user, emails.parse(user.email), customer=customer, context=context)
    code_mails.post(draft, customer=customer, user=user, receives=True, counts=False, now=context.now)


def _link(user: User | None, address: Address, *, customer: CustomerState, context: RequestContext) -> Draft:
    """A fresh token and the mail that carries it; made for an address without an account too, so that both take as long."""
    token, user_id = secrets.token_urlsafe(TOKEN_BYTES), user.id if user else None
    version = user.credentials_version if user else 0
    ResetToken.objects.create(
        customer_id=customer.id,
        user=user if _may_reset(user) else None,
        digest=_digest(token),
        in_sandbox=context.in_sandbox,
        credentials_version=version,
        created_at=context.now,
        expires_at=context.now + LIFETIME,
    )
    events.record(
        action=actions.PASSWORD_RESET_REQUESTED,
        severity=Severity.LOW,
        customer_id=customer.id,
        user_id=user_id,
        context=context,
    )
    link = links.to(customer, links.RESET_PASSWORD, token=token)
    return Draft(
        message_id=new_id(),
        kind=MAIL,
        recipient=user.email if user else address.typed,
        locale=languages.of_mail(customer, user=user, context=context),
        expires_at=context.now + LIFETIME,
        facts={"reset_link": link, "minutes": int(LIFETIME.total_seconds()) // 60},
        user_id=user_id,
        sandbox_key_id=context.sandbox_key_id,
        credentials_version=version,
    )


def reset(wanted: PasswordReset) -> None:
    """Set the new password, and end every session. The token works once, and all other tokens of the user become void.

    Raises InvalidResetToken (whatever is wrong with it), ValidationFailed (the token is kept), RateLimited,
    ValkeyUnavailable, CustomerSuspended.
    """
    hit = attempt_limits.hit_network(wanted.customer, wanted.context)
    row, user = _find(wanted)
    customer = customers.read(row.customer_id)
    customers.require_active(customer)
    password = passwords.require_acceptable(wanted.password, address=emails.parse(user.email))
    encoded = passwords.encode(password)
    with rate_limits.uncounted_if_it_fails(hit), transaction.atomic():
        _use(row, wanted.context.now)
        if user.email_verified_at is None:
            first_proof.by_mail(user, customer=customer, context=wanted.context)
        password_change.replace(user, encoded, by_mail=True, customer=customer, context=wanted.context)
        _record(actions.PASSWORD_RESET, user, wanted.context)


def _may_reset(user: User | None) -> bool:
    return user is not None and user.status != UserStatus.DEACTIVATED


def _may_use(row: ResetToken, user: User) -> bool:
    """Whether the token is still good: the credentials have not changed since, and no holder of a test key could use it to
    enter the account of somebody who has become an administrator.
    """
    if row.credentials_version != user.credentials_version:
        return False
    return _may_reset(user) and not (row.in_sandbox and user.role == BuiltInRole.ADMIN)


def _find(wanted: PasswordReset) -> tuple[ResetToken, User]:
    """The token's row and its user."""
    open_rows = ResetToken.objects.filter(used_at=None, expires_at__gt=wanted.context.now).select_related("user")
    presented = owner_lookup.presented_at(wanted.customer, owners_too=wanted.owners_too)
    row = open_rows.filter(presented, digest=_digest(wanted.token)).first()
    if row is None or row.user is None or not _may_use(row, row.user):
        events.record(
            action=actions.PASSWORD_RESET_REJECTED,
            outcome=Outcome.FAILURE,
            severity=Severity.LOW,
            customer_id=wanted.customer.id,
            context=wanted.context,
        )
        raise InvalidResetToken
    return row, row.user


def _use(row: ResetToken, now: datetime) -> None:
    """Use the token up. If several tokens of the user are used at once, one succeeds. Raises InvalidResetToken."""
    user = directory.lock(row.user_id) if row.user_id else None
    if user is None or user.credentials_version != row.credentials_version:
        raise InvalidResetToken
    if not ResetToken.objects.filter(id=row.id, used_at=None).update(used_at=now):
        raise InvalidResetToken


def _digest(token: str) -> bytes:
    return ciphers.digest(token.encode())


def _record(action: str, user: User, context: RequestContext) -> None:
    events.record(
        action=action,
        severity=Severity.LOW,
        customer_id=user.customer_id,
        user_id=user.id,
        context=context.by(actors.user(user.id)),
    )
