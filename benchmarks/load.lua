-- What wrk runs: sends the prepared requests of a file, counts the answers by status, and ends when time is up or,
-- where each request is good for one call, when all are answered. It sends nothing new then, and waits for what is
-- still on its way, so that the server has done exactly the work that is counted.
--
-- The file: for each request a line with its length in bytes, then the request as it goes over the wire.
-- Arguments: file, seconds, "once" or "again", file for the answers' bodies ("" for none; same form).

local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long seconds; long nanoseconds; } bench_time;
  int clock_gettime(int clock, bench_time *time);
]]
local MONOTONIC = 1
local NEVER_MS = 3600000

local time = ffi.new("bench_time")
local function now()
  ffi.C.clock_gettime(MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

local requests, seconds, once, bodies = {}, 0, false, nil
local begun, sent, answered, statuses = 0, 0, 0, {}
local started, is_verified = nil, false

local function read(path)
  local file = assert(io.open(path, "rb"))
  for length in file:lines() do
    requests[#requests + 1] = file:read(tonumber(length))
  end
  file:close()
  assert(#requests > 0, "no requests in " .. path)
end

local function report()
  if bodies then bodies:close() end
  io.write(string.format("\nbench seconds %.6f\n", now() - started))
  for status, count in pairs(statuses) do
    io.write(string.format("bench status %d %d\n", status, count))
  end
  io.flush()
  os.exit(0)
end

local function is_over()
  if once and begun >= #requests then return true end
  return started ~= nil and now() - started >= seconds
end

function init(arguments)
  read(arguments[1])
  seconds, once = tonumber(arguments[2]), arguments[3] == "once"
  if arguments[4] and arguments[4] ~= "" then bodies = assert(io.open(arguments[4], "wb")) end
end

function delay()  -- wrk asks before each request; many may be between here and `request`
  if is_over() then return NEVER_MS end
  begun = begun + 1
  return 0
end

function request()
  if not is_verified then  -- wrk looks at one request before it begins
    is_verified = true
    return requests[1]
  end
  started = started or now()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function response(status, headers, body)
  answered = answered + 1
  statuses[status] = (statuses[status] or 0) + 1
  if bodies then bodies:write(#body, "\n", body) end
  if answered == begun and is_over() then report() end
end
