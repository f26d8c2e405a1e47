-- Starts a gateway with the plugin and leaves it running.
--
-- usage: [REDIS_PORT=…] luajit scripts/start-gateway.lua UPSTREAM_URL [PORT]
-- Prints "PID PORT FOLDER KIND"; the folder holds the gateway's config and logs.
local gateway = require "spec.support.gateway"
local process = require "spec.support.process"


local upstream_url, port = arg[1], tonumber(arg[2])

if port and process.accepts(port) then
  io.stderr:write("port ", port, " is in use; choose another one with PORT=…\n")
  os.exit(1)
end

local redis_port = tonumber(os.getenv("REDIS_PORT"))
local config = redis_port and {
  use_redis = true,
  redis = { host = "127.0.0.1", port = redis_port },
  enable_redis_events = true,
  event_detail = "detailed",
}

local running, why = gateway.start({ upstream_url = upstream_url, port = port, config = config })
if not running then
  io.stderr:write("the gateway did not start:\n", why, "\n")
  os.exit(1)
end

print(running:pid() .. " " .. running.port .. " " .. running.folder .. " " .. gateway.kind)
