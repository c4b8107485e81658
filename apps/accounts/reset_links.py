"""Links by which a user sets another password: each is made, found again, and used once."""

import secrets
from datetime import datetime, timedelta

from apps.accounts.errors import InvalidResetToken
from apps.accounts.models import ResetToken
from apps.audit import actions, refusals, steps
from apps.audit.events import NewEvent
from apps.audit.models import Outcome, Severity
from apps.audit.refusals import NewRefusal
from apps.core import ciphers
from apps.core.context import RequestContext
from apps.core.ids import new_id
from apps.customers import links
from apps.customers.state import CustomerState
from apps.mail.outbox import MailDraft
from apps.otp import code_mails
from apps.signin import owner_lookup
from apps.users import directory, emails, languages
from apps.users.emails import Address
from apps.users.models import BuiltInRole, User, UserStatus

MAIL = "password_reset"
LIFETIME = timedelta(hours=1)
TOKEN_BYTES = 32
LONGEST_TOKEN = 64  # characters
USELESS_LINK = "useless_link"  # of nobody, used, expired, or void: as refusals name the rule


def send(user: User, *, customer: CustomerState, context: RequestContext, counts: bool = False) -> None:
    """Send a link that the user has not asked for: after an undone change of address, or for an operator, whose mails count
    for the customer's quota (`counts`). In the caller's transaction. Raises QuotaExceeded if it counts.
    """
    draft = new(user, emails.parse(user.email), customer=customer, context=context)
    event = asked(user, customer=customer, context=context)
    code_mails.post(draft, customer=customer, user=user, receives=True, counts=counts, now=context.now, event=event)


def asked(user: User | None, *, customer: CustomerState, context: RequestContext) -> NewEvent:
    """The event of a new link, for the statement that posts its mail."""
    return NewEvent(
        action=actions.PASSWORD_RESET_REQUESTED,
        severity=Severity.LOW,
        customer_id=customer.id,
        user_id=user.id if user else None,
        context=context,
    )


def new(user: User | None, address: Address, *, customer: CustomerState, context: RequestContext) -> MailDraft:
    """A fresh token and the mail that carries it; made for an address without an account too, so that both take as long."""
    token, user_id = secrets.token_urlsafe(TOKEN_BYTES), user.id if user else None
    version = user.credentials_version if user else 0
    ResetToken.objects.create(
        customer_id=customer.id,
        user=user if may_reset(user) else None,
        digest=_digest(token),
        in_sandbox=context.in_sandbox,
        credentials_version=version,
        created_at=context.now,
        expires_at=context.now + LIFETIME,
    )
    link = links.to(customer, links.RESET_PASSWORD, token=token)
    return MailDraft(
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


def find(token: str, *, customer: CustomerState, owners_too: bool, context: RequestContext) -> tuple[ResetToken, User]:
    """The token's row and its user. `customer`: the one that it is presented at. Raises InvalidResetToken."""
    open_rows = ResetToken.objects.filter(used_at=None, expires_at__gt=context.now).select_related("user")
    presented = owner_lookup.presented_at(customer, owners_too=owners_too)
    row = open_rows.filter(presented, digest=_digest(token)).first()
    if row is None or row.user is None or not _may_use(row, row.user):
        known = row.user if row else None
        refusals.record(
            NewRefusal(
                rule=USELESS_LINK,
                step=steps.RESET_PASSWORD,
                action=actions.PASSWORD_RESET_REJECTED,
                outcome=Outcome.FAILURE,
                severity=Severity.LOW,
                customer_id=customer.id,
                address=known.email_identity if known else "",
                context=context,
            )
        )
        raise InvalidResetToken
    return row, row.user


def use(row: ResetToken, now: datetime) -> None:
    """Use the token up. If several tokens of the user are used at once, one succeeds. Raises InvalidResetToken."""
    user = directory.lock(row.user_id) if row.user_id else None
    if user is None or user.credentials_version != row.credentials_version:
        raise InvalidResetToken
    if not ResetToken.objects.filter(id=row.id, used_at=None).update(used_at=now):
        raise InvalidResetToken


def may_reset(user: User | None) -> bool:
    """Whether there is an account, and it is open."""
    return user is not None and user.status != UserStatus.DEACTIVATED


def _may_use(row: ResetToken, user: User) -> bool:
    """Whether the token is still good: the credentials have not changed since, and no holder of a test key could use it to
    enter the account of somebody who has become an administrator.
    """
    if row.credentials_version != user.credentials_version:
        return False
    return may_reset(user) and not (row.in_sandbox and user.role == BuiltInRole.ADMIN)


def _digest(token: str) -> bytes:
    return ciphers.digest(token.encode())
