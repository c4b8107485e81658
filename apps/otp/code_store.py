"""One-time codes in Valkey: issued, claimed, settled and withdrawn, each in one atomic step (`wait_and_budget`).

A right code is *claimed*: it stays until the transaction that it is for has committed, and is settled then. Any number may
claim the same code at once; PostgreSQL decides which of them has it (`mail.ledger.use_code`). So nothing is lost when
a process dies between the two, and a copy of Valkey that comes back lets nobody in twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from apps.core import rate_limits, typed_codes, valkey
from apps.core.errors import RateLimited, is_refusal
from apps.core.rate_limits import Hit, Rule
from apps.core.valkey import ValkeyUnavailable
from apps.customers.limits import WRONG_CODES_PER_CUSTOMER
from apps.customers.state import CustomerState
from apps.otp import code_sets, wait_and_budget
from apps.otp.code_sets import CodeSet
from apps.otp.errors import ResendTooSoon
from apps.otp.new_codes import NewCode

log = structlog.get_logger(__name__)

RESEND = "resend"  # how a 429 names the wait between two codes
_claim = rate_limits.Limited(wait_and_budget.claim)
PAUSE_SECONDS = 60  # for an address with a wrong code, while the customer's users are being guessed at


@dataclass(frozen=True)
class Claim:
    """How an attempt ended. `message_id`: the message that carried the right code; None for a wrong one.

    `hits`: what the attempt has counted. `set_is_spent`: this wrong code was the last that the set allowed. `living`: how many
    codes it might have been.
    """

    code_set: CodeSet
    hits: tuple[Hit, ...]
    message_id: UUID | None = None
    number: int = 0
    customer_is_guessed_at: bool = False
    set_is_spent: bool = False
    living: int = 0


@dataclass(frozen=True)
class SetStanding:
    """How a set stands now: seconds until a further code may be asked for, seconds of pause, and what is left of it."""

    wait: float
    pause: float
    living: int
    wrong: int


def standing(code_set: CodeSet, customer: CustomerState) -> SetStanding:
    """How the set would decide. One round trip, which spends nothing. Raises ValkeyUnavailable."""
    keys = [code_set.key("codes"), code_set.key("pause")]
    wait, pause, living, wrong = map(int, wait_and_budget.look(keys=keys, args=[customer.code_resend_after * 1000]))
    return SetStanding(wait / 1000, pause / 1000, living, wrong)


def claim(code_set: CodeSet, code: str, *, network: Rule, rules: Sequence[Rule], guessing: Rule) -> Claim:
    """Try a code: a wrong one counts against the budget. One round trip. Raises RateLimited or ValkeyUnavailable.

    `network` is counted first, and the code not even tried if it refuses. `guessing` counts the wrong codes of all the customer's
    users; once passed, an address pauses after each wrong code.
    """
    hit = Hit(rate_limits.new_event(), tuple(rules))
    counted, answer = _claim(
        network,
        keys=[code_set.key("codes"), code_set.key("pause"), guessing.key, *(rule.key for rule in rules)],
        args=[
            hit.event,
            code_set.mac(typed_codes.read(code)),
            code_sets.MOST_ALIVE,
            code_sets.BUDGET,
            guessing.limit.count,
            guessing.limit.window * 1000,
            PAUSE_SECONDS * 1000,
            *rate_limits.arguments(rules),
        ],
    )
    _raise_pause(answer)
    if int(answer[0]) == -3:
        rate_limits.raise_refusal(rules, answer[1:])
    if int(answer[0]) == 1:
        return Claim(code_set, (counted, hit), message_id=UUID(answer[1].decode()), number=int(answer[2]))
    guessed_at, spent, living = map(int, answer[1:])
    return Claim(
        code_set, (counted, hit), customer_is_guessed_at=bool(guessed_at), set_is_spent=bool(spent), living=living
    )


def settle(claimed: Claim) -> None:
    """Remove the whole set after its code was used. PostgreSQL knows already that it was."""
    try:
        valkey.delete(claimed.code_set.key("codes"))
    except ValkeyUnavailable:
        log.warning("codes_not_settled", customer_id=str(claimed.code_set.customer_id))


def drop(claimed: Claim) -> None:
    """Remove this code alone, which was not accepted. After a restore of Valkey an old code may stand beside newer, good ones."""
    try:
        wait_and_budget.drop(keys=[claimed.code_set.key("codes")], args=[claimed.number])
    except ValkeyUnavailable:
        log.warning("code_not_dropped", customer_id=str(claimed.code_set.customer_id))


def _issue(code_set: CodeSet, new: NewCode, hit: Hit, customer: CustomerState) -> dict[str, int]:
    """Store the code, if the limits and the wait since the last one allow it. One round trip.

    Returns what remains of each limit. Raises ResendTooSoon, RateLimited or ValkeyUnavailable.
    """
    answer = wait_and_budget.issue(
        keys=[code_set.key("codes"), code_set.key("pause"), *(rule.key for rule in hit.rules)],
        args=[
            hit.event,
            code_set.mac(new.code),
            customer.code_lifetime * 1000,
            customer.code_resend_after * 1000,
            new.message_id.hex,
            code_sets.MOST_ALIVE,
            *rate_limits.arguments(hit.rules),
        ],
    )
    if int(answer[0]) == -1:
        raise ResendTooSoon(limit=RESEND, retry_after=int(answer[1]) / 1000)
    _raise_pause(answer)
    rate_limits.raise_refusal(hit.rules, answer)
    return {rule.limit.name: int(left) for rule, left in zip(hit.rules, answer[1:], strict=True)}


@contextmanager
def issued(
    code_set: CodeSet, new: NewCode, *, customer: CustomerState, rules: Sequence[Rule]
) -> Iterator[dict[str, int]]:
    """Issue the code for a block that posts it. If the block fails, the code is withdrawn.

    If the failure is ours, what asking has counted is taken back too. Yields what remains of each limit. Raises
    ResendTooSoon, RateLimited or ValkeyUnavailable.
    """
    hit = Hit(rate_limits.new_event(), tuple(rules))
    remaining = _issue(code_set, new, hit, customer)
    try:
        yield remaining
    except BaseException as error:
        _withdraw(code_set, new, hit, uncount=not is_refusal(error))
        raise


def _withdraw(code_set: CodeSet, new: NewCode, hit: Hit, *, uncount: bool) -> None:
    """Remove a code that will not be sent."""
    keys = [code_set.key("codes"), *(rule.key for rule in hit.rules)]
    try:
        wait_and_budget.withdraw(keys=keys, args=[code_set.mac(new.code), hit.event, int(uncount)])
    except ValkeyUnavailable:
        log.warning("code_not_withdrawn", customer_id=str(code_set.customer_id))


def withdraw_all(sets: Sequence[CodeSet]) -> None:
    """Remove every code of these sets, all of one customer. One round trip. Raises ValkeyUnavailable."""
    wait_and_budget.withdraw_all(keys=[code_set.key("codes") for code_set in sets])


def _raise_pause(answer: Sequence[Any]) -> None:
    if int(answer[0]) == -2:
        raise RateLimited(limit=WRONG_CODES_PER_CUSTOMER, retry_after=int(answer[1]) / 1000)
