-- What Kong's logging plugins (file-log, http-log …) write of an exchange.
local REDACTED = "REDACTED"
-- only where the request has the header
local REPLACE = { mode = "replace" }


local _M = {}


--- Keeps the client's credentials out of the logs. Phase: log.
function _M.redact(pdk)
  local set = pdk.log.set_serialize_value
  -- no loop: LuaJIT would not compile what calls it. Kong itself redacts Authorization in its newer versions only, and
  -- the other keys of LLM APIs in none.
  set("request.headers.x-api-key", REDACTED, REPLACE)
  set("request.headers.authorization", REDACTED, REPLACE)
  set("request.headers.proxy-authorization", REDACTED, REPLACE)
  set("request.headers.api-key", REDACTED, REPLACE)
end


--- Adds counts and times under `aws_masker`. Phase: log.
-- @param of what `exchange.of` gave
function _M.add(of, pdk)
  pdk.log.set_serialize_value("aws_masker", of)
end


return _M
