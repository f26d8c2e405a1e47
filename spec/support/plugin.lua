-- Loads modules of the plugin outside a gateway, each time anew.
local _M = {}


local PREFIX = "kong.plugins.aws-masker."

-- Needs nginx to load; nothing is sent outside a gateway.
local QUEUE = "kong.tools.queue"


--- Module `name` of the plugin.
-- @param replaced map of module name to what `require` gives for it, both without the prefix
-- @param globals map of globals (`kong`, `ngx`) that it sees while it loads
function _M.load(name, replaced, globals)
  for loaded in pairs(package.loaded) do
    -- the C declarations of a process cannot be taken back
    if loaded:sub(1, #PREFIX) == PREFIX and loaded ~= PREFIX .. "cdefs" then
      package.loaded[loaded] = nil
    end
  end
  for other, module in pairs(replaced or {}) do
    package.loaded[PREFIX .. other] = module
  end

  local before = { kong = _G.kong, ngx = _G.ngx, queue = package.loaded[QUEUE] }
  package.loaded[QUEUE] = before.queue or {}
  _G.kong, _G.ngx = nil, nil
  for global, value in pairs(globals or {}) do
    _G[global] = value
  end

  local ok, module = pcall(require, PREFIX .. name)
  _G.kong, _G.ngx, package.loaded[QUEUE] = before.kong, before.ngx, before.queue
  return ok and module or error(module, 2)
end


return _M
