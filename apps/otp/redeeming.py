"""Trying a code, for whatever purpose: limits, the code itself, and what is written down of a wrong one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from apps.audit import actions, events
from apps.audit.models import Outcome, Severity
from apps.core import valkey
from apps.core.rate_limits import Rule
from apps.core.requests import Caller
from apps.customers import limits
from apps.customers.standing import CustomerStanding
from apps.otp import codes, requesting, tries
from apps.otp.codes import Place, Redemption
from apps.otp.purposes import AFTER_A_FIRST_FACTOR
from apps.users import directory
from apps.users.emails import Address


@dataclass(frozen=True, kw_only=True)
class Try:
    """A code, who gives it, and for what: `place`. `address`: whose account a wrong one is counted for."""

    customer: CustomerStanding
    address: Address
    place: Place
    code: str = field(repr=False)
    caller: Caller
    now: datetime


def of_address(
    *, customer: CustomerStanding, address: Address, purpose: str, code: str, caller: Caller, now: datetime
) -> Try:
    """A try at a code that was sent to this very address."""
    place = requesting.place_of(customer, address, purpose, caller)
    return Try(customer=customer, address=address, place=place, code=code, caller=caller, now=now)


def redeem(attempt: Try, *, rules: Sequence[Rule] | None = None) -> Redemption:
    """Use the code up, if it is right. `rules`: other limits than those on tries for the address.

    Two round trips. Raises RateLimited or ValkeyUnavailable.
    """
    customer = attempt.customer
    tries.hit_network(customer, attempt.caller)
    return codes.redeem(
        attempt.place,
        attempt.code,
        rules=tries.rules(customer, attempt.address, attempt.caller) if rules is None else rules,
        guessing=limits.rule(customer.limit(limits.WRONG_CODES_PER_CUSTOMER), customer.id),
    )


def reject(attempt: Try, redemption: Redemption) -> None:
    """Count a wrong code for the account, if there is one, and write it down; one statement each, account or not.

    Commits by itself, or with the caller's transaction, which must not roll back then.
    """
    if redemption.customer_is_guessed_at:
        sound_alarm(attempt.customer, caller=attempt.caller, now=attempt.now)
    with transaction.atomic():
        _count(attempt)
        events.record(
            action=actions.CODE_REJECTED,
            outcome=Outcome.FAILURE,
            severity=Severity.LOW,
            customer_id=attempt.customer.id,
            caller=attempt.caller,
            details={"method": "code", "purpose": attempt.place.purpose},
            now=attempt.now,
        )


def sound_alarm(customer: CustomerStanding, *, caller: Caller, now: datetime) -> None:
    """Codes of this customer's users are being guessed: one event in each window of the limit.

    Not to be called within a transaction that is rolled back: the next alarm would come a window later.
    """
    window = customer.limit(limits.WRONG_CODES_PER_CUSTOMER).window
    if valkey.is_first(valkey.key(customer.id, "alarm"), within=window, in_doubt=True):
        events.record(
            action=actions.CODE_GUESSING,
            outcome=Outcome.FAILURE,
            severity=Severity.HIGH,
            customer_id=customer.id,
            caller=caller,
            details={"method": "code"},
            now=now,
        )


def _count(attempt: Try) -> None:
    customer_id, identity = attempt.customer.id, attempt.address.identity
    if attempt.place.purpose in AFTER_A_FIRST_FACTOR:
        directory.count_wrong_second_factor(customer_id, identity)
    else:
        directory.count_wrong_code(customer_id, identity)
