local bed = require "spec.support.bed"
local latency = require "spec.support.latency"


local DELAY_MS = 60

-- Wide, for a machine that has other things to do: `make latency` measures. Chunks that waited for others would come
-- together, with nothing between most of them.
local LIMIT_MS = DELAY_MS / 2


describe("the tokens of a stream", function()
  local world


  setup(function()
    world = bed.start()
  end)


  teardown(function()
    world:stop()
  end)


  it("come through the gateway about when the upstream sends them", function()
    local measured = latency.measure(world.port, world.mock.port, { streams = 5, delay_ms = DELAY_MS })

    assert.is_true(measured.added_first < LIMIT_MS, "the first token waited " .. measured.added_first .. " ms")
    local added = measured.through.gap - measured.direct.gap
    assert.is_true(math.abs(added) < LIMIT_MS, "the time between tokens differs by " .. added .. " ms")
  end)
end)
