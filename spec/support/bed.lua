-- A gateway with the fake upstream behind it, and the checks that every exchange has to pass.
local cjson = require "cjson"
local gateway = require "spec.support.gateway"
local http = require "spec.support.http"
local mock = require "spec.support.mock"
local sample = require "spec.support.sample"


local Bed = {}
Bed.__index = Bed


local _M = { kind = gateway.kind }


--- Starts both. Options are those of `gateway.start`, without upstream_port.
function _M.start(options)
  local upstream = mock.start()
  local settings = { upstream_port = upstream.port }
  for name, value in pairs(options or {}) do
    settings[name] = value
  end

  local running, why = gateway.start(settings)
  if not running then
    upstream:stop()
    error("the gateway did not start: " .. why, 2)
  end

  return setmetatable({ mock = upstream, gateway = running, port = running.port }, Bed)
end


--- Forgets earlier requests; from now on none of `originals` (default: all sample ids) may reach the upstream.
function Bed:reset(originals)
  self.mock:reset()
  self.mock:watch(originals or sample.IDS)
end


--- Sends a request to the gateway.
-- @param request as for `http.request`; path defaults to /v1/messages, Content-Type to application/json
function Bed:send(request)
  local headers = { ["Content-Type"] = "application/json" }
  for name, value in pairs(request.headers or {}) do
    headers[name] = value or nil
    if value == false then
      headers[name] = nil
    end
  end

  local settings = {}
  for name, value in pairs(request) do
    settings[name] = value
  end
  settings.headers = headers
  settings.port = self.port
  settings.path = request.path or "/v1/messages"

  local answer = http.request(settings)
  if (answer.headers["content-type"] or ""):find("application/json", 1, true) then
    local ok, value = pcall(cjson.decode, answer.body)
    answer.json = ok and value or nil
  end

  return answer
end


--- The text of the last user message as the upstream got it.
function Bed:upstream_text()
  local request = cjson.decode(self.mock:last_body())
  return request.messages[#request.messages].content
end


--- Stops both.
function Bed:stop()
  self.gateway:stop()
  self.mock:stop()
end


return _M
