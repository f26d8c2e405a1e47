local cjson = require "cjson"
local bed = require "spec.support.bed"
local gateway = require "spec.support.gateway"
local http = require "spec.support.http"
local mock = require "spec.support.mock"
local process = require "spec.support.process"
local raw_upstream = require "spec.support.raw_upstream"
local sample = require "spec.support.sample"
local socket = require "socket"
local sse = require "spec.support.sse"


local WAIT_SECONDS = 30

local JSON = { ["Content-Type"] = "application/json" }


local function answer_of(content_type, body, more)
  return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " .. content_type .. "\r\n" .. (more or "") .. "\r\n"
         .. body
end


local function chunk(bytes)
  return ("%x\r\n%s\r\n"):format(#bytes, bytes)
end


local function delta(text)
  return "event: content_block_delta\ndata: " .. cjson.encode({
    type = "content_block_delta", index = 0, delta = { type = "text_delta", text = text },
  }) .. "\n\n"
end


describe("an upstream", function()
  local upstream, running, token


  local function send(options)
    options = options or {}
    return http.request({ port = running.port, path = "/v1/messages", headers = JSON,
                          body = sample.messages({ text = sample.INSTANCE }), chunk_bytes = options.chunk_bytes })
  end


  setup(function()
    upstream = raw_upstream.start()
    running = assert(gateway.start({ upstream_port = upstream.port }))
    upstream:answer(answer_of("application/json", "{}"))
    send()
    token = upstream:request():match("EC2_[A-Z2-7]+")
  end)


  teardown(function()
    running:stop()
    upstream:stop()
  end)


  it("that sends trailers is understood, and they do not reach the client with tokens", function()
    upstream:answer(answer_of("text/plain", chunk("see " .. token) .. "0\r\nX-Note: " .. token .. "\r\n\r\n",
                              "Transfer-Encoding: chunked\r\nTrailer: X-Note\r\n"))
    local answer = send()

    assert.is_true(answer.complete, answer.problem)
    assert.equal("see " .. sample.INSTANCE, answer.body)
  end)


  it("does not get a client's trailers, which nobody masks", function()
    upstream:answer(answer_of("application/json", "{}"))
    local body = sample.messages({ text = sample.INSTANCE })
    local client = assert(socket.connect("127.0.0.1", running.port))
    client:settimeout(WAIT_SECONDS)
    client:send("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
                .. "Content-Type: application/json\r\nTrailer: X-Note\r\n\r\n" .. chunk(body)
                .. "0\r\nX-Note: " .. sample.INSTANCE .. "\r\n\r\n")
    local answer = client:receive("*a")
    client:close()

    assert.matches("^HTTP/1.1 200", answer)
    local request = upstream:request()
    assert.is_truthy(request:find(token, 1, true))
    assert.is_nil(request:find(sample.INSTANCE, 1, true))
  end)


  it("that breaks off in any part of an event leaves no broken event behind", function()
    local whole = delta("about ") .. delta(token:sub(1, 5)) .. delta(token:sub(6) .. " and more")
    for length = #delta("about "), #whole, 3 do
      upstream:answer(answer_of("text/event-stream", chunk(whole:sub(1, length)), "Transfer-Encoding: chunked\r\n"))
      local answer = send()

      assert.is_false(answer.complete)
      -- all that ends in a blank line can be read
      local text = sse.join(sse.events(answer.body), "text")[0]
      assert.is_truthy(("about " .. token):find(text, 1, true) == 1 or text:find(sample.INSTANCE, 1, true), text)
    end
  end)


  it("that breaks off before the length it told leaves behind what came", function()
    upstream:answer(answer_of("text/plain", "see " .. token .. ", and", "Content-Length: 1000\r\n"))
    local answer = send()

    assert.is_false(answer.complete)
    assert.equal("see " .. sample.INSTANCE .. ", and", answer.body)
  end)


  it("that has nothing to say makes an error that tells nothing", function()
    upstream:answer(nil)
    local answer = send()

    assert.equal(502, answer.status)
    assert.is_nil(answer.body:find(token, 1, true))
    assert.is_nil(running:error_log():find(sample.INSTANCE, 1, true))
  end)
end)


describe("a second upstream", function()
  it("gets the masked body as well when the first is dead", function()
    if bed.kind ~= "kong" then
      pending("the host on plain nginx has no upstreams with several targets")
      return
    end

    local alive = mock.start()
    local dead_port = process.free_port()
    local running = assert(gateway.start({ declarative = {
      _format_version = "3.0",
      upstreams = { {
        name = "models",
        targets = { { target = "127.0.0.1:" .. dead_port }, { target = "127.0.0.1:" .. alive.port } },
      } },
      services = { {
        name = "llm", host = "models", protocol = "http", retries = 5,
        routes = { { name = "all", paths = { "/" } } },
        plugins = { { name = "aws-masker" } },
      } },
    } }))
    alive:watch(sample.IDS)

    -- round robin begins with either; half of them find the dead one first
    for _ = 1, 6 do
      local answer = http.request({ port = running.port, path = "/v1/messages", headers = JSON,
                                    body = sample.messages() })
      assert.equal(200, answer.status)
      assert.equal(sample.TEXT, cjson.decode(answer.body).content[1].text)
    end

    local leaks, checked = alive:leaks()
    local retried = running:error_log():find("127.0.0.1:" .. dead_port, 1, true)
    running:stop()
    alive:stop()
    assert.equal(0, leaks)
    assert.equal(6, checked)
    assert.is_truthy(retried, "the dead target was never tried")
  end)
end)


describe("a client that goes away in mid-stream", function()
  it("leaves no handle of the library behind", function()
    local folder = process.temporary_folder()
    local include = folder .. "/probe.conf"
    process.write_file(include, [[
      location = /__live_handles {
        content_by_lua_block { ngx.print(require("kong.plugins.aws-masker.clib").live_handles()) }
      }
    ]])
    -- one worker: whoever asks is answered by the one that has the handles
    local world = bed.start({ workers = 1, env = { GATEWAY_INCLUDE = include, KONG_NGINX_PROXY_INCLUDE = include } })
    local function handles()
      return tonumber(http.request({ port = world.port, path = "/__live_handles" }).body)
    end

    world:send({ body = sample.messages() })
    local before = handles()
    local clients = {}
    local body = sample.messages({ stream = true, text = (sample.INSTANCE .. " "):rep(200) })
    for i = 1, 20 do
      local client = assert(socket.connect("127.0.0.1", world.port))
      client:settimeout(WAIT_SECONDS)
      client:send("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  .. "x-mock-delta: 5\r\nx-mock-delay-ms: 50\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body)
      assert.equal("HTTP/1.1 200 OK", client:receive("*l"))
      clients[i] = client
    end

    local during = handles()
    for _, client in ipairs(clients) do
      client:setoption("linger", { on = true, timeout = 0 })
      client:close()
    end

    local freed = process.wait_until(WAIT_SECONDS, function()
      return handles() == before
    end)
    local left = handles()
    world:stop()
    process.remove_folder(folder)
    assert.equal(before + #clients, during)
    assert.is_true(freed, left .. " handles are left, there were " .. before)
  end)
end)
