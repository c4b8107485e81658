"""One-time codes in Valkey: issued, redeemed and counted, each in one atomic step.

Of an address and a purpose there is one *set*: up to three living codes, each until its own expiry, and one budget of
wrong tries that all share. Codes are kept as HMAC-SHA256 under a key that depends on customer, address and purpose, so
a copy of Valkey's memory is of no use, and comparing what is stored tells nothing about a code through time.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings

from apps.core import ciphers, rate_limits, typed_codes, valkey
from apps.core.errors import RateLimited
from apps.core.rate_limits import LUA_LIMITS, Rule
from apps.customers.limits import WRONG_CODES_PER_CUSTOMER
from apps.customers.models import CodeAlphabet
from apps.customers.standing import CustomerStanding
from apps.otp.errors import ResendTooSoon

RESEND = "resend"  # how a 429 names the wait between two codes
MOST_ALIVE = 3
BUDGET = 5  # wrong tries that the codes of a set share
PAUSE_SECONDS = 60  # for an address with a wrong code, while the customer's users are being guessed at
ALPHABETS = {
    CodeAlphabet.DIGITS: "0123456789",
    CodeAlphabet.LETTERS: "ABCDEFGHJKMNPQRTUVWXY",  # no I/1, L, O/0, S/5, Z/2
}

# A set is a hash: `wrong` (tries spent), `last` (when a code was last sent), and per code its number →
# "<mac hex> <expiry ms> <message>".
LUA_SET = (
    LUA_LIMITS
    + """
-- The living codes, oldest first; expired ones are dropped. The budget belongs to a set: with its last code it goes.
local function living(key, now)
  local codes = {}
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local number = tonumber(fields[i])
    if number then
      local mac, expiry, message = string.match(fields[i + 1], '^(%x+) (%d+) (%S*)$')
      if tonumber(expiry) > now then
        table.insert(codes, {number = number, mac = mac, expiry = tonumber(expiry), message = message})
      else
        redis.call('HDEL', key, fields[i])
      end
    end
  end
  if #codes == 0 then redis.call('HDEL', key, 'wrong') end
  table.sort(codes, function(a, b) return a.number < b.number end)
  return codes
end

-- Equal in a time that depends on the length alone.
local function same(a, b)
  if #a ~= #b then return false end
  local difference = 0
  for i = 1, #a do difference = bit.bor(difference, bit.bxor(string.byte(a, i), string.byte(b, i))) end
  return difference == 0
end
"""
)

# KEYS: set, pause, rules…  ARGV: event, mac, lifetime ms, resend ms, message, most alive, rules…
_issue = valkey.Script(
    LUA_SET
    + """
local now = clock()
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return {-2, paused} end
local rules = read_rules(KEYS, 3, ARGV, 7, #KEYS - 2)
local codes = living(KEYS[1], now)
local last = tonumber(redis.call('HGET', KEYS[1], 'last') or 0)
local wait = last + tonumber(ARGV[4]) - now
if wait > 0 then return {-1, wait} end
local refusing, until_then = refusal(rules, now)
if refusing > 0 then return {refusing, until_then} end
local answer = count_in(rules, now, ARGV[1])
while #codes >= tonumber(ARGV[6]) do redis.call('HDEL', KEYS[1], table.remove(codes, 1).number) end
local number = (#codes > 0 and codes[#codes].number or 0) + 1
local expiry = now + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], number, ARGV[2] .. ' ' .. string.format('%.0f', expiry) .. ' ' .. ARGV[5], 'last', now)
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[3]), tonumber(ARGV[4])))
for _, code in ipairs(codes) do
  if code.expiry > expiry then redis.call('PEXPIREAT', KEYS[1], code.expiry) end
end
table.insert(answer, 1, 0)
return answer
"""
)

# KEYS: set, pause, guessing log, rules…  ARGV: event, mac, budget, guessing count, guessing window ms, pause ms, rules…
# Answers {1, message} for a right code, {0, guessed enough?} for a wrong one, or as a refusal.
_redeem = valkey.Script(
    LUA_SET
    + """
