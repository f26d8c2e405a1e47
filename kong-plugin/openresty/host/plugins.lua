-- The plugins that this host runs: aws-masker, and those that GATEWAY_PLUGINS names besides, separated by commas
-- (the load test compares it with others). Of these at most one runs for a request.
local names = { "aws-masker" }
for name in (os.getenv("GATEWAY_PLUGINS") or ""):gmatch("[^,%s]+") do
  names[#names + 1] = name
end


local _M = { names = names }


--- Module of the schema of `name`; nil for a plugin that this host does not run.
function _M.schema_module(name)
  for _, known in ipairs(names) do
    if known == name then
      return "kong.plugins." .. name .. ".schema"
    end
  end
end


--- Loads the handlers.
-- @return map of name to handler
function _M.load()
  local handlers = {}
  for _, name in ipairs(names) do
    handlers[name] = require("kong.plugins." .. name .. ".handler")
  end

  return handlers
end


return _M
