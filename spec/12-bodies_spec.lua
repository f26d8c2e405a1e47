local bed = require "spec.support.bed"
local sample = require "spec.support.sample"


local KIBIBYTE = 1024
local MEBIBYTE = 1024 * KIBIBYTE

local LIMIT = 64 * KIBIBYTE

local FILLER = ", the quick brown fox jumps over the lazy dog. 다람쥐 헌 쳇바퀴에 타고파. "


-- Text of about `bytes` bytes with one identifier after the other spread over it, the last one at its very end.
local function spread(bytes, ids)
  local step = math.max(1, math.floor(bytes / #ids / #FILLER))
  local filler = FILLER:rep(step)
  local parts = {}
  for i, id in ipairs(ids) do
    parts[i] = filler .. id
  end

  return table.concat(parts)
end


describe("request bodies", function()
  local world


  setup(function()
    world = bed.start({
      routes = {
        small = { max_request_body_size = LIMIT },
        lenient = { on_error = "allow", unsupported_content = "allow", max_request_body_size = LIMIT },
      },
    })
  end)


  teardown(function()
    world:stop()
  end)


  before_each(function()
    world:reset()
  end)


  local function code(answer)
    return answer.json and answer.json.code
  end


  for _, case in ipairs({
    { "9 KB", 9 * KIBIBYTE, 20 },
    { "200 KB", 200 * KIBIBYTE, 300 },
    { "1 MB", MEBIBYTE, 1000 },
    { "20 MB", 20 * MEBIBYTE, 2000 },
  }) do
    local label, bytes, count = case[1], case[2], case[3]

    it("of " .. label .. " leak nothing and come back whole", function()
      local ids = sample.many_ids(count)
      world:reset(ids)
      local text = spread(bytes, ids)
      local answer = world:send({ body = sample.messages({ text = text }) })

      assert.equal(200, answer.status)
      local leaks, checked = world.mock:leaks()
      assert.equal(0, leaks)
      assert.equal(1, checked)
      assert.is_true(#world.mock:last_body() > bytes * 0.8)
      assert.is_true(answer.json.content[1].text == text)
    end)
  end


  it("sent chunked leak nothing", function()
    local ids = sample.many_ids(100)
    world:reset(ids)
    local text = spread(100 * KIBIBYTE, ids)
    local answer = world:send({ body = sample.messages({ text = text }), chunk_bytes = 1000 })

    assert.equal(0, (world.mock:leaks()))
    assert.is_true(answer.json.content[1].text == text)
  end)


  it("over the limit are refused with 413, before they are read", function()
    local answer = world:send({ path = "/small/v1/messages", body = sample.messages({ text = ("x"):rep(LIMIT) }) })

    assert.equal(413, answer.status)
    assert.equal("AWS_MASKER_BODY_TOO_LARGE", code(answer))
    assert.equal("request_too_large", answer.json.error.type)
    assert.equal(0, world.mock:count())
  end)


  it("over the limit are refused with 413 when no length is declared", function()
    local answer = world:send({ path = "/small/v1/messages", body = sample.messages({ text = ("x"):rep(LIMIT) }),
                                chunk_bytes = 4096 })

    assert.equal(413, answer.status)
    assert.equal("AWS_MASKER_BODY_TOO_LARGE", code(answer))
    assert.equal(0, world.mock:count())
  end)


  it("over the limit are refused even with on_error = allow", function()
    local answer = world:send({ path = "/lenient/v1/messages", body = sample.messages({ text = ("x"):rep(LIMIT) }) })

    assert.equal(413, answer.status)
    assert.equal(0, world.mock:count())
  end)


  it("of exactly the limit are accepted", function()
    local frame = #sample.messages({ text = "" })
    local text = ("x"):rep(LIMIT - frame - #sample.VPC) .. sample.VPC
    local body = sample.messages({ text = text })
    assert.equal(LIMIT, #body)

    local answer = world:send({ path = "/small/v1/messages", body = body })
    assert.equal(200, answer.status)
    assert.equal(text, answer.json.content[1].text)
  end)


  it("that are not JSON although they say so are refused with 400", function()
    local answer = world:send({ body = '{"messages": [ "' .. sample.INSTANCE .. '"' })

    assert.equal(400, answer.status)
    assert.equal("application/json", answer.headers["content-type"])
    assert.equal("error", answer.json.type)
    assert.equal("invalid_request_error", answer.json.error.type)
    assert.equal("AWS_MASKER_INVALID_BODY", code(answer))
    assert.is_nil(answer.body:find(sample.INSTANCE, 1, true))
    assert.equal(0, world.mock:count())
  end)


  it("that are not JSON pass with on_error = allow, and the log says so", function()
    local body = '{"messages": [ "' .. sample.INSTANCE
    world:send({ path = "/lenient/v1/messages", body = body })

    assert.equal(body, world.mock:last_body())
    assert.matches("request passes unmasked: INVALID_BODY", world.gateway:error_log())
  end)


  it("that are empty pass", function()
    local answer = world:send({ body = "" })

    assert.equal(1, world.mock:count())
    assert.is_nil(code(answer))
    assert.equal("", world.mock:last_body())
  end)


  it("are not asked for in a GET", function()
    local answer = world:send({ method = "GET", path = "/v1/models" })

    assert.equal(200, answer.status)
    assert.equal(1, world.mock:count())
  end)


  it("of a GET are masked as well", function()
    world:send({ method = "GET", path = "/v1/models", body = sample.messages() })

    local leaks, checked = world.mock:leaks()
    assert.equal(0, leaks)
    assert.equal(1, checked)
  end)


  it("with a Content-Encoding that cannot be read here are refused with 415", function()
    local answer = world:send({ body = "\31\139\8", headers = { ["Content-Encoding"] = "br" } })

    assert.equal(415, answer.status)
    assert.equal("AWS_MASKER_UNSUPPORTED_CONTENT", code(answer))
    assert.equal(0, world.mock:count())
  end)


  it("with Content-Encoding identity are masked", function()
    local answer = world:send({ body = sample.messages(), headers = { ["Content-Encoding"] = "identity" } })

    assert.equal(sample.TEXT, answer.json.content[1].text)
    assert.equal(0, (world.mock:leaks()))
  end)


  it("of a type that cannot be masked are refused with 415", function()
    local answer = world:send({ body = "\137PNG", headers = { ["Content-Type"] = "image/png" } })

    assert.equal(415, answer.status)
    assert.equal("AWS_MASKER_UNSUPPORTED_CONTENT", code(answer))
    assert.equal(0, world.mock:count())
  end)


  it("of such a type pass unchanged with unsupported_content = allow", function()
    world:send({ path = "/lenient/v1/messages", body = "\137PNG\0\255", headers = { ["Content-Type"] = "image/png" } })

    assert.equal("\137PNG\0\255", world.mock:last_body())
  end)


  it("without a Content-Type are masked", function()
    local answer = world:send({ body = sample.messages(), headers = { ["Content-Type"] = false } })

    assert.equal(0, (world.mock:leaks()))
    assert.equal(200, answer.status)
  end)


  it("cannot be smuggled past as a WebSocket", function()
    local answer = world:send({ method = "GET", path = "/v1/models",
                                headers = { Upgrade = "websocket", ["Sec-WebSocket-Key"] = "x" } })

    assert.equal(415, answer.status)
    assert.equal(0, world.mock:count())
  end)


  it("stay masked in an answer whose coding nobody here can read", function()
    local answer = world:send({ body = sample.messages(), headers = { ["x-mock-encoding"] = "br-bogus" } })

    assert.is_true(answer.complete, answer.problem)
    assert.equal("br", answer.headers["content-encoding"])
    assert.is_nil(answer.body:find(sample.INSTANCE, 1, true))
    assert.matches("goes to the client unrestored", world.gateway:error_log())
  end)
end)
