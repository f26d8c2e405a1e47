-- Writes monitoring events as JSON (docs/events.schema.json). Nearly all values are numbers and fixed words, so the
-- text is put together here; a JSON encoder would take several times as long.
local clib = require "kong.plugins.aws-masker.clib"
local cjson = require "cjson.safe"


local concat = table.concat
local encode = cjson.encode
local floor = math.floor
local format = string.format
local ngx = ngx
local pairs = pairs


-- As docs/events.schema.json has it.
local MAX_NAME_BYTES = 128

-- Stands for the half of an exchange that there is not.
local NOTHING = {
  outcome = false, microseconds = false, bytes_in = false, bytes_out = false,
  masked = false, distinct = false, restored = false, unresolved = false,
}


local function kinds_of(session)
  local items = {}
  for kind, count in pairs(clib.kinds(session) or {}) do
    items[#items + 1] = encode(kind) .. ":" .. count
  end

  return "{" .. concat(items, ",") .. "}"
end


-- Names in Kong are as long as you like; readers of events refuse what could be a text.
local function name_of(entity)
  if not entity then
    return nil
  end

  local name = entity.name
  return encode(name and #name <= MAX_NAME_BYTES and name or entity.id)
end


-- @param kept, at as `_M.write` has them
local function data_masked(kept, at, details)
  local text = '"data_masked","outcome":"' .. kept[at + 4] .. '","microseconds":' .. kept[at + 5]
               .. ',"bytes_in":' .. kept[at + 6] .. ',"bytes_out":' .. kept[at + 7]
               .. ',"masked":' .. kept[at + 8] .. ',"distinct":' .. kept[at + 9]
  if not details then
    return text
  end

  return text .. ',"kinds":' .. details.kinds .. details.common
end


local function data_unmasked(kept, at, common)
  return '"data_unmasked","outcome":"' .. kept[at + 10] .. '","microseconds":' .. kept[at + 11]
         .. ',"bytes_in":' .. kept[at + 12] .. ',"bytes_out":' .. kept[at + 13]
         .. ',"restored":' .. kept[at + 14] .. ',"unresolved":' .. kept[at + 15] .. common
end


-- What an exchange takes of an array: time, sequence number, details, text of an event that is written already; then
-- six values of mask, six of restore, and why the answer was not restored. false stands for what there is not.
local _M = { SLOTS = 17 }


--- What `event_detail = detailed` says besides, which only the request knows. Phase: log.
-- @param of what `exchange.of` gave
-- @param session the exchange's
-- @return table: common (members that all events of the exchange share), kinds (of what was masked)
function _M.details(of, session, pdk)
  local text = ',"status":' .. pdk.response.get_status()
  local request_id = ngx.var.kong_request_id or ngx.var.request_id
  if request_id then
    text = text .. ',"request_id":"' .. request_id .. '"'
  end

  local service = name_of(pdk.router.get_service())
  if service then
    text = text .. ',"service":' .. service
  end

  local route = name_of(pdk.router.get_route())
  if route then
    text = text .. ',"route":' .. route
  end

  return { common = text, kinds = of.mask and kinds_of(session) }
end


--- How many events tell of an exchange that was not blocked.
-- @param of what `exchange.of` gave
function _M.count(of)
  return (of.mask and 1 or 0) + ((of.restore or of.restore_skipped) and 1 or 0)
end


--- Keeps what an event is written from that is a text already: that of `of_redis_error`, or of a blocked request.
-- @param into array
function _M.keep_text(into, text, time, sequence)
  local at = #into + 1
  into[at] = time
  into[at + 1] = sequence
  into[at + 2] = false
  into[at + 3] = text
  for i = at + 4, at + _M.SLOTS - 1 do
    into[i] = false
  end
end


--- Keeps what the events of an exchange are written from. Copies it: what Kong's loggers get is theirs to change; and
-- makes no table for it, which costs a tenth of writing the events. Phase: log.
-- @param into array
-- @param of what `exchange.of` gave, not blocked
-- @param details what `_M.details` gave, or false
function _M.keep(into, of, details, time, sequence)
  local at = #into + 1
  into[at] = time
  into[at + 1] = sequence
  into[at + 2] = details
  into[at + 3] = false

  local mask = of.mask or NOTHING
  into[at + 4] = mask.outcome
  into[at + 5] = mask.microseconds
  into[at + 6] = mask.bytes_in
  into[at + 7] = mask.bytes_out
  into[at + 8] = mask.masked
  into[at + 9] = mask.distinct

  local restore = of.restore or NOTHING
  into[at + 10] = restore.outcome
  into[at + 11] = restore.microseconds
  into[at + 12] = restore.bytes_in
  into[at + 13] = restore.bytes_out
  into[at + 14] = restore.restored
  into[at + 15] = restore.unresolved

  into[at + 16] = of.restore_skipped or false
end


--- Writes the events of what `keep` or `keep_text` kept, without what `finish` adds.
-- @param at where it begins in the array `kept`
-- @return what tells of the request, and what tells of the answer; either may be nil
function _M.write(kept, at)
  local text = kept[at + 3]
  if text then
    return text
  end

  local details = kept[at + 2]
  local common = details and details.common or ""
  local of_request = kept[at + 4] and data_masked(kept, at, details) or nil
  if kept[at + 10] then
    return of_request, data_unmasked(kept, at, common)
  end

  local skipped = kept[at + 16]
  return of_request,
         skipped and '"restore_skipped","outcome":"skipped","reason":"' .. skipped .. '"' .. common or nil
end


--- That a request was blocked, without what `finish` adds.
-- @param details what `_M.details` gave, or false
function _M.of_blocked(blocked, details)
  return '"mask_blocked","outcome":"' .. blocked.outcome .. '","reason":"' .. blocked.reason .. '"'
         .. (details and details.common or "")
end


--- `count` errors of Redis in one event, without what `finish` adds.
function _M.of_redis_error(operation, outcome, reason, count)
  return '"redis_error","outcome":"' .. outcome .. '","operation":"' .. operation .. '","reason":"' .. reason
         .. '","count":' .. count
end


--- The whole event.
-- @param identity of the source: what `_M.identity` gave
-- @param time seconds since 1970
function _M.finish(event, identity, sequence, time)
  -- %d would do on every build of LuaJIT, but not for numbers over 2^31 on all of them
  return '{"version":1,"type":' .. event .. ',"timestamp":' .. format("%.0f", floor(time * 1000))
         .. identity .. sequence .. "}"
end


--- What all events of a source have in common.
function _M.identity(node, source)
  return ',"node":"' .. node .. '","source":"' .. source .. '","sequence":'
end


--- `event`, which also says how many others were lost.
function _M.with_dropped(event, dropped)
  return '{"dropped":' .. dropped .. "," .. event:sub(2)
end


return _M
