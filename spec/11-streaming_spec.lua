local cjson = require "cjson"
local bed = require "spec.support.bed"
local sample = require "spec.support.sample"
local sse = require "spec.support.sse"


local MAX_DELTA_BYTES = 20

-- Bytes per network write. The first ones cut through tokens, characters and escapes; the last one is none at all.
local WRITE_BYTES = { 1, 2, 3, 5, 7, 13, 64, 4096 }

local TOOLS = { { name = "describe", description = "d", input_schema = { type = "object" } } }


describe("a streamed exchange", function()
  local world


  setup(function()
    world = bed.start()
  end)


  teardown(function()
    world:stop()
  end)


  before_each(function()
    world:reset()
  end)


  local function stream(headers, options)
    options = options or {}
    options.stream = true
    local answer = world:send({ body = sample.messages(options), headers = headers })
    assert.equal(200, answer.status)
    assert.is_true(answer.complete, answer.problem)
    return sse.events(answer.body), answer
  end


  for delta_bytes = 1, MAX_DELTA_BYTES do
    it("restores text that comes in deltas of " .. delta_bytes .. " bytes, however the network cuts it", function()
      for _, write_bytes in ipairs(WRITE_BYTES) do
        local events = stream({ ["x-mock-delta"] = delta_bytes, ["x-mock-write"] = write_bytes })

        assert.equal(sample.TEXT, sse.join(events, "text")[0])
        assert.is_true(sse.is_ordered(events))
        assert.equal("message_stop", events[#events].name)
      end

      local leaks, checked = world.mock:leaks()
      assert.equal(0, leaks)
      assert.equal(#WRITE_BYTES, checked)
    end)


    it("restores tool arguments that come in fragments of " .. delta_bytes .. " bytes", function()
      for _, write_bytes in ipairs(WRITE_BYTES) do
        local events = stream({ ["x-mock-delta"] = delta_bytes, ["x-mock-write"] = write_bytes,
                                ["x-mock-reply"] = "tool" }, { tools = TOOLS })

        local _, json = next(sse.join(events, "partial_json"))
        assert.equal(sample.TEXT, cjson.decode(json).command)
        assert.is_true(sse.is_ordered(events))
      end

      assert.equal(0, (world.mock:leaks()))
    end)
  end


  it("keeps every event that the upstream sent, in order", function()
    local events = stream({ ["x-mock-delta"] = 1000 })
    local names = {}
    for i, event in ipairs(events) do
      names[i] = event.name
    end

    assert.same({
      "message_start", "content_block_start", "ping", "content_block_delta", "content_block_stop", "message_delta",
      "message_stop",
    }, names)
  end)


  it("passes a stream without tokens byte for byte", function()
    local options = { text = "hello, 세계", stream = true }
    local direct = require("spec.support.http").request({
      port = world.mock.port, path = "/v1/messages", body = sample.messages(options),
      headers = { ["Content-Type"] = "application/json" },
    })
    local through = world:send({ body = sample.messages(options) })

    local function without_sequence(body)
      return (body:gsub("mock%d+", "mock"))
    end
    assert.equal(without_sequence(direct.body), without_sequence(through.body))
  end)


  it("hands each event on when it comes", function()
    local delay = 0.1
    local _, answer = stream({ ["x-mock-delta"] = 4, ["x-mock-delay-ms"] = delay * 1000 },
                             { text = "one two three four " .. sample.INSTANCE .. " five six seven eight" })

    local first, last = answer.chunks[1].at, answer.chunks[#answer.chunks].at
    assert.is_true(first - answer.started < 2 * delay, "the first event waited")
    assert.is_true(last - first > 8 * delay, "the events came together")

    -- no gap is longer than it takes to send a whole token
    for i = 2, #answer.chunks do
      assert.is_true(answer.chunks[i].at - answer.chunks[i - 1].at < 8 * delay, "an event waited")
    end
  end)


  it("does not touch thinking and its signature", function()
    local text = "about " .. sample.INSTANCE
    local events = stream({ ["x-mock-reply"] = "thinking", ["x-mock-delta"] = 3 }, { text = text })
    local _, thinking = next(sse.join(events, "thinking"))
    local _, signature = next(sse.join(events, "signature"))

    -- the mock refuses a turn whose thinking does not fit its signature any more
    local answer = world:send({ body = sample.messages({ messages = {
      { role = "user", content = text },
      { role = "assistant", content = {
        { type = "thinking", thinking = thinking, signature = signature },
        { type = "text", text = "ok" },
      } },
      { role = "user", content = "go on with " .. sample.INSTANCE },
    } }) })

    assert.equal(200, answer.status)
    assert.equal("go on with " .. sample.INSTANCE, answer.json.content[1].text)
    assert.equal(0, (world.mock:leaks()))
  end)


  it("restores an error that ends the stream and quotes the prompt", function()
    local events = stream({ ["x-mock-reply"] = "error-stream", ["x-mock-delta"] = 5 })

    local last = events[#events]
    assert.equal("error", last.name)
    assert.is_truthy(last.data.error.message:find(sample.VPC, 1, true))
  end)


  it("ends the client's connection when the upstream resets its own, and gives out what was held till then", function()
    -- the upstream sends half of the text: it ends in every part of the token in turn
    world:send({ body = sample.messages({ text = sample.INSTANCE }) })
    local token = world:upstream_text()
    for length = 1, #token - 1 do
      local sent = ("x"):rep(#token) .. token:sub(1, length)
      -- what follows is as long, so that the half of what the upstream sees ends right there
      local text = sent .. ("y"):rep(#sent - #token - 1) .. " " .. sample.INSTANCE
      local answer = world:send({
        body = sample.messages({ stream = true, text = text }),
        headers = { ["x-mock-reply"] = "reset", ["x-mock-delta"] = 1000, ["x-mock-delay-ms"] = 50 },
      })

      assert.is_false(answer.complete)
      assert.equal(sent, sse.join(sse.events(answer.body), "text")[0])
    end

    -- and goes on serving others
    assert.equal(sample.TEXT, world:send({ body = sample.messages() }).json.content[1].text)
  end)


  it("restores a plain answer whatever the network does to it", function()
    for _, write_bytes in ipairs(WRITE_BYTES) do
      local answer = world:send({ body = sample.messages(), headers = { ["x-mock-write"] = write_bytes } })
      assert.equal(sample.TEXT, answer.json.content[1].text)
    end
  end)


  it("sends what it held back when the answer ends in the first half of a token", function()
    local function ask(text)
      return world:send({
        body = text, headers = { ["Content-Type"] = "text/plain", ["x-mock-reply"] = "plain-text" },
      })
    end

    ask(sample.INSTANCE)
    local token = world.mock:last_body()
    assert.matches("^EC2_[A-Z2-7]+$", token)

    for bytes = 1, #token - 1 do
      local text = sample.INSTANCE .. " " .. token:sub(1, bytes)
      assert.equal(text, ask(text).body)
    end
  end)


  it("restores an answer of many megabytes", function()
    local size = 8 * 1024 * 1024
    local answer = world:send({
      body = sample.messages({ text = sample.INSTANCE .. " 한글 " }),
      headers = { ["x-mock-reply"] = "large", ["x-mock-size"] = size, ["x-mock-chunked"] = 1 },
    })

    assert.is_true(answer.complete, answer.problem)
    local text, count = answer.json.content[1].text:gsub(sample.INSTANCE:gsub("%-", "%%-"), "")
    assert.is_true(count > 200000)
    -- the last one may be cut off by the size itself
    assert.is_true(select(2, text:gsub("EC2_", "")) <= 1)
  end)
end)
