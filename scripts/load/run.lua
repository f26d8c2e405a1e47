-- Measures what the plugin costs, beside gateways that do less, in one run.
--
-- Six routes of one gateway lead to one upstream: bare; a plugin that does nothing; one that copies the bodies (the
-- floor of any plugin that rewrites them); aws-masker, which knows the requests after the first; aws-masker to which
-- all are new; aws-masker that sends events. Rounds are interleaved, and ratios are taken within a round, so that a
-- machine that is busy with other things shifts all of them alike.
--
-- usage: luajit scripts/load/run.lua    (see `usage` below for the variables)
local bodies = require "scripts.load.bodies"
local events = require "scripts.load.events"
local gateway = require "spec.support.gateway"
local large = require "scripts.load.large"
local mock = require "spec.support.mock"
local paths = require "spec.support.paths"
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local report = require "scripts.load.report"
local workers = require "scripts.load.workers"


local ROUTES = { "bare", "nothing", "floor", "masker", "anew", "events" }

local function number(name, default)
  return tonumber(os.getenv(name) or "") or default
end

-- Seconds of one measurement, and how often each is made.
local SECONDS = number("LOAD_SECONDS", 2)
local ROUNDS = number("LOAD_ROUNDS", 5)
local CONNECTIONS = number("LOAD_CONNECTIONS", 32)
-- In which requests with events on and off take turns.
local EVENT_SECONDS = number("LOAD_EVENT_SECONDS", 20)
local WORKERS = number("LOAD_WORKERS", 2)
local OUT = os.getenv("LOAD_OUT") or paths.root .. "/target/load"

local WARM_UPS = 2

local KINDS = { "clean", "dense" }

local BODY_BUFFER = "4m"


