-- Who owns the tokens of a request. A token of one scope is never restored in another.
local request_header = require "kong.plugins.aws-masker.request_header"


local get_header = request_header.get


local GLOBAL = "global"


local function key_in(request, name, variable)
  local value = get_header(request, name, variable)
  return value ~= "" and value
end


-- What Kong has authenticated the client by, where it has: the key that goes on to the API may be the gateway's own,
-- and the same for all. Else the headers in which LLM clients carry their key, in this order.
local function credential(pdk)
  local authenticated = pdk.client.get_credential()
  if authenticated and authenticated.id then
    return "credential-id:" .. authenticated.id
  end

  local request = pdk.request
  local value = key_in(request, "x-api-key", "http_x_api_key")
                or key_in(request, "authorization", "http_authorization")
                or key_in(request, "api-key", "http_api_key")
                or key_in(request, "x-goog-api-key", "http_x_goog_api_key")
  return value and "credential:" .. value or GLOBAL
end


local SCOPES = {
  consumer = function(pdk)
    local consumer = pdk.client.get_consumer()
    if consumer then
      return "consumer:" .. consumer.id
    end

    return credential(pdk)
  end,

  credential = credential,

  route = function(pdk)
    local route = pdk.router.get_route()
    return route and "route:" .. route.id or GLOBAL
  end,

  global = function()
    return GLOBAL
  end,
}


local _M = {}


--- The scope of the current request. Phase: access.
-- @param token_scope the config field of that name
-- @param pdk Kong's plugin development kit
-- @return text that the library keeps as a keyed digest only
function _M.of(token_scope, pdk)
  return SCOPES[token_scope](pdk)
end


return _M
