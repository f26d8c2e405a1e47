local bed = require "spec.support.bed"
local sample = require "spec.support.sample"


local QUERY = "beta=true&instance=" .. sample.INSTANCE .. "&q=%EA%B0%80%20" .. sample.VPC


describe("the query of a request", function()
  local world


  setup(function()
    world = bed.start({
      routes = {
        open_query = { mask_query = false },
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
end)
