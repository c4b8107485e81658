"""Limits that hold for every window, under any concurrency: sliding logs in Valkey, checked and counted in one atomic step.

Only admitted events are logged, so a log never holds more entries than its limit allows.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.core import valkey
from apps.core.errors import RateLimited

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

_hit = valkey.Script(
    LUA_LIMITS
    + """
local now = clock()
local rules = read_rules(KEYS, 1, ARGV, 2, #KEYS)
local refusing, wait = refusal(rules, now)
if refusing > 0 then return {refusing, wait} end
local answer = count_in(rules, now, ARGV[1])
table.insert(answer, 1, 0)
return answer
"""
)


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` events in any `window` seconds. `name` is stable: a 429 says it."""

    name: str
    count: int
    window: int


@dataclass(frozen=True, slots=True)
class Rule:
    """A limit, and the Valkey key under which its events are logged."""

    limit: Limit
    key: str


def arguments(rules: Sequence[Rule]) -> list[int]:
    """The rules as `read_rules` expects them: count and window (ms) of each."""
    return [number for rule in rules for number in (rule.limit.count, rule.limit.window * 1000)]


def new_event() -> str:
    """A member that no other event has."""
    return secrets.token_hex(8)


def hit(rules: Sequence[Rule]) -> dict[str, int]:
    """Count one event against all rules, or against none if any refuses. One round trip.

    Returns what remains of each limit, by name. Raises RateLimited (naming the limit and when to come back) or ValkeyUnavailable.
    """
    answer = _hit(keys=[rule.key for rule in rules], args=[new_event(), *arguments(rules)])
    raise_refusal(rules, answer)
    return {rule.limit.name: int(left) for rule, left in zip(rules, answer[1:], strict=True)}


def raise_refusal(rules: Sequence[Rule], answer: Sequence[Any]) -> None:
    """Turn a script's `{refusing rule, wait in ms}` into RateLimited; `{0, …}` is no refusal."""
    if int(answer[0]) > 0:
        raise RateLimited(limit=rules[int(answer[0]) - 1].limit.name, retry_after=int(answer[1]) / 1000)
