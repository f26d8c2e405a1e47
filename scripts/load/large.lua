-- Answers of 10 and 100 MB that hold tokens: how long they take, and how much memory the worker needs for them.
local cjson = require "cjson"
local process = require "spec.support.process"
local workers = require "scripts.load.workers"


local MEGABYTE = 1000000
local SIZES = { 10, 100 }
local ROUTES = { "bare", "masker" }

local BODY = cjson.encode({
  model = "claude-load",
  max_tokens = 64,
  messages = { { role = "user", content = "Is i-0f3a9c27be41d8056 in vpc-04d1c7e92ab86f035 down? 10.42.17.203 says so. "
                                          .. ("It answered an hour ago and then no more. "):rep(8) } },
})


-- @return seconds, bytes
local function fetch(gateway, route, bytes)
  local output, ok = process.capture(
    ("curl -sS -o /dev/null -w '%%{time_total} %%{size_download} %%{http_code}' -H 'content-type: application/json'"
     .. " -H 'x-mock-reply: large' -H 'x-mock-size: %d' -H 'x-mock-chunked: 1' -d %s"
     .. " http://127.0.0.1:%d/echo/%s/v1/messages 2>&1"):format(bytes, process.quote(BODY), gateway.port, route))
  local seconds, size, status = output:match("^([%d.]+) (%d+) (%d+)$")
  assert(ok and status == "200", "curl failed: " .. output)
  return tonumber(seconds), tonumber(size)
end


local _M = {}


--- @return array of { route, megabytes, seconds, bytes, memory (growth of the largest worker over before, bytes) }
function _M.measure(gateway)
  local results = {}
  for _, route in ipairs(ROUTES) do
    -- warm, so that growth is that of the size and not of the first answer
    fetch(gateway, route, MEGABYTE)
    fetch(gateway, route, MEGABYTE)
  end

  for _, megabytes in ipairs(SIZES) do
    for _, route in ipairs(ROUTES) do
      workers.reset_peak(gateway)
      local before = workers.memory(gateway)
      local seconds, bytes = fetch(gateway, route, megabytes * MEGABYTE)
      results[#results + 1] = {
        route = route,
        megabytes = megabytes,
        seconds = seconds,
        bytes = bytes,
        memory = workers.peak(gateway) - before,
      }
    end
  end

  return results
end


return _M
