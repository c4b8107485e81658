"""Signing in by code: limits, the code itself, the user, the session."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import rate_limits, valkey
from apps.core.client_address import counted_as
from apps.core.rate_limits import Rule
from apps.core.requests import Caller
from apps.core.valkey import ValkeyUnavailable
from apps.customers import limits
from apps.customers.standing import CustomerStanding
from apps.mail import ledger, outbox
from apps.otp import codes
from apps.otp.codes import Place, Redemption
from apps.otp.errors import InvalidOtp
from apps.otp.requesting import counted, too_many_wrong
from apps.tokens import sessions
from apps.tokens.minting import TokenPair
from apps.users import directory, emails
from apps.users.emails import Address
from apps.users.models import Role, User, UserStatus


@dataclass(frozen=True)
class Try:
    """A code, and who gives it for what."""

    customer: CustomerStanding
    address: Address
    purpose: str
    code: str
    delivery: str
    caller: Caller
    now: datetime

    @property
    def place(self) -> Place:
        return Place(self.customer.id, self.address.identity, self.purpose)


@dataclass(frozen=True)
class SignedIn:
    """A user with a fresh session."""

    user: User
    is_new: bool
    pair: TokenPair


def sign_in(attempt: Try) -> SignedIn:
    """Sign in by code. Raises InvalidOtp (whatever is wrong with the code), RateLimited or ValkeyUnavailable."""
    rate_limits.hit([_rule_of_address(attempt)])
    redemption = codes.redeem(
        attempt.place,
        attempt.code,
        rules=_rules(attempt),
        guessing=limits.rule(attempt.customer.limit(limits.WRONG_CODES_PER_CUSTOMER), attempt.customer.id),
    )
    signed_in = _accept(attempt, redemption.message_id) if redemption.message_id else None
    if signed_in is None:
        _reject(attempt, redemption)
        raise InvalidOtp  # after the commit: a counted failure is never undone by its own request
    return signed_in


def _rule_of_address(attempt: Try) -> Rule:
    """Tries of one network, at all customers together: so its log stands under a tag of its own.

    One log a window: whoever counts in a shorter one forgets what is older, and must not do so for the others.
    """
    limit = attempt.customer.limit(limits.TRIES_PER_IP)
    return limits.rule(limit, limits.EVERY_CUSTOMER, str(limit.window), counted_as(attempt.caller.ip))


def _rules(attempt: Try) -> list[Rule]:
    customer, address = attempt.customer, counted(attempt.address)
    return [
        limits.rule(customer.limit(limits.TRIES_PER_EMAIL_AND_IP), customer.id, address, counted_as(attempt.caller.ip)),
        limits.rule(customer.limit(limits.TRIES_PER_EMAIL), customer.id, address),
    ]


def _accept(attempt: Try, message_id: UUID) -> SignedIn | None:
    """The code was right, and is used up. None when this account may not sign in by it all the same.

    What the code has proven is the address its mail went to; the one given now may be another that compares equal.
    """
    customer = attempt.customer
    with transaction.atomic():
        sent = outbox.destination_of(message_id)
        if sent is None:  # its row was never committed, or is gone
            return None
        proven = emails.parse(sent.recipient)
        found = directory.find_or_create(
            customer.id, proven, may_create=customer.creates_users_on_sign_in, now=attempt.now
        )
        if found is None or not _may_sign_in(customer, found.user, proven, by_fixed_code=sent.suppressed):
            return None
        if found.is_new:
            _record(attempt, actions.USER_CREATED, Outcome.SUCCESS, user_id=found.user.id)
        directory.note_sign_in(found.user, now=attempt.now)
        pair = sessions.start(
            customer=customer, user=found.user, delivery=attempt.delivery, caller=attempt.caller, now=attempt.now
        )
        _record(attempt, actions.SIGN_IN, Outcome.SUCCESS, user_id=found.user.id, fixed_code=sent.suppressed)
        ledger.code_used(message_id=message_id, now=attempt.now)
    return SignedIn(user=found.user, is_new=found.is_new, pair=pair)


def _may_sign_in(customer: CustomerStanding, user: User, proven: Address, *, by_fixed_code: bool) -> bool:
    """`by_fixed_code`: the mail was suppressed, so that a fixed code is the only one that anybody can have known."""
    if user.status == UserStatus.DEACTIVATED or too_many_wrong(customer, user):
        return False
    if by_fixed_code and user.role == Role.ADMIN:
        return False
    return emails.same_mailbox(user.email, proven.typed)


def _reject(attempt: Try, redemption: Redemption) -> None:
    """Count it for the account, if there is one, and write it down; one statement each, account or not."""
    raise_alarm = redemption.customer_is_guessed_at and _first_alarm(attempt)
    with transaction.atomic():
        directory.count_wrong_code(attempt.customer.id, attempt.address.identity)
        _record(attempt, actions.CODE_REJECTED, Outcome.FAILURE, severity=Severity.LOW)
        if raise_alarm:
            _record(attempt, actions.CODE_GUESSING, Outcome.FAILURE, severity=Severity.HIGH)


def _first_alarm(attempt: Try) -> bool:
    """Whether nobody has raised the alarm for this customer in this window. In doubt it is raised."""
    window = attempt.customer.limit(limits.WRONG_CODES_PER_CUSTOMER).window
    try:
        with valkey.reachable():
            return bool(valkey.client().set(valkey.key(attempt.customer.id, "alarm"), b"1", nx=True, ex=window))
    except ValkeyUnavailable:
        return True


def _record(
    attempt: Try,
    action: str,
    outcome: Outcome,
    *,
    user_id: UUID | None = None,
    severity: Severity = Severity.INFO,
    **details: object,
) -> None:
    events.record(
        action=action,
        outcome=outcome,
        severity=severity,
        customer_id=attempt.customer.id,
        user_id=user_id,
        actor=f"user:{user_id}" if user_id else events.ANONYMOUS,
        caller=attempt.caller,
        details={"method": "code", **details},
        now=attempt.now,
    )
