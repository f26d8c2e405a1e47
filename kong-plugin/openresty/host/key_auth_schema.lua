-- The fields of Kong's key-auth that this host knows.
return {
  name = "key-auth",
  fields = {
    { config = {
        type = "record",
        fields = {
          { key_names = {
              description = "Headers that may hold the key.",
              type = "array",
              required = true,
              default = { "apikey" },
              elements = { type = "string" },
          }, },
          { hide_credentials = {
              description = "Whether the upstream sees the key.",
              type = "boolean",
              required = true,
              default = false,
          }, },
        },
    }, },
  },
}
