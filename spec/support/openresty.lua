-- Runs the OpenResty host for the specs.
local paths = require "spec.support.paths"
local process = require "spec.support.process"


local function run(command, gateway, options)
  local variables = {
    GATEWAY_CONFIG = gateway.config_path,
    GATEWAY_LISTEN = "127.0.0.1:" .. gateway.port,
    GATEWAY_WORKERS = options.workers or 2,
    GATEWAY_CPATH = options.library_cpath or paths.library_cpath,
  }
  for name, value in pairs(options.env or {}) do
    variables[name] = value
  end

  return process.capture(("env %s %s %s %s 2>&1 </dev/null")
                         :format(process.environment(variables), process.quote(paths.host .. "/gateway"), command,
                                 process.quote(gateway.prefix)))
end


local _M = {}


function _M.version()
  return (process.capture("nginx -v 2>&1"))
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
  return gateway.prefix .. "/nginx.pid"
end


return _M
