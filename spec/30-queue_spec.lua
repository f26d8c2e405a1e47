local clock_module = require "spec.support.clock"


describe("the host's kong.tools.queue", function()
  local clock, queue, log, batches, answers, before


  local function conf(changes)
    local result = {
      name = "spec", max_batch_size = 3, max_coalescing_delay = 1, max_entries = 10, max_retry_time = 60,
      initial_retry_delay = 0.01, max_retry_delay = 60, concurrency_limit = 1,
    }
    for name, value in pairs(changes or {}) do
      result[name] = value
    end

    return result
  end


  -- Takes every batch, or answers what the spec put into `answers`.
  local function handler(handler_conf, entries)
    batches[#batches + 1] = { at = clock.time, conf = handler_conf, entries = entries }
    local answer = table.remove(answers, 1)
    if answer == "raise" then
      error("raised")
    end

    if answer then
      return nil, answer
    end

    return true
  end


  local function enqueue(entries, changes, handler_conf)
    for _, entry in ipairs(entries) do
      assert.is_true(queue.enqueue(conf(changes), handler, handler_conf, entry))
    end
  end


  local function handed_over()
    local result = {}
    for i, batch in ipairs(batches) do
      result[i] = table.concat(batch.entries, ",")
    end

    return result
  end


  before_each(function()
    before = _G.kong
    batches, answers, log = {}, {}, {}
    local sink = setmetatable({}, {
      __index = function(_, level)
        return function(...)
          log[#log + 1] = level .. " " .. table.concat({ ... })
        end
      end,
    })
    _G.kong = { log = sink, plugin = { get_id = function()
      return "id-1"
    end } }
    package.loaded["kong.tools.queue"] = nil
    clock, queue = clock_module.with(function()
      return require "kong.tools.queue"
    end)
    package.loaded["kong.tools.queue"] = nil
  end)


  after_each(function()
    _G.kong = before
  end)


  it("hands over a full batch at once and the rest after the delay", function()
    enqueue({ 1, 2, 3, 4 })
    clock:advance(0)
    assert.same({ "1,2,3" }, handed_over())

    clock:advance(0.9)
    assert.same({ "1,2,3" }, handed_over())
    clock:advance(0.2)
    assert.same({ "1,2,3", "4" }, handed_over())
  end)


  it("lets an entry that comes during the delay travel along", function()
    enqueue({ 1 })
    clock:advance(0.5)
    enqueue({ 2 })
    clock:advance(0.6)

    assert.same({ "1,2" }, handed_over())
  end)


  it("is gone when it has run empty, and made anew with new limits", function()
    enqueue({ 1 })
    assert.is_true(queue.exists("spec"))
    clock:advance(2)
    assert.is_false(queue.exists("spec"))

    enqueue({ 2, 3 }, { max_batch_size = 1 })
    clock:advance(0)
    assert.same({ "1", "2", "3" }, handed_over())
  end)


  it("keeps its limits while it exists, and takes over the latest handler_conf", function()
    enqueue({ 1 }, nil, { n = 1 })
    enqueue({ 2 }, { max_batch_size = 1 }, { n = 2 })
    clock:advance(2)

    assert.same({ "1,2" }, handed_over())
    assert.equal(2, batches[1].conf.n)
  end)


  it("keeps queues of different names apart", function()
    enqueue({ 1 })
    enqueue({ 2 }, { name = "other" })
    clock:advance(2)

    assert.equal(2, #batches)
  end)


  it("drops the oldest entry when it is full, and only then", function()
    for i = 1, 10 do
      assert.is_true(queue.can_enqueue(conf(), i))
      enqueue({ i })
    end

    assert.is_true(queue.is_full(conf()))
    assert.is_false(queue.can_enqueue(conf(), 11))
    enqueue({ 11, 12 })
    clock:advance(5)

    assert.same({ "3,4,5", "6,7,8", "9,10,11", "12" }, handed_over())
    assert.matches("full, dropped the oldest 1 entries", table.concat(log, "\n"), 1, true)
  end)


  it("is bounded in bytes where max_bytes says so", function()
    local limits = { max_bytes = 10, max_batch_size = 100 }
    enqueue({ "aaaa", "bbbb", "cccc" }, limits)
    assert.is_nil((queue.enqueue(conf(limits), handler, nil, ("x"):rep(11))))
    assert.is_false(queue.can_enqueue(conf(limits), "ddd"))
    assert.is_true(queue.can_enqueue(conf(limits), "dd"))
    clock:advance(2)

    assert.same({ "bbbb,cccc" }, handed_over())
  end)


  it("tries a refused batch again with growing delays, whether the handler returns or raises", function()
    answers = { "refused", "raise", "refused" }
    enqueue({ 1, 2, 3 }, { initial_retry_delay = 1, max_retry_delay = 3 })
    clock:advance(100)

    local times = {}
    for i, batch in ipairs(batches) do
      times[i] = batch.at - batches[1].at
    end
    assert.same({ 0, 1, 3, 6 }, times)
    assert.same({ "1,2,3", "1,2,3", "1,2,3", "1,2,3" }, handed_over())
    assert.matches("could not process the entries: refused", table.concat(log, "\n"), 1, true)
  end)


  it("gives up on a batch after max_retry_time and goes on with the next", function()
    answers = { "no", "no", "no", "no", "no" }
    enqueue({ 1, 2, 3, 4 }, { initial_retry_delay = 1, max_retry_delay = 1, max_retry_time = 3.5 })
    clock:advance(100)

    assert.same({ "1,2,3", "1,2,3", "1,2,3", "1,2,3", "1,2,3", "4" }, handed_over())
    assert.matches("3 entries were lost", table.concat(log, "\n"), 1, true)
  end)


  it("takes entries while a batch waits for its next try", function()
    answers = { "no" }
    enqueue({ 1, 2, 3 }, { initial_retry_delay = 5 })
    clock:advance(1)
    enqueue({ 4 })
    clock:advance(10)

    assert.same({ "1,2,3", "1,2,3", "4" }, handed_over())
  end)


  it("does not wait for more when the worker is about to end", function()
    clock.exiting = true
    enqueue({ 1 }, { max_coalescing_delay = 30 })
    clock:advance(0.1)

    assert.same({ "1" }, handed_over())
  end)


  it("with concurrency_limit = -1 hands over every entry by itself", function()
    answers = { "no" }
    enqueue({ 1, 2 }, { concurrency_limit = -1, initial_retry_delay = 1 })
    clock:advance(2)

    assert.same({ "1", "2", "1" }, handed_over())
    assert.is_false(queue.exists("spec"))
  end)


  it("refuses parameters that are missing", function()
    local incomplete = conf()
    incomplete.max_entries = nil

    assert.has_error(function()
      queue.enqueue(incomplete, handler, nil, 1)
    end)
    assert.has_error(function()
      queue.enqueue(conf(), nil, nil, 1)
    end)
    assert.is_nil((queue.enqueue(conf(), handler, nil, nil)))
  end)


  it("names the parameters of a plugin", function()
    local params = queue.get_plugin_params("aws-masker", { queue = { max_entries = 5 } }, "events")

    assert.same({ max_entries = 5, name = "events", log_tag = "aws-masker plugin id-1" }, params)
    assert.equal("id-1", queue.get_plugin_params("aws-masker", {}).name)
  end)
end)
