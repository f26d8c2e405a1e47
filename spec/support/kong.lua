-- Runs a real Kong for the specs, without a database.
local paths = require "spec.support.paths"
local process = require "spec.support.process"


local CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


local function variables(gateway, options)
  local result = {
    KONG_DATABASE = "off",
    KONG_DECLARATIVE_CONFIG = gateway.config_path,
    KONG_PREFIX = gateway.prefix,
    KONG_PLUGINS = "bundled,aws-masker",
    KONG_LUA_PACKAGE_PATH = paths.plugin .. "/?.lua;;",
    KONG_LUA_PACKAGE_CPATH = (options.library_cpath or paths.library_cpath) .. ";;",
    -- both versions of HTTP on one port: the first bytes of a connection tell
    KONG_PROXY_LISTEN = "127.0.0.1:" .. gateway.port .. " http2",
    -- a chunk that the plugin changed is not to wait for more of them
    KONG_NGINX_PROXY_POSTPONE_OUTPUT = "0",
    KONG_ADMIN_LISTEN = "off",
    KONG_STATUS_LISTEN = "off",
    KONG_NGINX_WORKER_PROCESSES = options.workers or 2,
    KONG_ANONYMOUS_REPORTS = "off",
    KONG_LOG_LEVEL = "notice",
    KONG_PROXY_ACCESS_LOG = "off",
    KONG_PROXY_ERROR_LOG = "error.log",
    KONG_ADMIN_ERROR_LOG = "error.log",
  }
  -- without these Kong does not verify the certificate of an upstream
  if options.upstream_url then
    result.KONG_NGINX_PROXY_PROXY_SSL_VERIFY = "on"
    result.KONG_NGINX_PROXY_PROXY_SSL_VERIFY_DEPTH = 5
    result.KONG_NGINX_PROXY_PROXY_SSL_TRUSTED_CERTIFICATE = os.getenv("SSL_CERT_FILE") or CA_BUNDLE
  end
  if process.capture("id -u") == "0" then
    result.KONG_NGINX_USER = "root root"
  end
  for name, value in pairs(options.env or {}) do
    result[name] = value
  end

  return result
end


local function run(command, gateway, options)
  return process.capture(("env %s kong %s -p %s 2>&1 </dev/null")
                         :format(process.environment(variables(gateway, options)), command,
                                 process.quote(gateway.prefix)))
end


local _M = {}


function _M.version()
  return (process.capture("kong version 2>&1"))
end


function _M.start(gateway, options)
  return run("start", gateway, options)
end


function _M.reload(gateway, options)
  return run("reload", gateway, options)
end


function _M.log_path(gateway)
  return gateway.prefix .. "/error.log"
end


function _M.pid_path(gateway)
  return gateway.prefix .. "/pids/nginx.pid"
end


return _M
