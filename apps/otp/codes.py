"""One-time codes in Valkey: issued, claimed and counted, each in one atomic step.

Of an address and a purpose there is one *set*: up to three living codes, each until its own expiry, and one budget of
wrong tries that all share. Codes are kept as HMAC-SHA256 under a key that depends on customer, address and purpose, so
a copy of Valkey's memory is of no use, and comparing what is stored tells nothing about a code through time.

A right code is *claimed*: it stays until the transaction that it is for has committed, and is settled then. Any number may
claim the same code at once; which of them has it, PostgreSQL decides (`mail.ledger.use_code`). So nothing is lost when
a process dies between the two, and a copy of Valkey that comes back lets nobody in twice.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings

from apps.core import ciphers, rate_limits, typed_codes, valkey
from apps.core.errors import RateLimited, is_refusal
from apps.core.ids import new_id
from apps.core.rate_limits import Hit, Rule
from apps.core.valkey import ValkeyUnavailable
from apps.customers.limits import WRONG_CODES_PER_CUSTOMER
from apps.customers.policy import CodeAlphabet
from apps.customers.state import CustomerState
from apps.otp import code_sets
from apps.otp.errors import ResendTooSoon

log = structlog.get_logger(__name__)

RESEND = "resend"  # how a 429 names the wait between two codes
MOST_ALIVE = 3
BUDGET = 5  # wrong tries that the codes of a set share
PAUSE_SECONDS = 60  # for an address with a wrong code, while the customer's users are being guessed at
ALPHABETS = {
    CodeAlphabet.DIGITS: "0123456789",
    CodeAlphabet.LETTERS: "ABCDEFGHJKMNPQRTUVWXY",  # no I/1, L, O/0, S/5, Z/2
}


@dataclass(frozen=True)
class Place:
    """Whose codes: a customer's, for a subject (an address as it is compared, or a user's id) and a purpose.

    `bound_to`: of the subject's codes, those of one challenge or number; all share the wait and the budget.
    `in_sandbox`: asked for, and to be redeemed, with a test key. Live codes are other codes.
    """

    customer_id: UUID
    subject: str
    purpose: str
    bound_to: str = ""
    in_sandbox: bool = False

    @property
    def name(self) -> str:
        """How the set is named, in Valkey and on its messages: of one customer (contract 1.5)."""
        return pseudonym(f"{self.customer_id}\0{self._world}{self.purpose}\0{self.subject}")

    @property
    def _world(self) -> str:
        return "sandbox\0" if self.in_sandbox else ""

    def mac(self, code: str) -> str:
        """HMAC-SHA256 of the code, under this place's own key."""
        parts = ("gatehouse/otp/v1", str(self.customer_id), self._world + self.purpose, self.subject, self.bound_to)
        info = "\0".join(parts).encode()
        key = ciphers.hkdf_expand(_pepper(settings.SECRET_KEY), info=info)
        return ciphers.mac(code.encode(), key=key).hex()

    def key(self, what: str) -> str:
        return valkey.key(self.customer_id, what, self.name)


@dataclass(frozen=True)
class Claim:
    """How a try ended. `message_id`: what had carried the right code; None for a wrong one.

    `hit`: what the try has counted. `set_is_spent`: this wrong one was the last that the set allowed.
    """

    place: Place
    hit: Hit
    message_id: UUID | None = None
    number: int = 0
    customer_is_guessed_at: bool = False
    set_is_spent: bool = False


@dataclass(frozen=True)
class NewCode:
    """A fresh code, the message that will carry it, and the name of the set that it belongs to. Never printed."""

    message_id: UUID
    set_name: str
    code: str = field(repr=False)


def pseudonym(text: str) -> str:
    """A name for an address, so that Valkey's memory is no list of addresses: keyed, since addresses can be guessed."""
    key = ciphers.hkdf_expand(_pepper(settings.SECRET_KEY), info=b"gatehouse/otp/names/v1")
    return ciphers.mac(text.encode(), key=key).hex()


def new(place: Place, customer: CustomerState, *, fixed: str | None = None) -> NewCode:
    """A code for this place by the customer's policy, from the system's CSPRNG; or the fixed one."""
    alphabet = ALPHABETS[CodeAlphabet(customer.code_alphabet)]
    code = fixed or "".join(secrets.choice(alphabet) for _ in range(customer.code_length))
    return NewCode(new_id(), place.name, code)


