-- Reads a stream of server-sent events the way a client SDK does.
local cjson = require "cjson"


local _M = {}


--- @return array of { name, data (decoded JSON) }
function _M.events(body)
  local events = {}
  for block in body:gmatch("(.-)\n\n") do
    local name = block:match("event: ([^\n]+)")
    local data = block:match("data: ([^\n]+)")
    events[#events + 1] = { name = name, data = cjson.decode(data) }
  end

  return events
end


--- All of one delta field put together, per content block.
-- @return map of index (number) to text
function _M.join(events, field)
  local parts = {}
  for _, event in ipairs(events) do
    local delta = event.name == "content_block_delta" and event.data.delta[field]
    if delta then
      local index = event.data.index
      parts[index] = (parts[index] or "") .. delta
    end
  end

  return parts
end


--- Whether every delta of a block comes before the stop of that block.
function _M.is_ordered(events)
  local stopped = {}
  for _, event in ipairs(events) do
    if event.name == "content_block_stop" then
      stopped[event.data.index] = true
    elseif event.name == "content_block_delta" and stopped[event.data.index] then
      return false
    end
  end

  return true
end


return _M
