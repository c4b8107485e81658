"""Codes that are second factors: sent by email or SMS for one challenge, and worth something for that one alone."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.audit import actions, events
from apps.core import actors
from apps.core.client_address import counted_as
from apps.core.rate_limits import Rule
from apps.customers import limits
from apps.factors import phones
from apps.factors.methods import SMS
from apps.otp import codes, drafts, tries
from apps.otp.codes import Place
from apps.otp.purposes import SECOND_FACTOR_EMAIL, SECOND_FACTOR_SMS
from apps.signin.challenges import Opened, Proven
from apps.signin.errors import MethodNotOffered
from apps.signin.requirements import EMAIL

MAIL = "second_factor_code"
PURPOSES = {EMAIL: SECOND_FACTOR_EMAIL, SMS: SECOND_FACTOR_SMS}


@dataclass(frozen=True)
class Sent:
    """A code is on its way. Durations in seconds."""

    expires_in: int
    resend_in: int


def send(opened: Opened, method: str) -> Sent:
    """Send a code for this challenge, by EMAIL or SMS.

    Raises MethodNotOffered, ResendTooSoon, RateLimited, QuotaExceeded, TextsUnavailable or ValkeyUnavailable.
    """
    customer = opened.proven.customer
    if method == EMAIL:
        _send_mail(opened)
    else:
        _send_text(opened)
    return Sent(customer.code_lifetime, customer.code_resend_after)


def place_of(opened: Opened, method: str) -> Place:
    """Where the codes of this challenge lie. However many challenges are opened, the user's share one wait and one budget."""
    proven, challenge_id = opened.proven, opened.row.id
    return Place(
        proven.customer.id,
        str(proven.user.id),
        PURPOSES[method],
        bound_to=str(challenge_id),
        in_sandbox=proven.context.in_sandbox,
    )


def _send_mail(opened: Opened) -> None:
    proven = opened.proven
    customer, user = proven.customer, proven.user
    place, rules = place_of(opened, EMAIL), _mail_rules(proven)
    new = codes.new(place, customer)
    draft = drafts.draft(kind=MAIL, new=new, customer=customer, user=user, recipient=user.email, context=proven.context)
    with codes.issued(place, new, customer=customer, rules=rules), transaction.atomic():
        _record(proven, EMAIL)
        drafts.post(draft, customer=customer, user=user, receives=True, now=proven.context.now)


def _send_text(opened: Opened) -> None:
    proven = opened.proven
    customer, user, context = proven.customer, proven.user, proven.context
    number = phones.number_of(user.id)
    if number is None or drafts.is_kept_from(user, context.sandbox_key_id):  # None: removed a moment ago
        raise MethodNotOffered
    place = place_of(opened, SMS)
    new, rules = codes.new(place, customer), phones.rules_for(user, number, customer=customer, context=context)
    with codes.issued(place, new, customer=customer, rules=rules), transaction.atomic():
        _record(proven, SMS)
        phones.post_code(number, new, user=user, customer=customer, context=context)


def _mail_rules(proven: Proven) -> list[Rule]:
    """As for codes that anybody may ask for, but counted apart: no stranger uses up what the user may be sent."""
    customer = proven.customer
    return [
        tries.after_a_first_factor(customer.limit(limits.CODES_PER_EMAIL), customer, proven.user.id),
        limits.rule(customer.limit(limits.CODES_PER_IP), customer.id, counted_as(proven.context.ip)),
        limits.rule(customer.limit(limits.CODES_PER_CUSTOMER), customer.id),
    ]


def _record(proven: Proven, method: str) -> None:
    user_id: UUID = proven.user.id
    events.record(
        action=actions.SECOND_FACTOR_SENT,
        customer_id=proven.customer.id,
        user_id=user_id,
        context=proven.context.by(actors.user(user_id)),
        details={"method": method},
    )
