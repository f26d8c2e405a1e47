-- Known originals go through every path; afterwards everything that the plugin, the gateway and the monitor wrote or
-- serve is searched for them, for the tokens that stood for them, and for other bytes of the bodies.
local bed = require "spec.support.bed"
local cjson = require "cjson"
local events = require "spec.support.events"
local http = require "spec.support.http"
local paths = require "spec.support.paths"
local process = require "spec.support.process"
local redis_module = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"


-- Words of the bodies that are no identifiers.
local REQUEST_CANARY = "persimmon-question"
local TERM = "quetzal-project"
local KEY = "sk-ant-spec-9f2c41d07b"
local BASIC = "Basic c3BlYzpzZWNyZXQtb2YtdGhlLXNwZWM="

local TEXT = REQUEST_CANARY .. " " .. sample.TEXT .. " " .. sample.ACCESS_KEY .. " " .. TERM
             .. " arn:aws:iam::482910573364:role/heron-deployer 10.42.17.203"

-- What `send_everything` leads to.
local EVENTS = 27

-- nginx itself writes the headers of requests into its log at debug level, where it is built for that.
local NGINX_WRITES = { [KEY] = true, [BASIC:match("%S+$")] = true }

local ORIGINALS = {
  sample.INSTANCE, sample.OTHER_INSTANCE, sample.VPC, sample.SUBNET, sample.GROUP, sample.ACCESS_KEY, TERM,
  "482910573364", "heron-deployer", "10.42.17.203", "0f3a9c27be41d8056",
}


