local bed = require "spec.support.bed"
local cjson = require "cjson"
local mime = require "mime"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"
local vault = require "spec.support.vault"


local OTHER_SECRET = "and this one after it"
-- What a gateway of the specs has.
local WORKERS = 2


describe("the vault", function()
  local redis, node, other_node


  setup(function()
    redis = redis_server.start()
    local function with(changes)
      return vault.config(redis.port, changes)
    end

    local options = {
      config = with(),
      routes = {
        apart = { token_secret = vault.SECRET },
        masked = with({ restore_responses = false }),
        one_way = with({ restore_credentials = false }),
        required = with({ redis_required = true }),
        rotated = with({ token_secret = OTHER_SECRET, token_secret_previous = { vault.SECRET } }),
        forgot = with({ token_secret = OTHER_SECRET }),
        small = with({ max_entries = 20, token_scope = "route" }),
        small_required = with({ max_entries = 20, token_scope = "route", redis_required = true }),
        dry = with({ dry_run = true }),
        brief = with({ mapping_ttl = 600, token_scope = "route" }),
        terms = with({ custom_terms = { "Zebra fish" }, custom_patterns = {
          { name = "ticket", label = "TICKET", regex = "OPS-[0-9]{4,6}" },
        } }),
      },
    }
    node, other_node = bed.start(options), bed.start(options)
  end)


  teardown(function()
    node:stop()
    other_node:stop()
    redis:stop()
  end)


  -- A Redis with nothing in it, and counters that start from zero. What the gateway remembers is of another time: each
  -- test that counts uses identifiers of its own.
  before_each(function()
    redis:call("FLUSHALL")
    redis:call("CONFIG", "RESETSTAT")
    node:reset()
    other_node:reset()
  end)


  after_each(function()
    assert.equal(0, (node.mock:leaks()))
    assert.equal(0, (other_node.mock:leaks()))
  end)


  local fresh = 0
  -- An instance id that no test has used before.
  local function new_id()
    fresh = fresh + 1
    return ("i-0%016x"):format(0xabcdef000000 + fresh * 7919)
  end


  local function ask(world, text, request)
    request = request or {}
    request.body = request.body or sample.messages({ text = text })
    local answer = world:send(request)
    return answer.json and answer.json.content and answer.json.content[1].text, answer
  end


  -- How often each command was called meanwhile, without those of the spec itself, and how often Redis read.
  local function during(action)
    redis:call("CONFIG", "RESETSTAT")
    action()
    local calls = redis:calls()
    calls.info, calls.config, calls["config|resetstat"] = nil, nil, nil
    return calls
  end


  describe("stores", function()
    it("tokens with sealed values, one hash for the scope, for a while", function()
      local id = new_id()
      local token = vault.store(node, redis, id)

      local keys = vault.hashes(redis)
      assert.equal(1, #keys)
      assert.matches("^aws%-masker:%x+:vault$", keys[1])
      assert.same({ token }, redis:call("HKEYS", keys[1]))
      assert.is_true(redis:call("TTL", keys[1]) > 604800 - 10)
      assert.is_true(redis:call("TTL", keys[1]) <= 604800)
    end)


    it("nothing that a dump would tell", function()
      local id = new_id()
      vault.store(node, redis, id .. " " .. sample.VPC, { headers = { ["x-api-key"] = "a-key-of-the-client" } })
      vault.settle(redis, 2)

      local dump = {}
      for _, key in ipairs(redis:call("KEYS", "*")) do
        dump[#dump + 1] = key
        for _, item in ipairs(redis:call("HGETALL", key)) do
          dump[#dump + 1] = item
        end
      end
      dump = table.concat(dump, "\n")
      for _, secret in ipairs({ id, id:sub(3), sample.VPC, "a-key-of-the-client", "credential", vault.SECRET }) do
        assert.is_nil(dump:find(secret, 1, true))
        assert.is_nil(dump:find((mime.b64(secret)), 1, true))
      end
    end)


    it("new tokens only, each worker once", function()
      local body = sample.messages({ text = new_id() })
      local calls = during(function()
        for _ = 1, 60 do
          assert.equal(200, node:send({ body = body }).status)
        end
        vault.settle(redis, 1)
        socket.sleep(0.5)
      end)
      -- one worker may get all of them
      assert.is_true(calls.hset >= 1 and calls.hset <= WORKERS)
    end)


    it("nothing, and takes no connection, when there is no token", function()
      -- what the test before has stored in the meantime
      socket.sleep(0.5)
      local calls = during(function()
        for _ = 1, 20 do
          assert.equal(200, node:send({ body = sample.messages({ text = "nothing to mask" }) }).status)
        end
        socket.sleep(0.3)
      end)
      assert.same({}, calls)
    end)


    it("with a time to live that each new token renews", function()
      vault.store(node, redis, new_id(), { path = "/brief/v1/messages" })
      local key = vault.hashes(redis)[1]
      assert.is_true(redis:call("TTL", key) <= 600)
      redis:call("EXPIRE", key, 100)

      vault.store(node, redis, new_id(), { path = "/brief/v1/messages" })
      assert.is_true(redis:call("TTL", key) > 590)
    end)


    for _, route in ipairs({ "small", "small_required" }) do
      it("no more for a scope than max_entries: " .. route, function()
        for _ = 1, 5 do
          local ids = {}
          for i = 1, 10 do
            ids[i] = new_id()
          end
          local body = sample.messages({ text = table.concat(ids, " ") })
          node:send({ path = "/" .. route .. "/v1/messages", body = body })
        end

        local key = process.wait_until(5, function()
          return vault.hashes(redis)[1]
        end)
        assert.is_truthy(process.wait_until(20, function()
          local calls = redis:calls()
          return calls.hset == 5 and calls.hdel and redis:call("HLEN", key) == 20
        end))
      end)
    end


    it("no credential that is never restored", function()
      node:reset({ sample.ACCESS_KEY })
      local id = new_id()
      vault.store(node, redis, "key " .. sample.ACCESS_KEY .. " of " .. id, { path = "/one_way/v1/messages" })

      local tokens = redis:call("HKEYS", vault.hashes(redis)[1])
      assert.equal(1, #tokens)
      assert.matches("^EC2_", tokens[1])
    end)


    it("nothing in a dry run, and nothing where it is not used", function()
      -- the upstream sees them
      node.mock:reset()
      node:send({ path = "/dry/v1/messages", body = sample.messages({ text = new_id() }) })
      node:send({ path = "/apart/v1/messages", body = sample.messages({ text = new_id() }) })
      socket.sleep(0.3)

      assert.equal(0, redis:call("DBSIZE"))
    end)
  end)


  describe("reads", function()
    it("tokens of another node, with only Redis in common", function()
      local id = new_id()
      local token = vault.store(node, redis, id)

      assert.equal("Restart " .. id .. ", please.", (ask(other_node, "Restart " .. token .. ", please.")))
      assert.equal("Restart " .. token .. ", please.", other_node:upstream_text())
    end)


    it("tokens of custom terms and patterns", function()
      local text = "Zebra fish, see OPS-12345."
      node:reset({ "Zebra fish", "OPS-12345" })
      local seen = vault.store(node, redis, text, { path = "/terms/v1/messages" })
      vault.settle(redis, 2)

      assert.equal(text, (ask(other_node, seen, { path = "/terms/v1/messages" })))
    end)


    it("tokens in a stream", function()
      local id = new_id()
      local token = vault.store(node, redis, id)
      local answer = other_node:send({ body = sample.messages({ text = "It is " .. token .. ".", stream = true }) })

      local sse = require "spec.support.sse"
      assert.equal("It is " .. id .. ".", sse.join(sse.events(answer.body), "text")[0])
    end)


    it("only what the request carries, in one round trip", function()
      local token = vault.store(node, redis, new_id())
      -- opens the connection of either worker
      for _ = 1, 20 do
        ask(other_node, token)
      end

      local calls = during(function()
        for _ = 1, 20 do
          ask(other_node, token .. " EC2_AAAAAAAA VPC_BBBBBBBB " .. token)
        end
      end)
      assert.same({ hmget = 20 }, calls)
      -- nothing else was read from the connections: one request, one read
      assert.is_true(redis:info("total_reads_processed") <= 20 + 4)
    end)


    it("nothing where answers are not restored", function()
      local token = vault.store(node, redis, new_id())
      local calls = during(function()
        assert.equal(token, (ask(other_node, token, { path = "/masked/v1/messages" })))
      end)

      assert.same({}, calls)
    end)


    it("no words that look like tokens but are none of this configuration", function()
      local calls = during(function()
        ask(other_node, "MAX_REQUESTS = 10; LOG_SETTINGS = {}; EC2_INSTANCES = []; snake_case_ABCDEFGH")
      end)

      assert.same({}, calls)
    end)


    it("tokens of a former secret, and writes with the new one", function()
      local id = new_id()
      local token = vault.store(node, redis, id)
      local former = vault.hashes(redis)[1]

      assert.equal(id, (ask(other_node, token, { path = "/rotated/v1/messages" })))
      assert.equal(token, (ask(other_node, token, { path = "/forgot/v1/messages" })))

      local renewed = vault.store(node, redis, id, { path = "/rotated/v1/messages" })
      assert.not_equal(token, renewed)
      assert.same({ token }, redis:call("HKEYS", former))
      assert.equal(id, (ask(other_node, renewed, { path = "/forgot/v1/messages" })))
    end)


    it("nothing into an answer that restores no credentials", function()
      node:reset({ sample.ACCESS_KEY })
      local token = vault.store(node, redis, sample.ACCESS_KEY)

      assert.equal(token, (ask(other_node, token, { path = "/one_way/v1/messages" })))
      assert.equal(sample.ACCESS_KEY, (ask(other_node, token)))
    end)
  end)


  describe("gives the scope's tokens to", function()
    -- An answer of the Responses API whose text is `text`.
    local function response(text)
      return cjson.encode({
        id = "resp_2", object = "response", status = "completed",
        output = { { type = "message", role = "assistant", content = { { type = "output_text", text = text } } } },
      })
    end


    local function text_of(answer)
      return answer.json.output[1].content[1].text
    end


    it("an answer to previous_response_id", function()
      local id = new_id()
      local token = vault.store(node, redis, id)
      other_node.mock:answer("/v1/responses", "application/json", response("I restarted " .. token .. "."))

      local request = { model = "gpt-test", previous_response_id = "resp_1", input = "And then?" }
      local answer = other_node:send({ path = "/v1/responses", body = cjson.encode(request) })
      assert.equal("I restarted " .. id .. ".", text_of(answer))
      assert.equal("identity", other_node.mock:last().headers["accept-encoding"])

      request.previous_response_id = nil
      answer = other_node:send({ path = "/v1/responses", body = cjson.encode(request) })
      assert.equal("I restarted " .. token .. ".", text_of(answer))
    end)


    it("answers from stores, from items that are named and from what was compacted", function()
      local id = new_id()
      local token = vault.store(node, redis, id)
      local search = "/v1/vector_stores/vs_1/search"
      other_node.mock:answer("/v1/responses", "application/json", response(token))
      other_node.mock:answer(search, "application/json", response(token))
      for _, request in ipairs({
        { input = "x", tools = { { type = "file_search", vector_store_ids = { "vs_1" } } } },
        { input = { { type = "item_reference", id = "msg_1" } } },
        { input = { { type = "compaction", encrypted_content = "gAAAA" }, { role = "user", content = "x" } } },
      }) do
        assert.equal(id, text_of(other_node:send({ path = "/v1/responses", body = cjson.encode(request) })))
      end

      assert.equal(id, text_of(other_node:send({ path = search, body = cjson.encode({ query = "x" }) })))
    end)


    it("the results of a batch", function()
      local id = new_id()
      local token = vault.store(node, redis, id)
      local line = '{"custom_id":"one","result":{"message":{"content":[{"type":"text","text":"%s"}]}}}'
      other_node.mock:answer("/v1/messages/batches/msgbatch_1/results", "application/x-jsonl",
                             line:format(token) .. "\n" .. line:format("no " .. token) .. "\n")

      local answer = other_node:send({ method = "GET", path = "/v1/messages/batches/msgbatch_1/results" })
      assert.is_true(answer.complete, answer.problem)
      assert.equal(line:format(id) .. "\n" .. line:format("no " .. id) .. "\n", answer.body)
    end)


    it("a file of the API, whatever it says it is", function()
      local id = new_id()
      local token = vault.store(node, redis, id)
      other_node.mock:answer("/v1/files/file_1/content", "application/octet-stream", '{"text":"' .. token .. '"}\n')

      local answer = other_node:send({ method = "GET", path = "/v1/files/file_1/content" })
      assert.equal('{"text":"' .. id .. '"}\n', answer.body)
    end)


    it("a stored response, and not to the list of models", function()
      local id = new_id()
      local token = vault.store(node, redis, id)
      other_node.mock:answer("/v1/responses/resp_1", "application/json", response(token))
      other_node.mock:answer("/v1/models", "application/json", response(token))

      assert.equal(id, text_of(other_node:send({ method = "GET", path = "/v1/responses/resp_1" })))
      local calls = during(function()
        assert.equal(token, text_of(other_node:send({ method = "GET", path = "/v1/models" })))
      end)
      assert.same({}, calls)
    end)


    it("an answer, however many there are, up to max_entries", function()
      local ids = {}
      for i = 1, 2500 do
        ids[i] = new_id()
      end
      node:send({ body = sample.messages({ text = table.concat(ids, " ") }) })
      local tokens = node:upstream_text()
      vault.settle(redis, 2500)
      other_node.mock:answer("/v1/responses/resp_1", "application/json", response(tokens))

      local answer
      local calls = during(function()
        answer = other_node:send({ method = "GET", path = "/v1/responses/resp_1" })
      end)
      assert.equal(table.concat(ids, " "), text_of(answer))
      assert.is_true(calls.hscan >= 3 and calls.hscan <= 6, "HSCAN was called " .. calls.hscan .. " times")
    end)


    it("HEAD requests no", function()
      vault.store(node, redis, new_id())
      local calls = during(function()
        other_node:send({ method = "HEAD", path = "/v1/responses/resp_1" })
      end)

      assert.same({}, calls)
    end)
  end)


  describe("with redis_required", function()
    local function required(world, text)
      return world:send({ path = "/required/v1/messages", body = sample.messages({ text = text }) })
    end


    it("stores before anything leaves, in the same round trip in which it reads", function()
      local known = new_id()
      local token = vault.store(node, redis, known)
      for _ = 1, 20 do
        required(other_node, token)
      end

      local id = new_id()
      local answer
      local calls = during(function()
        answer = required(other_node, token .. " " .. id)
      end)
      assert.equal(known .. " " .. id, answer.json.content[1].text)
      assert.same({ hset = 1, expire = 1, hlen = 1, hmget = 1 }, calls)
      assert.equal(2, vault.count(redis))
    end)


    it("makes sure of what was stored before", function()
      local id = new_id()
      required(node, id)
      assert.equal(1, vault.count(redis))
      redis:call("FLUSHALL")

      for _ = 1, 10 do
        required(node, id)
      end
      assert.equal(1, vault.count(redis))
    end)


    it("makes sure of what was stored before, also beside what is new", function()
      local id = new_id()
      required(node, id)
      redis:call("FLUSHALL")

      required(node, id .. " and " .. new_id())
      assert.equal(2, vault.count(redis))
    end)


    it("takes no connection for a request that holds no token", function()
      local calls = during(function()
        assert.equal(200, required(node, "nothing to mask").status)
      end)

      assert.same({}, calls)
    end)
  end)
end)
