local plugin = require "spec.support.plugin"


describe("the breaker", function()
  local breaker


  before_each(function()
    breaker = plugin.load("breaker").new()
  end)


  -- One call that begins at `now` and fails after `seconds`.
  local function fail(now, seconds)
    assert.is_true(breaker:begin(now))
    return breaker:failed(now + (seconds or 0))
  end


  local function open()
    for i = 1, 5 do
      assert.equal(i == 5, fail(10))
    end
  end


  it("lets calls through while they succeed", function()
    for now = 1, 1000 do
      assert.is_true(breaker:begin(now))
      breaker:succeeded(now)
    end
  end)


  it("opens after failures in a row", function()
    open()
    assert.is_false(breaker:begin(10))
  end)


  it("forgets failures when a call succeeds", function()
    for _ = 1, 100 do
      for _ = 1, 4 do
        assert.is_false(fail(1))
      end
      assert.is_true(breaker:begin(1))
      breaker:succeeded(1)
    end
  end)


  it("opens at the first failure that took long", function()
    assert.is_true(fail(1, 2))
    assert.is_false(breaker:begin(3))
  end)


  it("refuses calls while earlier ones hang, and takes them again as soon as one comes back", function()
    assert.is_true(breaker:begin(1))
    assert.is_true(breaker:begin(1.4))
    assert.same({ false, true }, { breaker:begin(1.6) })
    breaker:open(1.6)
    assert.same({ false }, { breaker:begin(1.6) })

    breaker:succeeded(1.7)
    assert.is_true(breaker:begin(1.8))
  end)


  it("does not take a slow Redis for one that hangs", function()
    assert.is_true(breaker:begin(0))
    for i = 1, 100 do
      assert.is_true(breaker:begin(i * 0.1))
      breaker:succeeded(i * 0.1)
    end
  end)


  it("is told of round trips that are not the last", function()
    assert.is_true(breaker:begin(0))
    for i = 1, 100 do
      breaker:heard(i * 0.4)
      assert.is_true(breaker:begin(i * 0.4 + 0.3))
      breaker:gave_up()
    end
  end)


  it("does not miss calls of which the caller is gone", function()
    assert.is_true(breaker:begin(1))
    assert.is_false(breaker:abandoned(1.3))
    assert.is_true(breaker:begin(100))
    -- nor is one failure after a quiet time more than one
    assert.is_false(breaker:failed(100))
  end)


  it("opens when the callers of a Redis that hangs are gone", function()
    assert.is_true(breaker:begin(1))
    assert.is_true(breaker:abandoned(1.6))
    assert.is_false(breaker:begin(1.6))
  end)


  it("does not take calls that gave up for failures", function()
    for now = 1, 100 do
      assert.is_true(breaker:begin(now))
      breaker:gave_up()
    end
    assert.is_false(fail(100))
  end)


  it("does not count the time in which nothing was asked", function()
    assert.is_true(breaker:begin(1))
    breaker:succeeded(1)
    assert.is_true(breaker:begin(1000))
    assert.is_true(breaker:begin(1000.1))
  end)


  it("has one caller probe after a pause", function()
    open()
    assert.is_false(breaker:begin_probe(10.9))
    assert.is_true(breaker:begin_probe(11.1))
    assert.is_false(breaker:begin_probe(11.1))
    assert.is_false(breaker:begin(11.1))
  end)


  it("closes when the probe succeeds", function()
    open()
    assert.is_true(breaker:begin_probe(11.1))
    breaker:probed(11.2, true)
    assert.is_true(breaker:begin(11.2))
    assert.is_false(breaker:failed(11.2))
  end)


  it("stays open for another pause when the probe fails", function()
    open()
    assert.is_true(breaker:begin_probe(11.1))
    breaker:probed(13, false)
    assert.is_false(breaker:begin(13.5))
    assert.is_false(breaker:begin_probe(13.5))
    assert.is_true(breaker:begin_probe(14.1))
  end)


  it("closes when a call from before succeeds after all", function()
    assert.is_true(breaker:begin(9.9))
    open()
    breaker:succeeded(11)
    assert.is_true(breaker:begin(11))
  end)


  it("is not misled by calls that never end", function()
    assert.is_true(breaker:begin(1))
    assert.is_false(breaker:begin(10))
    breaker:open(10)
    assert.is_true(breaker:begin_probe(12))
    breaker:probed(12, true)
    for now = 12, 100 do
      assert.is_true(breaker:begin(now))
      breaker:succeeded(now)
    end
  end)


  it("is probed again when a probe never ends", function()
    open()
    assert.is_true(breaker:begin_probe(12))
    assert.is_false(breaker:begin_probe(40))
    assert.is_true(breaker:begin_probe(43))
    -- the first one after all
    breaker:probed(44, true)
    assert.is_true(breaker:begin(44))
  end)


  it("does not wait for a clock that was set back", function()
    open()
    assert.is_false(breaker:begin_probe(-3600))
    assert.is_true(breaker:begin_probe(-3598))
    breaker:probed(-3598, true)

    assert.is_true(breaker:begin(-3598))
    assert.is_true(breaker:begin(-7200))
    assert.same({ false, true }, { breaker:begin(-7199) })
  end)
end)
