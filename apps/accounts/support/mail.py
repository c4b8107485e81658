"""An operator has a code or a link sent to a user's own mailbox. No operator ever sees either."""

from collections.abc import Mapping
from enum import StrEnum

from django.db import transaction

from apps.accounts import reset_links
from apps.accounts.errors import AlreadyProven, NothingToSend
from apps.core import rate_limits
from apps.core.context import RequestContext
from apps.customers import state as customers
from apps.customers.state import CustomerState
from apps.otp import closed_accounts, code_requests, fixed_codes
from apps.otp.code_requests import CodeRequest
from apps.otp.purposes import LOGIN, VERIFY_EMAIL
from apps.users import directory, emails
from apps.users.models import User


class Sendable(StrEnum):
    SIGN_IN_CODE = "sign_in_code"
    ADDRESS_CODE = "address_code"
    RESET_LINK = "reset_link"


PURPOSES: Mapping[Sendable, str] = {Sendable.SIGN_IN_CODE: LOGIN, Sendable.ADDRESS_CODE: VERIFY_EMAIL}
FIXED_CODE = "fixed_code"


def send(user: User, what: Sendable, *, context: RequestContext) -> None:
    """Send it, under the limits and the quota that hold for the user's own requests.

    A user's request is answered alike whether or not it sends anything; an operator is told: raises NothingToSend, AlreadyProven,
    CustomerSuspended, ResendTooSoon, RateLimited, QuotaExceeded, NotFound or ValkeyUnavailable.
    """
    customer = customers.read(user.customer_id)
    customers.require_active(customer)
    if what == Sendable.RESET_LINK:
        _send_link(user, customer, context)
    else:
        _send_code(user, PURPOSES[what], customer, context)


def _send_link(user: User, customer: CustomerState, context: RequestContext) -> None:
    if not reset_links.may_reset(user):
        raise NothingToSend(rule=closed_accounts.USER_INACTIVE)
    hit = rate_limits.hit(code_requests.rules_for(customer, emails.parse(user.email), context))
    with rate_limits.uncounted_if_it_fails(hit), transaction.atomic():
        reset_links.send(directory.hold(user.id), customer=customer, context=context, counts=True)


def _send_code(user: User, purpose: str, customer: CustomerState, context: RequestContext) -> None:
    address = emails.parse(user.email)
    if purpose == VERIFY_EMAIL and user.email_verified_at is not None:
        raise AlreadyProven
    if rule := closed_accounts.withheld_by(customer, user, purpose):
        raise NothingToSend(rule=rule)
    if purpose == LOGIN and fixed_codes.code_for(customer, address, now=context.now) is not None:
        raise NothingToSend(rule=FIXED_CODE)
    code_requests.request_code(CodeRequest(customer, address, purpose, locale="", context=context))
