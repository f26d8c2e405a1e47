-- What events add to a request: the same body with events off and on, over one connection.
--
-- With many connections the time of a request is mostly that of the requests before it, so the little that a worker has
-- to do later for the events comes back many times over, and with it what Redis does on the same cores. One connection
-- that waits for each answer measures the request alone. Off and on take turns on it, so that both meet the same worker
-- and what the machine does besides; neighbouring turns are compared.
local paths = require "spec.support.paths"
local process = require "spec.support.process"


local OFF, ON = "masker", "events"

-- About 30 ms; no multiple of what a batch of events holds, so that no turn always has the sending to itself.
local REQUESTS_PER_TURN = 101
local WARM_SECONDS = 3


local function median(values)
  table.sort(values)
  return values[math.floor((#values + 1) / 2)]
end


-- @return array of turns, each an array of microseconds; the odd ones with events off
local function run(world, body_path, seconds)
  local times = world.gateway.folder .. "/times"
  local output, ok = process.capture(("wrk -t1 -c1 -d%ds -s %s http://127.0.0.1:%d -- %s %s %d %s %s 2>&1"):format(
    seconds, process.quote(paths.root .. "/scripts/load/turns.lua"), world.gateway.port, process.quote(body_path),
    process.quote(times), REQUESTS_PER_TURN, "/fast/" .. OFF .. "/v1/messages", "/fast/" .. ON .. "/v1/messages"))
  assert(ok, "wrk failed:\n" .. output)

  local turns, turn = {}, {}
  for time, status in process.read_file(times):gmatch("([%d.]+) (%d+)\n") do
    assert(status == "200", "the gateway answered with status " .. status)
    turn[#turn + 1] = tonumber(time)
    if #turn == REQUESTS_PER_TURN then
      turns[#turns + 1] = turn
      turn = {}
    end
  end

  assert(#turns >= 4, "too few requests were answered to compare anything:\n" .. output)
  return turns
end


local _M = {}


--- @return array of pairs: { off, on }, medians of neighbouring turns in microseconds
function _M.measure(world, body_path, seconds)
  run(world, body_path, WARM_SECONDS)

  local turns = run(world, body_path, seconds)
  local pairs_of_turns = {}
  -- of three turns one is left out: so every other pair begins with events on, and a machine that grows slower or
  -- faster favours neither
  for i = 1, #turns - 1, 3 do
    local first, second = median(turns[i]), median(turns[i + 1])
    local off_first = i % 2 == 1
    pairs_of_turns[#pairs_of_turns + 1] = { off = off_first and first or second, on = off_first and second or first }
  end

  return pairs_of_turns
end


return _M
