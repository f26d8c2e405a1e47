-- More than one Redis: plugins on one gateway that name different ones.
local bed = require "spec.support.bed"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"
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
