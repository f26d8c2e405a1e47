local plugin = require "spec.support.plugin"


-- The plugin's module with a client and a clock of the test's own.
local function load_redis(client)
  local state = { now = 100, timers = {}, connects = {}, calls = {}, logs = {} }

  local red = {}
  function red.set_timeout() end

  function red.connect(_, host, port, options)
    state.connects[#state.connects + 1] = { host = host, port = port, options = options }
    if client.refuses then
      return nil, client.refuses
    end
    return true
  end

  for name, default in pairs({
    get_reused_times = function() return client.reused or 0 end,
    auth = function(_, ...)
      if client.auth then
        return client.auth(...), "WRONGPASS"
      end
      return "OK"
    end,
    select = function() return "OK" end,
    ping = function() return "PONG" end,
    set_keepalive = function() return true end,
    close = function() return true end,
  }) do
    red[name] = function(...)
      state.calls[#state.calls + 1] = name
      return default(...)
    end
  end

  local ngx = {
    null = {},
    now = function() return state.now end,
    md5 = function(text) return "digest of " .. #text .. text:gsub("%Z", function(c) return c:byte() end) end,
    sleep = function(seconds)
      state.now = state.now + seconds
      if client.while_sleeping then
        client.while_sleeping()
      end
    end,
    thread = {
      spawn = function(fn, ...)
        return { fn(...) }
      end,
      wait = function(thread)
        return true, unpack(thread)
      end,
    },
    timer = {
      at = function(_, fn, ...)
        if client.has_no_timers then
          return nil, "too many pending timers"
        end
        state.timers[#state.timers + 1] = { fn, ... }
        return true
      end,
    },
  }
  local log = setmetatable({}, {
    __index = function()
      return function(...)
        state.logs[#state.logs + 1] = table.concat({ ... })
      end
    end,
  })

  package.loaded["resty.redis"] = { new = function() return red end }
  package.loaded["ngx.semaphore"] = {
    new = function(free)
      local waiting = 0
      return {
        wait = function(_, seconds)
          if client.breaks then
            error("no semaphores")
          end
          if free == 0 and seconds > 0 then
            waiting = 1
            if client.while_waiting then
              client.while_waiting()
            end
            waiting = 0
          end
          if free == 0 then
            state.now = state.now + seconds
            return nil, "timeout"
          end
          free = free - 1
          return true
        end,
        post = function(_, count)
          free = free + (count or 1)
        end,
        count = function()
          return free - waiting
        end,
      }
    end,
  }
  state.redis = plugin.load("redis", nil, { ngx = ngx, kong = { log = log, vault = client.vault } })
  return state
end


local function conf(changes, size)
  local record = { host = "redis.example.com", port = 6379, timeout = 2000, database = 0, ssl = false,
                   ssl_verify = false }
  for name, value in pairs(changes or {}) do
    record[name] = value
  end

  return { redis = record, redis_pool_size = size or 2 }
end


local function answer(red)
  return red:ping()
end


describe("connections to Redis", function()
  after_each(function()
    package.loaded["resty.redis"], package.loaded["ngx.semaphore"] = nil, nil
  end)


  it("come from pools that only equal configs share", function()
    local state = load_redis({})
    local names = {}
    for _, changes in ipairs({
      {}, { host = "other.example.com" }, { port = 6380 }, { database = 1 }, { ssl = true },
      { ssl = true, ssl_verify = true }, { ssl = true, server_name = "name.example.com" }, { password = "one" },
      { password = "two" }, { username = "one", password = "one" }, { username = "two", password = "one" },
      { username = "on", password = "eone" },
    }) do
      assert.equal("PONG", state.redis.run(conf(changes), answer))
      assert.equal("PONG", state.redis.run(conf(changes), answer))
      local first, second = state.connects[#state.connects - 1].options, state.connects[#state.connects].options
      assert.equal(first.pool, second.pool)
      assert.not_equal(first, second)
      assert.is_nil(names[first.pool], first.pool)
      names[first.pool] = true
    end
  end)


  it("do not show the password where they are named", function()
    local state = load_redis({})
    local named = state.redis.describe(conf({ username = "gateway", password = "hunter2", ssl = true }))

    assert.equal("gateway@redis.example.com:6379/0 with TLS", named)
  end)


  it("log in and choose the database when they are fresh", function()
    local state = load_redis({})
    state.redis.run(conf({ username = "u", password = "p", database = 3 }), answer)

    assert.same({ "get_reused_times", "auth", "select", "ping", "set_keepalive" }, state.calls)
  end)


  it("do neither when they were used before", function()
    local state = load_redis({ reused = 1 })
    state.redis.run(conf({ username = "u", password = "p", database = 3 }), answer)

    assert.same({ "get_reused_times", "ping", "set_keepalive" }, state.calls)
  end)


  it("take the user where there is one", function()
    local logins = {}
    local state = load_redis({ auth = function(...)
      logins[#logins + 1] = table.concat({ ... }, "/")
      return "OK"
    end })
    state.redis.run(conf({ username = "u", password = "p" }), answer)
    state.redis.run(conf({ password = "p" }), answer)

    assert.same({ "u/p", "p" }, logins)
  end)


  it("pick up a password that was rotated", function()
    local valid = "new"
    local options = conf({ password = "old" })
    local state = load_redis({
      auth = function(password)
        return password == valid and "OK" or nil
      end,
      -- as Kong's: the second try is made with what the reference gives by now
      vault = { try = function(callback, record)
        assert.equal(options.redis, record)
        local ok = callback(record)
        if ok then
          return ok
        end
        record.password = valid
        return callback(record)
      end },
    })

    assert.equal("PONG", state.redis.run(options, answer))
    assert.equal("new", options.redis.password)
  end)


  it("go back into the pool when all is well, and are closed when not", function()
    for _, case in ipairs({
      { "set_keepalive", function() return {} end },
      { "set_keepalive", function() return { "OK", { false, "WRONGTYPE Operation against a key" } } end },
      { "close", function() return nil, "timeout" end },
      { "close", function() return { { false, "ERR max number of clients reached" } } end },
      { "close", function() return { { false, "LOADING Redis is loading the dataset in memory" } } end },
      { "close", function() error("broken") end },
    }) do
      local state = load_redis({})
      -- more often than there are turns: none is lost
      for _ = 1, 3 do
        state.redis.run(conf(), case[2])
        assert.equal(case[1], state.calls[#state.calls])
      end
    end
  end)


  it("are not more than the pool has", function()
    local state = load_redis({})
    local reached
    state.redis.run(conf({}, 2), function(red)
      return state.redis.run(conf({}, 2), function()
        reached = { state.redis.run(conf({}, 2), answer) }
        return true
      end)
    end)

    assert.same({ nil, "all connections are in use" }, reached)
    assert.equal("PONG", state.redis.run(conf({}, 2), answer))
  end)


  it("are not waited for when Redis turns out to hang, and none is lost over it", function()
    local client = {}
    local state = load_redis(client)
    local reached = {}
    -- one has the only connection, one waits, and meanwhile a newcomer finds that Redis hangs
    client.while_waiting = function()
      client.while_waiting = nil
      state.now = state.now + 1
      assert.same({ nil, "left alone, because it kept failing" }, { state.redis.run(conf({}, 1), answer) })
    end
    state.redis.run(conf({}, 1), function()
      reached[1] = { state.redis.run(conf({}, 1), answer) }
      return true
    end)

    assert.same({ { nil, "all connections are in use" } }, reached)
    -- the call that was under way ended well, which closes the breaker
    assert.equal("PONG", state.redis.run(conf({}, 1), answer))
    state.redis.run(conf({}, 1), function()
      reached[2] = { state.redis.run(conf({}, 1), answer) }
      return true
    end)
    assert.same({ nil, "all connections are in use" }, reached[2])
  end)


  it("are there again when a request that had them was ended in the middle", function()
    local state = load_redis({})
    local hasty = conf({ timeout = 100 }, 1)
    for _ = 1, 5 do
      local owner = {}
      coroutine.resume(coroutine.create(function()
        state.redis.run(hasty, coroutine.yield, owner)
      end))
      assert.is_nil(state.redis.run(hasty, answer))
      state.redis.abandon(owner)
      -- as often as one likes
      state.redis.abandon(owner)
      state.now = state.now + 10

      assert.equal("PONG", state.redis.run(hasty, answer))
      local reached
      state.redis.run(hasty, function()
        reached = { state.redis.run(hasty, answer) }
        return true
      end)
      assert.same({ nil, "all connections are in use" }, reached)
    end
    assert.same({}, state.timers)
  end)


  it("of which a request had its share are not given back again when it ends", function()
    local state = load_redis({})
    local owner, reached = {}, nil
    state.redis.run(conf({}, 1), answer, owner)
    state.redis.run(conf({}, 1), function()
      state.redis.abandon(owner)
      reached = { state.redis.run(conf({}, 1), answer) }
      return true
    end)
    assert.same({ nil, "all connections are in use" }, reached)
  end)


  it("are left alone when impatient clients do not wait for a Redis that hangs", function()
    local state = load_redis({})
    local owner = {}
    coroutine.resume(coroutine.create(function()
      state.redis.run(conf(), coroutine.yield, owner)
    end))
    state.now = state.now + 1
    state.redis.abandon(owner)
    assert.same({ nil, "left alone, because it kept failing" }, { state.redis.run(conf(), answer) })
  end)


  it("are not left alone when it was the worker that stood still", function()
    local client = {}
    local state = load_redis(client)
    local other, second
    -- a call, its answer that came meanwhile, and a newcomer whose turn it is first
    state.redis.run(conf(), function()
      other = coroutine.create(function()
        state.redis.run(conf(), function() return coroutine.yield() end)
      end)
      coroutine.resume(other)
      state.now = state.now + 1
      client.while_sleeping = function()
        client.while_sleeping = nil
        coroutine.resume(other, "PONG")
      end
      second = { state.redis.run(conf(), answer) }
      return true
    end)

    assert.same({ "PONG" }, second)
    assert.same({}, state.timers)
  end)


  it("are not left alone while a call of many round trips goes on", function()
    local state = load_redis({})
    state.redis.run(conf(), function(_, call)
      for _ = 1, 10 do
        state.now = state.now + 0.3
        state.redis.heard(call)
        assert.equal("PONG", state.redis.run(conf(), answer))
      end
      return true
    end)
    assert.same({}, state.timers)
  end)


  it("are used again though nginx dropped the timer of the probe, or gave none", function()
    local client = { refuses = "connection refused" }
    local state = load_redis(client)
    for _ = 1, 5 do
      state.redis.run(conf(), answer)
    end
    client.refuses, client.has_no_timers, state.timers = nil, true, {}

    for _ = 1, 3 do
      state.now = state.now + 30
      assert.is_nil(state.redis.run(conf(), answer))
    end
    client.has_no_timers = nil
    assert.is_nil(state.redis.run(conf(), answer))
    -- and no second one beside it
    assert.is_nil(state.redis.run(conf(), answer))
    assert.equal(1, #state.timers)
    local timer = table.remove(state.timers)
    timer[1](false, unpack(timer, 2))
    assert.equal("PONG", state.redis.run(conf(), answer))
  end)


  it("are used again though a probe broke", function()
    local client = { refuses = "connection refused" }
    local state = load_redis(client)
    for _ = 1, 5 do
      state.redis.run(conf(), answer)
    end
    local function run_timer()
      local timer = table.remove(state.timers)
      timer[1](false, unpack(timer, 2))
    end
    state.now = state.now + 2
    client.refuses = nil
    client.breaks = true
    run_timer()
    assert.is_nil(state.redis.run(conf(), answer))
    client.breaks = nil
    state.now = state.now + 2
    run_timer()
    assert.equal("PONG", state.redis.run(conf(), answer))
  end)


  it("say what failed without what Redis quotes", function()
    local state = load_redis({})
    for told, said in pairs({
      ["ERR unknown command 'hset', with args beginning with: 'EC2_ABCDEFGH' 'x'"] = "ERR unknown command",
      ["NOPERM this user has no permissions to access the 'aws-masker:1' key"] =
        "NOPERM this user has no permissions to access the",
      ["WRONGTYPE Operation against a key holding the wrong kind of value"] =
        "WRONGTYPE Operation against a key holding the wrong kind of value",
      ["WRONGPASS invalid username-password pair or user is disabled."] =
        "WRONGPASS invalid username-password pair or user is disabled",
      ["OOM command not allowed when used memory > 'maxmemory'."] = "OOM command not allowed when used memory",
      ["ERR EC2_ABCDEFGH is no good"] = "ERR EC",
      ["READONLY You can't write against a read only replica."] =
        "READONLY You cannot write against a read only replica",
      ["ERR AUTH <password> called without any password configured for the default user. Are you sure?"] =
        "ERR AUTH called without any password configured for the default user",
      ["unknown prefix: \"i-0f3a9c27be41d8056\""] = "protocol error",
      ["connection refused"] = "connection refused",
    }) do
      assert.equal(said, state.redis.error_of({ false, told }))
      assert.same({ nil, said }, { state.redis.run(conf({ host = told }), function() return nil, told end) })
    end
    assert.is_nil(state.redis.error_of("OK"))
    assert.is_nil(state.redis.error_of({ "OK" }))
  end)


  it("are not tried any more when they keep failing, but by a timer", function()
    local client = { refuses = "connection refused" }
    local state = load_redis(client)
    for _ = 1, 5 do
      assert.same({ nil, "connection refused" }, { state.redis.run(conf(), answer) })
    end
    assert.same({ nil, "left alone, because it kept failing" }, { state.redis.run(conf(), answer) })
    assert.equal(5, #state.connects)

    local function run_timer()
      assert.equal(1, #state.timers)
      local timer = table.remove(state.timers)
      timer[1](false, unpack(timer, 2))
    end
    state.now = state.now + 2
    assert.same({ nil, "left alone, because it kept failing" }, { state.redis.run(conf(), answer) })
    assert.equal(5, #state.connects)
    run_timer()
    assert.equal(6, #state.connects)
    assert.same({ nil, "left alone, because it kept failing" }, { state.redis.run(conf(), answer) })

    -- found out without a request
    client.refuses = nil
    state.now = state.now + 2
    run_timer()
    assert.equal("PONG", state.redis.run(conf(), answer))
    assert.equal(0, #state.timers)
  end)


  it("are given up when nobody wants anything of them for a while", function()
    local state = load_redis({ refuses = "connection refused" })
    for _ = 1, 5 do
      state.redis.run(conf(), answer)
    end
    state.now = state.now + 100
    local timer = table.remove(state.timers)
    timer[1](false, unpack(timer, 2))
    assert.equal(0, #state.timers)
    assert.equal(5, #state.connects)

    state.redis.run(conf(), answer)
    assert.equal(1, #state.timers)
  end)
end)


describe("failures of the vault's queue", function()
  it("are logged now and then, also after the clock was set back", function()
    local now, lines = 1000, {}
    local queue = plugin.load("vault_queue", { redis = {}, stored = {} }, {
      ngx = { now = function() return now end },
      kong = { log = { warn = function(...) lines[#lines + 1] = table.concat({ ... }) end } },
    })
    for _ = 1, 3 do
      queue.complain("it ", "failed")
    end
    assert.same({ "it failed" }, lines)
    now = 11
    queue.complain("again")
    assert.same({ "it failed", "again", "2 similar failures since the last such line" }, lines)
  end)
end)
