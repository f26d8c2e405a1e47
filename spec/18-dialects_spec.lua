-- Vendors whose requests and streams are neither Anthropic's nor OpenAI's.
local bit = require "bit"
local cjson = require "cjson"
local gateway = require "spec.support.gateway"
local http = require "spec.support.http"
local raw_upstream = require "spec.support.raw_upstream"
local sample = require "spec.support.sample"


local JSON = { ["Content-Type"] = "application/json" }


local function crc(bytes)
  local sum = -1
  for i = 1, #bytes do
    sum = bit.bxor(sum, bytes:byte(i))
    for _ = 1, 8 do
      local odd = bit.band(sum, 1) == 1
      sum = bit.rshift(sum, 1)
      if odd then
        sum = bit.bxor(sum, 0xEDB88320)
      end
    end
  end

  return bit.bnot(sum)
end


local function number(value)
  return string.char(bit.band(bit.rshift(value, 24), 255), bit.band(bit.rshift(value, 16), 255),
                     bit.band(bit.rshift(value, 8), 255), bit.band(value, 255))
end


local function header(name, value)
  return string.char(#name) .. name .. "\7" .. number(#value):sub(3) .. value
end


-- A message of an event stream of AWS.
local function message(event_type, event)
  local headers = header(":event-type", event_type) .. header(":message-type", "event")
  local payload = cjson.encode(event)
  local prelude = number(16 + #headers + #payload) .. number(#headers)
  local head = prelude .. number(crc(prelude)) .. headers .. payload
  return head .. number(crc(head))
end


-- The events of such a stream, whose checksums have to fit.
local function messages(stream)
  local events = {}
  local at = 1
  local function read(from)
    local a, b, c, d = stream:byte(from, from + 3)
    return ((a * 256 + b) * 256 + c) * 256 + d
  end

  while at <= #stream do
    local total, headers = read(at), read(at + 4)
    local whole = stream:sub(at, at + total - 1)
    assert.equal(number(crc(whole:sub(1, -5))), whole:sub(-4))
    events[#events + 1] = cjson.decode(whole:sub(13 + headers, -5))
    at = at + total
  end

  return events
end


local function gemini(text)
  return { candidates = { { content = { parts = { { text = text } }, role = "model" }, index = 0 } } }
end


local function cohere(text)
  return { type = "content-delta", index = 0, delta = { message = { content = { text = text } } } }
end


describe("other vendors", function()
  local upstream, running, token


  local function send(body)
    local answer = http.request({ port = running.port, path = "/v1/messages", headers = JSON,
                                  body = cjson.encode(body or { text = sample.INSTANCE }) })
    return answer, upstream:request()
  end


  -- Answers with these bytes, which the network cuts in the middle.
  local function answer(content_type, body)
    local chunks = {}
    for _, part in ipairs({ body:sub(1, #body / 2), body:sub(#body / 2 + 1) }) do
      chunks[#chunks + 1] = ("%x\r\n%s\r\n"):format(#part, part)
    end

    upstream:answer("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nContent-Type: "
                    .. content_type .. "\r\n\r\n" .. table.concat(chunks) .. "0\r\n\r\n")
    local came = send()
    assert.is_true(came.complete, came.problem)
    return came.body
  end


  setup(function()
    upstream = raw_upstream.start()
    running = assert(gateway.start({ upstream_port = upstream.port }))
    upstream:answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n{}")
    local _, request = send()
    token = request:match("EC2_[A-Z2-7]+")
  end)


  teardown(function()
    running:stop()
    upstream:stop()
  end)


  it("of server-sent events: a token that is cut over two events comes back", function()
    for _, says in ipairs({ gemini, cohere }) do
      for at = 0, #token do
        local stream = ""
        for _, text in ipairs({ "see " .. token:sub(1, at), token:sub(at + 1) .. "." }) do
          stream = stream .. "data: " .. cjson.encode(says(text)) .. "\n\n"
        end

        local said = {}
        for data in answer("text/event-stream", stream):gmatch("data: ([^\n]+)\n\n") do
          local event = cjson.decode(data)
          said[#said + 1] = event.candidates and event.candidates[1].content.parts[1].text
                            or event.delta.message.content.text
        end

        assert.equal("see " .. sample.INSTANCE .. ".", table.concat(said))
      end
    end
  end)


  it("of a list that Gemini streams: likewise", function()
    local list = "[" .. cjson.encode(gemini("see " .. token:sub(1, 6))) .. "\n,\r\n"
                 .. cjson.encode(gemini(token:sub(7) .. ".")) .. "\n]"
    local items = cjson.decode(answer("application/json; charset=UTF-8", list))
    assert.equal(2, #items)
    assert.equal("see " .. sample.INSTANCE .. ".",
                 items[1].candidates[1].content.parts[1].text .. items[2].candidates[1].content.parts[1].text)
  end)


  it("of Bedrock's binary messages: likewise, and each is whole", function()
    local stream = ""
    for _, text in ipairs({ "see " .. token:sub(1, 6), token:sub(7) .. "." }) do
      stream = stream .. message("contentBlockDelta", { contentBlockIndex = 0, delta = { text = text }, p = "abc" })
    end

    local stop = message("messageStop", { stopReason = "end_turn" })
    local came = answer("application/vnd.amazon.eventstream", stream .. stop)
    assert.equal(stop, came:sub(-#stop))
    local said = {}
    for i, event in ipairs(messages(came)) do
      said[i] = event.delta and event.delta.text
    end

    assert.equal("see " .. sample.INSTANCE .. ".", table.concat(said))
  end)


  it("get what they sign, call and name as it was, and no text in clear", function()
    local id = sample.INSTANCE
    upstream:answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n{}")
    local function sent(body)
      local _, request = send(body)
      return cjson.decode(request:match("\r\n\r\n(.*)$"))
    end

    local parts = sent({ contents = { { role = "user", parts = {
      { text = id },
      { functionCall = { id = id, name = id, args = { name = id } }, thoughtSignature = id },
      { inlineData = { mimeType = "text/plain", data = id } },
    } } } }).contents[1].parts
    assert.equal(token, parts[1].text)
    assert.same({ id = id, name = id, args = { name = token } }, parts[2].functionCall)
    assert.equal(id, parts[2].thoughtSignature)
    assert.equal(id, parts[3].inlineData.data)

    local result = sent({ messages = { { role = "tool", tool_call_id = id, content = {
      { type = "document", document = { data = "see " .. id } },
    } } } }).messages[1]
    assert.equal(id, result.tool_call_id)
    assert.equal("see " .. token, result.content[1].document.data)

    local text = { type = "text", media_type = "text/plain", data = id }
    local packed = { type = "base64", media_type = "image/png", data = id }
    local content = sent({ messages = { { role = "user", content = {
      { type = "document", source = text }, { type = "image", source = packed },
    } } } }).messages[1].content
    assert.equal(token, content[1].source.data)
    assert.equal(id, content[2].source.data)
  end)
end)
