local cjson = require "cjson"
local bed = require "spec.support.bed"
local sample = require "spec.support.sample"


describe("a plain exchange", function()
  local world


  setup(function()
    world = bed.start({
      routes = {
        masked_answers = { restore_responses = false },
        dry_run = { dry_run = true },
      },
    })
  end)


  teardown(function()
    world:stop()
  end)


  before_each(function()
    world:reset()
  end)


  it("hides every identifier from the upstream", function()
    world:send({ body = sample.messages() })

    local leaks, checked = world.mock:leaks()
    assert.equal(0, leaks)
    assert.equal(1, checked)
  end)


  it("gives the upstream the same text with tokens in it", function()
    world:send({ body = sample.messages({ text = "restart " .. sample.INSTANCE .. " now" }) })

    assert.matches("^restart EC2_[A-Z2-7]+ now$", world:upstream_text())
  end)


  it("gives the client its own text back", function()
    local answer = world:send({ body = sample.messages() })

    assert.equal(200, answer.status)
    assert.equal(sample.TEXT, answer.json.content[1].text)
  end)


  it("drops headers that describe the bytes the upstream sent", function()
    local answer = world:send({ body = sample.messages(), headers = { ["x-mock-etag"] = 1 } })

    assert.is_true(answer.complete)
    for _, name in ipairs({ "content-length", "etag", "content-md5", "digest", "content-digest", "accept-ranges" }) do
      assert.is_nil(answer.headers[name], name)
    end
  end)


  it("asks the upstream for an answer without coding", function()
    world:send({ body = sample.messages(), headers = { ["Accept-Encoding"] = "gzip, br" } })

    assert.equal("identity", world.mock:last().headers["accept-encoding"])
  end)


  it("does not vouch for the masked body with the client's digests", function()
    local digests = { "Content-MD5", "Digest", "Content-Digest", "Repr-Digest" }
    local headers = {}
    for _, name in ipairs(digests) do
      headers[name] = "sha-256=x, md5=y"
    end
    world:send({ body = sample.messages(), headers = headers })

    for _, name in ipairs(digests) do
      assert.is_nil(world.mock:last().headers[name:lower()], name)
    end
  end)


  it("sends a body without identifiers on byte for byte", function()
    local body = '{ "model":"m",\t"max_tokens" : 1e1,'
                 .. ' "messages":[ {"role":"user","content":"caf\\u00e9 \\/ 한글"} ] }\r\n'
    world:send({ body = body })

    assert.equal(body, world.mock:last_body())
  end)


  it("leaves the answer to such a body alone, headers included", function()
    local answer = world:send({ body = sample.messages({ text = "hello" }), headers = { ["x-mock-etag"] = 1 } })

    assert.equal("hello", answer.json.content[1].text)
    assert.equal(#answer.body, tonumber(answer.headers["content-length"]))
    assert.is_string(answer.headers["etag"])
  end)


  it("changes nothing but the identifiers of a body", function()
    local body = '{ "max_tokens" : 1e1,"model":"m", "messages":[ {"content":"a\\/b %s \\u00e9","role":"user"} ] }\n'
    world:send({ body = body:format(sample.VPC) })

    local sent = world.mock:last_body()
    local token = sent:match("VPC_[A-Z2-7]+")
    assert.is_string(token)
    assert.equal(body:format(token), sent)
  end)


  it("masks identifiers right after an escaped line break", function()
    local body = '{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"ids:\\n%s\\t%s\\r\\n%s"}]}'
    local answer = world:send({ body = body:format(sample.INSTANCE, sample.VPC, sample.GROUP) })

    assert.equal(0, (world.mock:leaks()))
    assert.equal(("ids:\n%s\t%s\r\n%s"):format(sample.INSTANCE, sample.VPC, sample.GROUP), answer.json.content[1].text)
  end)


  it("masks identifiers next to Korean letters", function()
    local text = "서버" .. sample.INSTANCE .. "에서 장애"
    local answer = world:send({ body = sample.messages({ text = text }) })

    assert.equal(0, (world.mock:leaks()))
    assert.equal(text, answer.json.content[1].text)
  end)


  it("masks tool results and tool arguments of earlier turns", function()
    local messages = {
      { role = "user", content = "look" },
      { role = "assistant", content = {
        { type = "tool_use", id = "toolu_1", name = "aws", input = { instance = sample.INSTANCE } },
      } },
      { role = "user", content = {
        { type = "tool_result", tool_use_id = "toolu_1", content = "state of " .. sample.INSTANCE .. ": stopped" },
      } },
    }
    local answer = world:send({ body = sample.messages({ messages = messages }) })

    assert.equal(0, (world.mock:leaks()))
    assert.equal("state of " .. sample.INSTANCE .. ": stopped", answer.json.content[1].text)
  end)


  it("masks the system prompt", function()
    world:send({ body = sample.messages({ text = "hi", system = "You watch " .. sample.VPC }) })

    local leaks, checked = world.mock:leaks()
    assert.equal(0, leaks)
    assert.equal(1, checked)
    assert.matches("You watch VPC_", world.mock:last_body())
  end)


  it("restores the arguments of a tool call", function()
    local tools = { { name = "describe", description = "d", input_schema = { type = "object" } } }
    local answer = world:send({ body = sample.messages({ tools = tools }), headers = { ["x-mock-reply"] = "tool" } })

    local input
    for _, block in ipairs(answer.json.content) do
      input = block.input or input
    end
    assert.equal(sample.TEXT, input.command)
    assert.equal(sample.INSTANCE .. "가", input.ids[2])
  end)


  it("restores an upstream error that quotes the prompt, with its status", function()
    local answer = world:send({
      body = sample.messages({ text = "what is " .. sample.INSTANCE .. "?" }),
      headers = { ["x-mock-reply"] = "error", ["x-mock-status"] = 429 },
    })

    assert.equal(429, answer.status)
    assert.equal(0, (world.mock:leaks()))
    assert.is_truthy(answer.json.error.message:find(sample.INSTANCE, 1, true))
  end)


  it("masks and restores plain text", function()
    local answer = world:send({
      body = "what is " .. sample.INSTANCE .. "?",
      headers = { ["Content-Type"] = "text/plain", ["x-mock-reply"] = "plain-text" },
    })

    assert.equal(0, (world.mock:leaks()))
    assert.equal("what is " .. sample.INSTANCE .. "?", answer.body)
  end)


  it("answers HEAD, 204 and 304 without touching them", function()
    for _, status in ipairs({ 204, 304 }) do
      local answer = world:send({
        body = sample.messages(),
        headers = { ["x-mock-reply"] = "empty", ["x-mock-status"] = status },
      })
      assert.equal(status, answer.status)
      assert.equal("", answer.body)
    end

    local head = world:send({ method = "HEAD", path = "/v1/models" })
    assert.equal(200, head.status)
  end)


  it("passes an empty answer", function()
    local answer = world:send({ body = sample.messages(), headers = { ["x-mock-reply"] = "empty" } })

    assert.equal(200, answer.status)
    assert.equal("", answer.body)
    assert.is_true(answer.complete)
  end)


  it("answers for a path without a route although access never ran", function()
    local other = bed.start({ paths = { "/v1" } })
    local answer = other:send({ path = "/nowhere", body = sample.messages() })
    local received = other.mock:count()
    other:stop()

    assert.equal(404, answer.status)
    assert.matches("no Route matched", answer.json.message)
    assert.equal(0, received)
  end)


  it("keeps tokens in the answer when restore_responses is off", function()
    local answer = world:send({ path = "/masked_answers/v1/messages", body = sample.messages() })

    assert.equal(0, (world.mock:leaks()))
    assert.matches("EC2_[A-Z2-7]+", answer.json.content[1].text)
    assert.is_nil(answer.body:find(sample.INSTANCE, 1, true))
  end)


  it("changes nothing in a dry run, and logs how much it would have masked", function()
    local body = sample.messages({ text = sample.INSTANCE .. " and " .. sample.VPC })
    world:send({ path = "/dry_run/v1/messages", body = body })

    assert.equal(body, world.mock:last_body())
    assert.matches("dry run: 2 values would have been masked", world.gateway:error_log())
  end)


  it("refuses nothing in a dry run", function()
    local answer = world:send({ path = "/dry_run/v1/messages", body = '{"model":"' .. sample.INSTANCE })

    -- the answer of the upstream, not of the plugin
    assert.is_nil(answer.json.code)
    assert.equal(1, world.mock:count())
  end)


  it("never writes an original into the log", function()
    world:send({ body = sample.messages() })
    world:send({ body = '{"broken":"' .. sample.INSTANCE })

    local log = world.gateway:error_log()
    for _, id in ipairs(sample.IDS) do
      assert.is_nil(log:find(id, 1, true))
    end
  end)


  it("serves OpenAI chat completions too", function()
    local body = cjson.encode({ model = "gpt", messages = { { role = "user", content = sample.TEXT } } })
    local answer = world:send({ path = "/v1/chat/completions", body = body })

    assert.equal(0, (world.mock:leaks()))
    assert.equal(sample.TEXT, answer.json.choices[1].message.content)
  end)
end)
