-- Writes monitoring events as JSON (docs/events.schema.json). Nearly all values are numbers and fixed words, so the
-- text is put together here; a JSON encoder would take several times as long.
local clib = require "kong.plugins.aws-masker.clib"
local cjson = require "cjson.safe"


local concat = table.concat
local encode = cjson.encode
local floor = math.floor
local ngx = ngx
local pairs = pairs


local function kinds_of(session)
  local items = {}
  for kind, count in pairs(clib.kinds(session) or {}) do
    items[#items + 1] = encode(kind) .. ":" .. count
  end

  return "{" .. concat(items, ",") .. "}"
end


local function name_of(entity)
  return entity and encode(entity.name or entity.id)
end


-- The members of `event_detail = detailed` that all events of an exchange share. Phase: log.
local function details(pdk)
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

  return text
end


local function data_masked(mask, session, detail)
  local text = '"data_masked","outcome":"' .. mask.outcome .. '","microseconds":' .. mask.microseconds
               .. ',"bytes_in":' .. mask.bytes_in .. ',"bytes_out":' .. mask.bytes_out
               .. ',"masked":' .. mask.masked .. ',"distinct":' .. mask.distinct
  if detail == "" then
    return text
  end

  return text .. ',"kinds":' .. kinds_of(session) .. detail
end


local function data_unmasked(restore, detail)
  return '"data_unmasked","outcome":"' .. restore.outcome .. '","microseconds":' .. restore.microseconds
         .. ',"bytes_in":' .. restore.bytes_in .. ',"bytes_out":' .. restore.bytes_out
         .. ',"restored":' .. restore.restored .. ',"unresolved":' .. restore.unresolved .. detail
end


local _M = {}


--- The events of an exchange, without what `finish` adds. Phase: log.
-- @param of what `exchange.of` gave
-- @param session the exchange's
-- @return what tells of the request, and what tells of the answer; either may be nil
function _M.of_exchange(of, session, is_detailed, pdk)
  local detail = is_detailed and details(pdk) or ""

  if of.blocked then
    return '"mask_blocked","outcome":"' .. of.blocked.outcome .. '","reason":"' .. of.blocked.reason .. '"' .. detail
  end

  local of_request = of.mask and data_masked(of.mask, session, detail)
  if of.restore then
    return of_request, data_unmasked(of.restore, detail)
  end

  local skipped = of.restore_skipped
  return of_request, skipped and '"restore_skipped","outcome":"skipped","reason":"' .. skipped .. '"' .. detail
end


--- `count` errors of Redis in one event, without what `finish` adds.
function _M.of_redis_error(operation, outcome, reason, count)
  return '"redis_error","outcome":"' .. outcome .. '","operation":"' .. operation .. '","reason":"' .. reason
         .. '","count":' .. count
end


--- The whole event.
-- @param identity of the source: what `_M.identity` gave
function _M.finish(event, identity, sequence)
  -- %d would do on every build of LuaJIT, but not for numbers over 2^31 on all of them
  return '{"version":1,"type":' .. event .. ',"timestamp":' .. ("%.0f"):format(floor(ngx.now() * 1000))
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
