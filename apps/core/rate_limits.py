"""Rate limits that hold in every window and under any concurrency: sliding logs in Valkey, checked and counted in one step.

Only admitted events are logged, so a log never holds more entries than its limit allows.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog

from apps.core import valkey
from apps.core.errors import RateLimited, is_refusal
from apps.core.valkey import Script, ValkeyUnavailable

log = structlog.get_logger(__name__)

# Shared with scripts that do more in the same step (one-time codes). `rules` is a list of {key, count, window in ms}.
LUA_LIMITS = """
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function read_rules(keys, first_key, args, first_arg, number)
  local rules = {}
  for i = 0, number - 1 do
    rules[i + 1] = {key = keys[first_key + i], count = tonumber(args[first_arg + 2 * i]),
                    window = tonumber(args[first_arg + 2 * i + 1])}
  end
  return rules
end

-- The rule that refuses longest, and for how many ms; 0 when all admit.
local function refusal(rules, now)
  local refusing, wait = 0, 0
  for i, rule in ipairs(rules) do
    redis.call('ZREMRANGEBYSCORE', rule.key, '-inf', now - rule.window)
    redis.call('ZREMRANGEBYSCORE', rule.key, now + rule.window, '+inf')  -- nothing that we have written
    local logged = redis.call('ZCARD', rule.key)
    if logged >= rule.count then
      local leaving = redis.call('ZRANGE', rule.key, logged - rule.count, logged - rule.count, 'WITHSCORES')
      -- A limit of nothing has nothing that could leave.
      local until_then = tonumber(leaving[2] or now) + rule.window - now
      if until_then > wait then refusing, wait = i, until_then end
    end
  end
  return refusing, wait
end

local function count_in(rules, now, event)
  local remaining = {}
  for i, rule in ipairs(rules) do
    redis.call('ZADD', rule.key, now, event)
    redis.call('PEXPIRE', rule.key, rule.window)
    remaining[i] = rule.count - redis.call('ZCARD', rule.key)
  end
  return remaining
end
"""

_hit = Script(
    LUA_LIMITS
    + """
