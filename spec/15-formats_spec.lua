local cjson = require "cjson"
local bed = require "spec.support.bed"
local gzip = require "spec.support.gzip"
local sample = require "spec.support.sample"
local sse = require "spec.support.sse"


local LIMIT = 64 * 1024

local BOUNDARY = "----spec-boundary"


local function multipart(parts)
  local lines = {}
  for _, part in ipairs(parts) do
    lines[#lines + 1] = "--" .. BOUNDARY
    lines[#lines + 1] = 'Content-Disposition: form-data; name="' .. part.name .. '"'
                        .. (part.filename and '; filename="' .. part.filename .. '"' or "")
    if part.type then
      lines[#lines + 1] = "Content-Type: " .. part.type
    end

    lines[#lines + 1] = ""
    lines[#lines + 1] = part.content
  end

  lines[#lines + 1] = "--" .. BOUNDARY .. "--"
  return table.concat(lines, "\r\n") .. "\r\n"
end


local function url_encode(text)
  return (text:gsub("[^%w]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end


describe("bodies beyond plain JSON", function()
  local world


  setup(function()
    world = bed.start({
      routes = {
        small = { max_request_body_size = LIMIT },
        lenient = { unsupported_content = "allow" },
      },
    })
  end)


  teardown(function()
    world:stop()
  end)


  before_each(function()
    world:reset()
  end)


  local function assert_no_leaks()
    local leaks, checked = world.mock:leaks()
    assert.equal(0, leaks)
    assert.is_true(checked > 0)
  end


  describe("that are gzip", function()
    it("leave masked and without a coding", function()
      local answer = world:send({ body = gzip.pack(sample.messages()), headers = { ["Content-Encoding"] = "gzip" } })

      assert.equal(sample.TEXT, answer.json.content[1].text)
      assert_no_leaks()
      assert.is_nil(world.mock:last().headers["content-encoding"])
    end)


    it("leave as they came when there is nothing to mask", function()
      local body = gzip.pack(sample.messages({ text = "hello" }))
      world:send({ body = body, headers = { ["Content-Encoding"] = "gzip" } })

      assert.equal(body, world.mock:last_body())
      assert.equal("gzip", world.mock:last().headers["content-encoding"])
    end)


    it("are held against the size limit as they unfold", function()
      local body = gzip.pack(sample.messages({ text = ("x"):rep(LIMIT) }))
      assert.is_true(#body < LIMIT / 10)
      local answer = world:send({ path = "/small/v1/messages", body = body,
                                  headers = { ["Content-Encoding"] = "gzip" } })

      assert.equal(413, answer.status)
      assert.equal("AWS_MASKER_BODY_TOO_LARGE", answer.json.code)
      assert.equal(0, world.mock:count())
    end)


    it("are refused when they are not gzip after all, or hide something behind it", function()
      local packed = gzip.pack(sample.messages())
      for _, body in ipairs({ sample.messages(), packed:sub(1, -2), packed .. sample.INSTANCE }) do
        local answer = world:send({ body = body, headers = { ["Content-Encoding"] = "gzip" } })
        assert.equal(400, answer.status)
      end

      assert.equal(0, world.mock:count())
    end)


    it("and do not say so are refused", function()
      assert.is_true(world:send({ body = gzip.pack(sample.messages()) }).status >= 400)
      assert.equal(0, world.mock:count())
    end)
  end)


  it("that are UTF-16 are refused", function()
    local wide = sample.messages({ text = sample.INSTANCE }):gsub(".", "%0\0")
    for _, body in ipairs({ wide, "\255\254" .. wide }) do
      assert.equal(415, world:send({ body = body }).status)
      assert.equal(415, world:send({ body = body, headers = { ["Content-Type"] = "text/plain" } }).status)
    end

    local answer = world:send({ body = sample.messages(),
                                headers = { ["Content-Type"] = "application/json; charset=utf-16" } })
    assert.equal(415, answer.status)
    assert.equal(0, world.mock:count())
  end)


  it("that are NDJSON are masked line by line", function()
    local line = sample.messages({ text = sample.INSTANCE })
    local body = line .. "\n" .. line .. "\n"
    world:send({ path = "/v1/anything", body = body, headers = { ["Content-Type"] = "application/x-ndjson" } })

    assert_no_leaks()
    local first, second = world.mock:last_body():match("^([^\n]+)\n([^\n]+)\n$")
    assert.equal(first, second)
    assert.matches("^EC2_[A-Z2-7]+$", cjson.decode(first).messages[1].content)
  end)


  it("that are forms are masked whatever their escapes hide", function()
    world:send({
      path = "/v1/anything",
      body = "text=" .. url_encode(sample.TEXT) .. "&id=" .. sample.INSTANCE .. "&plain=%41+b",
      headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
    })

    assert_no_leaks()
    local seen = world.mock:last_body()
    local token = seen:match("&id=(EC2_[A-Z2-7]+)&plain=%%41%+b$")
    assert.is_truthy(token and seen:find("%20" .. token, 1, true))
    for _, id in ipairs(sample.IDS) do
      assert.is_nil(seen:find(url_encode(id), 1, true))
    end
  end)


  describe("that are multipart", function()
    local function upload(parts, path)
      return world:send({
        path = path or "/v1/files",
        body = multipart(parts),
        headers = { ["Content-Type"] = "multipart/form-data; boundary=" .. BOUNDARY },
      })
    end


    it("have their text parts masked, each as what it is", function()
      local line = sample.messages({ text = 'a "quoted" ' .. sample.INSTANCE })
      upload({
        { name = "purpose", content = "batch" },
        { name = "file", filename = sample.VPC .. ".jsonl", type = "application/octet-stream",
          content = '{"custom_id":"1","body":' .. line .. "}\n" },
        { name = "notes", filename = "notes.txt", type = "text/plain", content = sample.TEXT },
      })

      assert_no_leaks()
      local seen = world.mock:last_body()
      assert.matches('filename="VPC_[A-Z2-7]+%.jsonl"', seen)
      assert.matches('\r\n\r\nbatch\r\n', seen)
      local document = cjson.decode(seen:match('\r\n({"custom_id".-})\n'))
      assert.matches('^a "quoted" EC2_[A-Z2-7]+$', document.body.messages[1].content)
    end)


    it("are refused when a part cannot be masked", function()
      local picture = { { name = "file", filename = "a.png", type = "image/png", content = "\137PNG\0" } }

      assert.equal(415, upload(picture).status)
      assert.equal(0, world.mock:count())
    end)


    it("have the rest masked when such parts may pass", function()
      local picture = "\137PNG\0" .. sample.INSTANCE .. "\255"
      upload({
        { name = "file", filename = "a.png", type = "image/png", content = picture },
        { name = "text", content = sample.OTHER_INSTANCE },
      }, "/lenient/v1/files")

      local seen = world.mock:last_body()
      assert.is_truthy(seen:find(picture, 1, true))
      assert.is_nil(seen:find(sample.OTHER_INSTANCE, 1, true))
    end)


    it("are refused when they have no end or no boundary", function()
      local headers = { ["Content-Type"] = "multipart/form-data; boundary=" .. BOUNDARY }
      local body = multipart({ { name = "text", content = "x" } })

      assert.equal(400, world:send({ body = body:sub(1, -10), headers = headers }).status)
      assert.equal(400, world:send({ body = body, headers = { ["Content-Type"] = "multipart/form-data" } }).status)
      assert.equal(0, world.mock:count())
    end)
  end)


  describe("in answers that are compressed although identity was asked for", function()
    for _, coding in ipairs({ "gzip", "deflate", "deflate-raw" }) do
      it("are restored: " .. coding, function()
        local answer = world:send({ body = sample.messages(), headers = { ["x-mock-encoding"] = coding } })

        assert.is_nil(answer.headers["content-encoding"])
        assert.is_true(answer.complete, answer.problem)
        assert.equal(sample.TEXT, answer.json.content[1].text)
      end)


      it("are restored as they stream: " .. coding, function()
        for _, write_bytes in ipairs({ 1, 7, 4096 }) do
          local answer = world:send({
            body = sample.messages({ stream = true }),
            headers = { ["x-mock-encoding"] = coding, ["x-mock-delta"] = 3, ["x-mock-write"] = write_bytes },
          })

          assert.equal(sample.TEXT, sse.join(sse.events(answer.body), "text")[0])
        end
      end)
    end


    it("leave event by event", function()
      local delay = 0.1
      local answer = world:send({
        body = sample.messages({ stream = true, text = "one two three four five six seven eight " .. sample.INSTANCE }),
        headers = { ["x-mock-encoding"] = "gzip", ["x-mock-delta"] = 4, ["x-mock-delay-ms"] = delay * 1000 },
      })

      assert.is_true(answer.chunks[1].at - answer.started < 2 * delay)
      assert.is_true(#answer.chunks > 8)
    end)
  end)
end)
