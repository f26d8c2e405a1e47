-- Sends monitoring events to Redis, in batches and apart from the requests they tell of.
--
-- Each different destination and batching has a queue of its own in each worker. Kong's queue keeps the limits that it
-- was made with, so a changed config gets a new one and the old one drains.
--
-- What lies in Kong's queue is not single events but batches that still take events: the queue wakes its thread for
-- every entry, and that would cost many times what an event does. A batch holds what its events are written from; they
-- are written when it is sent, so that no request waits for that. The bound is kept here too: Kong's queue would log
-- every entry that it drops and not say how many there were.
local commands = require "kong.plugins.aws-masker.commands"
local event = require "kong.plugins.aws-masker.event"
local metrics = require "kong.plugins.aws-masker.metrics"
local redis = require "kong.plugins.aws-masker.redis"
local queue = require "kong.tools.queue"


local abs = math.abs
local concat = table.concat
local find = string.find
local format = string.format
local ipairs = ipairs
local kong = kong
local ngx = ngx
local pairs = pairs
local random = math.random
local setmetatable = setmetatable
local sub = string.sub


-- Events that one queue holds for a Redis that does not answer.
local MAX_PENDING = 10000

local FIRST_RETRY_SECONDS = 0.1
local LONGEST_RETRY_SECONDS = 5
-- A queue that no config uses any more is given up when Redis has been away for so long.
local ABANDON_SECONDS = 60
-- Kong's queue would drop a batch without telling; `send` decides when it is lost.
local NEVER = 1e9

-- A batch waits in Kong's queue until a second entry comes or its time is over. When it is full, this one is added.
local WAKE = {}
local ENTRIES_TO_WAKE = 2

-- Errors of one kind are reported at once, then together.
local ERROR_INTERVAL_SECONDS = 10

local SOURCE_LENGTH = 12

-- What the texts of `redis.run` and of error replies mean, first match first.
local REASONS = {
  { redis.LEFT_ALONE, "breaker" },
  { "timeout", "timeout" },
  { "WRONGPASS", "auth" },
  { "NOAUTH", "auth" },
  { "ERR AUTH", "auth" },
  { "NOPERM", "auth" },
  { "refused", "connect" },
  { "resolve", "connect" },
  { "unreachable", "connect" },
  { "no route", "connect" },
  { "handshake", "connect" },
  { "closed", "closed" },
  { "reset by peer", "closed" },
  { "broken pipe", "closed" },
}


-- Parameters as text -> destination
local destinations = {}
local destination_count = 0

-- Kong's conf table -> destination
local by_conf = setmetatable({}, { __mode = "k" })


local function reason_of(err)
  for _, entry in ipairs(REASONS) do
    if find(err, entry[1], 1, true) then
      return entry[2]
    end
  end

  return find(err, "^%u%u") and "reply" or "other"
end


local function parameters(conf)
  return concat({
    redis.identity(conf), conf.event_transport, conf.redis_event_channel, conf.redis_event_stream,
    conf.event_stream_maxlen, conf.event_batch_size, conf.event_flush_interval,
  }, "\0")
end


local function new_destination(conf)
  destination_count = destination_count + 1
  local name = "aws-masker-events-" .. destination_count
  local stream, to_stream = conf.redis_event_stream, conf.event_transport ~= "pubsub"
  local maxlen = format("%d", conf.event_stream_maxlen)
  local node = kong.node.get_id()
  local source = sub(ngx.md5(concat({ node, ngx.worker.pid(), ngx.now(), destination_count }, " ")), 1, SOURCE_LENGTH)

  return {
    -- the latest config that sends here; Kong may have put a rotated password into it
    conf = conf,
    identity = event.identity(node, source),
    batch_size = conf.event_batch_size,
    -- beginnings of the commands that carry an event, nil where the transport needs none
    stream = to_stream and commands.prefix("XADD", stream, "*", "event") or nil,
    trimmed_stream = to_stream and commands.prefix("XADD", stream, "MAXLEN", "~", maxlen, "*", "event") or nil,
    channel = conf.event_transport ~= "stream" and commands.prefix("PUBLISH", conf.redis_event_channel) or nil,
    sequence = 0,
    -- the batch in Kong's queue that takes further events
    open = nil,
    -- made and neither sent nor lost
    pending = 0,
    -- lost, and not yet reported
    dropped = 0,
    -- "operation|outcome|reason" -> { operation, outcome, reason, count, reported_at }
    errors = {},
    failing_since = nil,
    is_used = true,
    queue = {
      name = name,
      log_tag = "aws-masker",
      max_batch_size = ENTRIES_TO_WAKE,
      max_coalescing_delay = conf.event_flush_interval,
      max_entries = ENTRIES_TO_WAKE * MAX_PENDING,
      max_retry_time = NEVER,
      initial_retry_delay = FIRST_RETRY_SECONDS,
      max_retry_delay = LONGEST_RETRY_SECONDS,
      concurrency_limit = 1,
    },
  }
