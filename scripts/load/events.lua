-- What events add to a request: the same body with events off and on, over one connection.
--
-- With many connections the time of a request is mostly that of the requests before it, so the little that a worker has
-- to do later for the events comes back many times over, and with it what Redis does on the same cores. One connection
-- that waits for each answer measures the request alone. What the machine does besides moves slowly against a run of a
-- quarter of a second: off and on are compared within pairs of runs, which take turns in who is first.
local process = require "spec.support.process"


local OFF, ON = "masker", "events"

local SECONDS = 0.25
local FEWEST, MOST = 100, 1000
local WARM_REQUESTS = 1000


-- @return median time of a request, microseconds
local function run(world, route, body_path, requests)
  local csv = world.gateway.folder .. "/percentiles.csv"
  local output, ok = process.capture(
    ("ab -q -k -l -n %d -c 1 -e %s -p %s -T application/json -H 'x-api-key: load'"
     .. " http://127.0.0.1:%d/fast/%s/v1/messages 2>&1"):format(
      requests, process.quote(csv), process.quote(body_path), world.gateway.port, route))
  local failed = tonumber(output:match("Failed requests:%s+(%d+)"))
  assert(ok and failed == 0 and not output:find("Non-2xx", 1, true), "ab failed:\n" .. output)
  return tonumber(process.read_file(csv):match("\n50,([%d.]+)")) * 1000
end


local _M = {}


--- @return array of pairs: { off, on }, medians of a run in microseconds
function _M.measure(world, body_path, pairs_wanted)
  local needed = 0
  for _, route in ipairs({ OFF, ON }) do
    needed = math.max(needed, run(world, route, body_path, WARM_REQUESTS))
  end

  local requests = math.max(FEWEST, math.min(MOST, math.floor(SECONDS * 1e6 / needed)))
  local result = {}
  for i = 1, pairs_wanted do
    local pair = {}
    if i % 2 == 0 then
      pair.off = run(world, OFF, body_path, requests)
      pair.on = run(world, ON, body_path, requests)
    else
      pair.on = run(world, ON, body_path, requests)
      pair.off = run(world, OFF, body_path, requests)
    end
    result[i] = pair
  end

  return result
end


return _M
