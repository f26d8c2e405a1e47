-- Checks a declarative config and prints the nginx configuration that serves it.
--
-- usage: luajit host/render.lua TEMPLATE CONFIG LISTEN WORKERS LOG_LEVEL MODULES_DIR USER
local declarative = require "host.declarative"


local template_path, config_path, listen, workers, log_level, modules_dir, user = unpack(arg)

local CA_BUNDLES = {
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
}

local RESOLVER_FILE = "/etc/resolv.conf"

local TLS = [[
    proxy_ssl_server_name on;
    proxy_ssl_name $upstream_host;
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 5;
    proxy_ssl_trusted_certificate %s;]]

-- Where the Lua module is built into nginx there is nothing to load.
local LUA_MODULES = { "ndk_http_module.so", "ngx_http_lua_module.so" }


local function readable(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end

  return file ~= nil
end


local function load_modules()
  local lines = {}
  for _, name in ipairs(LUA_MODULES) do
    local path = modules_dir .. "/" .. name
    if modules_dir ~= "" and readable(path) then
      lines[#lines + 1] = "load_module " .. path .. ";"
    end
  end

  return table.concat(lines, "\n")
end


-- One group per service, so that nginx resolves the name and keeps connections open.
local function upstreams(config)
  local blocks = {}
  for _, service in ipairs(config.services) do
    blocks[#blocks + 1] = ("  upstream %s {\n    server %s:%d;\n    keepalive 64;\n  }\n")
                          :format(service.group, service.host, service.port)
  end

  return table.concat(blocks, "\n")
end


local function timeouts(config)
  local longest = { connect = 0, send = 0, read = 0 }
  for _, service in ipairs(config.services) do
    longest.connect = math.max(longest.connect, service.connect_timeout)
    longest.send = math.max(longest.send, service.write_timeout)
    longest.read = math.max(longest.read, service.read_timeout)
  end

  return ("    proxy_connect_timeout %dms;\n    proxy_send_timeout %dms;\n    proxy_read_timeout %dms;")
         :format(longest.connect, longest.send, longest.read)
end


local function ca_bundle()
  for _, path in ipairs({ os.getenv("SSL_CERT_FILE") or CA_BUNDLES[1], unpack(CA_BUNDLES) }) do
    if readable(path) then
      return path
    end
  end
end


local function tls(config)
  for _, service in ipairs(config.services) do
    if service.protocol == "https" then
      local path = ca_bundle()
      return path and TLS:format(path)
             or error("no bundle of CA certificates found; install the package ca-certificates", 0)
    end
  end

  return ""
end


-- How connections that Lua makes resolve names and verify certificates.
local function lua_sockets()
  local lines = {}
  local servers = {}
  for line in readable(RESOLVER_FILE) and io.lines(RESOLVER_FILE) or function() end do
    local address = line:match("^nameserver%s+([%d.]+)")
    servers[#servers + 1] = address
  end

  if #servers > 0 then
    lines[#lines + 1] = "  resolver " .. table.concat(servers, " ") .. " ipv6=off;"
  end

  local bundle = ca_bundle()
  if bundle then
    lines[#lines + 1] = "  lua_ssl_trusted_certificate " .. bundle .. ";\n  lua_ssl_verify_depth 5;"
  end

  return table.concat(lines, "\n")
end


-- Locations of one's own, as KONG_NGINX_PROXY_INCLUDE has them in Kong.
local function include()
  local path = os.getenv("GATEWAY_INCLUDE")
  return path and "    include " .. path .. ";" or ""
end


local function main()
  local config = declarative.load(config_path)
  local file = assert(io.open(template_path, "rb"))
  local template = file:read("*a")
  file:close()

  local values = {
    LOAD_MODULES = load_modules(),
    -- A development host: workers have to read the plugin from wherever the repository lies.
    USER = user == "root" and "user root;" or "",
    WORKERS = workers,
    LOG_LEVEL = log_level,
    LISTEN = listen,
    BODY_BUFFER = os.getenv("GATEWAY_BODY_BUFFER") or "8k",
    CONFIG = config_path,
    PACKAGE_PATH = package.path,
    PACKAGE_CPATH = package.cpath,
    UPSTREAMS = upstreams(config),
    TIMEOUTS = timeouts(config),
    TLS = tls(config),
    LUA_SOCKETS = lua_sockets(),
    INCLUDE = include(),
  }

  io.write((template:gsub("{{([%u_]+)}}", values)))
end


local ok, err = pcall(main)
if not ok then
  io.stderr:write("gateway: ", tostring(err), "\n")
  os.exit(1)
end
