local cjson = require "cjson"
local bed = require "spec.support.bed"
local process = require "spec.support.process"
local sample = require "spec.support.sample"


local QUERY = "beta=true&instance=" .. sample.INSTANCE .. "&q=%EA%B0%80%20" .. sample.VPC


describe("the query of a request", function()
  local world, folder
  local is_kong = bed.kind == "kong"


  setup(function()
    folder = process.temporary_folder()
    world = bed.start({
      plugins = is_kong and { { name = "file-log", config = { path = folder .. "/file.log" } } } or nil,
      routes = {
        open_query = { mask_query = false },
        dry_run = { dry_run = true },
      },
    })
  end)


  teardown(function()
    world:stop()
    process.remove_folder(folder)
  end)


  before_each(function()
    world:reset()
  end)


  local function query()
    return world.mock:last().query
  end


  it("masks its values and leaves the rest of it as it is", function()
    local answer = world:send({ path = "/v1/messages?" .. QUERY, body = sample.messages() })

    assert.equal(sample.TEXT, answer.json.content[1].text)
    assert.equal(0, (world.mock:leaks()))
    assert.matches("^beta=true&instance=EC2_[A-Z2-7]+&q=%%EA%%B0%%80%%20VPC_[A-Z2-7]+$", query())
  end)


  it("masks it without a body as well", function()
    world:send({ method = "GET", path = "/v1/models?" .. QUERY })

    assert.equal(0, (world.mock:leaks()))
    assert.matches("&instance=EC2_[A-Z2-7]+&", query())
  end)


  it("passes one that holds nothing byte for byte", function()
    for _, plain in ipairs({ "beta=true", "a=%7e+b&c&&d=%zz", "after_id=msgbatch_013Zva2CMHLNnXjNJJKqJ2EF" }) do
      world:send({ path = "/v1/messages?" .. plain, body = sample.messages() })
      assert.equal(plain, query())
    end
  end)


  it("leaves it alone where mask_query is off, and in a dry run", function()
    for _, route in ipairs({ "open_query", "dry_run" }) do
      world:send({ path = "/" .. route .. "/v1/messages?" .. QUERY, body = sample.messages() })
      assert.equal(QUERY, query())
    end
  end)


  if is_kong then
    it("stands in the logs of other plugins as the upstream got it", function()
      local answer = world:send({ path = "/v1/messages?" .. QUERY .. "&last=log", body = sample.messages() })
      assert.equal(200, answer.status)

      local entry = process.wait_until(30, function()
        local line = (process.read_file(folder .. "/file.log") or ""):match("[^\n]*last=log[^\n]*\n")
        return line and cjson.decode(line)
      end)
      local uri = "/v1/messages?" .. query()
      assert.equal(uri, entry.request.uri)
      assert.equal("http://localhost:" .. world.port .. uri, entry.request.url)
      assert.equal(uri, entry.upstream_uri)
      assert.is_nil(cjson.encode(entry):find(sample.VPC, 1, true))
    end)
  end
end)
