-- More than one Redis: plugins on one gateway that name different ones, and one that takes over from another.
local bed = require "spec.support.bed"
local events = require "spec.support.events"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"
local tcp_proxy = require "spec.support.tcp_proxy"
local vault = require "spec.support.vault"


describe("vaults in several Redises", function()
  local redis, other, dead_port, world


  setup(function()
    redis, other, dead_port = redis_server.start(), redis_server.start(), process.free_port()
    world = bed.start({
      -- one, so that every request meets what the one before it left
      workers = 1,
      config = vault.config(redis.port),
      routes = {
        other = vault.config(other.port),
        dead = vault.config(dead_port),
      },
    })
  end)


  teardown(function()
    world:stop()
    redis:stop()
    other:stop()
  end)


  local function send(path, text)
    assert.equal(200, world:send({ path = path .. "/v1/messages", body = sample.messages({ text = text }) }).status)
  end


  it("each get a token that the gateway has stored in another one", function()
    send("", sample.INSTANCE)
    vault.settle(redis, 1)

    send("/other", sample.INSTANCE)
    vault.settle(other, 1)
  end)


  it("do not get tokens again because another one fails", function()
    send("", sample.VPC)
    vault.settle(redis, 2)
    redis:call("CONFIG", "RESETSTAT")

    for i = 1, 10 do
      send("/dead", ("i-0%016x"):format(0xdead00000 + i))
      socket.sleep(0.1)
      send("", sample.VPC)
    end
    socket.sleep(0.3)
    assert.is_nil(redis:calls().hset)
  end)
end)


describe("a Redis that another one takes over from", function()
  local old, new, target, proxy, world


  setup(function()
    old, new = redis_server.start(), redis_server.start()
    target = old.folder .. "/target"
    process.write_file(target, tostring(old.port))
    proxy = tcp_proxy.start(old.port, "switch:" .. target)
    world = bed.start({
      workers = 1,
      config = vault.config(proxy.port, { enable_redis_events = true, event_flush_interval = 0.1 }),
    })
  end)


  teardown(function()
    world:stop()
    proxy:stop()
    old:stop()
    new:stop()
  end)


  local function send(id)
    assert.equal(200, world:send({ body = sample.messages({ text = id }) }).status)
  end


  -- What ElastiCache does in a planned failover: the name leads to the new primary, and the former one lives on as a
  -- replica, which keeps its connections and refuses writes.
  it("is left for the new one, for tokens and events alike", function()
    send("i-0fa11000000000001")
    vault.settle(old, 1)

    old:call("REPLICAOF", "127.0.0.1", new.port)
    process.write_file(target, tostring(new.port))
    send("i-0fa11000000000002")
    vault.settle(new, 1)
    send("i-0fa11000000000003")
    vault.settle(new, 2)
    assert.is_true(#events.wait(new, 4) >= 4)
  end)
end)


describe("a Redis", function()
  local redis, world


  setup(function()
    redis = redis_server.start()
    world = bed.start({ workers = 1, config = vault.config(redis.port, { max_entries = 200000 }) })
  end)


  teardown(function()
    world:stop()
    redis:stop()
  end)


  it("that was emptied in silence gets again what conversations still have", function()
    local text = sample.INSTANCE .. " and " .. sample.VPC
    world:reset()
    vault.store(world, redis, text)
    vault.settle(redis, 2)

    for _, lose in ipairs({
      function() redis:call("FLUSHALL") end,
      -- as where another one takes over that has not everything yet
      function() redis:call("HDEL", vault.hashes(redis)[1], world:upstream_text():match("EC2_%w+")) end,
    }) do
      lose()
      assert.is_true(vault.count(redis) < 2)
      -- without any new token
      local is_there = process.wait_until(25, function()
        socket.sleep(0.2)
        assert.equal(200, world:send({ body = sample.messages({ text = text }) }).status)
        return vault.count(redis) == 2
      end)
      assert.is_truthy(is_there)
    end
  end)


  it("gets what a request has to be stored, also where that is more than the queue takes", function()
    redis:call("FLUSHALL")
    world:reset({ ("i-0%016x"):format(0xb16000001) })
    local ids = {}
    for i = 1, 100000 do
      ids[i] = ("i-0%016x"):format(0xb16000000 + i)
    end
    local body = sample.messages({ text = table.concat(ids, " ") })

    for _ = 1, 12 do
      assert.equal(200, world:send({ body = body }).status)
      local before
      repeat
        before = vault.count(redis)
        socket.sleep(0.5)
      until vault.count(redis) == before
      if before == #ids then
        break
      end
    end
    assert.equal(#ids, vault.count(redis))
  end)
end)


describe("one Redis with several logins", function()
  local redis, world


  setup(function()
    redis = redis_server.start({ password = "of the gateway" })
    local function config(password)
      return vault.config(redis.port, { redis = { host = "127.0.0.1", port = redis.port, password = password } })
    end
    world = bed.start({
      workers = 1,
      config = config("of the gateway"),
      routes = { stranger = config("of nobody") },
    })
  end)


  teardown(function()
    world:stop()
    redis:stop()
  end)


  it("stores what comes with the one that works, whoever else waits to be stored", function()
    for i = 1, 20 do
      for _, path in ipairs({ "/stranger", "" }) do
        local text = ("i-0%016x"):format((path == "" and 0xacce00000 or 0xdead00000) + i)
        local answer = world:send({ path = path .. "/v1/messages", body = sample.messages({ text = text }) })
        assert.equal(200, answer.status)
      end
    end
    vault.settle(redis, 20)
    assert.equal(20, vault.count(redis))
  end)
end)
