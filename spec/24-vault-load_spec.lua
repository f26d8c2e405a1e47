-- Short versions of `make vault-load`.
local vault_load = require "spec.support.vault_load"


describe("the vault under load", function()
  local function assert_good(report)
    assert.same({}, report.failures)
    assert.equal(0, report.failed)
    assert.equal(0, report.leaks)
    assert.equal(0, report.restarts)
    assert.is_true(report.connections <= report.pool,
                   report.connections .. " connections, the pools have " .. report.pool)
    assert.is_true(report.requests > 0)
    assert.equal(report.requests, report.resolved + report.unresolved)
    assert.is_nil(report.log:find("i-0feed", 1, true))
    assert.is_nil(report.log:find("EC2_", 1, true))
    assert.is_nil(report.log:find("stack traceback", 1, true))
  end


  it("of 100 clients keeps to its connections, with a Redis that takes ten clients", function()
    local report = vault_load.run({ clients = 100, requests = 1500, settled = function(calls)
      return calls.hset == 1500
    end })

    assert_good(report)
    assert.equal(1500, report.requests)
    -- each request asked once, and stored its own id
    assert.equal(1500, report.commands.hmget)
    assert.equal(1500, report.commands.hset)
  end)


  it("does so with 100 ms added to each reply", function()
    local report = vault_load.run({ clients = 100, requests = 400, delay_ms = 100 })

    assert_good(report)
    assert.equal(400, report.requests)
  end)


  it("goes on while Redis is killed, restarted and paused", function()
    local report = vault_load.run({ clients = 20, seconds = 9, faults = {
      { at = 1, what = "was killed", act = function(redis) redis:kill() end },
      { at = 3, what = "was started again, empty", act = function(redis) redis:run() end },
      { at = 4, what = "has its tokens again", act = function() end, stores = true },
      { at = 5, what = "was paused", act = function(redis) redis:pause() end },
      { at = 7, what = "was resumed", act = function(redis) redis:resume() end },
    } })

    assert_good(report)
    assert.is_true(report.unresolved > 0)
    assert.is_true(report.resolved > 0)
    print(("\n  %d requests, failed %d, leaks %d, tokens restored %d, left as they were %d"):format(
      report.requests, report.failed, report.leaks, report.resolved, report.unresolved))
  end)
end)
