local bed = require "spec.support.bed"
local process = require "spec.support.process"
local sample = require "spec.support.sample"
local socket = require "socket"


local function curl_speaks_http2()
  local version = process.capture("curl --version")
  return version:find("HTTP2", 1, true) ~= nil
end


describe("HTTP", function()
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


  local function connect()
    local client = assert(socket.connect("127.0.0.1", world.port))
    client:settimeout(10)
    return client
  end


  local function head(body, more)
    return "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
           .. "Content-Length: " .. #body .. "\r\nConnection: close\r\n" .. (more or "") .. "\r\n"
  end


  it("lets a client wait for 100 Continue before it sends a body, which is masked", function()
    local body = sample.messages()
    local client = connect()
    client:send(head(body, "Expect: 100-continue\r\n"))
    assert.equal("HTTP/1.1 100 Continue", client:receive("*l"))
    client:send(body)
    local answer = client:receive("*a")
    client:close()

    assert.matches("HTTP/1.1 200 OK", answer)
    assert.is_truthy(answer:find(sample.INSTANCE, 1, true))
    assert.equal(0, (world.mock:leaks()))
    assert.is_nil(world.mock:last().headers.expect)
  end)


  it("stops reading the upstream when the client goes away in mid-stream, and serves others", function()
    for _ = 1, 20 do
      local body = sample.messages({ stream = true, text = (sample.INSTANCE .. " "):rep(100) })
      local client = connect()
      client:send(head(body, "x-mock-delta: 5\r\nx-mock-delay-ms: 20\r\n") .. body)
      assert.equal("HTTP/1.1 200 OK", client:receive("*l"))
      client:setoption("linger", { on = true, timeout = 0 })
      client:close()
    end

    assert.equal(sample.TEXT, world:send({ body = sample.messages() }).json.content[1].text)
    assert.is_nil(world.gateway:error_log():find("[error]", 1, true))
    assert.equal(0, (world.mock:leaks()))
  end)


  it("keeps a connection alive over many exchanges, streamed and plain", function()
    local client = connect()
    for i = 1, 20 do
      local body = sample.messages({ stream = i % 2 == 0 })
      client:send((head(body, ""):gsub("Connection: close", "Connection: keep-alive")) .. body)
      assert.equal("HTTP/1.1 200 OK", client:receive("*l"))
      local length, chunked
      repeat
        local line = assert(client:receive("*l"))
        length = tonumber(line:lower():match("^content%-length: (%d+)")) or length
        chunked = chunked or line:lower() == "transfer-encoding: chunked"
      until line == ""

      assert.is_nil(length)
      assert.is_true(chunked)
      local parts = {}
      while true do
        local size = tonumber(client:receive("*l"), 16)
        parts[#parts + 1] = client:receive(size)
        client:receive("*l")
        if size == 0 then
          break
        end
      end

      assert.is_truthy(table.concat(parts):find(sample.INSTANCE, 1, true))
    end

    client:close()
  end)


  it("sends the last bytes of an answer of known length together with its end", function()
    for _ = 1, 20 do
      local body = sample.messages()
      local client = connect()
      client:send((head(body):gsub("Connection: close", "Connection: keep-alive")) .. body)
      repeat until client:receive("*l") == ""

      socket.select({ client }, nil, 10)
      client:settimeout(0)
      local _, _, piece = client:receive(65536)
      client:close()
      assert.is_truthy(piece:find(sample.INSTANCE, 1, true))
      assert.matches("\r\n0\r\n\r\n$", piece)
    end
  end)


  it("drops what vouches for the upstream's bytes, and keeps it where nothing changes", function()
    local dependent = { "content-length", "etag", "content-md5", "digest", "content-digest", "repr-digest",
                        "accept-ranges" }
    local masked = world:send({ body = sample.messages(), headers = { ["x-mock-etag"] = 1 } })
    local clean = world:send({ body = sample.messages({ text = "hello" }), headers = { ["x-mock-etag"] = 1 } })
    for _, name in ipairs(dependent) do
      assert.is_nil(masked.headers[name], name)
      assert.is_string(clean.headers[name], name)
    end
  end)


  it("restores the bodies of errors and keeps their status", function()
    for _, status in ipairs({ 400, 401, 403, 404, 413, 429, 500, 503, 529 }) do
      local answer = world:send({ body = sample.messages(),
                                  headers = { ["x-mock-reply"] = "error", ["x-mock-status"] = status } })
      assert.equal(status, answer.status)
      assert.is_truthy(answer.json.error.message:find(sample.INSTANCE, 1, true))
    end
  end)


  it("says nothing in a HEAD", function()
    local answer = world:send({ method = "HEAD", body = sample.messages() })

    assert.equal(200, answer.status)
    assert.equal("", answer.body)
    assert.equal(0, (world.mock:leaks()))
  end)


  it("goes to the client as HTTP/2 where it asks for that", function()
    if bed.kind ~= "kong" or not curl_speaks_http2() then
      pending("the host on plain nginx 1.22 cannot listen for both versions on one port")
      return
    end

    local folder = process.temporary_folder()
    process.write_file(folder .. "/body", sample.messages({ stream = true }))
    local output, ok = process.capture("curl -sS --http2-prior-knowledge -w '%{http_version}'"
      .. " -o " .. folder .. "/answer"
      .. " -H 'Content-Type: application/json' -H 'x-mock-delta: 3' --data-binary @" .. folder .. "/body"
      .. " http://127.0.0.1:" .. world.port .. "/v1/messages")
    local answer = process.read_file(folder .. "/answer")
    process.remove_folder(folder)

    assert.is_true(ok, output)
    assert.equal("2", output)
    local sse = require "spec.support.sse"
    assert.equal(sample.TEXT, sse.join(sse.events(answer), "text")[0])
  end)
end)
