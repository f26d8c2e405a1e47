-- Starts a gateway with the plugin and leaves it running.
--
-- usage: [REDIS_URL=…] luajit scripts/start-gateway.lua UPSTREAM_URL [PORT]
-- Prints "PID PORT FOLDER KIND"; the folder holds the gateway's config and logs.
local gateway = require "spec.support.gateway"
local process = require "spec.support.process"


local upstream_url, port = arg[1], tonumber(arg[2])

if port and process.accepts(port) then
  io.stderr:write("port ", port, " is in use; choose another one with PORT=…\n")
  os.exit(1)
end

-- The record for redis[s]://[[user]:password@]host[:port][/database].
local function redis_record(url)
  local tls, login, host, rest = url:match("^redis(s?)://(.-)([^@/:]+)([^@/]*/?%d*)$")
  local username, password = (login or ""):match("^(.-):(.*)@$")
  if not host or login ~= "" and not password then
    io.stderr:write("REDIS_URL is not redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]\n")
    os.exit(1)
  end

  return {
    host = host,
    port = tonumber(rest:match("^:(%d+)")),
    database = tonumber(rest:match("/(%d+)$")),
    username = username ~= "" and username or nil,
    password = password,
    ssl = tls == "s",
  }
end


local redis_url = os.getenv("REDIS_URL") or ""
local config = redis_url ~= "" and {
  use_redis = true,
  redis = redis_record(redis_url),
  enable_redis_events = true,
  event_detail = "detailed",
} or nil

local running, why = gateway.start({ upstream_url = upstream_url, port = port, config = config })
if not running then
  io.stderr:write("the gateway did not start:\n", why, "\n")
  os.exit(1)
end

print(running:pid() .. " " .. running.port .. " " .. running.folder .. " " .. gateway.kind)
