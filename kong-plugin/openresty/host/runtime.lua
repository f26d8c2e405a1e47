-- What nginx calls: one function per phase. Runs key-auth and the plugin in Kong's order.
local declarative = require "host.declarative"
local pdk = require "host.pdk"
local router = require "host.router"
local schema = require "host.schema"


local ngx = ngx


local PLUGIN = "aws-masker"
local JSON = { ["Content-Type"] = "application/json; charset=utf-8" }


-- Loaded once in the master, read-only afterwards.
local config, handler, match_route


local function key_auth(route)
  local conf = router.plugin_config(config, "key-auth", route)
  if not conf then
    return
  end

  for _, name in ipairs(conf.key_names) do
    local key = kong.request.get_header(name)
    if key then
      ngx.ctx.host_consumer = config.consumers_by_key[key]
      return not ngx.ctx.host_consumer and "Unauthorized" or nil
    end
  end

  return "No API key found in request"
end


-- The config collected in access; a request that never got there runs with the global one, as in Kong.
local function collected()
  local ctx = ngx.ctx
  if ctx.host_collected == nil then
    ctx.host_collected = router.plugin_config(config, PLUGIN, nil) or false
  end

  return ctx.host_collected
end


local _M = {}


--- Phase: init_by_lua.
function _M.init(path)
  config = declarative.load(path)
  match_route = router.new(config)

  for _, plugin in ipairs(config.plugins) do
    for _, reference in ipairs(schema.resolve_references(plugin.schema, plugin.config, os.getenv)) do
      ngx.log(ngx.WARN, "unable to resolve reference ", reference)
    end
  end

  _G.kong = pdk.new()
  handler = require("kong.plugins." .. PLUGIN .. ".handler")
end


--- Phase: init_worker_by_lua. As in Kong, an error here is logged and the worker goes on.
function _M.init_worker()
  local configs
  for _, plugin in ipairs(config.plugins) do
    if plugin.name == PLUGIN and plugin.enabled then
      configs = configs or {}
      configs[#configs + 1] = plugin.config
    end
  end

  local ok, err = pcall(handler.configure, handler, configs)
  if not ok then
    ngx.log(ngx.ERR, "failed to execute plugin '", PLUGIN, ":configure' (", err, ")")
  end
end


function _M.access()
  local ctx = ngx.ctx
  ctx.host_phase = "access"

  local route, prefix = match_route(ngx.var.uri)
  if not route then
    return kong.response.exit(404, '{"message":"no Route matched with those values"}', JSON)
  end

  ctx.host_route = route
  local service = route.service
  ngx.var.upstream_scheme = service.protocol
  ngx.var.upstream_group = service.group
  ngx.var.upstream_host = service.host
  ngx.var.upstream_authority = service.authority
  ngx.var.upstream_uri = router.upstream_uri(route, prefix, ngx.var.request_uri, ngx.var.uri)

  local refused = key_auth(route)
  if refused then
    return kong.response.exit(401, '{"message":"' .. refused .. '"}', JSON)
  end

  ctx.host_collected = router.plugin_config(config, PLUGIN, route) or false
  if ctx.host_collected then
    local ok, err = pcall(handler.access, handler, ctx.host_collected)
    if not ok then
      ngx.log(ngx.ERR, "[", PLUGIN, "] ", err)
      return kong.response.exit(500, '{"message":"An unexpected error occurred"}', JSON)
    end
  end
end


local function downstream(phase)
  return function()
    local ctx = ngx.ctx
    ctx.host_phase = phase

    local conf = collected()
    if conf then
      handler[phase](handler, conf)
    end
  end
end


_M.header_filter = downstream("header_filter")
_M.body_filter = downstream("body_filter")
_M.log = downstream("log")


return _M
