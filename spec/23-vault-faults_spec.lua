-- No state of Redis leaks a byte, fails a request or stops masking; with redis_required it stops the request instead.
local bed = require "spec.support.bed"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"
local tcp_proxy = require "spec.support.tcp_proxy"
local vault = require "spec.support.vault"


local UNKNOWN = "EC2_AAAAAAAA"

-- How long a gateway may take to notice that Redis is well again.
local RECOVERY_SECONDS = 10


describe("faults of Redis", function()
  -- What answers where a Redis should be.
  local SAYINGS = {
    words = "hello\\r\\n",
    error = "-invalid request\\r\\n",
    moved = "-MOVED 3999 127.0.0.1:1\\r\\n",
    line = "+OK\\r\\n",
    number = ":1\\r\\n",
    nothing = "$-1\\r\\n",
    no_list = "*-1\\r\\n",
    empty_list = "*0\\r\\n",
    list = "*3\\r\\n$1\\r\\na\\r\\n$1\\r\\nb\\r\\n$1\\r\\nc\\r\\n",
    half = "*2\\r\\n$5\\r\\nab",
  }

  local redis, world, cut, blackhole, slow
  local saying = {}


  -- Each route has connections, and a view of how Redis is, of its own: another database.
  local databases = 0
  local function add(routes, name, changes)
    databases = databases + 1
    for suffix, required in pairs({ [""] = false, ["-required"] = true }) do
      local config = vault.config(redis.port, { redis_required = required })
      config.redis.database = databases
      for field, value in pairs(changes or {}) do
        config.redis[field] = value
      end
      routes[name .. suffix] = config
    end
  end


  local function add_users()
    redis:call("ACL", "SETUSER", "reader", "on", ">reader", "~*", "+@all", "-hset", "-hmget", "-hscan")
    redis:call("ACL", "SETUSER", "teller", "on", ">teller", "~*", "+@all", "-hset")
  end


  setup(function()
    redis = redis_server.start({ arguments = "--databases 64" })
    cut, blackhole = tcp_proxy.start(redis.port, "cut"), tcp_proxy.start(redis.port, "blackhole")
    slow = tcp_proxy.start(redis.port, "delay:100")

    local routes = { apart = { token_secret = vault.SECRET } }
    for _, name in ipairs({ "full", "replica", "locked", "crowded", "restarted", "paused", "wrong_type" }) do
      add(routes, name)
    end
    add(routes, "refusing", { port = process.free_port() })
    add(routes, "nameless", { host = "no-such-host.invalid" })
    add(routes, "wrong_password", { password = "not this one" })
    add(routes, "not_allowed", { username = "reader", password = "reader" })
    add(routes, "not_tls", { ssl = true })
    add(routes, "cut", { port = cut.port })
    add(routes, "blackhole", { port = blackhole.port })
    add(routes, "slow", { port = slow.port })
    for name, text in pairs(SAYINGS) do
      saying[name] = tcp_proxy.start(redis.port, "says:" .. text)
      add(routes, "says_" .. name, { port = saying[name].port, timeout = 500 })
    end
    routes.told = vault.config(redis.port, { enable_redis_events = true, redis_pool_size = 3 })
    routes.told.redis.username, routes.told.redis.password = "teller", "teller"
    world = bed.start({ config = vault.config(redis.port), routes = routes })

    add_users()
  end)


  teardown(function()
    world:stop()
    for _, proxy in ipairs({ cut, blackhole, slow }) do
      proxy:stop()
    end
    for _, proxy in pairs(saying) do
      proxy:stop()
    end
    redis:stop()
  end)


  before_each(function()
    world:reset()
  end)


  local fresh = 0
  local function new_id()
    fresh = fresh + 1
    return ("i-0%016x"):format(0xfa0000000000 + fresh * 7919)
  end


  local function send(route, text)
    return world:send({ path = "/" .. route .. "/v1/messages", body = sample.messages({ text = text }) })
  end


  -- Nothing of a request is in the log, and nothing broke.
  local function assert_quiet(id, token)
    local log = world.gateway:error_log()
    assert.is_nil(log:find(id, 1, true))
    assert.is_nil(log:find(token, 1, true))
    assert.is_nil(log:find("stack traceback", 1, true))
    assert.is_nil(log:find("a bug in the plugin", 1, true))
    assert.is_nil(log:find("exited on signal", 1, true))
  end


  --- A request on `route` is masked and restored, and its token that only Redis knows stays as it is.
  local function assert_goes_on(route, token)
    token = token or UNKNOWN
    for _ = 1, 8 do
      local id = new_id()
      world:reset({ id })
      local answer = send(route, id .. " and " .. token)
      assert.equal(200, answer.status)
      assert.equal(id .. " and " .. token, answer.json.content[1].text)
      assert.equal(0, (world.mock:leaks()))
      assert.equal(1, world.mock:count())
      assert_quiet(id, token)
    end
  end


  local function assert_refused(route)
    for _ = 1, 8 do
      local id = new_id()
      world:reset({ id })
      local answer = send(route .. "-required", id)
      assert.equal(503, answer.status)
      assert.equal("error", answer.json.type)
      assert.equal("AWS_MASKER_REDIS_UNAVAILABLE", answer.json.code)
      assert.equal(0, world.mock:count())
      assert_quiet(id, UNKNOWN)
    end
  end


  -- Stores something over `route` and gives its original and its token.
  local function known(route)
    local id = new_id()
    world:reset({ id })
    assert.equal(200, send(route .. "-required", id).status)
    return id, world:upstream_text()
  end


  -- `is_well` becomes true, at both workers.
  local function assert_steady(is_well)
    local in_a_row = 0
    assert.is_truthy(process.wait_until(RECOVERY_SECONDS, function()
      in_a_row = is_well() and in_a_row + 1 or 0
      return in_a_row >= 20
    end), "the gateway does not use Redis again")
  end


  -- Redis is used again on `route`.
  local function assert_recovers(route, id, token)
    assert_steady(function()
      return send(route, token).json.content[1].text == id and send(route .. "-required", new_id()).status == 200
    end)
  end


  it("that refuses connections", function()
    assert_goes_on("refusing")
    assert_refused("refusing")
  end)


  it("whose name does not resolve", function()
    assert_goes_on("nameless")
    assert_refused("nameless")
  end)


  it("that refuses the password", function()
    assert_goes_on("wrong_password")
    assert_refused("wrong_password")
  end)


  it("that speaks no TLS", function()
    assert_goes_on("not_tls")
    assert_refused("not_tls")
  end)


  it("that allows the user nothing", function()
    assert_goes_on("not_allowed")
    assert_refused("not_allowed")
  end)


  for name in pairs(SAYINGS) do
    it("that is none, and says " .. name, function()
      assert_goes_on("says_" .. name)
      -- a number is what storing gets
      if name ~= "number" then
        assert_refused("says_" .. name)
      end
    end)
  end


  it("that takes events but no tokens, which is told", function()
    assert.equal(200, send("told", new_id()).status)

    local told = process.wait_until(RECOVERY_SECONDS, function()
      for _, entry in ipairs(redis:call("XRANGE", "masking:events:stream", "-", "+")) do
        if entry[2][2]:find('"redis_error"', 1, true) then
          return entry[2][2]
        end
      end
    end)
    assert.matches('"operation":"write"', told)
    assert.matches('"outcome":"degraded"', told)
  end)


  it("that ends the connection between request and reply", function()
    assert_goes_on("cut")
    assert_refused("cut")
  end)


  it("that wants a password all at once", function()
    local id, token = known("locked")
    redis:call("CONFIG", "SET", "requirepass", "new")
    redis.password = "new"
    redis:call("CLIENT", "KILL", "TYPE", "normal")

    assert_goes_on("locked", token)
    assert_refused("locked")

    redis:call("CONFIG", "SET", "requirepass", "")
    redis.password = nil
    assert_recovers("locked", id, token)
  end)


  it("that is out of memory", function()
    local id, token = known("full")
    redis:call("CONFIG", "SET", "maxmemory", "1")

    -- it still answers what it has
    assert.equal(id, send("full", token).json.content[1].text)
    assert_goes_on("full")
    assert_refused("full")

    redis:call("CONFIG", "SET", "maxmemory", "0")
    assert_recovers("full", id, token)
  end)


  it("that has become a replica", function()
    local id, token = known("replica")
    redis:call("REPLICAOF", "127.0.0.1", tostring(process.free_port()))

    assert.equal(id, send("replica", token).json.content[1].text)
    assert_goes_on("replica")
    assert_refused("replica")

    redis:call("REPLICAOF", "NO", "ONE")
    assert_recovers("replica", id, token)
  end)


  it("that has something else where the hash should be", function()
    known("wrong_type")
    redis:call("FLUSHALL")
    local database = world.gateway.options.routes.wrong_type.redis.database
    known("wrong_type")
    redis:in_database(database, function(call)
      local keys = call("KEYS", "*")
      assert.equal(1, #keys)
      call("SET", keys[1], "x")
    end)

    assert_goes_on("wrong_type")
    assert_refused("wrong_type")
  end)


  it("that takes no more clients", function()
    local id, token = known("crowded")
    redis:call("CLIENT", "KILL", "TYPE", "normal")
    redis:call("CONFIG", "SET", "maxclients", "1")
    local held = assert(socket.connect("127.0.0.1", redis.port))
    held:send("PING\r\n")
    held:receive("*l")

    assert_goes_on("crowded", token)
    assert_refused("crowded")

    held:send("CONFIG SET maxclients 1000\r\n")
    held:receive("*l")
    held:close()
    assert_recovers("crowded", id, token)
  end)


  it("that is killed, and comes back with nothing in it", function()
    local _, token = known("restarted")
    redis:kill()
    assert_goes_on("restarted", token)
    assert_refused("restarted")

    redis:run()
    add_users()
    assert_steady(function()
      return send("restarted-required", new_id()).status == 200
    end)
    -- what is lost stays a token, what is new comes back
    assert.equal(token, send("restarted", token).json.content[1].text)
    assert_recovers("restarted", known("restarted"))
  end)


  it("that is slow, which is no fault", function()
    local id, token = known("slow")
    for _ = 1, 20 do
      local answer = send("slow", token)
      assert.equal(id, answer.json.content[1].text)
    end
    assert.equal(200, send("slow-required", new_id()).status)
  end)


  it("that hangs, and answers late", function()
    local id, token = known("paused")
    redis:pause()
    assert_goes_on("paused", token)
    assert_refused("paused")

    redis:resume()
    assert_recovers("paused", id, token)
  end)


  local function timed(route)
    local started = socket.gettime()
    assert.equal(200, send(route, UNKNOWN).status)
    return socket.gettime() - started
  end


  -- Seconds that `count` requests over each of two routes took, in ascending order. They take turns: a machine that
  -- is busy with other things slows both.
  local function times(one, other, count)
    local with, without = {}, {}
    for i = 1, count do
      with[i], without[i] = timed(one), timed(other)
    end
    table.sort(with)
    table.sort(without)
    return with, without
  end


  it("that swallows everything, without anybody waiting for it after the first second", function()
    local started = socket.gettime()
    assert_goes_on("blackhole")
    -- either worker has met it
    while socket.gettime() - started < 6 do
      send("blackhole", UNKNOWN)
    end

    -- probes go on behind the requests' back: longer than one of them takes
    local best = math.huge
    for _ = 1, 8 do
      local with, without = times("blackhole", "apart", 300)
      best = math.min(best, with[297] - without[297])
      assert.is_true(with[300] < 1, "a request waited " .. with[300] .. " s")
      if best < 0.001 then
        break
      end
    end
    assert.is_true(best < 0.001, ("99 %% of the requests took %.1f ms longer"):format(best * 1000))
    assert_refused("blackhole")
  end)
end)
