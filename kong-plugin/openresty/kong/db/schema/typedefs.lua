-- The shared field definitions of Kong that the plugin's schema uses.
local HTTP_PROTOCOLS = { "grpc", "grpcs", "http", "https" }


-- As in Kong, a definition can be called to give a copy with some attributes replaced.
local function define(attributes)
  return setmetatable(attributes, {
    __call = function(_, replaced)
      local result = {}
      for _, source in ipairs({ attributes, replaced }) do
        for name, value in pairs(source) do
          result[name] = value
        end
      end

      return result
    end,
  })
end


return {
  protocols_http = {
    description = "Protocols the plugin runs on.",
    type = "set",
    required = true,
    default = HTTP_PROTOCOLS,
    elements = { type = "string", one_of = HTTP_PROTOCOLS },
  },

  host = define({
    description = "A string representing a host name, such as example.com.",
    type = "string",
    match = "^[%w%.%-_:]+$",
  }),

  port = define({
    description = "An integer representing a port number between 0 and 65535, inclusive.",
    type = "integer",
    between = { 0, 65535 },
  }),

  timeout = define({
    description = "An integer representing a timeout in milliseconds. Must be between 0 and 2^31-2.",
    type = "integer",
    between = { 0, 2147483646 },
  }),

  sni = define({
    description = "A string representing an SNI (server name indication) value for TLS.",
    type = "string",
    match = "^[%w%.%-_]+$",
  }),
}
