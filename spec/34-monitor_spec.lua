local bed = require "spec.support.bed"
local monitor_module = require "spec.support.monitor"
local process = require "spec.support.process"
local redis_module = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"


-- How long the monitor stays away under load; make monitor-check takes a minute.
local AWAY_SECONDS = tonumber(os.getenv("MONITOR_AWAY_SECONDS") or 3)
local WAIT_SECONDS = 60
local CLIENTS = 3
local ALL_IN_LOG = "--detail detailed --log-rate 1000000"


local function count_keys(set)
  local count = 0
  for _ in pairs(set) do
    count = count + 1
  end

  return count
end


describe("gateway and monitor", function()
  local redis, world
  local monitors = {}


  local function start(options)
    local monitor = monitor_module.start(redis, options)
    monitors[#monitors + 1] = monitor
    return monitor
  end


  local function wait_for(what, ready)
    return assert(process.wait_until(WAIT_SECONDS, ready), "waited in vain for " .. what)
  end


  local function backlog()
    local fields = {}
    local group = redis:call("XINFO", "GROUPS", "masking:events:stream")[1]
    for i = 1, #group, 2 do
      fields[group[i]] = group[i + 1]
    end

    return fields.pending, fields.lag
  end


  -- Sends requests in the background, over several connections; call the result to stop and to know how many were
  -- answered.
  local function steady_load()
    local folder = process.temporary_folder()
    local stop_file = folder .. "/stop"
    for client = 1, CLIENTS do
      process.spawn(("luajit spec/support/steady_load.lua %d %s %s"):format(
                      world.port, process.quote(stop_file), process.quote(folder .. "/count" .. client)),
                    folder .. "/log" .. client, { LUA_PATH = "./?.lua;;" })
    end

    return function()
      process.write_file(stop_file, "now")
      local sum = 0
      for client = 1, CLIENTS do
        local count = wait_for("the end of the load", function()
          return process.read_file(folder .. "/count" .. client)
        end)
        local answered, failed = count:match("(%d+) (%d+)")
        assert.equal("0", failed)
        sum = sum + tonumber(answered)
      end
      process.remove_folder(folder)
      return sum
    end
  end


  before_each(function()
    redis = redis_module.start()
    world = bed.start({
      config = {
        enable_redis_events = true,
        event_detail = "detailed",
        event_flush_interval = 0.2,
        max_request_body_size = 100000,
        redis = { host = "127.0.0.1", port = redis.port },
      },
    })
  end)


  after_each(function()
    for _, monitor in ipairs(monitors) do
      monitor:stop()
    end
    monitors = {}
    world:stop()
    redis:stop()
  end)


  it("agree with the client on page and metrics", function()
    local monitor = start()
    for body, expected in pairs({
      [sample.messages()] = { status = 200, times = 40 },
      ['{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}'] = { status = 200, times = 25 },
      [("x"):rep(100001)] = { status = 413, times = 10 },
    }) do
      for _ = 1, expected.times do
        assert.equal(expected.status, world:send({ body = body }).status)
      end
    end

    wait_for("all events", function()
      return monitor:metric("aws_masker_requests_total") == 75 and monitor:metric("aws_masker_answers_total") == 40
    end)
    assert.equal(40, monitor:metric("aws_masker_requests_total", { 'outcome="masked"' }))
    assert.equal(25, monitor:metric("aws_masker_requests_total", { 'outcome="unchanged"' }))
    assert.equal(10, monitor:metric("aws_masker_blocked_total", { 'outcome="blocked"', 'reason="BODY_TOO_LARGE"' }))
    assert.equal(40, monitor:metric("aws_masker_answers_total", { 'outcome="restored"' }))
    assert.equal(65, monitor:metric("aws_masker_mask_seconds_count"))
    assert.equal(40, monitor:metric("aws_masker_restore_seconds_count"))
    assert.equal(0, monitor:metric("aws_masker_monitor_malformed_events_total"))
    local kinds = monitor:metric("aws_masker_masked_by_kind_total")
    assert.equal(monitor:metric("aws_masker_masked_stretches_total"), kinds)
    assert.is_true(kinds >= 40)

    local picture
    wait_for("the page", function()
      picture = monitor:picture()
      return picture.sums.requests == 75
    end)
    local sums = picture.sums
    assert.same({ 40, 25, 10, kinds, 0 },
                { sums.requests_masked, sums.requests_unchanged, sums.blocked, sums.masked, sums.unresolved })
    assert.equal(monitor:metric("aws_masker_restored_tokens_total"), sums.restored)
    assert.equal(75, picture.routes[1].requests)
    assert.equal("default", picture.routes[1].route)
  end)


  it("lose no event while the monitor is dead under load", function()
    local first = start({ arguments = ALL_IN_LOG })
    local stop = steady_load()
    wait_for("the load", function()
      return first:metric("aws_masker_requests_total") > 20
    end)
    first:kill()
    socket.sleep(AWAY_SECONDS)
    local second = start({ arguments = ALL_IN_LOG })
    socket.sleep(1)
    local sent = stop()
    -- the last batch is on its way for as long as event_flush_interval
    socket.sleep(1)
    wait_for("the backlog", function()
      local pending, lag = backlog()
      return pending == 0 and lag == 0
    end)

    local masked, unmasked = first:logged("request_id", "data_masked"), first:logged("request_id", "data_unmasked")
    for request_id in pairs(second:logged("request_id", "data_masked")) do
      masked[request_id] = true
    end
    for request_id in pairs(second:logged("request_id", "data_unmasked")) do
      unmasked[request_id] = true
    end
    print(("%d requests in all, %d of them counted after %d s without a monitor")
          :format(sent, second:metric("aws_masker_requests_total"), AWAY_SECONDS))
    assert.equal(sent, count_keys(masked))
    assert.equal(sent, count_keys(unmasked))
    assert.equal(0, second:metric("aws_masker_dropped_events_total"))
    if AWAY_SECONDS < 200 then
      wait_for("the page", function()
        return second:picture().sums.requests == sent
      end)
    end
  end)


  it("share the work between two monitors, and the living one takes over", function()
    local one = start({ consumer = "one", arguments = ALL_IN_LOG .. " --batch-size 10 --claim-idle 1" })
    local two = start({ consumer = "two", arguments = ALL_IN_LOG .. " --batch-size 10 --claim-idle 1" })
    local stop = steady_load()
    wait_for("both to work", function()
      return one:metric("aws_masker_events_total") > 20 and two:metric("aws_masker_events_total") > 20
    end)
    one:kill()
    socket.sleep(1)
    local sent = stop()
    socket.sleep(1)
    wait_for("the backlog", function()
      local pending, lag = backlog()
      return pending == 0 and lag == 0
    end)

    local masked = one:logged("request_id", "data_masked")
    for request_id in pairs(two:logged("request_id", "data_masked")) do
      masked[request_id] = true
    end
    assert.equal(sent, count_keys(masked))
  end)
end)
