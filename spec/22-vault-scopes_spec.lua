-- A client never gets what belongs to another scope. Each test is an attempt to.
local bed = require "spec.support.bed"
local cjson = require "cjson"
local redis_server = require "spec.support.redis"
local sample = require "spec.support.sample"
local vault = require "spec.support.vault"


local ALICE, BOB = { ["x-api-key"] = "key-of-alice" }, { ["x-api-key"] = "key-of-bob" }

-- enough for both workers of a gateway to have their share
local TRIES = 20


describe("scopes of the vault", function()
  local redis, node, other_node
  -- Bob's token for `sample.INSTANCE`, and the hash it lies in
  local token, bobs


  setup(function()
    redis = redis_server.start()
    local options = {
      config = vault.config(redis.port),
      routes = {
        shared = vault.config(redis.port, { token_scope = "global" }),
        one = vault.config(redis.port, { token_scope = "route" }),
        two = vault.config(redis.port, { token_scope = "route" }),
        keys = vault.config(redis.port, { token_scope = "credential" }),
      },
    }
    node, other_node = bed.start(options), bed.start(options)
  end)


  teardown(function()
    node:stop()
    other_node:stop()
    redis:stop()
  end)


  before_each(function()
    redis:call("FLUSHALL")
    node:reset()
    other_node:reset()
  end)


  after_each(function()
    assert.equal(0, (node.mock:leaks()))
    assert.equal(0, (other_node.mock:leaks()))
  end)


  local used = 0
  local original


  -- Has Bob store an id that nobody has used before: a gateway remembers for a while what it has stored.
  local function bob_stores(request)
    used = used + 1
    original = ("i-0%016x"):format(0xb0b000000 + used * 7919)
    request = request or { headers = BOB }
    token = vault.store(node, redis, original, request)
    bobs = vault.hashes(redis)[1]
  end


  -- The hash of Alice, in which something of hers lies.
  local function alice_stores()
    vault.store(node, redis, ("vpc-0%016x"):format(0xa11ce000000 + used * 7919), { headers = ALICE })
    for _, key in ipairs(vault.hashes(redis)) do
      if key ~= bobs then
        return key
      end
    end
  end


  -- What a client gets for `body`, from either worker of either node.
  local function assert_never(headers, body, request)
    for _, world in ipairs({ node, other_node }) do
      for _ = 1, TRIES do
        local message = { body = body, headers = headers }
        for name, value in pairs(request or {}) do
          message[name] = value
        end

        local answer = world:send(message)
        assert.equal(200, answer.status)
        assert.is_nil(answer.body:find(original, 1, true))
        assert.is_truthy(answer.body:find(token, 1, true))
      end
    end
  end


  local function echo(text)
    return sample.messages({ text = text })
  end


  it("are kept in hashes of their own, whose names do not show the client", function()
    bob_stores()
    local alices = alice_stores()

    assert.not_equal(alices, bobs)
    assert.is_nil((alices .. bobs):find("key%-of"))
  end)


  it("give Bob what is his", function()
    bob_stores()

    for _, world in ipairs({ node, other_node }) do
      assert.equal(original, world:send({ headers = BOB, body = echo(token) }).json.content[1].text)
    end
  end)


  it("do not give Alice what Bob's token stands for", function()
    bob_stores()
    assert_never(ALICE, echo("tell me what " .. token .. " is"))
  end)


  it("do not give it to a client without a key", function()
    bob_stores()
    assert_never({}, echo(token))
  end)


  it("do not give it while Bob asks for it at the same worker", function()
    bob_stores()
    for _ = 1, TRIES do
      assert.equal(original, node:send({ headers = BOB, body = echo(token) }).json.content[1].text)
      assert.equal(token, node:send({ headers = ALICE, body = echo(token) }).json.content[1].text)
    end
  end)


  it("do not give it in other spellings", function()
    bob_stores()
    local label, code = token:match("^(.*)_(.*)$")
    for _, spelling in ipairs({ token:lower(), label .. "\\_" .. code, label .. "%5F" .. code, "x" .. token .. "x" }) do
      local answer = other_node:send({ headers = ALICE, body = echo(spelling .. " " .. token) })
      assert.is_nil(answer.body:find(original, 1, true))
    end
  end)


  it("do not give it to Alice who masks the same original", function()
    bob_stores()
    local answer = node:send({ headers = ALICE, body = echo(original .. " or " .. token) })

    assert.equal(original .. " or " .. token, answer.json.content[1].text)
    assert.is_nil(node:upstream_text():find("^" .. token))
  end)


  it("do not give it with the tokens of her scope", function()
    bob_stores()
    alice_stores()
    for _, world in ipairs({ node, other_node }) do
      world.mock:answer("/v1/responses", "application/json", cjson.encode({ output = token }))
      world.mock:answer("/v1/responses/resp_1", "application/json", cjson.encode({ output = token }))
      world.mock:answer("/v1/messages/batches/b_1/results", "application/json", cjson.encode({ output = token }))
    end

    assert_never(ALICE, cjson.encode({ previous_response_id = "resp_1", input = token }), { path = "/v1/responses" })
    assert_never(ALICE, nil, { path = "/v1/responses/resp_1", method = "GET" })
    assert_never(ALICE, nil, { path = "/v1/messages/batches/b_1/results", method = "GET" })
    assert.is_truthy(node:send({ path = "/v1/responses/resp_1", method = "GET", headers = BOB }).body:find(original, 1,
                                                                                                       true))
  end)


  it("do not give it when the model says it by itself", function()
    bob_stores()
    for _, world in ipairs({ node, other_node }) do
      world.mock:answer("/v1/messages", "application/json", cjson.encode({ content = { { type = "text",
                                                                                         text = token } } }))
    end

    assert_never(ALICE, echo("hello, " .. sample.VPC))
  end)


  it("do not mix up a key and a consumer of the same name, or the headers of keys", function()
    bob_stores()
    assert_never({ ["x-api-key"] = "credential:key-of-bob" }, echo(token))
    assert_never({ ["x-api-key"] = "key-of-bob\t " .. "x" }, echo(token))
    assert_never({ ["x-api-key"] = "key-of-alice", authorization = "key-of-bob", ["api-key"] = "key-of-bob" },
                 echo(token))
  end)


  it("do not give it over another route with token_scope = route", function()
    bob_stores({ path = "/one/v1/messages", headers = BOB })

    assert.equal(original, other_node:send({ path = "/one/v1/messages", headers = ALICE, body = echo(token) })
                           .json.content[1].text)
    assert_never(BOB, echo(token), { path = "/two/v1/messages" })
    assert_never(BOB, echo(token), { path = "/keys/v1/messages" })
    assert_never(BOB, echo(token), { path = "/shared/v1/messages" })
  end)


  it("are one for all with token_scope = global", function()
    bob_stores({ path = "/shared/v1/messages", headers = BOB })

    assert.equal(original, other_node:send({ path = "/shared/v1/messages", headers = ALICE, body = echo(token) })
                           .json.content[1].text)
  end)


  describe("of consumers", function()
    -- What each of these keys gets back when it sends the token of an original that `bob-1` has sent.
    local function ask_with(config, keys)
      local keyed = bed.start({
        config = vault.config(redis.port, config),
        plugins = { { name = "key-auth", config = { key_names = { "apikey" }, hide_credentials = true } } },
        consumers = {
          { username = "bob", keyauth_credentials = { { key = "bob-1" }, { key = "bob-2" } } },
          { username = "alice", keyauth_credentials = { { key = "alice-1" } } },
        },
      })
      keyed:reset()
      local seen = vault.store(keyed, redis, sample.INSTANCE, { headers = { apikey = "bob-1" } })
      local answers = {}
      for i, key in ipairs(keys) do
        local headers = { apikey = key, ["x-api-key"] = "the one key of the API" }
        answers[i] = keyed:send({ headers = headers, body = echo(seen) }).json.content[1].text
      end
      keyed:stop()
      return seen, unpack(answers)
    end


    it("are one for all keys of a consumer, and none for others", function()
      local seen, bob, alice = ask_with({}, { "bob-2", "alice-1" })

      assert.equal(sample.INSTANCE, bob)
      assert.equal(seen, alice)
    end)


    it("are one for each key with token_scope = credential, although the API sees the same key of all", function()
      local seen, first, second, alice = ask_with({ token_scope = "credential" }, { "bob-1", "bob-2", "alice-1" })

      assert.equal(sample.INSTANCE, first)
      assert.equal(seen, second)
      assert.equal(seen, alice)
    end)
  end)


  describe("hold although somebody writes into Redis", function()
    local alices, sealed


    before_each(function()
      bob_stores()
      alices = alice_stores()
      sealed = redis:call("HGET", bobs, token)
    end)


    -- Not opened, said in the log, and no harm done.
    local function assert_ignored(headers)
      assert_never(headers, echo(token))
      local log = node.gateway:error_log() .. other_node.gateway:error_log()
      assert.matches("values in Redis do not open", log)
      assert.is_nil(log:find(token, 1, true))
    end


    it("and copies a value into another scope", function()
      redis:call("HSET", alices, token, sealed)
      assert_ignored(ALICE)
    end)


    it("and renames a whole hash", function()
      redis:call("RENAME", bobs, alices)
      assert_ignored(ALICE)
    end)


    it("and copies a value to another token of the same scope", function()
      local other = vault.store(node, redis, sample.SUBNET, { headers = BOB })
      redis:call("HSET", bobs, other, sealed)

      local answer = other_node:send({ headers = BOB, body = echo(other) })
      assert.equal(other, answer.json.content[1].text)
    end)


    for name, change in pairs({
      ["changes a bit of a value"] = function(value)
        return value:sub(1, 40) .. string.char((value:byte(41) + 1) % 256) .. value:sub(42)
      end,
      ["cuts a value short"] = function(value)
        return value:sub(1, -2)
      end,
      ["makes a value longer"] = function(value)
        return value .. "\0"
      end,
      ["changes the version of a value"] = function(value)
        return "\2" .. value:sub(2)
      end,
      ["puts an empty value"] = function()
        return ""
      end,
      ["puts an original in clear"] = function()
        return sample.OTHER_INSTANCE
      end,
    }) do
      it("and " .. name, function()
        redis:call("HSET", bobs, token, change(sealed))
        assert_ignored(BOB)
      end)
    end


    it("and puts other things where a hash is", function()
      redis:call("DEL", bobs)
      redis:call("SET", bobs, sealed)
      assert_never(BOB, echo(token))
    end)
  end)
end)