end


local function destination_of(conf)
  local destination = by_conf[conf]
  if not destination then
    local key = parameters(conf)
    destination = destinations[key]
    if not destination then
      destination = new_destination(conf)
      destinations[key] = destination
    end

    by_conf[conf] = destination
  end

  destination.conf = conf
  return destination
end


-- The commands that carry a batch; the first event also says what was lost before.
-- @return pieces for `commands.send`, and how many commands they are
local function commands_of(destination, entries, dropped)
  local parts, count = {}, 0
  local stream, trimmed_stream, channel = destination.stream, destination.trimmed_stream, destination.channel

  for i = 1, #entries do
    local entry = entries[i]
    if i == 1 and dropped > 0 then
      entry = event.with_dropped(entry, dropped)
    end

    if stream then
      -- trimming once is enough
      commands.add(parts, i < #entries and stream or trimmed_stream, entry)
      count = count + 1
    end

    if channel then
      commands.add(parts, channel, entry)
      count = count + 1
    end
  end

  return parts, count
end


local function lose(destination, count)
  destination.dropped = destination.dropped + count
  metrics.events_lost(count)
end


-- Events whose commands Redis refused while it took others: nobody who reads the stream gets them.
-- @param refused error replies, with the `index` of their command
-- @param each commands that carry one event
local function lost_of(refused, each)
  local lost = 0
  for i = 1, #refused do
    -- XADD comes before PUBLISH
    if each == 1 or refused[i].index % each == 1 then
      lost = lost + 1
    end
  end

  return lost
end


-- @return true when the batch is as good as sent, or nil and why it should be tried again
local function deliver(destination, entries)
  local dropped = destination.dropped
  local parts, count = commands_of(destination, entries, dropped)
  local refused, err = redis.run(destination.conf, function(red)
    return commands.send(red, parts, count)
  end)
  if not refused then
    return nil, err
  end

  local first = refused[1]
  if #refused == count then
    return nil, redis.error_of(first)
  end

  -- unless the event that says so was refused
  if not first or first.index ~= 1 then
    destination.dropped = destination.dropped - dropped
  end

  if first then
    local lost = lost_of(refused, count / #entries)
    if lost > 0 then
      lose(destination, lost)
    end
    kong.log.err("Redis refused ", #refused, " of ", count, " commands that carry monitoring events, and ", lost,
                 " events are lost: ", redis.error_of(first))
  end

  return true
end


local add_text


local function count_error(destination, operation, outcome, reason)
  local key = operation .. "|" .. outcome .. "|" .. reason
  local known = destination.errors[key]
  if not known then
    known = { operation = operation, outcome = outcome, reason = reason, count = 0, reported_at = 0 }
    destination.errors[key] = known
  end

  known.count = known.count + 1
end


local function report_errors(destination)
  local now = ngx.now()
  for _, known in pairs(destination.errors) do
    -- the clock may have been set back
    if known.count > 0 and abs(now - known.reported_at) >= ERROR_INTERVAL_SECONDS then
      local count = known.count
      known.count, known.reported_at = 0, now
      add_text(destination, event.of_redis_error(known.operation, known.outcome, known.reason, count))
    end
  end
end


-- Why a batch that could not be sent is not worth another try; nil when it is.
local function hopeless(destination)
  if ngx.worker.exiting() then
    return "this worker ends"
  end

  if not destination.is_used and ngx.now() - destination.failing_since > ABANDON_SECONDS then
    return "no config sends them there any more"
  end
end


-- The events of a batch, one text each.
local function texts_of(destination, batch)
  if batch.texts then
    return batch.texts
  end

  local identity, kept = destination.identity, batch.kept
  local texts, count = {}, 0
  for at = 1, #kept, event.SLOTS do
    local time, sequence = kept[at], kept[at + 1]
    local of_request, of_answer = event.write(kept, at)
    if of_request then
      count = count + 1
      texts[count] = event.finish(of_request, identity, sequence, time)
      sequence = sequence + 1
    end
    if of_answer then
      count = count + 1
      texts[count] = event.finish(of_answer, identity, sequence, time)
    end
  end

  batch.texts, batch.kept = texts, nil
  return texts
end


-- All events of some batches, which take no further ones from now on.
local function close(destination, batches)
  local entries = {}
  for i = 1, #batches do
    local batch = batches[i]
    if batch == destination.open then
      destination.open = nil
    end

    if batch ~= WAKE then
      local texts = texts_of(destination, batch)
      for j = 1, #texts do
        entries[#entries + 1] = texts[j]
      end
    end
  end

  return entries
end


-- The queue's handler. Runs in a timer.
local function send(destination, batches)
  local entries = close(destination, batches)
  if #entries == 0 then
    return true
  end

  local ok, err = deliver(destination, entries)
  if ok then
    destination.pending = destination.pending - #entries
    destination.failing_since = nil
    report_errors(destination)
    return true
  end

  destination.failing_since = destination.failing_since or ngx.now()
  local reason = reason_of(err)
  count_error(destination, "events", "delayed", reason)
  metrics.redis_failed("events", reason)

  local why = hopeless(destination)
  if why then
    destination.pending = destination.pending - #entries
    lose(destination, #entries)
    kong.log.err(#entries, " monitoring events are lost, because Redis does not take them and ", why, ": ", err)
    return true
  end

  return nil, err
end


-- The batch that takes the next event.
local function open_batch(destination)
  local batch = destination.open
  if batch then
    return batch
  end

  -- a worker that ends finishes the queues that it has, but begins none
  if ngx.worker.exiting() and not queue.exists(destination.queue.name) then
    return nil
  end

  -- `kept` is what its events are written from, `texts` are the events once they are
  batch = { count = 0, kept = {}, texts = nil }
  if not queue.enqueue(destination.queue, send, destination, batch) then
    return nil
  end

  destination.open = batch
  return batch
end


-- Takes `count` events in.
-- @return the batch that they belong to, and the sequence number of the first; nil when they are lost
local function take(destination, count)
  local first = destination.sequence + 1
  destination.sequence = destination.sequence + count
  if destination.pending + count > MAX_PENDING then
    return lose(destination, count)
  end

  local batch = open_batch(destination)
  if not batch then
    kong.log.err(count, " monitoring events are lost, because this worker ends")
    return lose(destination, count)
  end

  destination.pending = destination.pending + count
  batch.count = batch.count + count
  return batch, first
end


local function send_if_full(destination, batch)
  if batch.count >= destination.batch_size then
    destination.open = nil
    queue.enqueue(destination.queue, send, destination, WAKE)
  end
end


function add_text(destination, text)
  local batch, sequence = take(destination, 1)
  if batch then
    event.keep_text(batch.kept, text, ngx.now(), sequence)
    send_if_full(destination, batch)
  end
end


local function add_exchange(destination, of, details)
  local batch, sequence = take(destination, event.count(of))
  if batch then
    event.keep(batch.kept, of, details, ngx.now(), sequence)
    send_if_full(destination, batch)
  end
end


local _M = {}


--- Takes over the configs that are in force from now on.
-- @param confs array of all enabled configs, nil when there are none
function _M.configure(confs)
  for _, destination in pairs(destinations) do
    destination.is_used = false
  end

  for _, conf in ipairs(confs or {}) do
    if conf.enable_redis_events then
      destination_of(conf).is_used = true
    end
  end

  for key, destination in pairs(destinations) do
    if not destination.is_used and destination.pending == 0 then
      destinations[key] = nil
    end
  end
end


--- Queues the events of an exchange, where `enable_redis_events` is set. Phase: log.
-- @param of what `exchange.of` gave
-- @param session the exchange's
function _M.report(conf, of, session, pdk)
  if not of.blocked and conf.event_sampling_rate < 1 and random() >= conf.event_sampling_rate then
    return
  end

  local destination = destination_of(conf)
  local details = conf.event_detail == "detailed" and event.details(of, session, pdk)
  if of.blocked then
    add_text(destination, event.of_blocked(of.blocked, details))
  elseif event.count(of) > 0 then
    add_exchange(destination, of, details)
  end
end


--- Reports that Redis failed an operation of the vault. Any phase.
-- @param operation "read" or "write"
-- @param outcome "degraded" (the request went on) or "blocked" (it did not)
-- @param err what `redis.run` or `redis.error_of` said
function _M.redis_failed(conf, operation, outcome, err)
  local reason = reason_of(err)
  metrics.redis_failed(operation, reason)
  if conf.enable_redis_events then
    local destination = destination_of(conf)
    count_error(destination, operation, outcome, reason)
    report_errors(destination)
  end
end


return _M