local now = clock()
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return {-2, paused} end
local rules = read_rules(KEYS, 4, ARGV, 7, #KEYS - 3)
local refusing, until_then = refusal(rules, now)
if refusing > 0 then return {-3, refusing, until_then} end
count_in(rules, now, ARGV[1])
local codes = living(KEYS[1], now)
local right = nil
for _, code in ipairs(codes) do
  if same(code.mac, ARGV[2]) then right = code end
end
if right then
  redis.call('DEL', KEYS[1])
  return {1, right.message}
end
if #codes > 0 and redis.call('HINCRBY', KEYS[1], 'wrong', 1) >= tonumber(ARGV[3]) then
  for _, code in ipairs(codes) do redis.call('HDEL', KEYS[1], code.number) end
  redis.call('HDEL', KEYS[1], 'wrong')
end
local guessing = {{key = KEYS[3], count = tonumber(ARGV[4]), window = tonumber(ARGV[5])}}
local passed = refusal(guessing, now) > 0
if passed then
  redis.call('SET', KEYS[2], '1', 'PX', ARGV[6])
else
  count_in(guessing, now, ARGV[1])
end
return {0, passed and 1 or 0}
"""
)

# KEYS: set  ARGV: mac. Takes a code back that will not be sent, and the wait for the next with it.
_withdraw = valkey.Script(
    LUA_SET
    + """
for _, code in ipairs(living(KEYS[1], clock())) do
  if same(code.mac, ARGV[1]) then redis.call('HDEL', KEYS[1], code.number, 'last') end
end
"""
)

# KEYS: sets. Takes back all that lives in them; the wait for the next code stays.
_withdraw_all = valkey.Script(
    LUA_SET
    + """
for _, key in ipairs(KEYS) do
  for _, code in ipairs(living(key, clock())) do redis.call('HDEL', key, code.number) end
end
"""
)


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
        """How the subject is named in Valkey."""
        return pseudonym(f"{self._world}{self.purpose}\0{self.subject}")

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
class Redemption:
    """How a try ended. `message_id`: the mail that had carried the right code; None for a wrong one."""

    message_id: UUID | None = None
    customer_is_guessed_at: bool = False


@dataclass(frozen=True)
class NewCode:
    """A fresh code and the mail that will carry it. Never printed."""

    message_id: UUID
    code: str = field(repr=False)


def pseudonym(text: str) -> str:
    """A name for an address, so that Valkey's memory is no list of addresses: keyed, since addresses can be guessed."""
    key = ciphers.hkdf_expand(_pepper(settings.SECRET_KEY), info=b"gatehouse/otp/names/v1")
    return ciphers.mac(text.encode(), key=key).hex()


def generate(customer: CustomerStanding) -> str:
    """A code by the customer's policy, from the system's CSPRNG."""
    alphabet = ALPHABETS[CodeAlphabet(customer.code_alphabet)]
    return "".join(secrets.choice(alphabet) for _ in range(customer.code_length))


def issue(place: Place, new: NewCode, *, customer: CustomerStanding, rules: Sequence[Rule]) -> dict[str, int]:
    """Let the code live, if the limits and the wait since the last one allow. One round trip.

    Returns what remains of each limit. Raises ResendTooSoon, RateLimited or ValkeyUnavailable.
    """
    answer = _issue(
        keys=[place.key("codes"), place.key("pause"), *(rule.key for rule in rules)],
        args=[
            rate_limits.new_event(),
            place.mac(new.code),
            customer.code_lifetime * 1000,
            customer.code_resend_after * 1000,
            str(new.message_id),
            MOST_ALIVE,
            *rate_limits.arguments(rules),
        ],
    )
    if int(answer[0]) == -1:
        raise ResendTooSoon(limit=RESEND, retry_after=int(answer[1]) / 1000)
    _raise_pause(answer)
    rate_limits.raise_refusal(rules, answer)
    return {rule.limit.name: int(left) for rule, left in zip(rules, answer[1:], strict=True)}


def redeem(place: Place, code: str, *, rules: Sequence[Rule], guessing: Rule) -> Redemption:
    """Try a code: right once, wrong against the budget. One round trip. Raises RateLimited or ValkeyUnavailable.

    `guessing` counts the wrong codes of all the customer's users; once passed, an address pauses after each wrong code.
    """
    answer = _redeem(
        keys=[place.key("codes"), place.key("pause"), guessing.key, *(rule.key for rule in rules)],
        args=[
            rate_limits.new_event(),
            place.mac(typed_codes.read(code)),
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
        return Redemption(message_id=UUID(answer[1].decode()))
    return Redemption(customer_is_guessed_at=bool(int(answer[1])))


@contextmanager
def issued(
    place: Place, new: NewCode, *, customer: CustomerStanding, rules: Sequence[Rule]
) -> Iterator[dict[str, int]]:
    """Let the code live for what is done within, which posts it; if that fails for whatever reason, it is taken back.

    Gives what remains of each limit. Raises as `issue` does.
    """
    remaining = issue(place, new, customer=customer, rules=rules)
    try:
        yield remaining
    except BaseException:
        withdraw(place, new.code)
        raise


def withdraw(place: Place, code: str) -> None:
    """Take back a code that will not be sent. Raises ValkeyUnavailable."""
    _withdraw(keys=[place.key("codes")], args=[place.mac(code)])


def withdraw_all(places: Sequence[Place]) -> None:
    """Take back every code of these places, all of one customer. One round trip. Raises ValkeyUnavailable."""
    _withdraw_all(keys=[place.key("codes") for place in places])


def _raise_pause(answer: Sequence[Any]) -> None:
    if int(answer[0]) == -2:
        raise RateLimited(limit=WRONG_CODES_PER_CUSTOMER, retry_after=int(answer[1]) / 1000)


@lru_cache(maxsize=4)
def _pepper(secret_key: str) -> bytes:
    return ciphers.hkdf_extract(salt=b"gatehouse/otp/v1", input_key=secret_key.encode())
