-- Loads a declarative config file in Kong's format ("3.0", YAML or JSON): services, routes with
-- paths, the plugins aws-masker and key-auth, consumers with keyauth_credentials.
local plugins = require "host.plugins"
local schema = require "host.schema"


local KEY_AUTH_SCHEMA = "host.key_auth_schema"

local DEFAULT_PORTS = { http = 80, https = 443 }
local DEFAULT_TIMEOUT_MS = 60000

-- Fields that are read, and fields that are accepted because leaving them out changes nothing here.
local KNOWN = {
  root = { "_format_version", "_transform", "services", "routes", "plugins", "consumers" },
  service = {
    "id", "name", "url", "protocol", "host", "port", "path", "connect_timeout", "read_timeout", "write_timeout",
    "tls_verify", "routes", "plugins", "tags", "retries",
  },
  route = {
    "id", "name", "paths", "strip_path", "service", "plugins", "tags", "protocols", "request_buffering",
    "response_buffering",
  },
  plugin = { "id", "name", "config", "enabled", "service", "route", "instance_name", "protocols", "tags" },
  consumer = { "id", "username", "custom_id", "keyauth_credentials", "tags" },
}


local function assert_known(kind, entity, label)
  local known = {}
  for _, name in ipairs(KNOWN[kind]) do
    known[name] = true
  end

  for name in pairs(entity) do
    if not known[name] then
      error(label .. ": this host does not support " .. tostring(name), 0)
    end
  end
end


local function decode(text, path)
  if path:find("%.json$") then
    local value, err = require("cjson.safe").decode(text)
    return value or error(path .. ": " .. err, 0)
  end

  local ok, value = pcall(require("lyaml").load, text)
  return ok and value or error(path .. ": " .. tostring(value), 0)
end


local function reference_name(reference)
  return type(reference) == "table" and (reference.name or reference.id) or reference
end


local function read_service(entity, index)
  local label = "service " .. (entity.name or index)
  assert_known("service", entity, label)

  local protocol, host, port, path = entity.protocol or "http", entity.host, entity.port, entity.path
  if entity.url then
    local authority
    protocol, authority, path = entity.url:match("^(https?)://([^/?#]+)([^?#]*)$")
    if not protocol then
      error(label .. ": url is not an http or https URL: " .. entity.url, 0)
    end

    host, port = authority:match("^(.-):(%d+)$")
    host = host or authority
  end

  if not host or not DEFAULT_PORTS[protocol] then
    error(label .. ": needs a host and the protocol http or https", 0)
  end

  if entity.tls_verify == false then
    error(label .. ": this host always verifies the upstream's certificate; remove tls_verify", 0)
  end

  port = tonumber(port) or DEFAULT_PORTS[protocol]
  return {
    id = entity.id or entity.name or "service-" .. index,
    name = entity.name,
    protocol = protocol,
    host = host,
    port = port,
    authority = port == DEFAULT_PORTS[protocol] and host or host .. ":" .. port,
    path = path or "",
    connect_timeout = entity.connect_timeout or DEFAULT_TIMEOUT_MS,
    read_timeout = entity.read_timeout or DEFAULT_TIMEOUT_MS,
    write_timeout = entity.write_timeout or DEFAULT_TIMEOUT_MS,
    -- name of the nginx upstream block
    group = "service_" .. index,
  }
end


local function read_route(entity, service, index)
  local label = "route " .. (entity.name or index)
  assert_known("route", entity, label)
  if not service then
    error(label .. ": belongs to no service", 0)
  end

  for _, path in ipairs(entity.paths or {}) do
    if path:sub(1, 1) ~= "/" then
      error(label .. ": this host knows path prefixes only: " .. path, 0)
    end
  end

  return {
    id = entity.id or entity.name or "route-" .. index,
    name = entity.name,
    service = service,
    paths = entity.paths or { "/" },
    strip_path = entity.strip_path ~= false,
  }
end


local function read_plugin(entity, service, route)
  local label = "plugin " .. tostring(entity.name)
  assert_known("plugin", entity, label)

  local schema_module = entity.name == "key-auth" and KEY_AUTH_SCHEMA or plugins.schema_module(entity.name)
  if not schema_module then
    error(label .. ": this host runs aws-masker and key-auth only", 0)
  end

  local definition = require(schema_module)
  local config, problems = schema.complete(definition, entity.config)
  if not config then
    error(label .. ": schema violation (" .. table.concat(problems, "; ") .. ")", 0)
  end

  -- Kong puts it into the config too
  local owner = route or service
  config.__plugin_id = entity.id or entity.name .. ":" .. (owner and owner.id or "global")

  return {
    name = entity.name,
    enabled = entity.enabled ~= false,
    config = config,
    schema = definition,
    service_id = service and service.id,
    route_id = route and route.id,
  }
end


local function read_consumers(entities, result)
  for index, entity in ipairs(entities or {}) do
    assert_known("consumer", entity, "consumer " .. (entity.username or index))
    local consumer = {
      id = entity.id or entity.username or entity.custom_id,
      username = entity.username,
      custom_id = entity.custom_id,
    }

    for _, credential in ipairs(entity.keyauth_credentials or {}) do
      result.consumers_by_key[credential.key] = consumer
    end
  end
end


local _M = {}


--- Loads and checks a file. Raises a text that names the entity and the field.
-- @return services, routes, plugins (arrays) and consumers_by_key
function _M.load(path)
  local file = assert(io.open(path, "rb"))
  local root = decode(file:read("*a"), path)
  file:close()

  assert_known("root", root, path)
  if root._format_version ~= "3.0" then
    error(path .. ': _format_version has to be "3.0"', 0)
  end

  local result = { services = {}, routes = {}, plugins = {}, consumers_by_key = {} }
  local services, routes = {}, {}

  local function add_plugins(entities, service, route)
    for _, entity in ipairs(entities or {}) do
      local plugin = read_plugin(entity, service or services[reference_name(entity.service)],
                                 route or routes[reference_name(entity.route)])
      result.plugins[#result.plugins + 1] = plugin
    end
  end

  local function add_route(entity, service)
    local route = read_route(entity, service, #result.routes + 1)
    result.routes[#result.routes + 1] = route
    routes[route.name or route.id] = route
    add_plugins(entity.plugins, nil, route)
  end

  for index, entity in ipairs(root.services or {}) do
    local service = read_service(entity, index)
    result.services[index] = service
    services[service.name or service.id] = service
    add_plugins(entity.plugins, service)
    for _, route in ipairs(entity.routes or {}) do
      add_route(route, service)
    end
  end

  for _, entity in ipairs(root.routes or {}) do
    add_route(entity, services[reference_name(entity.service)])
  end

  add_plugins(root.plugins)
  read_consumers(root.consumers, result)
  return result
end


return _M
