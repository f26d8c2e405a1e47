local bed = require "spec.support.bed"
local events = require "spec.support.events"
local http = require "spec.support.http"
local process = require "spec.support.process"
local redis_module = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"


-- Fields that only `event_detail = detailed` may add.
local DETAILS = { "request_id", "service", "route", "status", "kinds" }

local LONG_NAME = ("namespace.ingress."):rep(8)


describe("monitoring events", function()
  local redis, world


  -- A plugin config that sends events soon.
  local function config(changes)
    local result = {
      enable_redis_events = true,
      event_flush_interval = 0.1,
      redis = { host = "127.0.0.1", port = redis.port },
    }
    for name, value in pairs(changes or {}) do
      result[name] = value
    end

    return result
  end


  local function send(route, request)
    request = request or {}
    request.path = "/" .. route .. (request.path or "/v1/messages")
    request.body = request.body or sample.messages()
    return world:send(request)
  end


  setup(function()
    redis = redis_module.start()
    world = bed.start({
      config = config(),
      routes = {
        minimal = config(),
        detailed = config({ event_detail = "detailed" }),
        [LONG_NAME] = config({ event_detail = "detailed" }),
        dry = config({ dry_run = true }),
        unrestored = config({ restore_responses = false }),
        lenient = config({ on_error = "allow", unsupported_content = "allow" }),
        small = config({ max_request_body_size = 10 }),
        never = config({ event_sampling_rate = 0 }),
        half = config({ event_sampling_rate = 0.5 }),
        pubsub = config({ event_transport = "pubsub" }),
        both = config({ event_transport = "both", redis_event_stream = "other:stream",
                        redis_event_channel = "other:channel" }),
        short = config({ event_stream_maxlen = 100, redis_event_stream = "short" }),
        off = {},
        broken = config({ redis_event_stream = "a string" }),
      },
    })
  end)


  teardown(function()
    world:stop()
    redis:stop()
  end)


  before_each(function()
    -- whatever is still under way must not be taken for something else
    socket.sleep(0.25)
    redis:call("FLUSHALL")
  end)


  describe("of one exchange", function()
    it("tell of the request and of the answer, once each", function()
      local body = sample.messages()
      local answer = send("minimal", { body = body })
      local sent = events.wait(redis, 2)

      assert.same({ "data_masked masked", "data_unmasked restored" }, events.summary(sent))
      local masked, unmasked = sent[1], sent[2]
      assert.equal(#body, masked.bytes_in)
      assert.equal(#world.mock:last_body(), masked.bytes_out)
      assert.equal(5, masked.masked)
      assert.equal(5, masked.distinct)
      assert.is_true(masked.microseconds < 1e6)
      assert.equal(#answer.body, unmasked.bytes_out)
      assert.equal(5, unmasked.restored)
      assert.equal(0, unmasked.unresolved)
      assert.is_true(math.abs(masked.timestamp / 1000 - socket.gettime()) < 10)
      events.check(sent)
    end)


    it("say nothing more than counts, sizes and times by default", function()
      send("minimal")
      for _, event in ipairs(events.wait(redis, 2)) do
        for _, name in ipairs(DETAILS) do
          assert.is_nil(event[name], name)
        end
      end
    end)


    it("name request, service, route and kinds when detailed", function()
      send("detailed")
      local sent = events.wait(redis, 2)

      assert.same({
        ["ec2:instance"] = 2, ["ec2:vpc"] = 1, ["ec2:subnet"] = 1, ["ec2:security-group"] = 1,
      }, sent[1].kinds)
      for _, event in ipairs(sent) do
        assert.equal("detailed", event.route)
        assert.equal("llm", event.service)
        assert.equal(200, event.status)
        assert.matches("^%x+$", event.request_id)
      end
      assert.equal(sent[1].request_id, sent[2].request_id)
      events.check(sent)
    end)


    if bed.kind == "kong" then
      -- an ingress controller puts together what it calls them
      it("give the id of a route whose name is too long for an event", function()
        send(LONG_NAME)
        local sent = events.wait(redis, 2)

        assert.equal(2, #sent)
        assert.matches("^%x+%-%x+%-%x+%-%x+%-%x+$", sent[1].route)
        events.check(sent)
      end)
    end


    it("tell of a clean request that nothing was found", function()
      send("minimal", { body = sample.messages({ text = "hello" }) })
      local sent = events.wait(redis, 1)

      assert.same({ "data_masked unchanged" }, events.summary(sent))
      assert.equal(sent[1].bytes_in, sent[1].bytes_out)
      assert.equal(0, sent[1].masked)
      events.check(sent)
    end)


    it("are none for a request without a body", function()
      send("minimal", { method = "GET", path = "/v1/models", body = "" })

      assert.same({}, events.wait(redis, 0))
    end)


    it("tell of a streamed answer once, when it is over", function()
      send("minimal", { body = sample.messages({ stream = true }), headers = { ["x-mock-delta"] = 3 } })
      local sent = events.wait(redis, 2)

      assert.same({ "data_masked masked", "data_unmasked restored" }, events.summary(sent))
      assert.equal(5, sent[2].restored)
      events.check(sent)
    end)


    it("tell of an answer that breaks off", function()
      send("minimal", { body = sample.messages({ stream = true }), headers = { ["x-mock-reply"] = "reset" } })
      local sent = events.wait(redis, 2)

      assert.same({ "data_masked masked", "data_unmasked incomplete" }, events.summary(sent))
      events.check(sent)
    end)


    it("tell of a client that leaves", function()
      local client = assert(socket.connect("127.0.0.1", world.port))
      local body = sample.messages({ stream = true })
      client:send("POST /minimal/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                  .. "x-mock-delay-ms: 200\r\nx-mock-delta: 2\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body)
      assert(client:receive("*l"))
      client:close()
      local sent = events.wait(redis, 2)

      assert.same({ "data_masked masked", "data_unmasked incomplete" }, events.summary(sent))
      events.check(sent)
    end)


    it("count tokens of the answer that nothing is known for", function()
      local text = sample.VPC .. " as in EC2_ABCDEFG2 and HOST_OVERRIDE and S3_QRSTUVW7"
      for _, stream in ipairs({ false, true }) do
        redis:call("FLUSHALL")
        local body = sample.messages({ text = text, stream = stream })
        send("minimal", { body = body, headers = { ["x-mock-delta"] = 3 } })
        local sent = events.wait(redis, 2)

        assert.equal(1, sent[2].restored)
        assert.equal(2, sent[2].unresolved)
      end
    end)


    it("tell of a dry run", function()
      send("dry")
      send("dry", { body = '{"broken":"' .. sample.VPC })
      local sent = events.wait(redis, 2)

      assert.same({ "data_masked dry_run", "mask_blocked dry_run INVALID_BODY" }, events.summary(sent))
      events.check(sent)
    end)


    it("tell of a dry run of a request that has a query and no body", function()
      world:send({ method = "GET", path = "/dry/v1/models?near=" .. sample.VPC })
      local sent = events.wait(redis, 1)

      assert.same({ "data_masked dry_run" }, events.summary(sent))
      assert.equal(1, sent[1].masked)
      assert.matches("dry run: 1 values would have been masked", world.gateway:error_log(), 1, true)
      events.check(sent)
    end)


    it("tell why an answer was not restored", function()
      send("unrestored")
      send("minimal", { headers = { ["x-mock-encoding"] = "br-bogus" } })
      send("minimal", { headers = { ["x-mock-reply"] = "empty", ["x-mock-status"] = 204 } })
      local sent = events.wait(redis, 6)

      assert.same({
        "data_masked masked", "data_masked masked", "data_masked masked",
        "restore_skipped skipped coding", "restore_skipped skipped disabled", "restore_skipped skipped no_body",
      }, events.summary(sent))
      events.check(sent)
    end)


    it("tell of requests that could not be masked, stopped or not", function()
      assert.equal(400, send("minimal", { body = '{"broken":"' .. sample.VPC }).status)
      assert.equal(415, send("minimal", { body = "\137PNG", headers = { ["Content-Type"] = "image/png" } }).status)
      assert.equal(413, send("small").status)
      send("lenient", { body = '{"broken":"' .. sample.VPC })
      send("lenient", { body = "\137PNG", headers = { ["Content-Type"] = "image/png" } })
      local sent = events.wait(redis, 5)

      assert.same({
        "mask_blocked allowed INVALID_BODY", "mask_blocked allowed UNSUPPORTED_CONTENT",
        "mask_blocked blocked BODY_TOO_LARGE", "mask_blocked blocked INVALID_BODY",
        "mask_blocked blocked UNSUPPORTED_CONTENT",
      }, events.summary(sent))
      events.check(sent)
    end)


    it("are none where they are not switched on", function()
      send("off")

      assert.same({}, events.wait(redis, 0))
    end)
  end)


  describe("are sampled", function()
    it("not at all at 0, but for requests that could not be masked", function()
      for _ = 1, 5 do
        send("never")
      end
      send("never", { body = '{"broken":"' .. sample.VPC })

      assert.same({ "mask_blocked blocked INVALID_BODY" }, events.summary(events.wait(redis, 1)))
    end)


    it("by the exchange, so that one is reported whole or not at all", function()
      for _ = 1, 60 do
        send("half")
      end
      socket.sleep(0.5)
      local sent = events.wait(redis, 2)
      local masked, unmasked = #events.of_type(sent, "data_masked"), #events.of_type(sent, "data_unmasked")

      assert.equal(masked, unmasked)
      assert.is_true(masked > 8 and masked < 52, masked .. " of 60")
      events.check(sent)
    end)
  end)


  describe("travel", function()
    it("over the channel only", function()
      local subscriber = redis:subscribe("kong:masking:events")
      send("pubsub")
      local messages = subscriber:receive(2)
      subscriber:close()

      local cjson = require "cjson"
      local types = {}
      for i, message in ipairs(messages) do
        types[i] = cjson.decode(message).type
      end
      assert.same({ "data_masked", "data_unmasked" }, types)
      assert.equal(0, redis:call("XLEN", events.STREAM))
    end)


    it("over both, with names of one's own and the same bytes", function()
      local subscriber = redis:subscribe("other:channel")
      send("both")
      local messages = subscriber:receive(2)
      subscriber:close()

      local sent = events.wait(redis, 2, "other:stream")
      assert.same({ sent[1].text, sent[2].text }, messages)
      events.check(sent)
    end)


    it("in batches, over connections that stay open", function()
      send("minimal")
      events.wait(redis, 2)
      redis:call("FLUSHALL")
      local before = redis:info("total_connections_received")
      local connections = 0
      for round = 1, 5 do
        for _ = 1, 10 do
          send("minimal")
        end
        connections = connections + 1
        events.wait(redis, round * 20)
      end

      -- those of this spec, one for each call, and at most one a worker
      local sent = events.read(redis)
      assert.equal(100, #sent)
      local calls = redis:calls()
      assert.is_true(calls.xadd >= 100)
      local of_gateway = 0
      for line in redis:call("CLIENT", "LIST"):gmatch("[^\n]+") do
        of_gateway = of_gateway + (line:find("cmd=xadd", 1, true) and 1 or 0)
      end
      assert.is_true(of_gateway >= 1 and of_gateway <= 2, of_gateway .. " connections")
      assert.is_number(before)
      events.check(sent)
    end)


    it("into a stream that stays short", function()
      for _ = 1, 400 do
        send("short", { body = sample.messages({ text = "hello" }) })
      end
      process.wait_until(10, function()
        return (redis:calls().xadd or 0) >= 400
      end)

      -- Redis trims whole nodes, of 100 entries by default
      local length = redis:call("XLEN", "short")
      assert.is_true(length >= 100 and length <= 300, length .. " entries")
    end)


    it("not at all when Redis refuses them, and the log says so without the event", function()
      redis:call("SET", "a string", "x")
      assert.equal(200, send("broken").status)
      assert.is_truthy(process.wait_until(10, function()
        return world.gateway:error_log():find("WRONGTYPE", 1, true)
      end))
      assert.is_nil(world.gateway:error_log():find("data_masked", 1, true))
      redis:call("DEL", "a string")
      local sent = events.wait(redis, 3, "a string")

      assert.same({ "data_masked masked", "data_unmasked restored", "redis_error delayed reply" }, events.summary(sent))
      events.check(sent)
    end)


    it("over the channel while the stream takes none, and tell how many the stream has lost", function()
      redis:call("CONFIG", "SET", "maxmemory", "1")
      send("both")
      assert.is_truthy(process.wait_until(10, function()
        return world.gateway:error_log():find("2 of 4 commands that carry monitoring events, and 2 events are lost", 1,
                                              true)
      end))
      redis:call("CONFIG", "SET", "maxmemory", "0")
      -- the other worker may take it, and has lost nothing
      local told
      assert.is_truthy(process.wait_until(10, function()
        send("both", { body = sample.messages({ text = "hello" }) })
        for _, event in ipairs(events.read(redis, "other:stream")) do
          told = told or event.dropped
        end
        return told
      end))

      assert.equal(2, told)
    end)
  end)
end)


describe("a reload of the config", function()
  local redis, world


  setup(function()
    redis = redis_module.start()
    world = bed.start({ config = {}, workers = 2 })
  end)


  teardown(function()
    world:stop()
    redis:stop()
  end)


  local function config(changes)
    local result = { enable_redis_events = true, event_flush_interval = 0.05,
                     redis = { host = "127.0.0.1", port = redis.port } }
    for name, value in pairs(changes or {}) do
      result[name] = value
    end

    return result
  end


  local function send()
    return http.request({ port = world.port, path = "/v1/messages", body = sample.messages(),
                          headers = { ["Content-Type"] = "application/json" } })
  end


  -- Reloads until an exchange is reported as `is_active` wants it.
  local function reload(changes, is_active)
    world.gateway:reload({ config = config(changes) }, function()
      send()
      socket.sleep(0.2)
      return is_active()
    end)
  end


  local function length(stream)
    return redis:call("XLEN", stream)
  end


  it("turns events on, renames the stream, samples and adds detail, without a restart", function()
    local pid = world.gateway:pid()
    send()
    assert.equal(0, length(events.STREAM))

    reload({}, function()
      return length(events.STREAM) > 0
    end)

    reload({ redis_event_stream = "renamed", event_detail = "detailed" }, function()
      return length("renamed") > 0
    end)
    for _, event in ipairs(events.read(redis, "renamed")) do
      assert.equal("default", event.route)
    end

    local subscriber = redis:subscribe("channel:2")
    reload({ event_transport = "pubsub", redis_event_channel = "channel:2" }, function()
      return subscriber:receive(1, 0.2)[1]
    end)
    subscriber:close()

    reload({ redis_event_stream = "sampled", event_sampling_rate = 0 }, function()
      http.request({ port = world.port, path = "/v1/messages", body = '{"broken":"' .. sample.VPC,
                     headers = { ["Content-Type"] = "application/json" } })
      socket.sleep(0.2)
      return length("sampled") > 0
    end)
    for _, event in ipairs(events.read(redis, "sampled")) do
      assert.equal("mask_blocked", event.type)
    end

    assert.equal(pid, world.gateway:pid())
  end)
end)
