-- Counters and histograms in the registry of Kong's prometheus plugin, where that is loaded. Labels take few values:
-- fixed words and the kinds of the catalog and the config.
local exchange = require "kong.plugins.aws-masker.exchange"


local pairs = pairs
local pcall = pcall
local require = require


-- From a short request to the largest body, seconds.
local BUCKETS = {
  0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1,
}

local MICROSECONDS = 1e-6


-- Set by `init` once; nil where there is no registry.
local registered


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
end


local function add_request(mask, kinds)
  registered.exchanges:inc(1, { mask.outcome })
  registered.request_bytes:inc(mask.bytes_in)
  registered.mask_seconds:observe(mask.microseconds * MICROSECONDS)
  for kind, count in pairs(kinds) do
    registered.masked:inc(count, { kind })
  end
end


local function add_answer(restore)
  registered.answers:inc(1, { restore.outcome })
  registered.answer_bytes:inc(restore.bytes_in)
  registered.restore_seconds:observe(restore.microseconds * MICROSECONDS)
  if restore.restored > 0 then
    registered.restored:inc(restore.restored)
  end
  if restore.unresolved > 0 then
    registered.unresolved:inc(restore.unresolved)
  end
end


--- Counts an exchange. Phase: log.
-- @param of what `exchange.of` gave
function _M.report(of)
  if not registered then
    return
  end

  if of.blocked then
    registered.exchanges:inc(1, { of.blocked.outcome })
    registered.failures:inc(1, { of.blocked.reason, of.blocked.outcome })
    return
  end

  if of.mask then
    -- without anything found there is no need to ask for the kinds
    add_request(of.mask, of.mask.masked > 0 and exchange.kinds(of) or {})
  end
  if of.restore then
    add_answer(of.restore)
  elseif of.skipped then
    registered.answers:inc(1, { "skipped" })
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
