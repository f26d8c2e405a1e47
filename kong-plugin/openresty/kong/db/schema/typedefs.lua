-- The shared field definitions of Kong that the plugin's schema uses.
local HTTP_PROTOCOLS = { "grpc", "grpcs", "http", "https" }


return {
  protocols_http = {
    description = "Protocols the plugin runs on.",
    type = "set",
    required = true,
    default = HTTP_PROTOCOLS,
    elements = { type = "string", one_of = HTTP_PROTOCOLS },
  },
}
