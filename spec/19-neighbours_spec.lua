-- Plugins of Kong on the same route that read, change or make bodies themselves.
local cjson = require "cjson"
local gateway = require "spec.support.gateway"
local http = require "spec.support.http"
local mock = require "spec.support.mock"
local process = require "spec.support.process"
local raw_upstream = require "spec.support.raw_upstream"
local sample = require "spec.support.sample"
local sse = require "spec.support.sse"


local LAMBDA_PATH = "/2015-03-31/functions/ask/invocations"


local function chat(stream)
  return cjson.encode({ stream = stream, messages = { { role = "user", content = sample.TEXT } } })
end


describe("beside", function()
  if gateway.kind ~= "kong" then
    pending("the plugins of Kong, which the host on plain nginx does not have", function() end)
    return
  end

  local upstream, raw, running, folder


  local function model(provider, path, port)
    return {
      route_type = "llm/v1/chat",
      auth = { header_name = "authorization", header_value = "Bearer key" },
      model = {
        provider = provider,
        name = "model",
        options = {
          upstream_url = ("http://127.0.0.1:%d%s"):format(port or upstream.port, path),
          anthropic_version = provider == "anthropic" and "2023-06-01" or nil,
        },
      },
    }
  end


  local function send(path, body, headers)
    upstream:reset()
    upstream:watch(sample.IDS)
    local all = { ["Content-Type"] = "application/json" }
    for name, value in pairs(headers or {}) do
      all[name] = value
    end

    local answer = http.request({ port = running.port, path = path, headers = all, body = body })
    assert.equal(200, answer.status, answer.body)
    assert.is_true(answer.complete, answer.problem)
    local leaks, checked = upstream:leaks()
    assert.equal(0, leaks)
    assert.is_true(checked > 0)
    return answer
  end


  setup(function()
    folder = process.temporary_folder()
    upstream = mock.start()
    raw = raw_upstream.start()
    local openai = model("openai", "/v1/chat/completions")
    local routes = {
      openai = { name = "ai-proxy", config = openai },
      anthropic = { name = "ai-proxy", config = model("anthropic", "/v1/messages") },
      gemini = { name = "ai-proxy", config = model("gemini", "/v1beta/x:streamGenerateContent", raw.port) },
      cohere = { name = "ai-proxy", config = model("cohere", "/v1/chat", raw.port) },
      raw = { name = "ai-proxy", config = model("openai", "/v1/chat/completions", raw.port) },
      asked = { name = "ai-request-transformer", config = { prompt = "Rewrite it.", llm = openai } },
      answered = { name = "ai-response-transformer", config = { prompt = "Rewrite it.", llm = openai } },
      added = { name = "request-transformer", config = { add = { body = { "note:" .. sample.INSTANCE } } } },
      changed = { name = "response-transformer", config = { add = { json = { "note:added" } } } },
      read = { name = "post-function", config = {
        access = { "kong.service.request.enable_buffering()" },
        header_filter = { [[
          kong.response.set_header("X-Coding", kong.service.response.get_header("Content-Encoding") or "none")
        ]] },
        body_filter = { "ngx.arg[1] = kong.service.response.get_raw_body(); ngx.arg[2] = true" },
      } },
      held = { name = "post-function", config = { access = { "kong.service.request.enable_buffering()" } } },
      lambda = { name = "aws-lambda", config = {
        aws_key = "key", aws_secret = "secret", aws_region = "us-east-1", function_name = "ask",
        host = "127.0.0.1", port = upstream.port, disable_https = true, forward_request_body = true,
      } },
    }
    local list = {}
    for name, plugin in pairs(routes) do
      -- chunks as they come, where they matter
      local buffers = name ~= "raw" and name ~= "gemini" and name ~= "cohere"
      list[#list + 1] = { name = name, paths = { "/" .. name }, plugins = { plugin }, response_buffering = buffers }
    end
    -- one that both plugins of buffered answers share
    list[#list + 1] = { name = "both", paths = { "/both" }, plugins = { routes.held, routes.changed } }

    running = assert(gateway.start({ declarative = {
      _format_version = "3.0",
      services = { { name = "llm", url = "http://127.0.0.1:" .. upstream.port, routes = list } },
      plugins = {
        { name = "aws-masker" },
        { name = "file-log", config = { path = folder .. "/file.log" } },
      },
    } }))
  end)


  teardown(function()
    running:stop()
    upstream:stop()
    raw:stop()
    process.remove_folder(folder)
  end)


  -- What the log tells of the last exchange over a route.
  local function restored_over(route, path)
    local answer = send("/" .. route .. path, route == "openai" and chat(false) or sample.messages(),
                        { ["X-Log-Id"] = route })
    local entry = process.wait_until(30, function()
      local log = process.read_file(folder .. "/file.log") or ""
      local line = log:match('[^\n]*"x%-log%-id":"' .. route .. '"[^\n]*\n')
      return line and cjson.decode(line)
    end)
    return entry.aws_masker.restore, answer
  end


  for _, provider in ipairs({ "openai", "anthropic" }) do
    for _, coding in ipairs({ "none", "gzip" }) do
      it(("ai-proxy to %s, coding %s: an answer is restored before that"):format(provider, coding), function()
        local answer = send("/" .. provider, chat(false), { ["X-Mock-Encoding"] = coding ~= "none" and coding or nil })
        assert.equal(sample.TEXT, cjson.decode(answer.body).choices[1].message.content)
      end)
    end


    it("ai-proxy to " .. provider .. ": a stream is restored before that", function()
      for _, knobs in ipairs({ {}, { ["X-Mock-Write"] = 5 }, { ["X-Mock-Delta"] = 3 },
                               { ["X-Mock-Encoding"] = "gzip" } }) do
        local answer = send("/" .. provider, chat(true), knobs)
        local text = {}
        for _, event in ipairs(sse.events(answer.body)) do
          local choice = event.data and event.data.choices and event.data.choices[1]
          text[#text + 1] = choice and choice.delta and choice.delta.content or nil
        end

        assert.equal(sample.TEXT, table.concat(text))
      end
    end)
  end


  -- Where a chunk ends in the middle of an event, there is nothing to hand on; ai-proxy would take that for another
  -- chunk with the events of the last one.
  for _, provider in ipairs({ "openai", "gemini", "cohere" }) do
    it("ai-proxy to " .. provider .. ": nothing is said twice or left out, whatever chunks come", function()
      local path = provider == "openai" and "/raw" or "/" .. provider
      local function ask(content_type, body, more)
        raw:answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " .. content_type .. "\r\n" .. (more or "")
                   .. "\r\n" .. body)
        return http.request({ port = running.port, path = path, body = chat(true),
                              headers = { ["Content-Type"] = "application/json" } })
      end

      ask("application/json", "{}")
      local token = assert(raw:request():match("EC2_[A-Z2-7]+"))
      local function event(text, reason)
        if provider == "gemini" then
          return cjson.encode({ candidates = { {
            index = 0, content = { role = "model", parts = { { text = text } } },
            finishReason = reason and "STOP" or nil,
          } } })
        end

        if provider == "cohere" then
          return ('{"is_finished":false,"event_type":"text-generation","text":%s}\n'):format(cjson.encode(text))
        end

        local choice = { index = 0, delta = { content = text }, finish_reason = reason or cjson.null }
        return "data: " .. cjson.encode({ id = "c", choices = { choice } }) .. "\n\n"
      end

      local stream = { event("see "), event(token:sub(1, 6)), event(token:sub(7)), event(" and "),
                       event("more", "stop") }
      local content_type = "text/event-stream"
      if provider == "gemini" then
        content_type = "application/json; charset=UTF-8"
        for i, item in ipairs(stream) do
          stream[i] = (i == 1 and "[" or ",\r\n") .. item .. (i == #stream and "\n]" or "\n")
        end
      elseif provider == "cohere" then
        content_type = "application/stream+json"
        stream[#stream + 1] = '{"is_finished":true,"event_type":"stream-end","response":{"text":"x"}}\n'
      else
        stream[#stream + 1] = "data: [DONE]\n\n"
      end

      local whole = table.concat(stream)
      local function cut(length)
        return (whole:gsub(("."):rep(length), "%0<pause>"))
      end

      for _, body in ipairs({ whole, table.concat(stream, "<pause>"), cut(60), cut(97), cut(250) }) do
        local length = #body:gsub("<pause>", "")
        for _, header in ipairs({ "", "Content-Length: " .. length .. "\r\n" }) do
          local said, ends = {}, 0
          for data in ask(content_type, body, header).body:gmatch("data: ([^\n]+)") do
            ends = ends + (data == "[DONE]" and 1 or 0)
            said[#said + 1] = data ~= "[DONE]" and cjson.decode(data).choices[1].delta.content or nil
          end

          assert.equal("see " .. sample.INSTANCE .. " and more", table.concat(said), header .. body)
          -- where the end of a list comes alone, ai-proxy does not say so
          assert.is_true(ends == 1 or provider == "gemini" and ends == 0)
        end
      end
    end)
  end


  it("ai-request-transformer and ai-response-transformer: models see no original, the client sees all", function()
    for _, route in ipairs({ "asked", "answered" }) do
      local answer = send("/" .. route .. "/v1/chat/completions", chat(false))
      for _, id in ipairs(sample.IDS) do
        assert.is_truthy(answer.body:find(id, 1, true), route .. ": " .. id)
      end
    end
  end)


  it("request-transformer: what it adds is masked as well", function()
    send("/added/v1/messages", sample.messages())
    assert.matches('"note":"EC2_%w+"', upstream:last_body())
  end)


  it("response-transformer: its changes and the originals both arrive", function()
    for _, route in ipairs({ "changed", "both" }) do
      local answer = cjson.decode(send("/" .. route .. "/v1/messages", sample.messages()).body)
      assert.equal("added", answer.note)
      assert.equal(sample.TEXT, answer.content[1].text)
    end
  end)


  it("plugins that read the answer where Kong holds it: they see it restored and without a coding", function()
    for _, route in ipairs({ "read", "held" }) do
      for _, headers in ipairs({ {}, { ["X-Mock-Encoding"] = "gzip" } }) do
        local answer = send("/" .. route .. "/v1/messages", sample.messages(), headers)
        assert.equal(route == "read" and "none" or nil, answer.headers["x-coding"])
        assert.is_nil(answer.headers["content-encoding"])
        assert.equal(sample.TEXT, cjson.decode(answer.body).content[1].text)
      end
    end
  end)


  it("any of them: what was restored is counted once", function()
    for route, path in pairs({ openai = "", held = "/v1/messages", both = "/v1/messages", changed = "/v1/messages" }) do
      local restore, answer = restored_over(route, path)
      assert.equal("restored", restore.outcome, route)
      assert.equal(#sample.IDS, restore.restored, route)
      assert.equal(0, restore.unresolved, route)
      if route == "held" then
        assert.equal(#answer.body, restore.bytes_out)
      end
    end
  end)


  it("plugins that have Kong hold the answer: many megabytes are restored", function()
    for _, route in ipairs({ "read", "held" }) do
      local answer = send("/" .. route .. "/v1/messages", sample.messages(),
                          { ["X-Mock-Reply"] = "large", ["X-Mock-Size"] = "8000000" })
      local text = cjson.decode(answer.body).content[1].text
      assert.is_true(#text >= 8000000)
      assert.equal(sample.TEXT, text:sub(1, #sample.TEXT))
      assert.is_nil(text:find("EC2_", 1, true))
    end
  end)


  it("aws-lambda: the function gets tokens, and its answer is restored", function()
    upstream:reset()
    send("/added/v1/messages", sample.messages())
    local token = upstream:last_body():match("EC2_%w+")

    upstream:reset()
    upstream:watch(sample.IDS)
    upstream:answer(LAMBDA_PATH, "application/json", cjson.encode({ seen = token }))
    local answer = http.request({ port = running.port, path = "/lambda", body = sample.messages(),
                                  headers = { ["Content-Type"] = "application/json" } })
    assert.equal(0, (upstream:leaks()))
    assert.is_truthy(upstream:last_body():find(token, 1, true))
    assert.equal(sample.INSTANCE, cjson.decode(answer.body).seen)
  end)
end)