def claim(place: Place, code: str, *, rules: Sequence[Rule], guessing: Rule) -> Claim:
    """Try a code: a wrong one counts against the budget. One round trip. Raises RateLimited or ValkeyUnavailable.

    `guessing` counts the wrong codes of all the customer's users; once passed, an address pauses after each wrong code.
    """
    hit = Hit(rate_limits.new_event(), tuple(rules))
    answer = code_sets.claim(
        keys=[place.key("codes"), place.key("pause"), guessing.key, *(rule.key for rule in rules)],
        args=[
            hit.event,
            place.mac(typed_codes.read(code)),
            MOST_ALIVE,
            BUDGET,
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
        return Claim(place, hit, message_id=UUID(answer[1].decode()), number=int(answer[2]))
    return Claim(place, hit, customer_is_guessed_at=bool(int(answer[1])), set_is_spent=bool(int(answer[2])))


def settle(claimed: Claim) -> None:
    """What the code was for is done: no code of its set lives any longer. PostgreSQL knows it already."""
    try:
        with valkey.reachable():
            valkey.client().delete(claimed.place.key("codes"))
    except ValkeyUnavailable:
        log.warning("codes_not_settled", customer_id=str(claimed.place.customer_id))


def drop(claimed: Claim) -> None:
    """The code is not accepted: it alone goes. If it was used before, the others may be newer than the copy that came back."""
    try:
        code_sets.drop(keys=[claimed.place.key("codes")], args=[claimed.number])
    except ValkeyUnavailable:
        log.warning("code_not_dropped", customer_id=str(claimed.place.customer_id))


def _issue(place: Place, new: NewCode, hit: Hit, customer: CustomerState) -> dict[str, int]:
    """Let the code live, if the limits and the wait since the last one allow. One round trip.

    Returns what remains of each limit. Raises ResendTooSoon, RateLimited or ValkeyUnavailable.
    """
    answer = code_sets.issue(
        keys=[place.key("codes"), place.key("pause"), *(rule.key for rule in hit.rules)],
        args=[
            hit.event,
            place.mac(new.code),
            customer.code_lifetime * 1000,
            customer.code_resend_after * 1000,
            new.message_id.hex,
            MOST_ALIVE,
            *rate_limits.arguments(hit.rules),
        ],
    )
    if int(answer[0]) == -1:
        raise ResendTooSoon(limit=RESEND, retry_after=int(answer[1]) / 1000)
    _raise_pause(answer)
    rate_limits.raise_refusal(hit.rules, answer)
    return {rule.limit.name: int(left) for rule, left in zip(hit.rules, answer[1:], strict=True)}


@contextmanager
def issued(place: Place, new: NewCode, *, customer: CustomerState, rules: Sequence[Rule]) -> Iterator[dict[str, int]]:
    """Let the code live for what is done within, which posts it; if that fails for whatever reason, it is taken back.

    And if the failure is ours, what asking has counted, too. Gives what remains of each limit. Raises ResendTooSoon,
    RateLimited or ValkeyUnavailable.
    """
    hit = Hit(rate_limits.new_event(), tuple(rules))
    remaining = _issue(place, new, hit, customer)
    try:
        yield remaining
    except BaseException as error:
        _withdraw(place, new, hit, uncount=not is_refusal(error))
        raise


def _withdraw(place: Place, new: NewCode, hit: Hit, *, uncount: bool) -> None:
    """Take back a code that will not be sent."""
    keys = [place.key("codes"), *(rule.key for rule in hit.rules)]
    try:
        code_sets.withdraw(keys=keys, args=[place.mac(new.code), hit.event, int(uncount)])
    except ValkeyUnavailable:
        log.warning("code_not_withdrawn", customer_id=str(place.customer_id))


def withdraw_all(places: Sequence[Place]) -> None:
    """Take back every code of these places, all of one customer. One round trip. Raises ValkeyUnavailable."""
    code_sets.withdraw_all(keys=[place.key("codes") for place in places])


def _raise_pause(answer: Sequence[Any]) -> None:
    if int(answer[0]) == -2:
        raise RateLimited(limit=WRONG_CODES_PER_CUSTOMER, retry_after=int(answer[1]) / 1000)


@lru_cache(maxsize=4)
def _pepper(secret_key: str) -> bytes:
    return ciphers.hkdf_extract(salt=b"gatehouse/otp/v1", input_key=secret_key.encode())
