-- Finds the route and the plugin configs of a request.
local ipairs = ipairs
local sort = table.sort
local sub = string.sub


local function escape(path)
  return (path:gsub("[^%w%-._~!$&'()*+,;=:@/%%]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end


local _M = {}


--- @param config what `host.declarative` loaded
-- @return a function: (normalised path) -> route, matched prefix; longest prefix first
function _M.new(config)
  local entries = {}
  for _, route in ipairs(config.routes) do
    for _, path in ipairs(route.paths) do
      entries[#entries + 1] = { prefix = path, route = route }
    end
  end

  sort(entries, function(a, b)
    return #a.prefix > #b.prefix
  end)

  return function(path)
    for _, entry in ipairs(entries) do
      if sub(path, 1, #entry.prefix) == entry.prefix then
        return entry.route, entry.prefix
      end
    end
  end
end


--- The path and query to ask the upstream for.
-- @param request_uri as the client sent it, still escaped
-- @param path normalised and unescaped
function _M.upstream_uri(route, prefix, request_uri, path)
  local raw_path, query = request_uri:match("^([^?]*)(.*)$")
  local rest = sub(raw_path, 1, #prefix) == prefix and raw_path or escape(path)
  if route.strip_path then
    rest = sub(rest, #prefix + 1)
  end

  local base = route.service.path
  if sub(base, -1) == "/" and (sub(rest, 1, 1) == "/" or rest == "") then
    base = sub(base, 1, -2)
  end

  if sub(base .. rest, 1, 1) ~= "/" then
    base = "/" .. base
  elseif base ~= "" and rest ~= "" and sub(rest, 1, 1) ~= "/" then
    base = base .. "/"
  end

  return base .. rest .. query
end


--- The config of plugin `name` that governs a request: the route's, else the service's, else the
-- global one. `route` is nil for a request that no route matches.
function _M.plugin_config(config, name, route)
  local best, best_rank

  for _, plugin in ipairs(config.plugins) do
    if plugin.name == name and plugin.enabled then
      local rank
      if plugin.route_id then
        rank = route and plugin.route_id == route.id and 3
      elseif plugin.service_id then
        rank = route and plugin.service_id == route.service.id and 2
      else
        rank = 1
      end

      if rank and (not best_rank or rank > best_rank) then
        best, best_rank = plugin.config, rank
      end
    end
  end

  return best
end


return _M
