"""Codes that are second factors: sent by email or SMS for one challenge, and good for that one alone."""

from dataclasses import dataclass

from apps.audit import actions
from apps.core.client_address import counted_as
from apps.core.rate_limits import Rule
from apps.customers import limits
from apps.factors import phones
from apps.factors.methods import SMS
from apps.otp import attempt_limits, code_mails, code_store, new_codes
from apps.otp.code_sets import CodeSet
from apps.otp.purposes import SECOND_FACTOR_EMAIL, SECOND_FACTOR_SMS
from apps.signin.challenges import OpenChallenge
from apps.signin.errors import MethodNotOffered
from apps.signin.pending_sign_in import PendingSignIn
from apps.signin.requirements import EMAIL
from apps.users import user_events

MAIL = "second_factor_code"
PURPOSES = {EMAIL: SECOND_FACTOR_EMAIL, SMS: SECOND_FACTOR_SMS}


@dataclass(frozen=True)
class SentCode:
    """A code is on its way. Durations in seconds."""

    expires_in: int
    resend_in: int


def send(challenge: OpenChallenge, method: str) -> SentCode:
    """Send a code for this challenge, by EMAIL or SMS.

    Raises MethodNotOffered, ResendTooSoon, RateLimited, QuotaExceeded, SmsUnavailable or ValkeyUnavailable.
    """
    customer = challenge.pending.customer
    if method == EMAIL:
        _send_mail(challenge)
    else:
        _send_text(challenge)
    return SentCode(customer.code_lifetime, customer.code_resend_after)


def code_set_of(challenge: OpenChallenge, method: str) -> CodeSet:
    """The codes of this challenge. All challenges of a user share one wait and one budget, however many are opened."""
    pending, challenge_id = challenge.pending, challenge.row.id
    return CodeSet(
        pending.customer.id,
        str(pending.user.id),
        PURPOSES[method],
        bound_to=str(challenge_id),
        in_sandbox=pending.context.in_sandbox,
    )


def _send_mail(challenge: OpenChallenge) -> None:
    pending = challenge.pending
    customer, user = pending.customer, pending.user
    code_set, rules = code_set_of(challenge, EMAIL), _mail_rules(pending)
    new = new_codes.new(code_set, customer)
    draft = code_mails.draft(
        kind=MAIL, new=new, customer=customer, user=user, recipient=user.email, context=pending.context
    )
    event = user_events.of_own(actions.SECOND_FACTOR_SENT, user, pending.context, method=EMAIL)
    with code_store.issued(code_set, new, customer=customer, rules=rules):
        code_mails.post(draft, customer=customer, user=user, receives=True, now=pending.context.now, event=event)


def _send_text(challenge: OpenChallenge) -> None:
    pending = challenge.pending
    customer, user, context = pending.customer, pending.user, pending.context
    number = phones.number_of(user.id)
    if number is None or code_mails.is_kept_from(user, context.sandbox_key_id):  # None: removed a moment ago
        raise MethodNotOffered
    code_set = code_set_of(challenge, SMS)
    new, rules = new_codes.new(code_set, customer), phones.rules_for(user, number, customer=customer, context=context)
    event = user_events.of_own(actions.SECOND_FACTOR_SENT, user, context, method=SMS)
    with code_store.issued(code_set, new, customer=customer, rules=rules):
        phones.post_code(number, new, user=user, customer=customer, context=context, event=event)


def _mail_rules(pending: PendingSignIn) -> list[Rule]:
    """As for codes that anybody may ask for, but counted apart: strangers must not use up what the user may be sent."""
    customer = pending.customer
    return [
        attempt_limits.after_a_first_factor(customer.limit(limits.CODES_PER_EMAIL), customer, pending.user.id),
        limits.rule(customer.limit(limits.CODES_PER_IP), customer.id, counted_as(pending.context.ip)),
        limits.rule(customer.limit(limits.CODES_PER_CUSTOMER), customer.id),
    ]