local function sizes()
  local result = {}
  for size in (os.getenv("LOAD_SIZES") or "1 4 32 256"):gmatch("%d+") do
    result[#result + 1] = tonumber(size)
  end

  return result
end


local function declarative(upstreams, redis_port)
  local sends_events = {
    enable_redis_events = true,
    redis = { host = "127.0.0.1", port = redis_port },
  }
  local plugins = {
    nothing = { { name = "load-nothing" } },
    floor = { { name = "load-floor" } },
    masker = { { name = "aws-masker" } },
    anew = { { name = "aws-masker", config = { scan_cache_size = 0 } } },
    events = { { name = "aws-masker", config = sends_events } },
  }

  local services = {}
  for name, upstream in pairs(upstreams) do
    local routes = {}
    for _, route in ipairs(ROUTES) do
      routes[#routes + 1] = {
        name = name .. "-" .. route,
        paths = { "/" .. name .. "/" .. route },
        plugins = plugins[route],
      }
    end
    services[#services + 1] = { name = name, url = "http://127.0.0.1:" .. upstream.port, routes = routes }
  end

  return { _format_version = "3.0", services = services }
end


local function wrk(world, route, body_path, connections, pause_ms)
  local before = workers.cpu_seconds(world.gateway)
  local command = ("wrk -t1 -c%d -d%gs -s %s http://127.0.0.1:%d/fast/%s/v1/messages -- %s %d 2>&1"):format(
    connections, SECONDS, process.quote(paths.root .. "/scripts/load/wrk.lua"), world.gateway.port, route,
    process.quote(body_path), pause_ms)
  local output, ok = process.capture(command)
  local requests, duration, errors, p50, p90, p99 = output:match("measured (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)")
  assert(ok and requests, "wrk failed:\n" .. output)
  requests = tonumber(requests)

  return {
    requests = requests,
    errors = tonumber(errors),
    per_second = requests / tonumber(duration) * 1e6,
    p50 = tonumber(p50),
    p90 = tonumber(p90),
    p99 = tonumber(p99),
    cpu = (workers.cpu_seconds(world.gateway) - before) / requests * 1e6,
  }
end


-- All rounds of one body. Each begins with another route, so that none is always the one after the pause.
local function measure(world, body_path, connections, pause_ms)
  local rounds = {}
  -- LuaJIT takes tens of thousands of requests to compile what it will
  for _ = 1, WARM_UPS do
    for _, route in ipairs(ROUTES) do
      wrk(world, route, body_path, connections, pause_ms)
    end
  end

  for round = 1, ROUNDS do
    rounds[round] = {}
    for i = 1, #ROUTES do
      local route = ROUTES[(i + round) % #ROUTES + 1]
      rounds[round][route] = wrk(world, route, body_path, connections, pause_ms)
    end
  end

  return rounds
end


-- The pause between the requests of a connection at which the busiest route carries half of what it can.
local function half_load_pause(full)
  local least = math.huge
  for _, round in ipairs(full) do
    for _, route in ipairs(ROUTES) do
      least = math.min(least, round[route].per_second)
    end
  end

  return math.max(1, math.floor(CONNECTIONS / (least / 2) * 1000 + 0.5))
end


local function say(...)
  io.stderr:write(table.concat({ ... }), "\n")
end


local function measure_bodies(world, folder)
  local results = {}
  for _, size in ipairs(sizes()) do
    for _, kind in ipairs(KINDS) do
      local path = folder .. "/" .. kind .. size
      local body = bodies.make(kind, size * 1024)
      process.write_file(path, body)
      say("  ", size, " KB, ", kind)

      local full = measure(world, path, CONNECTIONS, 0)
      results[#results + 1] = {
        size = size,
        kind = kind,
        bytes = #body,
        full = full,
        half = measure(world, path, CONNECTIONS, half_load_pause(full)),
        events = events.measure(world, path, EVENT_SECONDS),
        memory = workers.memory(world.gateway),
      }
    end
  end

  return results
end


-- `ab -n 10000 -c 100` on /analyze-claude, as the proof of concept was measured.
local function apache_bench(world, folder)
  local path = folder .. "/dense4"
  if not process.read_file(path) then
    process.write_file(path, bodies.make("dense", 4096))
  end

  local results = {}
  for _, route in ipairs(ROUTES) do
    local output, ok = process.capture(
      ("ab -q -k -l -n 10000 -c 100 -p %s -T application/json http://127.0.0.1:%d/fast/%s/analyze-claude 2>&1"):format(
        process.quote(path), world.gateway.port, route))
    assert(ok, "ab failed:\n" .. output)
    results[route] = {
      complete = tonumber(output:match("Complete requests:%s+(%d+)")),
      failed = tonumber(output:match("Failed requests:%s+(%d+)")) + tonumber(output:match("Non%-2xx responses:%s+(%d+)")
                                                                             or 0),
      per_second = tonumber(output:match("Requests per second:%s+([%d.]+)")),
      p50 = tonumber(output:match("50%%%s+(%d+)")),
      p99 = tonumber(output:match("99%%%s+(%d+)")),
    }
  end

  return results
end


local function start()
  local world = {
    upstreams = { fast = mock.start({ arguments = "--fast" }), echo = mock.start() },
    redis = redis.start(),
  }
  local why
  world.gateway, why = gateway.start({
    declarative = declarative(world.upstreams, world.redis.port),
    workers = WORKERS,
    env = {
      GATEWAY_BODY_BUFFER = BODY_BUFFER,
      GATEWAY_PLUGINS = "load-nothing,load-floor",
      GATEWAY_LPATH = paths.root .. "/scripts/load/plugins/?.lua",
      KONG_NGINX_HTTP_CLIENT_BODY_BUFFER_SIZE = BODY_BUFFER,
      KONG_PLUGINS = "bundled,aws-masker,load-nothing,load-floor",
      KONG_LUA_PACKAGE_PATH = paths.plugin .. "/?.lua;" .. paths.root .. "/scripts/load/plugins/?.lua;;",
    },
  })
  if not world.gateway then
    world.redis:stop()
    for _, upstream in pairs(world.upstreams) do
      upstream:stop()
    end
    error("the gateway did not start: " .. why)
  end

  return world
end


local function stop(world)
  world.gateway:stop()
  world.redis:stop()
  for _, upstream in pairs(world.upstreams) do
    upstream:stop()
  end
end


local function main()
  say("gateway: ", gateway.describe())
  local world = start()
  local folder = process.temporary_folder()

  local ok, result = xpcall(function()
    say("bodies, ", ROUNDS, " rounds of ", SECONDS, " s for each route, at full and at half load")
    local results = measure_bodies(world, folder)
    say("ab -n 10000 -c 100")
    local bench = apache_bench(world, folder)
    say("large answers")
    return {
      gateway = gateway.describe(),
      workers = WORKERS,
      connections = CONNECTIONS,
      seconds = SECONDS,
      rounds = ROUNDS,
      event_seconds = EVENT_SECONDS,
      routes = ROUTES,
      bodies = results,
      apache_bench = bench,
      large_answers = large.measure(world.gateway),
    }
  end, debug.traceback)

  stop(world)
  process.remove_folder(folder)
  if not ok then
    error(result, 0)
  end

  os.execute("mkdir -p " .. process.quote(OUT))
  local text, data = report.write(result)
  process.write_file(OUT .. "/report.md", text)
  process.write_file(OUT .. "/report.json", data)
  print(text)
  say("written: ", OUT, "/report.md and report.json")
end


main()