describe("what is written about exchanges", function()
  local redis, world, folder, needles, status_port
  local is_kong = bed.kind == "kong"


  local function config(changes)
    local result = {
      custom_terms = { TERM },
      enable_redis_events = true,
      event_transport = "both",
      event_detail = "detailed",
      event_flush_interval = 0.1,
      redis = { host = "127.0.0.1", port = redis.port },
    }
    for name, value in pairs(changes or {}) do
      result[name] = value
    end

    return result
  end


  local function send(route, request)
    request.headers = request.headers or {}
    request.headers["x-api-key"] = KEY
    request.headers["x-goog-api-key"] = KEY
    request.headers["Authorization"] = BASIC
    request.path = "/" .. route .. "/v1/messages"
    request.body = request.body or sample.messages({ text = TEXT, stream = request.stream })
    return world:send(request)
  end


  -- Every path that a request can take. The paths that let it pass unmasked come last: what tokens stand for must not
  -- be learned from them.
  local function send_everything()
    send("masked", {})
    local upstream = world.mock:last_body()
    send("masked", { stream = true, headers = { ["x-mock-delta"] = 3 } })
    send("masked", { stream = true, headers = { ["x-mock-reply"] = "reset" } })
    send("masked", { headers = { ["x-mock-reply"] = "error", ["x-mock-status"] = 429 } })
    send("masked", { headers = { ["x-mock-reply"] = "tool" } })
    send("masked", { headers = { ["x-mock-encoding"] = "br-bogus" } })
    send("masked", { headers = { ["x-mock-encoding"] = "gzip" } })
    send("masked", { body = TEXT, headers = { ["Content-Type"] = "text/plain", ["x-mock-reply"] = "plain-text" } })
    send("vault", {})
    send("unrestored", {})
    assert.equal(400, send("masked", { body = '{"broken":"' .. TEXT }).status)
    assert.equal(415, send("masked", { body = TEXT, headers = { ["Content-Type"] = "image/png" } }).status)
    assert.equal(413, send("small", {}).status)
    assert.equal(500, send("poisoned", {}).status)
    send("dry", {})
    send("lenient", { body = '{"broken":"' .. TEXT })
    send("lenient", { body = TEXT, headers = { ["Content-Type"] = "image/png" } })
    return upstream
  end


  local function tokens_of(text)
    local tokens = {}
    for label, code in text:gmatch("(%u[%u%d]+)_([A-Z2-7]+)") do
      if #code == 8 then
        tokens[#tokens + 1] = label .. "_" .. code
      end
    end

    return tokens
  end


  local function assert_clean(what, text, allowed)
    assert.is_true(#text > 0, what .. " is empty: nothing was searched")
    for _, needle in ipairs(needles) do
      if not (allowed and allowed[needle]) then
        local at = text:lower():find(needle:lower(), 1, true)
        assert.is_nil(at, ("%s holds %s: …%s…"):format(what, needle,
                                                       at and text:sub(math.max(1, at - 80), at + 80) or ""))
      end
    end
  end


  setup(function()
    folder = process.temporary_folder()
    status_port = process.free_port()
    redis = redis_module.start({ arguments = "--rdbcompression no" })

    world = bed.start({
      config = config(),
      routes = {
        masked = config(),
        vault = config({ use_redis = true, token_secret = "0123456789abcdef" }),
        unrestored = config({ restore_responses = false }),
        small = config({ max_request_body_size = 10 }),
        poisoned = config({ token_secret = "{vault://env/aws-masker-spec-no-such-secret}" }),
        dry = config({ dry_run = true }),
        lenient = config({ on_error = "allow", unsupported_content = "allow" }),
      },
      plugins = is_kong and {
        { name = "file-log", config = { path = folder .. "/file.log" } },
        { name = "prometheus" },
      } or nil,
      env = {
        GATEWAY_LOG_LEVEL = "debug",
        KONG_LOG_LEVEL = "debug",
        KONG_PROXY_ACCESS_LOG = "access.log",
        KONG_STATUS_LISTEN = "127.0.0.1:" .. status_port,
      },
    })

    needles = { REQUEST_CANARY, KEY, BASIC:match("%S+$") }
    for _, original in ipairs(ORIGINALS) do
      needles[#needles + 1] = original
    end

    local subscriber = redis:subscribe(events.CHANNEL)
    local upstream = send_everything()
    local tokens = tokens_of(upstream)
    assert.is_true(#tokens >= 9, #tokens .. " tokens")
    for _, token in ipairs(tokens) do
      needles[#needles + 1] = token
    end

    events.wait(redis, EVENTS)
    process.write_file(folder .. "/channel", table.concat(subscriber:receive(10000, 0.5), "\n"))
    subscriber:close()
  end)


  teardown(function()
    world:stop()
    redis:stop()
    process.remove_folder(folder)
  end)


  it("keeps bodies out of the events, and every event fits the schema", function()
    local sent = events.read(redis)
    local texts = {}
    for i, event in ipairs(sent) do
      texts[i] = event.text
    end

    assert.equal(EVENTS, #sent)
    assert_clean("the stream", table.concat(texts, "\n"))
    assert_clean("the channel", process.read_file(folder .. "/channel"))
    events.check(sent)
  end)


  it("keeps originals out of everything that Redis holds", function()
    assert.equal("OK", redis:call("SAVE"))
    local dump = process.read_file(redis.folder .. "/dump.rdb")

    -- the vault's fields are tokens, of another secret than the ones searched for here
    assert.is_truthy(dump:find("aws-masker:", 1, true))
    assert.is_truthy(dump:find("data_masked", 1, true))
    assert_clean("the dump of Redis", dump)
  end)


  it("keeps bodies out of the gateway's log, also at debug level", function()
    local log = world.gateway:error_log()

    assert.is_truthy(log:find("[debug]", 1, true) or log:find("[notice]", 1, true))
    assert.is_truthy(log:find("request stopped: INVALID_BODY", 1, true))
    assert_clean("the error log", log, NGINX_WRITES)
  end)


  it("keeps bodies out of every other file of the gateway", function()
    local names = process.capture("find " .. process.quote(world.gateway.folder) .. " -type f")
    local searched = 0
    for name in names:gmatch("[^\n]+") do
      local text = process.read_file(name)
      -- the config holds the custom term
      if text ~= "" and not name:find("%.json$") and not name:find("dbless.lmdb", 1, true) then
        assert_clean(name, text, name:find("error.log", 1, true) and NGINX_WRITES)
        searched = searched + 1
      end
    end
    assert.is_true(searched >= 2)
  end)


  it("keeps bodies out of the monitor's log, metrics, page and dump", function()
    local command = ("%s --redis-url redis://127.0.0.1:%d"):format(process.quote(paths.target .. "/aws-masker-monitor"),
                                                                redis.port)
    local once, ok = process.capture(command .. " --once --detail detailed --log-format json 2>&1")
    assert.is_true(ok, once)
    assert.is_truthy(once:find("data_masked", 1, true))
    assert_clean("the monitor's log", once)

    local dump = process.capture(command .. " --dump 2>/dev/null")
    assert.is_truthy(dump:find("data_unmasked", 1, true))
    assert_clean("the monitor's dump", dump)

    local pid = process.spawn(command .. " --group privacy --detail detailed --listen 127.0.0.1:0 --port-file "
                              .. process.quote(folder .. "/port"), folder .. "/monitor.log")
    local port = process.wait_until(10, function()
      return tonumber(process.read_file(folder .. "/port") or "")
    end)
    send("masked", {})
    socket.sleep(1)
    for _, path in ipairs({ "/metrics", "/health", "/ready", "/" }) do
      assert_clean(path, http.request({ port = port, path = path }).body)
    end
    process.stop(pid)
    assert_clean("the monitor's other log", process.read_file(folder .. "/monitor.log"))
  end)


  if is_kong then
    it("keeps bodies and keys out of file-log, and adds counts and times", function()
      local text = process.read_file(folder .. "/file.log")
      assert_clean("file-log", text)

      local masked
      for line in text:gmatch("[^\n]+") do
        local entry = cjson.decode(line)
        assert.equal("REDACTED", entry.request.headers["x-api-key"])
        assert.equal("REDACTED", entry.request.headers["x-goog-api-key"])
        assert.equal("REDACTED", entry.request.headers.authorization)
        if entry.route.name == "masked" and entry.aws_masker.restore then
          masked = entry.aws_masker
        end
      end
      assert.is_true(masked.mask.masked >= 9)
      assert.is_number(masked.restore.microseconds)
    end)


    it("keeps bodies out of the metrics, and counts what happened", function()
      local text
      process.wait_until(10, function()
        text = http.request({ port = status_port, path = "/metrics" }).body
        return text:find('kong_aws_masker_masked_total{kind="ec2:vpc"}', 1, true)
      end)
      assert_clean("/metrics", text)
      for _, name in ipairs({
        'kong_aws_masker_exchanges_total{outcome="masked"}',
        'kong_aws_masker_failures_total{reason="INVALID_BODY",outcome="blocked"}',
        'kong_aws_masker_answers_total{outcome="restored"}',
        "kong_aws_masker_restored_total ",
        'kong_aws_masker_mask_seconds_bucket{le="1"}',
        "kong_aws_masker_restore_seconds_count",
      }) do
        assert.is_truthy(text:find(name, 1, true), name .. " is not in\n" .. text)
      end
      assert.matches("kong_nginx_metric_errors_total 0", text, 1, true)
    end)
  end
end)
