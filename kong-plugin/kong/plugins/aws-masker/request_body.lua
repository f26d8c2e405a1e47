-- Reads the whole request body, from memory or from nginx's spill file.
local request_header = require "kong.plugins.aws-masker.request_header"


local find = string.find
local get_header = request_header.get
local lower = string.lower
local tonumber = tonumber


local _M = {}


--- Reads the body. Phase: access.
-- @param request `kong.request`
-- @param max_bytes largest body to accept
-- @return the body ("" when there is none), or nil, failure name, text
function _M.read(request, max_bytes)
  local declared = tonumber(get_header(request, "Content-Length", "content_length"))
  if declared and declared > max_bytes then
    return nil, "BODY_TOO_LARGE", "Content-Length is " .. declared
  end

  -- Without an explicit limit Kong does not open the spill file at all and answers nil.
  local body, err = request.get_raw_body(max_bytes)
  if not body then
    if err and find(err, "too big", 1, true) then
      return nil, "BODY_TOO_LARGE", err
    end

    return nil, "BODY_UNREADABLE", err or "no reason given"
  end

  -- Kong holds the limit against the spill file only, not against a body in memory.
  if #body > max_bytes then
    return nil, "BODY_TOO_LARGE", "the body has " .. #body .. " bytes"
  end

  return body
end


--- Whether the request leaves HTTP for WebSocket frames, which nothing here would see. Phase: access.
function _M.is_upgrade(request)
  local protocol = get_header(request, "Upgrade", "http_upgrade")
  return protocol ~= nil and find(lower(protocol), "websocket", 1, true) ~= nil
end


return _M
