-- Counters and histograms in the registry of Kong's prometheus plugin, where that is loaded. Labels take few values:
-- fixed words and the kinds of the catalog and the config.
--
-- What requests count is added up in plain tables and handed on every second, which is how often the registry itself
-- passes on what workers counted: looking up names and labels in it for every request costs more than all else in log.
local clib = require "kong.plugins.aws-masker.clib"


local kong = kong
local ngx = ngx
local next = next
local pairs = pairs
local pcall = pcall
local require = require


-- From a short request to the largest body, seconds.
local BUCKETS = {
  0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1,
}

local MICROSECONDS = 1e-6

local FLUSH_SECONDS = 1
-- Times kept for the next flush; more bring it forward.
local MAX_TIMES = 500


-- Set by `init` once; nil where there is no registry.
local registered

-- Since the last flush: counter -> label -> count (UNLABELLED where it has none); histogram -> array of seconds, n of
-- them.
local UNLABELLED = ""
local counts, times


local function forget()
  counts = { exchanges = {}, answers = {}, restored = {}, unresolved = {}, request_bytes = {},
             answer_bytes = {} }
  times = { mask_seconds = { n = 0 }, restore_seconds = { n = 0 } }
end


local function add(name, count, label)
  if count > 0 then
    local of = counts[name]
    of[label] = (of[label] or 0) + count
  end
end


local function flush()
  local counted, timed = counts, times
  forget()

  -- the library adds these up
  counted.masked = clib.take_tally()
  for name, of in pairs(counted) do
    local counter = registered[name]
    for label, count in next, of do
      counter:inc(count, label ~= UNLABELLED and { label } or nil)
    end
  end

  for name, seconds in pairs(timed) do
    local histogram = registered[name]
    for i = 1, seconds.n do
      histogram:observe(seconds[i])
    end
  end
end


-- Also called, once more, when the worker ends.
local function flush_in_time()
  local ok, why = pcall(flush)
  if not ok then
    kong.log.err("some counts are missing from the metrics: ", why)
  end
end


local _M = {}


--- Registers the metrics. Phase: init_worker.
function _M.init(pdk)
  local loaded = pdk.configuration.loaded_plugins
  if registered or not loaded or not loaded.prometheus then
    return
  end

  local ok, exporter = pcall(require, "kong.plugins.prometheus.exporter")
  local registry = ok and exporter.get_prometheus and exporter.get_prometheus()
  if not registry then
    return
  end

  registered = {
    exchanges = registry:counter("aws_masker_exchanges_total", "Exchanges by what happened to the request",
                                 { "outcome" }),
    failures = registry:counter("aws_masker_failures_total", "Requests that could not be masked",
                                { "reason", "outcome" }),
    masked = registry:counter("aws_masker_masked_total", "Stretches of requests replaced by tokens", { "kind" }),
    answers = registry:counter("aws_masker_answers_total", "Answers to masked requests by what happened to them",
                               { "outcome" }),
    restored = registry:counter("aws_masker_restored_total", "Tokens of answers turned back"),
    unresolved = registry:counter("aws_masker_unresolved_total", "Tokens of answers that nothing is known for"),
    request_bytes = registry:counter("aws_masker_request_bytes_total", "Bytes of request bodies examined"),
    answer_bytes = registry:counter("aws_masker_answer_bytes_total", "Bytes of answers restored"),
    mask_seconds = registry:histogram("aws_masker_mask_seconds", "Time to mask a request body", nil, BUCKETS),
    restore_seconds = registry:histogram("aws_masker_restore_seconds", "Time to restore an answer, all chunks", nil,
                                         BUCKETS),
    events_lost = registry:counter("aws_masker_events_lost_total", "Monitoring events that were lost"),
    redis_errors = registry:counter("aws_masker_redis_errors_total", "Operations that Redis failed",
                                    { "operation", "reason" }),
  }

  forget()
  local started, why = ngx.timer.every(FLUSH_SECONDS, flush_in_time)
  if not started then
    kong.log.err("nothing will be counted in the metrics: ", why)
    registered = nil
  end
end


local function add_time(name, microseconds)
  local of = times[name]
  local n = of.n + 1
  of.n = n
  of[n] = microseconds * MICROSECONDS
  if n >= MAX_TIMES then
    flush_in_time()
  end
end


local function add_request(mask, session)
  add("exchanges", 1, mask.outcome)
  add("request_bytes", mask.bytes_in, UNLABELLED)
  add_time("mask_seconds", mask.microseconds)
  -- without anything found there is no need to ask for the kinds
  if mask.masked > 0 then
    clib.tally(session)
  end
end


local function add_answer(restore)
  add("answers", 1, restore.outcome)
  add("answer_bytes", restore.bytes_in, UNLABELLED)
  add("restored", restore.restored, UNLABELLED)
  add("unresolved", restore.unresolved, UNLABELLED)
  add_time("restore_seconds", restore.microseconds)
end


--- Counts an exchange. Phase: log.
-- @param of what `exchange.of` gave
-- @param session the exchange's
function _M.report(of, session)
  if not registered then
    return
  end

  if of.blocked then
    add("exchanges", 1, of.blocked.outcome)
    registered.failures:inc(1, { of.blocked.reason, of.blocked.outcome })
    return
  end

  if of.mask then
    add_request(of.mask, session)
  end
  if of.restore then
    add_answer(of.restore)
  elseif of.restore_skipped then
    add("answers", 1, "skipped")
  end
end


--- Counts events that were lost. Any phase.
function _M.events_lost(count)
  if registered then
    registered.events_lost:inc(count)
  end
end


--- Counts a failure of Redis. Any phase.
function _M.redis_failed(operation, reason)
  if registered then
    registered.redis_errors:inc(1, { operation, reason })
  end
end


return _M
