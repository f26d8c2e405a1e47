-- What nginx calls: one function per phase. Runs key-auth and the plugin in Kong's order.
local declarative = require "host.declarative"
local pdk = require "host.pdk"
local plugins = require "host.plugins"
local router = require "host.router"
local schema = require "host.schema"


local ngx = ngx


local JSON = { ["Content-Type"] = "application/json; charset=utf-8" }


-- Loaded once in the master, read-only afterwards.
local config, handlers, match_route


local function key_auth(route)
  local conf = router.plugin_config(config, "key-auth", route)
  if not conf then
    return
  end

  for _, name in ipairs(conf.key_names) do
    local key = kong.request.get_header(name)
    if key then
      local consumer = config.consumers_by_key[key]
      if not consumer then
        return "Unauthorized"
      end

      ngx.ctx.host_consumer = consumer
      -- Kong draws the id of a credential; here there is one for each key, and that does
      ngx.ctx.host_credential = { id = key, key = key, consumer = consumer }
      if conf.hide_credentials then
        ngx.req.clear_header(name)
      end

      return
    end
  end

  return "No API key found in request"
end


-- Finds the plugin that governs a request, and its config.
local function collect(ctx, route)
  ctx.host_collected = false
  for _, name in ipairs(plugins.names) do
    local conf = router.plugin_config(config, name, route)
    if conf then
      ctx.host_collected, ctx.host_handler = conf, handlers[name]
      return
    end
  end
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
  handlers = plugins.load()
end


local function configs_of(name)
  local configs
  for _, plugin in ipairs(config.plugins) do
    if plugin.name == name and plugin.enabled then
      configs = configs or {}
      configs[#configs + 1] = plugin.config
    end
  end

  return configs
end


--- Phase: init_worker_by_lua. As in Kong, an error here is logged and the worker goes on.
function _M.init_worker()
  for name, handler in pairs(handlers) do
    for _, phase in ipairs({ "init_worker", "configure" }) do
      local fn = handler[phase]
      local ok, err = pcall(fn or function() end, handler, phase == "configure" and configs_of(name) or nil)
      if not ok then
        ngx.log(ngx.ERR, "failed to execute plugin '", name, ":", phase, "' (", err, ")")
      end
    end
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

  collect(ctx, route)
  if ctx.host_collected then
    local ok, err = pcall(ctx.host_handler.access, ctx.host_handler, ctx.host_collected)
    if not ok then
      ngx.log(ngx.ERR, err)
      return kong.response.exit(500, '{"message":"An unexpected error occurred"}', JSON)
    end
  end
end


local function downstream(phase)
  return function()
    local ctx = ngx.ctx
    ctx.host_phase = phase

    -- a request that never got to access runs with the global config, as in Kong
    if ctx.host_collected == nil then
      collect(ctx, nil)
    end

    local conf = ctx.host_collected
    if conf then
      ctx.host_handler[phase](ctx.host_handler, conf)
    end
  end
end


_M.header_filter = downstream("header_filter")
_M.body_filter = downstream("body_filter")
_M.log = downstream("log")


return _M
