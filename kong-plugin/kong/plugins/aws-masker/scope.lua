-- Who owns the tokens of a request. A token of one scope is never restored in another.
local ipairs = ipairs


-- The headers in which LLM clients carry their key, in the order in which they are asked for.
local CREDENTIAL_HEADERS = { "x-api-key", "authorization", "api-key" }

local GLOBAL = "global"


local function credential(pdk)
  for _, name in ipairs(CREDENTIAL_HEADERS) do
    local value = pdk.request.get_header(name)
    if value and value ~= "" then
      return "credential:" .. value
    end
  end

  return GLOBAL
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
