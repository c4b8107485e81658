"""Redeeming a code, for any purpose: the limits, the code itself, what it is for, and the record of a wrong one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import transaction

from apps.audit import actions, events, refusals, steps
from apps.audit.models import Outcome, Severity
from apps.audit.refusals import NewRefusal
from apps.core import rate_limits, valkey
from apps.core.context import RequestContext
from apps.core.errors import GatehouseError, is_refusal
from apps.core.rate_limits import Rule
from apps.customers import limits
from apps.customers.state import CustomerState
from apps.mail import ledger
from apps.otp import attempt_limits, code_requests, code_store
from apps.otp.code_sets import CodeSet
from apps.otp.code_store import Claim
from apps.otp.errors import InvalidOtp
from apps.otp.purposes import AFTER_A_FIRST_FACTOR, IN_A_SESSION
from apps.users import directory
from apps.users.emails import Address

Result = TypeVar("Result")
WRONG_CODE, NO_LIVING_CODE, CODES_SPENT, CODE_USED, CODE_VOID = (
    "wrong_code",
    "no_living_code",  # expired, used, or never asked for
    "codes_spent",  # the last wrong one that the set allowed
    "code_used",  # by another request, a moment before
    "code_void",  # right, but what it was for has changed since
)


@dataclass(frozen=True, kw_only=True)
class CodeAttempt:
    """Somebody gives a code. `code_set`: what it must belong to. `address`: the account that a wrong one is counted for."""

    customer: CustomerState
    address: Address
    code_set: CodeSet
    code: str = field(repr=False)
    context: RequestContext


def of_address(
    *, customer: CustomerState, address: Address, purpose: str, code: str, context: RequestContext
) -> CodeAttempt:
    """An attempt with a code that was sent to this very address."""
    code_set = code_requests.code_set_of(customer, address, purpose, context)
    return CodeAttempt(customer=customer, address=address, code_set=code_set, code=code, context=context)


@dataclass(frozen=True)
class RightCode:
    """A code that is right and not used up yet. `message_id`: the message that carried it."""

    message_id: UUID
    set_name: str
    now: datetime

    def use(self) -> None:
        """Use it up, in the transaction that does what it is for. Raises CodeSpent if another request was quicker."""
        if not ledger.use_code(message_id=self.message_id, code_set=self.set_name, now=self.now):
            raise CodeSpent


class CodeNotAccepted(Exception):
    """The code is right, but `rule` keeps it from being used. Ends the transaction; the answer is that of a wrong code."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class CodeSpent(CodeNotAccepted):
    """It or its set was used up before."""

    def __init__(self) -> None:
        super().__init__(CODE_USED)


def redeem(
    attempt: CodeAttempt, accept: Callable[[RightCode], Result | None], *, rules: Sequence[Rule] | None = None
) -> Result:
    """Do what the code is for, if it is right: `accept` does it in one transaction, and uses the code up there.

    If `accept` fails through no fault of the caller's, the code is still good and the attempt does not count. If it returns
    None or raises CodeNotAccepted, the answer is that of a wrong code; if it raises a refusal, the code is used up. `rules`:
    other limits than those on attempts for the address. Two round trips. Raises InvalidOtp (whatever is wrong with the code),
    RateLimited or ValkeyUnavailable.
    """
    customer, identity = attempt.customer, attempt.address.identity
    with refusals.recorded(steps.GIVE_CODE, attempt.context, customer_id=customer.id, address=identity):
        return _redeem(attempt, accept, rules)


def _redeem(attempt: CodeAttempt, accept: Callable[[RightCode], Result | None], rules: Sequence[Rule] | None) -> Result:
    customer = attempt.customer
    claim = code_store.claim(
        attempt.code_set,
        attempt.code,
        network=attempt_limits.of_network(customer, attempt.context),
        rules=attempt_limits.rules(customer, attempt.address, attempt.context) if rules is None else rules,
        guessing=limits.rule(customer.limit(limits.WRONG_CODES_PER_CUSTOMER), customer.id),
    )
    with rate_limits.uncounted_if_it_fails(*claim.hits):
        ended = _accepted(claim, accept, attempt.context.now)
    if isinstance(ended, CodeNotAccepted):
        _reject(attempt, claim, ended.rule)
        raise InvalidOtp(rule=ended.rule)  # after the commit: a counted failure is never undone by its own request
    return ended


def _accepted(claim: Claim, accept: Callable[[RightCode], Result | None], now: datetime) -> Result | CodeNotAccepted:
    """What `accept` returned; CodeNotAccepted if the code was wrong, or was not accepted all the same."""
    if claim.message_id is None:
        return CodeNotAccepted(_why_wrong(claim))
    try:
        result = accept(RightCode(claim.message_id, claim.code_set.name, now))
    except CodeNotAccepted as refused:
        code_store.drop(claim)
        return refused
    except GatehouseError as error:
        if is_refusal(error):
            code_store.settle(claim)
        raise
    if result is None:
        code_store.drop(claim)
        return CodeNotAccepted(CODE_VOID)
    code_store.settle(claim)
    return result


def _why_wrong(claim: Claim) -> str:
    if claim.set_is_spent:
        return CODES_SPENT
    return WRONG_CODE if claim.living else NO_LIVING_CODE


def _reject(attempt: CodeAttempt, claim: Claim, rule: str) -> None:
    """Count a wrong code for the account and record it: one statement each, whether or not there is an account."""
    if claim.customer_is_guessed_at:
        sound_alarm(attempt.customer, context=attempt.context)
    with transaction.atomic():
        _count(attempt)
        if claim.set_is_spent:
            ledger.spend_codes(claim.code_set.name, now=attempt.context.now)
        refusals.record(
            NewRefusal(
                rule=rule,
                step=steps.GIVE_CODE,
                action=actions.CODE_REJECTED,
                outcome=Outcome.FAILURE,
                severity=Severity.LOW,
                customer_id=attempt.customer.id,
                address=attempt.address.identity,
                context=attempt.context,
                details={"method": "code", "purpose": attempt.code_set.purpose},
            )
        )


def sound_alarm(customer: CustomerState, *, context: RequestContext) -> None:
    """Record that codes of this customer's users are being guessed: one event in each window of the limit.

    Not within a transaction that may be rolled back: the next alarm would come a window later.
    """
    window = customer.limit(limits.WRONG_CODES_PER_CUSTOMER).window
    if valkey.is_first(valkey.key(customer.id, "alarm"), within=window, in_doubt=True):
        events.record(
            action=actions.CODE_GUESSING,
            outcome=Outcome.FAILURE,
            severity=Severity.HIGH,
            customer_id=customer.id,
            context=context,
            details={"method": "code"},
        )


def _count(attempt: CodeAttempt) -> None:
    customer_id, identity = attempt.customer.id, attempt.address.identity
    if attempt.code_set.purpose in IN_A_SESSION:
        return
    if attempt.code_set.purpose in AFTER_A_FIRST_FACTOR:
        directory.count_wrong_second_factor(customer_id, identity)
    else:
        directory.count_wrong_code(customer_id, identity)
