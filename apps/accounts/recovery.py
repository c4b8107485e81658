"""Back into an account without its password (contract 4, forgot- and reset-password).

The link proves the mailbox and nothing else: it opens no session, and no second factor is taken away.
"""

from dataclasses import dataclass, field

from django.db import transaction

from apps.accounts import password_change, reset_links
from apps.audit import actions, refusals, steps
from apps.audit.models import Severity
from apps.core import rate_limits
from apps.core.context import RequestContext
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.otp import attempt_limits, code_mails, code_requests
from apps.signin import first_proof, passwords
from apps.users import directory, emails, user_events
from apps.users.emails import Address


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
    asked, identity = request.client_customer, request.address.identity
    with refusals.recorded(steps.FORGOT_PASSWORD, request.context, customer_id=asked.id, address=identity):
        _forgot(request)


def _forgot(request: ResetRequest) -> None:
    hit = rate_limits.hit(code_requests.rules_for(request.client_customer, request.address, request.context))
    with rate_limits.uncounted_if_it_fails(hit), transaction.atomic():
        user = directory.find_locked(request.customer.id, request.address.identity)
        draft = reset_links.new(user, request.address, customer=request.customer, context=request.context)
        code_mails.post(
            draft,
            customer=request.customer,
            user=user,
            receives=reset_links.may_reset(user),
            pays=request.client_customer,
            now=request.context.now,
            event=reset_links.asked(user, customer=request.customer, context=request.context),
        )


def reset(wanted: PasswordReset) -> None:
    """Set the new password, and end every session. The token works once, and all other tokens of the user become void.

    Raises InvalidResetToken (whatever is wrong with it), ValidationFailed (the token is kept), RateLimited,
    ValkeyUnavailable, CustomerSuspended.
    """
    with refusals.recorded(steps.RESET_PASSWORD, wanted.context, customer_id=wanted.customer.id):
        _reset(wanted)


def _reset(wanted: PasswordReset) -> None:
    hit = attempt_limits.hit_network(wanted.customer, wanted.context)
    row, user = reset_links.find(
        wanted.token, customer=wanted.customer, owners_too=wanted.owners_too, context=wanted.context
    )
    customer = customers.read(row.customer_id)
    customers.require_active(customer)
    password = passwords.require_acceptable(wanted.password, address=emails.parse(user.email))
    encoded = passwords.encode(password)
    with rate_limits.uncounted_if_it_fails(hit), transaction.atomic():
        reset_links.use(row, wanted.context.now)
        if user.email_verified_at is None:
            first_proof.by_mail(user, customer=customer, context=wanted.context)
        password_change.replace(user, encoded, by_mail=True, customer=customer, context=wanted.context)
        user_events.record_own(actions.PASSWORD_RESET, user, wanted.context, severity=Severity.LOW)
