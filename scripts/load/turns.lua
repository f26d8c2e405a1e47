-- The script that wrk runs over one connection: posts one body to two routes in turns, some requests to each, and says
-- how long each request took.
--
-- usage: wrk -t1 -c1 … -s turns.lua URL -- BODY_FILE TIMES_FILE REQUESTS_PER_TURN PATH PATH
local ffi = require "ffi"


ffi.cdef [[
  typedef struct { long seconds, nanoseconds; } load_time;
  int clock_gettime(int clock, load_time *time);
]]

local MONOTONIC = 1

local read_time = ffi.new("load_time")

local requests = {}
local per_turn, times
local sent, done = nil, 0


local function microseconds()
  ffi.C.clock_gettime(MONOTONIC, read_time)
  return tonumber(read_time.seconds) * 1e6 + tonumber(read_time.nanoseconds) / 1e3
end


function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local body = file:read("*a")
  file:close()

  times = assert(io.open(arguments[2], "w"))
  per_turn = tonumber(arguments[3])
  local headers = { ["Host"] = "load", ["Content-Type"] = "application/json", ["x-api-key"] = "load" }
  for i = 1, 2 do
    requests[i] = wrk.format("POST", arguments[3 + i], headers, body)
  end
end


function request()
  local turn = math.floor(done / per_turn)
  sent = microseconds()
  return requests[turn % 2 + 1]
end


function response(status)
  times:write(("%.1f %d\n"):format(microseconds() - sent, status))
  done = done + 1
end
