-- What Kong's logging plugins (file-log, http-log …) write of an exchange.
local ipairs = ipairs


local REDACTED = "REDACTED"
-- only where the request has the header
local REPLACE = { mode = "replace" }

-- Kong itself redacts Authorization in its newer versions only, and the other keys of LLM APIs in none.
local CREDENTIAL_HEADERS = {
  "request.headers.x-api-key",
  "request.headers.authorization",
  "request.headers.proxy-authorization",
  "request.headers.api-key",
}


local _M = {}


--- Keeps the client's credentials out of the logs. Phase: log.
function _M.redact(pdk)
  local set = pdk.log.set_serialize_value
  for _, key in ipairs(CREDENTIAL_HEADERS) do
    set(key, REDACTED, REPLACE)
  end
end


--- Adds counts and times under `aws_masker`. Phase: log.
-- @param of what `exchange.of` gave
function _M.add(of, pdk)
  pdk.log.set_serialize_value("aws_masker", {
    blocked = of.blocked,
    mask = of.mask,
    restore = of.restore,
    restore_skipped = of.skipped,
  })
end


return _M
