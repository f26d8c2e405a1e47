-- Events while Redis does not take them.
local bed = require "spec.support.bed"
local events = require "spec.support.events"
local process = require "spec.support.process"
local redis_module = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"


-- How long Redis stays away; make monitor-check takes a minute.
local AWAY_SECONDS = tonumber(os.getenv("MONITOR_AWAY_SECONDS") or 2)
-- Between two requests meanwhile: what a minute makes has to stay under the bound of the queue.
local PAUSE_SECONDS = 0.015
-- Requests before that, to compare with.
local CALM = 50


describe("monitoring events and a Redis that is away", function()
  local redis, world


  before_each(function()
    redis = redis_module.start()
  end)


  after_each(function()
    world:stop()
    redis:stop()
  end)


  local function start(workers, changes)
    local config = {
      enable_redis_events = true,
      event_flush_interval = 0.1,
      redis = { host = "127.0.0.1", port = redis.port, timeout = 500 },
    }
    for name, value in pairs(changes or {}) do
      config[name] = value
    end
    world = bed.start({ config = config, workers = workers })
  end


  local function connect()
    local client = assert(socket.connect("127.0.0.1", world.port))
    client:settimeout(30)
    return client
  end


  -- Sends `count` clean requests, a thousand over each connection.
  local function flood(count)
    local client = connect()
    local body = sample.messages({ text = "hello" })
    local request = "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nx-mock-record: no\r\n"
                    .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
    for i = 1, count do
      if i % 1000 == 0 then
        client:close()
        client = connect()
      end
      assert(client:send(request))
      local status = assert(client:receive("*l"))
      assert.matches(" 200 ", status)
      local length
      repeat
        local line = assert(client:receive("*l"))
        length = tonumber(line:lower():match("^content%-length: (%d+)")) or length
      until line == ""
      assert(client:receive(length))
    end
    client:close()
  end


  local function timed_request()
    local started = socket.gettime()
    assert.equal(200, world:send({ body = sample.messages() }).status)
    return socket.gettime() - started
  end


  local function median(numbers)
    table.sort(numbers)
    return numbers[math.ceil(#numbers / 2)]
  end


  it("neither slow requests down nor make them fail, and arrive later", function()
    start(1)
    flood(20)
    local calm = {}
    for i = 1, CALM do
      calm[i] = timed_request()
    end
    local before = median(calm)
    events.wait(redis, 20 + 2 * CALM)
    redis:kill()

    local ends, count, seconds = socket.gettime() + AWAY_SECONDS, 0, {}
    repeat
      count = count + 1
      seconds[count] = timed_request()
      socket.sleep(PAUSE_SECONDS)
    until socket.gettime() > ends
    assert.is_true(median(seconds) < 2 * before + 0.005, median(seconds) .. " s instead of " .. before .. " s")

    -- comes back empty
    redis:run()
    local sent = events.wait(redis, 2 * count + 1)
    assert.equal(count, #events.of_type(sent, "data_masked"))
    assert.equal(count, #events.of_type(sent, "data_unmasked"))
    for _, event in ipairs(sent) do
      assert.is_nil(event.dropped)
    end
    assert.is_true(#events.of_type(sent, "redis_error") >= 1)
  end)


  it("wait for a Redis that hangs", function()
    start(1)
    flood(1)
    events.wait(redis, 1)
    redis:pause()
    local started = socket.gettime()
    flood(30)
    -- not one of them waited for the 500 ms that Redis is given
    assert.is_true(socket.gettime() - started < 7)
    redis:resume()

    local sent = events.wait(redis, 32)
    local masked = {}
    for _, event in ipairs(events.of_type(sent, "data_masked")) do
      -- a batch that got no answer in time is sent again: delivery is at least once
      masked[event.source .. event.sequence] = true
    end
    local count = 0
    for _ in pairs(masked) do
      count = count + 1
    end
    assert.equal(31, count)
  end)


  it("tell that the vault could not be read or written", function()
    start(1, { use_redis = true, token_secret = "0123456789abcdef" })
    flood(1)
    events.wait(redis, 1)
    redis:kill()
    -- a token that this request cannot explain has to be asked for
    assert.equal(200, world:send({ body = sample.messages({ text = sample.VPC .. " EC2_ABCDEFG2" }) }).status)
    socket.sleep(1)
    redis:run()

    local found = {}
    process.wait_until(20, function()
      for _, event in ipairs(events.of_type(events.read(redis), "redis_error")) do
        found[event.operation .. " " .. event.outcome] = true
      end
      return found["read degraded"] and found["write degraded"]
    end)
    assert.is_true(found["read degraded"])
    assert.is_true(found["write degraded"])
    events.check(events.read(redis))
  end)


  it("are bounded; what is lost is counted exactly, and the log stays quiet", function()
    start(1)
    flood(1)
    events.wait(redis, 1)
    redis:kill()
    flood(10500)
    redis:run()
    process.wait_until(30, function()
      return redis:call("XLEN", events.STREAM) >= 10001
    end)
    local sent = events.wait(redis, 10001)

    local dropped = 0
    for _, event in ipairs(sent) do
      dropped = dropped + (event.dropped or 0)
    end
    assert.equal(10000, #events.of_type(sent, "data_masked"))
    assert.equal(500, dropped)
    events.check(sent)

    local _, lines = world.gateway:error_log():gsub("\n", "")
    assert.is_true(lines < 60, lines .. " lines")
  end)


  it("are lost with a count in the log when the worker ends", function()
    start(1)
    redis:kill()
    flood(7)
    world.gateway:reload({ config = { dry_run = true } }, function()
      return world.gateway:error_log():find("monitoring events are lost", 1, true)
    end)

    local lost = 0
    for count in world.gateway:error_log():gmatch("(%d+) monitoring events are lost") do
      lost = lost + count
    end
    assert.equal(7, lost)
    redis:run()
  end)
end)
