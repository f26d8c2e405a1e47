local bed = require "spec.support.bed"
local mock = require "spec.support.mock"
local process = require "spec.support.process"
local sample = require "spec.support.sample"


-- The host has no tracing: there `kong.tracing` does nothing.
if bed.kind == "kong" then
  describe("tracing spans", function()
    local world, collector


    setup(function()
      collector = mock.start()
      world = bed.start({
        workers = 1,
        plugins = { {
          name = "opentelemetry",
          config = {
            traces_endpoint = "http://127.0.0.1:" .. collector.port .. "/v1/traces",
            sampling_rate = 1,
            queue = { max_batch_size = 200, max_coalescing_delay = 0.1 },
          },
        } },
        env = { KONG_TRACING_INSTRUMENTATIONS = "all", KONG_TRACING_SAMPLING_RATE = 1 },
      })
    end)


    teardown(function()
      world:stop()
      collector:stop()
    end)


    it("show both steps, with counts and without any data", function()
      local path = "/v1/messages?beta=true&instance=" .. sample.INSTANCE
      assert.equal(200, world:send({ path = path, body = sample.messages() }).status)
      local traces = ""
      process.wait_until(20, function()
        if collector:count() > 0 then
          traces = collector:last_body()
        end
        return traces:find("aws-masker.restore", 1, true)
      end)

      assert.is_truthy(traces:find("aws-masker.mask", 1, true))
      assert.is_truthy(traces:find("aws-masker.restore", 1, true))
      assert.is_truthy(traces:find("aws_masker.restored", 1, true))
      assert.is_truthy(traces:find("http://localhost/v1/messages?" .. world.mock:last().query, 1, true))
      for _, id in ipairs(sample.IDS) do
        assert.is_nil(traces:find(id, 1, true))
      end
    end)
  end)
end
