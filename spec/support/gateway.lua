-- Starts a gateway with the plugin: a real Kong where there is one, else the OpenResty host.
local cjson = require "cjson"
local kong = require "spec.support.kong"
local openresty = require "spec.support.openresty"
local process = require "spec.support.process"


local START_SECONDS = 60

local BACKENDS = { kong = kong, openresty = openresty }


local kind = os.getenv("GATEWAY")
if not kind or kind == "" then
  local _, found = process.capture("command -v kong >/dev/null")
  kind = found and "kong" or "openresty"
end

local backend = assert(BACKENDS[kind], "GATEWAY is kong or openresty, not " .. kind)


local Gateway = {}
Gateway.__index = Gateway


local _M = { kind = kind }


-- One service for the mock; one route for each plugin config, and one that the global plugin serves.
local function declarative(options)
  local routes = {}
  for name, config in pairs(options.routes or {}) do
    routes[#routes + 1] = {
      name = name,
      paths = { "/" .. name },
      strip_path = true,
      plugins = { { name = "aws-masker", config = config } },
    }
  end

  routes[#routes + 1] = { name = "default", paths = options.paths or { "/" }, strip_path = false }

  local config = options.config or {}
  local plugins = {}
  for _, plugin in ipairs(options.plugins or {}) do
    plugins[#plugins + 1] = plugin
  end

  plugins[#plugins + 1] = {
    name = "aws-masker",
    config = next(config) and config or nil,
  }

  local upstream = options.upstream_url or "http://127.0.0.1:" .. options.upstream_port
  return cjson.encode({
    _format_version = "3.0",
    services = { { name = "llm", url = upstream, routes = routes, retries = 0 } },
    plugins = plugins,
    consumers = options.consumers,
  })
end


local function write_config(self, options)
  local whole = options.declarative
  process.write_file(self.config_path, whole and cjson.encode(whole) or declarative(options))
end


--- Starts a gateway.
-- @param options table: upstream_port (or upstream_url); port (a free one); config (of the global plugin); routes (name
-- -> plugin config, served under "/name/"); paths (of the route without a plugin of its own, { "/" }); consumers;
-- plugins (further ones); env (variables the gateway sees); library_cpath (where to look for the library instead of
-- the build); workers (2); declarative (the whole config, in place of all that describes parts of it)
-- @return the gateway, or nil and what it printed when it refused to start
function _M.start(options)
  local folder = process.temporary_folder()
  local self = setmetatable({
    port = options.port or process.free_port(),
    folder = folder,
    prefix = folder .. "/prefix",
    config_path = folder .. "/kong.json",
    options = options,
  }, Gateway)
  write_config(self, options)

  local output, ok = backend.start(self, options)
  local ready = ok and process.wait_until(START_SECONDS, function()
    return process.accepts(self.port)
  end)
  if not ready then
    output = output .. "\n" .. (self:error_log() or "")
    if ok then
      self:stop()
    else
      process.remove_folder(folder)
    end

    return nil, output
  end

  return self
end


--- Writes another config, which is not in force yet.
function Gateway:configure(changes)
  local options = {}
  for name, value in pairs(self.options) do
    options[name] = value
  end
  for name, value in pairs(changes) do
    options[name] = value
  end

  self.options = options
  write_config(self, options)
end


--- Loads another config without a restart and waits until `is_active` says that it is in force.
function Gateway:reload(changes, is_active)
  self:configure(changes)
  local output, ok = backend.reload(self, self.options)
  assert(ok, output)
  assert(process.wait_until(START_SECONDS, is_active), "the new config did not get into force")
end


function Gateway:log_path()
  return backend.log_path(self)
end


function Gateway:error_log()
  return process.read_file(backend.log_path(self))
end


--- Master process, and the workers that serve requests.
function Gateway:pid()
  return tonumber(process.read_file(backend.pid_path(self)))
end


function Gateway:stop()
  local pid = self:pid()
  if pid then
    process.stop(pid)
  end

  process.remove_folder(self.folder)
end


--- "kong (3.9.1)"
function _M.describe()
  return kind .. " (" .. backend.version() .. ")"
end


return _M
