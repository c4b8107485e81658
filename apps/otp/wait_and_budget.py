"""How long to wait for the next code, and the budget of wrong tries of a set: Lua scripts, each one atomic step.

A set is a hash: `wrong` (tries spent), `last` (when a code was last sent, ms), and per code its number →
"<mac, 64 hex> <expiry, ms> <message, 32 hex>".
"""

from apps.core import valkey
from apps.core.rate_limits import LUA_LIMITS

_HASH, _STRING, _LOG = "hash", "string", "zset"

LUA_SET = (
    LUA_LIMITS
    + """
local function whole(text)
  if text and #text <= 15 and string.match(text, '^%d+$') then return tonumber(text) end
end

-- The living codes, oldest first; what has expired or cannot be read is dropped.
-- The budget belongs to a set: with its last code it goes, and so does one that cannot be read.
local function living(key, now)
  local codes = {}
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    local number = string.match(fields[i], '^[1-9]%d*$') and whole(fields[i])
    if number then
      local mac, expiry, message = string.match(fields[i + 1], '^(%x+) (%d+) (%x+)$')
      if mac and #mac == 64 and #message == 32 and (whole(expiry) or 0) > now then
        table.insert(codes, {number = number, mac = mac, expiry = whole(expiry), message = message})
      else
        redis.call('HDEL', key, fields[i])
      end
    end
  end
  if #codes == 0 or not whole(redis.call('HGET', key, 'wrong')) then redis.call('HDEL', key, 'wrong') end
  table.sort(codes, function(a, b) return a.number < b.number end)
  return codes
end

-- The newest codes alone: a further one takes the place of the oldest, but only if it stays.
local function newest(codes, most)
  while #codes > most do table.remove(codes, 1) end
  return codes
end

-- For how many ms the set must still wait for a further code; 0 or less for none.
local function wait_for_next(key, now, resend)
  local last = whole(redis.call('HGET', key, 'last')) or 0
  if last > now then last = 0 end
  return last + resend - now
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
# Answers {0, remaining…}, {-1, wait}, {-2, pause} or {refusing rule, wait}.
issue = valkey.Script(
    LUA_SET
    + """
local now = clock()
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return {-2, paused} end
local rules = read_rules(KEYS, 3, ARGV, 7, #KEYS - 2)
local codes = living(KEYS[1], now)
local wait = wait_for_next(KEYS[1], now, tonumber(ARGV[4]))
if wait > 0 then return {-1, wait} end
local refusing, until_then = refusal(rules, now)
if refusing > 0 then return {refusing, until_then} end
local answer = count_in(rules, now, ARGV[1])
while #codes > tonumber(ARGV[6]) do redis.call('HDEL', KEYS[1], table.remove(codes, 1).number) end
local number = (#codes > 0 and codes[#codes].number or 0) + 1
local expiry = now + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], number, ARGV[2] .. ' ' .. string.format('%.0f', expiry) .. ' ' .. ARGV[5], 'last', now)
redis.call('PEXPIRE', KEYS[1], math.max(tonumber(ARGV[3]), tonumber(ARGV[4])))
for _, code in ipairs(codes) do
  if code.expiry > expiry then redis.call('PEXPIREAT', KEYS[1], code.expiry) end
end
table.insert(answer, 1, 0)
return answer
""",
    kinds=(_HASH, _STRING, _LOG),
)

# KEYS: set, pause, guessing log, rules…
# ARGV: event, mac, most alive, budget, guessing count, guessing window ms, pause ms, rules…
# Answers {1, message, number} for a right code, which stays; {0, guessed enough?, set spent?, living codes} for a wrong one;
# {-2, pause} or {-3, refusing rule, wait}.
claim = valkey.Script(
    LUA_SET
    + """
local now = clock()
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return {-2, paused} end
local rules = read_rules(KEYS, 4, ARGV, 8, #KEYS - 3)
local refusing, until_then = refusal(rules, now)
if refusing > 0 then return {-3, refusing, until_then} end
count_in(rules, now, ARGV[1])
local codes = newest(living(KEYS[1], now), tonumber(ARGV[3]))
local right = nil
for _, code in ipairs(codes) do
  if same(code.mac, ARGV[2]) then right = code end
end
if right then return {1, right.message, right.number} end
local guessing = {{key = KEYS[3], count = tonumber(ARGV[5]), window = tonumber(ARGV[6])}}
local passed = refusal(guessing, now) > 0
local spent = #codes > 0 and redis.call('HINCRBY', KEYS[1], 'wrong', 1) >= tonumber(ARGV[4])
if spent then
  for _, code in ipairs(living(KEYS[1], now)) do redis.call('HDEL', KEYS[1], code.number) end
  redis.call('HDEL', KEYS[1], 'wrong')
end
if passed then
  redis.call('SET', KEYS[2], '1', 'PX', ARGV[7])
else
  count_in(guessing, now, ARGV[1])
end
return {0, passed and 1 or 0, spent and 1 or 0, #codes}
""",
    kinds=(_HASH, _STRING, _LOG),
)

# KEYS: set, pause  ARGV: resend ms. Answers {wait, pause, living codes, wrong tries}. Spends nothing.
look = valkey.Script(
    LUA_SET
    + """
local now = clock()
local codes = living(KEYS[1], now)
return {math.max(0, wait_for_next(KEYS[1], now, tonumber(ARGV[1]))), math.max(0, redis.call('PTTL', KEYS[2])), #codes,
        whole(redis.call('HGET', KEYS[1], 'wrong')) or 0}
""",
    kinds=(_HASH, _STRING),
)

# KEYS: set  ARGV: number. One code is worth nothing any more; the others live on.
drop = valkey.Script("redis.call('HDEL', KEYS[1], ARGV[1])", kinds=(_HASH,))

# KEYS: set, rules…  ARGV: mac, event, 1 to take the event back. A code that is not sent, and the wait for the next.
withdraw = valkey.Script(
    LUA_SET
    + """
for _, code in ipairs(living(KEYS[1], clock())) do
  if same(code.mac, ARGV[1]) then redis.call('HDEL', KEYS[1], code.number, 'last') end
end
if ARGV[3] == '1' then
  for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[2]) end
end
""",
    kinds=(_HASH, _LOG),
)

# KEYS: sets. Takes back all that lives in them; the wait for the next code stays.
withdraw_all = valkey.Script(
    LUA_SET
    + """
for _, key in ipairs(KEYS) do
  for _, code in ipairs(living(key, clock())) do redis.call('HDEL', key, code.number) end
end
""",
    kinds=(_HASH,),
)
