-- Reads the monitoring events that a gateway sent, and checks what holds for all of them.
local cjson = require "cjson"
local paths = require "spec.support.paths"
local process = require "spec.support.process"
local socket = require "socket"


local WAIT_SECONDS = 20
local SCHEMA = paths.root .. "/docs/events.schema.json"
local VALIDATOR = paths.root .. "/spec/support/validate_events.py"

local _M = { STREAM = "masking:events:stream", CHANNEL = "kong:masking:events" }


--- The events of a stream, oldest first, with their JSON under `text`.
function _M.read(redis, stream)
  local events = {}
  for i, entry in ipairs(redis:call("XRANGE", stream or _M.STREAM, "-", "+")) do
    local fields = entry[2]
    assert(#fields == 2 and fields[1] == "event", "an entry has one field, named event")
    events[i] = cjson.decode(fields[2])
    events[i].text = fields[2]
  end

  return events
end


--- Waits until `count` events are there, and a little longer for any that should not be.
function _M.wait(redis, count, stream)
  process.wait_until(WAIT_SECONDS, function()
    return redis:call("XLEN", stream or _M.STREAM) >= count
  end)
  socket.sleep(0.3)
  return _M.read(redis, stream)
end


--- "type outcome reason" of each, sorted: what a spec compares.
function _M.summary(events)
  local result = {}
  for i, event in ipairs(events) do
    result[i] = table.concat({ event.type, event.outcome, event.reason }, " ")
  end

  table.sort(result)
  return result
end


--- Those of one type.
function _M.of_type(events, wanted)
  local result = {}
  for _, event in ipairs(events) do
    if event.type == wanted then
      result[#result + 1] = event
    end
  end

  return result
end


--- Raises unless every event fits the schema, none is there twice, and what a source skipped is what it says it lost.
function _M.check(events)
  local lines, seen, sources = {}, {}, {}
  for i, event in ipairs(events) do
    lines[i] = event.text
    local id = event.source .. " " .. event.sequence
    assert(not seen[id], "an event is there twice")
    seen[id] = true

    local source = sources[event.source] or { count = 0, lowest = math.huge, highest = 0, dropped = 0 }
    sources[event.source] = source
    source.count = source.count + 1
    source.lowest = math.min(source.lowest, event.sequence)
    source.highest = math.max(source.highest, event.sequence)
    source.dropped = source.dropped + (event.dropped or 0)
  end

  for _, source in pairs(sources) do
    local made = source.highest - source.lowest + 1
    assert(made - source.count == source.dropped,
           ("of %d events %d are there and %d are said to be lost"):format(made, source.count, source.dropped))
  end

  local folder = process.temporary_folder()
  process.write_file(folder .. "/events", table.concat(lines, "\n") .. "\n")
  local output, ok = process.capture(("python3 %s %s <%s 2>&1"):format(process.quote(VALIDATOR), process.quote(SCHEMA),
                                                                   process.quote(folder .. "/events")))
  process.remove_folder(folder)
  assert(ok, output)
end


return _M
