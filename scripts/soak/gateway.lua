-- Runs a gateway for the soak test and obeys it.
--
-- usage: luajit scripts/soak/gateway.lua UPSTREAM_PORT ADMIN_PORT INCLUDE
--
-- The first line of stdin is the plugin's config as JSON. Prints a line of JSON: pid, port, kind and log of the
-- gateway, and whether a config can be exchanged while its workers live on. Then each line is another config, answered
-- by a line when it was handed over; the end of stdin stops the gateway.
package.path = "./?.lua;" .. package.path

local cjson = require "cjson"
local gateway = require "spec.support.gateway"
local process = require "spec.support.process"


local upstream_port, admin_port, include = tonumber(arg[1]), tonumber(arg[2]), arg[3]

local running = assert(gateway.start({
  upstream_port = upstream_port,
  config = cjson.decode(io.read("*l")),
  env = {
    GATEWAY_INCLUDE = include,
    KONG_NGINX_PROXY_INCLUDE = include,
    KONG_ADMIN_LISTEN = "127.0.0.1:" .. admin_port,
    KONG_ADMIN_GUI_LISTEN = "off",
  },
}))

io.stdout:setvbuf("line")
print(cjson.encode({
  pid = running:pid(),
  port = running.port,
  kind = gateway.kind,
  version = gateway.describe(),
  log = running:log_path(),
  keeps_workers = gateway.kind == "kong",
}))

for line in io.lines() do
  local config = cjson.decode(line)
  if gateway.kind == "kong" then
    -- Kong without a database takes a whole new config over its Admin API, and keeps its workers
    running:configure({ config = config })
    local _, ok = process.capture(("curl -sSf -o /dev/null -F config=@%s http://127.0.0.1:%d/config")
                                  :format(process.quote(running.config_path), admin_port))
    print(ok and "ok" or "failed")
  else
    running:reload({ config = config }, function()
      return true
    end)
    print("ok")
  end
end

running:stop()