local now = clock()
local rules = read_rules(KEYS, 1, ARGV, 2, #KEYS)
local refusing, wait = refusal(rules, now)
if refusing > 0 then return {refusing, wait} end
local answer = count_in(rules, now, ARGV[1])
table.insert(answer, 1, 0)
return answer
""",
    kinds=("zset",),
)

# KEYS: rules…, keys of the other script  ARGV: number of rules, number of arguments for them, these…, arguments of the other script.
# Answers {what _hit answers, what the other script answers unless a rule refuses}.
LUA_HIT_FIRST = """
local function part(all, first, last)
  local some = {{}}
  for i = first, last do table.insert(some, all[i]) end
  return some
end

local keys, arguments = tonumber(ARGV[1]), tonumber(ARGV[2]) + 2
local hit = (function(KEYS, ARGV) {hit} end)(part(KEYS, 1, keys), part(ARGV, 3, arguments))
if hit[1] > 0 then return {{hit}} end
return {{hit, (function(KEYS, ARGV) {other} end)(part(KEYS, keys + 1, #KEYS), part(ARGV, arguments + 1, #ARGV))}}
"""

# KEYS: rules…  ARGV: rules…  For each rule, how many events are logged and for how many ms it refuses. Counts nothing.
_look = Script(
    LUA_LIMITS
    + """
local now, answer = clock(), {}
for i, rule in ipairs(read_rules(KEYS, 1, ARGV, 1, #KEYS)) do
  local _, wait = refusal({rule}, now)
  answer[2 * i - 1], answer[2 * i] = redis.call('ZCARD', rule.key), wait
end
return answer
""",
    kinds=("zset",),
)

# KEYS: rules…  ARGV: event.
_give_back = Script("for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end", kinds=("zset",))


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` events in any `window` seconds. `name` is stable, and told in a 429."""

    name: str
    count: int
    window: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit, and the Valkey key under which its events are logged."""

    limit: Limit
    key: str


@dataclass(frozen=True, slots=True)
class Hit:
    """An event that was counted against rules. `remaining`: how much of each limit was left then, by name."""

    event: str
    rules: tuple[Rule, ...]
    remaining: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a limit stands now: how many events are logged, and for how many seconds it refuses (0: it admits)."""

    limit: Limit
    used: int
    wait: float


def arguments(rules: Sequence[Rule]) -> list[int]:
    """The rules as `read_rules` expects them: count and window (ms) of each."""
    return [number for rule in rules for number in (rule.limit.count, rule.limit.window * 1000)]


def new_event() -> str:
    """A member that no other event has."""
    return secrets.token_hex(8)


def hit(rules: Sequence[Rule]) -> Hit:
    """Count one event against all rules, or against none if any refuses. One round trip.

    Raises RateLimited (naming the limit and when to come back) or ValkeyUnavailable.
    """
    event = new_event()
    return _admitted(event, rules, _hit(keys=[rule.key for rule in rules], args=[event, *arguments(rules)]))


def _admitted(event: str, rules: Sequence[Rule], answer: Sequence[Any]) -> Hit:
    raise_refusal(rules, answer)
    remaining = {rule.limit.name: int(left) for rule, left in zip(rules, answer[1:], strict=True)}
    return Hit(event, tuple(rules), remaining)


class Limited:
    """A script that runs once an event was counted against a rule whose keys are elsewhere in a cluster.

    One round trip in the place of two (each takes some 200 µs of CPU), with the same effect; in a cluster it is two.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        joined = LUA_HIT_FIRST.format(hit=_hit.source, other=script.source)
        self._joined = Script(joined, kinds=("zset", *script.kinds))

    def __call__(self, rule: Rule, *, keys: Sequence[str], args: Sequence[str | bytes | float]) -> tuple[Hit, Any]:
        """What was counted, and what the script has answered. Raises RateLimited or ValkeyUnavailable."""
        if valkey.is_cluster():
            return hit([rule]), self._script(keys=keys, args=args)
        event = new_event()
        first: list[str | int] = [event, *arguments([rule])]
        answer = self._joined(keys=[rule.key, *keys], args=[1, len(first), *first, *args])
        return _admitted(event, [rule], answer[0]), answer[1]


_hit_after = Limited(_hit)


def hit_in_turn(first: Rule, rules: Sequence[Rule]) -> tuple[Hit, Hit]:
    """Count one event against the first rule and, if that admits, one against the others, as `hit` does. Raises what `hit` raises."""
    event = new_event()
    counted, answer = _hit_after(first, keys=[rule.key for rule in rules], args=[event, *arguments(rules)])
    return counted, _admitted(event, rules, answer)


def standings(rules: Sequence[Rule]) -> list[Standing]:
    """How these limits, all of one tag, would decide about one more event. One round trip. Raises ValkeyUnavailable."""
    answer = _look(keys=[rule.key for rule in rules], args=arguments(rules)) if rules else []
    pairs = zip(answer[::2], answer[1::2], strict=True)
    return [Standing(rule.limit, int(used), int(wait) / 1000) for rule, (used, wait) in zip(rules, pairs, strict=True)]


@contextmanager
def uncounted_if_it_fails(*hits: Hit) -> Iterator[None]:
    """For what follows a right secret: if it fails by no fault of the caller, the attempt is not counted. A refusal is."""
    try:
        yield
    except BaseException as error:
        if not is_refusal(error):
            for counted in hits:
                give_back(counted)
        raise


def give_back(counted: Hit) -> None:
    """Take the event out of the count. One round trip; without Valkey it stays counted."""
    if not counted.rules:
        return
    try:
        _give_back(keys=[rule.key for rule in counted.rules], args=[counted.event])
    except ValkeyUnavailable:
        log.warning("try_not_given_back", limits=[rule.limit.name for rule in counted.rules])


def forget(rules: Sequence[Rule]) -> None:
    """Start counting anew. Raises ValkeyUnavailable."""
    for rule in rules:
        valkey.delete(rule.key)


def raise_refusal(rules: Sequence[Rule], answer: Sequence[Any]) -> None:
    """Turn a script's `{refusing rule, wait in ms}` into RateLimited; `{0, …}` is no refusal."""
    if int(answer[0]) > 0:
        raise RateLimited(limit=rules[int(answer[0]) - 1].limit.name, retry_after=int(answer[1]) / 1000)
