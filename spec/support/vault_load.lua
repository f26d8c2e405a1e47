-- Load on a gateway whose Redis takes few clients, is slow or fails meanwhile.
local bed = require "spec.support.bed"
local cjson = require "cjson"
local paths = require "spec.support.paths"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"
local tcp_proxy = require "spec.support.tcp_proxy"
local vault = require "spec.support.vault"


local START_SECONDS = 20
local SAMPLE_SECONDS = 0.1
local TOKENS = 50
-- all ids of load.py begin with this
local LEAK = "i-0feed"


local _M = {}


local function workers(gateway)
  local pids = {}
  for pid in process.read_file(("/proc/%d/task/%d/children"):format(gateway:pid(), gateway:pid())):gmatch("%d+") do
    pids[#pids + 1] = pid
  end

  return table.concat(pids, " ")
end


-- Has the gateway store some tokens.
-- @return their originals
local function store_tokens(world)
  local ids = {}
  for i = 1, TOKENS do
    ids[i] = ("i-0%016x"):format(0x5a3e0000000 + i * 7919)
  end

  world:send({ body = sample.messages({ text = table.concat(ids, " ") }) })
  return ids
end


-- Writes down for the driver what it may send.
local function prepare_tokens(world, redis, path)
  local ids = store_tokens(world)
  vault.settle(redis, TOKENS)

  local lines = {}
  for token in world:upstream_text():gmatch("%S+") do
    lines[#lines + 1] = token .. " " .. ids[#lines + 1]
  end
  process.write_file(path, table.concat(lines, "\n") .. "\n")
end


-- Counts the connections of others, over one of its own that stays open while Redis does.
local Sampler = {}
Sampler.__index = Sampler


function Sampler:count()
  self.call = self.call or self.redis:connect(SAMPLE_SECONDS)
  if not self.call then
    return nil
  end

  local ok, list = pcall(self.call, "CLIENT", "LIST")
  if not ok or type(list) ~= "string" then
    self.call = nil
    return nil
  end

  local count = 0
  for line in list:gmatch("[^\n]+") do
    if not line:find("cmd=client", 1, true) then
      count = count + 1
    end
  end

  return count
end


-- What is new is stored behind the requests' backs: some of it after the last answer.
local function settled_calls(redis, is_settled)
  local calls
  process.wait_until(START_SECONDS, function()
    local called, result = pcall(redis.calls, redis)
    calls = called and result or calls
    return called and (not is_settled or is_settled(calls))
  end)

  return calls
end


-- Runs the driver and watches Redis meanwhile.
local function measure(world, redis, options, folder)
  world:reset({ LEAK })
  prepare_tokens(world, redis, folder .. "/tokens")
  redis:call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
  redis:call("CONFIG", "RESETSTAT")
  local before = workers(world.gateway)

  world.mock:reset()
  world.mock:watch({ LEAK })
  local command = "python3 %s --path /load/v1/messages --port %d --clients %d --requests %d --seconds %g"
                  .. " --tokens %s"
  local pid = process.spawn(command:format(
    process.quote(paths.root .. "/spec/support/load.py"), world.port, options.clients or 100, options.requests or 0,
    options.seconds or 0, process.quote(folder .. "/tokens")), folder .. "/report")
  process.wait_until(START_SECONDS, function()
    return world.mock:count() > 0 or not process.is_alive(pid)
  end)

  local started = socket.gettime()
  local faults = { unpack(options.faults or {}) }
  local samples, most = {}, 0
  local sampler = setmetatable({ redis = redis }, Sampler)
  while process.is_alive(pid) do
    local at = socket.gettime() - started
    if faults[1] and at >= faults[1].at then
      local fault = table.remove(faults, 1)
      fault.act(redis)
      if fault.stores then
        store_tokens(world)
      end
      samples[#samples + 1] = { at = at, what = fault.what }
    end

    local count = sampler:count()
    samples[#samples + 1] = { at = at, connections = count }
    most = math.max(most, count or 0)
    socket.sleep(SAMPLE_SECONDS)
  end

  local text = process.read_file(folder .. "/report")
  local ok, report = pcall(cjson.decode, text)
  assert(ok, "load.py failed: " .. text)
  assert(#faults == 0, "the load ended before the last fault")
  report.leaks = world.mock:leaks()
  report.restarts = before == workers(world.gateway) and 0 or 1
  report.connections = most
  report.samples = samples
  report.log = world.gateway:error_log()
  report.commands = settled_calls(redis, options.settled)
  return report
end


--- Runs a load and gives a report.
-- @param options table: clients (100), requests or seconds, pool_size (of each worker, 4), maxclients (10), delay_ms
-- (of replies), faults (array of { at = seconds, what = text, act = function(redis), stores = whether the tokens are
-- stored again then }), settled = function(calls) that says whether Redis got all that the report waits for
-- @return what load.py reports, and: leaks, restarts (of workers), connections (the most seen), pool (of all workers),
-- samples (array of { at, connections }), log (of the gateway)
function _M.run(options)
  local redis = redis_server.start({ arguments = "--maxclients " .. (options.maxclients or 10) })
  local proxy = options.delay_ms and tcp_proxy.start(redis.port, "delay:" .. options.delay_ms)
  local pool_size = options.pool_size or 4
  local config = vault.config(redis.port, { redis_pool_size = pool_size, token_scope = "global" })
  -- another way to the same place: the tokens are stored without the delay
  local slow = proxy and vault.config(proxy.port, { redis_pool_size = pool_size, token_scope = "global" })
  local world = bed.start({ config = config, routes = { load = slow or config } })
  local folder = process.temporary_folder()

  local ok, report = pcall(measure, world, redis, options, folder)
  world:stop()
  if proxy then
    proxy:stop()
  end
  redis:stop()
  process.remove_folder(folder)

  assert(ok, report)
  report.pool = 2 * pool_size
  return report
end


return _M
