-- What Kong's logging plugins (file-log, http-log …) write of an exchange.
local match = string.match
local ngx = ngx


local REDACTED = "REDACTED"
-- only where the request has the header
local REPLACE = { mode = "replace" }


local _M = {}


-- Asking for the header first makes no table where it is not there.
local function redact(set, header, variable)
  if ngx.var[variable] then
    set("request.headers." .. header, REDACTED, REPLACE)
  end
end


--- Keeps the client's credentials out of the logs. Phase: log.
function _M.redact(pdk)
  local set = pdk.log.set_serialize_value
  -- no loop: LuaJIT would not compile what calls it. Kong itself redacts Authorization in its newer versions only, and
  -- the other keys of LLM APIs in none.
  redact(set, "x-api-key", "http_x_api_key")
  redact(set, "authorization", "http_authorization")
  redact(set, "proxy-authorization", "http_proxy_authorization")
  redact(set, "api-key", "http_api_key")
  redact(set, "x-goog-api-key", "http_x_goog_api_key")
end


--- Has them tell the query as the upstream got it; Kong tells it as the client sent it. Phase: access.
function _M.mask_query(query, pdk)
  local var = ngx.var
  local uri = match(var.request_uri, "^[^?]*") .. "?" .. query
  local set = pdk.log.set_serialize_value
  set("request.uri", uri, REPLACE)
  set("request.url", var.scheme .. "://" .. var.host .. ":" .. (ngx.ctx.host_port or var.server_port) .. uri, REPLACE)
end


--- Adds counts and times under `aws_masker`. Phase: log.
-- @param of what `exchange.of` gave
function _M.add(of, pdk)
  pdk.log.set_serialize_value("aws_masker", of)
end


return _M
