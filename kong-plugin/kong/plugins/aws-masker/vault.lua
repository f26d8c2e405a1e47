-- What tokens stand for, kept in Redis beyond the request: sealed by the library, one hash per scope, token to value.
--
-- An exchange takes one connection at most, and only when it has something to ask or, with `redis_required`, to store.
-- Else what is new is stored from a queue. Nothing here makes a request fail, but with `redis_required`.
local clib = require "kong.plugins.aws-masker.clib"
local redis = require "kong.plugins.aws-masker.redis"
local stored = require "kong.plugins.aws-masker.stored"


local ceil = math.ceil
local concat = table.concat
local gmatch = string.gmatch
local ipairs = ipairs
local kong = kong
local min = math.min
local next = next
local ngx = ngx
local pairs = pairs
local pcall = pcall
local require = require
local tonumber = tonumber
local type = type
local unpack = unpack


local EMPTY = {}

-- Arguments of one command, and fields that one HSCAN asks for.
local STEP = 1000

-- What a batch is stored in: round trips of about so many bytes, and arguments of a command that add up to less. Kong's
-- timers run in threads that live on, and nginx keeps for each thread a buffer as large as the largest it has sent.
local PIECE_BYTES = 8192
local PIECE_STEP = 32

local COMPLAINT_SECONDS = 10

local QUEUE = {
  log_tag = "aws-masker vault",
  max_batch_size = 200,
  max_coalescing_delay = 0.05,
  max_entries = 5000,
  max_bytes = 8 * 1024 * 1024,
  max_retry_time = 30,
  initial_retry_delay = 0.25,
  max_retry_delay = 5,
  concurrency_limit = 1,
}


-- queue parameters by where the queue writes to, and as whom
local queues = {}
local queue_count = 0

local complained_at, unsaid = 0, 0

-- Told of what could not be stored behind a request's back.
local on_write_failure = function() end


-- Failures come in thousands; a line now and then is enough.
local function complain(...)
  local now = ngx.now()
  if now - complained_at < COMPLAINT_SECONDS then
    unsaid = unsaid + 1
    return
  end

  kong.log.warn(...)
  if unsaid > 0 then
    kong.log.warn(unsaid, " similar failures since the last such line")
  end
  complained_at, unsaid = now, 0
end


local function hash_names(session)
  local names = clib.vault_names(session)
  for i, name in ipairs(names) do
    names[i] = "aws-masker:" .. name .. ":vault"
  end

  return names
end


local function split(lines)
  local result = {}
  for line in gmatch(lines, "[^\n]+") do
    result[#result + 1] = line
  end

  return result
end


-- Tokens of this session that have to be stored, with their sealed values: { token, sealed, … }.
-- @param again also those that are remembered
-- @return them, and how many there are with those that are remembered
local function new_fields(conf, session, key, again)
  local place = redis.describe(conf)
  local fields, count = {}, 0
  for token in gmatch(clib.to_store(session), "[^\n]+") do
    if #fields >= 2 * conf.max_entries then
      break
    end

    count = count + 1
    if again or not stored.has(place, key, token) then
      fields[#fields + 1] = token
      fields[#fields + 1] = clib.seal(session, token)
    end
  end

  return fields, count
end


-- @param from, to range of `fields`, nil for all of them
local function add_writes(red, key, fields, from, to)
  to = to or #fields
  for first = from or 1, to, STEP do
    red:hset(key, unpack(fields, first, min(first + STEP - 1, to)))
  end
end


local function add_lookups(red, keys, tokens)
  for _, key in ipairs(keys) do
    for first = 1, #tokens, STEP do
      red:hmget(key, unpack(tokens, first, min(first + STEP - 1, #tokens)))
    end
  end
end


local function first_error(replies)
  for i = 1, #replies do
    local err = redis.error_of(replies[i])
    if err then
      return err
    end
  end
end


-- @return 1 when the session now knows what `token` stands for, else 0
local function learn(session, index, token, sealed, report)
  if type(sealed) ~= "string" then
    return 0
  end

  local learned, failure = clib.learn(session, index, token, sealed)
  if failure then
    report.rejected = report.rejected + 1
  end

  return learned and 1 or 0
end


local function learn_lookups(session, keys, tokens, replies, at, report)
  for index = 1, #keys do
    for first = 1, #tokens, STEP do
      at = at + 1
      local values = replies[at]
      if not redis.error_of(values) then
        for i = 1, #values do
          report.found = report.found + learn(session, index, tokens[first + i - 1], values[i], report)
        end
      end
    end
  end

  return at
end


-- Learns what one HSCAN gave.
-- @return the cursor to go on from, "0" at the end
local function learn_scan(session, index, reply, report)
  if redis.error_of(reply) then
    return "0"
  end

  local fields = reply[2]
  for i = 1, #fields, 2 do
    learn(session, index, fields[i], fields[i + 1], report)
  end
  report.scanned = report.scanned + #fields / 2

  return reply[1]
end


-- Reads on until every hash is read, the limit is reached or the time of one call is over.
local function scan_on(red, call, conf, session, keys, cursors, report)
  local deadline = ngx.now() + conf.redis.timeout / 1000

  while next(cursors) and report.scanned < conf.max_entries and ngx.now() < deadline do
    local order = {}
    red:init_pipeline()
    for index, cursor in pairs(cursors) do
      order[#order + 1] = index
      red:hscan(keys[index], cursor, "COUNT", STEP)
    end

    local replies, err = red:commit_pipeline()
    if not replies then
      return nil, err
    end

    redis.heard(call)
    for i, index in ipairs(order) do
      local cursor = learn_scan(session, index, replies[i], report)
      cursors[index] = cursor ~= "0" and cursor or nil
    end
  end

  return true
end


-- The one round trip of an exchange. Only a scope of more than one step, or one that Redis has lost, takes more.
-- @param task table: keys, tokens (to look up), whole_scope, fields (to store now, or nil), made (how many have to be
-- there then)
local function round_trip(conf, session, task, report, owner)
  local keys, tokens, fields = task.keys, task.tokens, task.fields

  return redis.run(conf, function(red, call)
    red:init_pipeline()
    local writes = 0
    if fields then
      add_writes(red, keys[1], fields)
      red:expire(keys[1], conf.mapping_ttl)
      red:hlen(keys[1])
      writes = ceil(#fields / STEP) + 2
    end

    add_lookups(red, keys, tokens)
    if task.whole_scope then
      for _, key in ipairs(keys) do
        red:hscan(key, "0", "COUNT", STEP)
      end
    end

    local replies, err = red:commit_pipeline()
    if not replies then
      return nil, err
    end

    redis.heard(call)
    report.error = first_error(replies)
    local there = fields and tonumber(replies[writes]) or 0
    report.too_many = there > conf.max_entries
    if fields and there < min(task.made, conf.max_entries) and not report.error then
      -- less lies there than this request alone needs, although the rest was remembered to
      red:init_pipeline()
      add_writes(red, keys[1], (new_fields(conf, session, keys[1], true)))
      red:expire(keys[1], conf.mapping_ttl)
      local again
      again, err = red:commit_pipeline()
      if not again then
        return nil, err
      end

      redis.heard(call)
      report.error = first_error(again)
    end

    local at = learn_lookups(session, keys, tokens, replies, writes, report)
    if task.whole_scope then
      local cursors = {}
      for index = 1, #keys do
        local cursor = learn_scan(session, index, replies[at + index], report)
        cursors[index] = cursor ~= "0" and cursor or nil
      end

      local ok
      ok, err = scan_on(red, call, conf, session, keys, cursors, report)
      if not ok then
        return nil, err
      end
    end

    return replies
  end, owner)
end


-- Takes out of a scope at random what it has too many.
local function trim(red, key, excess)
  local tokens = red:hrandfield(key, excess)
  if type(tokens) ~= "table" then
    return
  end

  for first = 1, #tokens, STEP do
    red:hdel(key, unpack(tokens, first, min(first + STEP - 1, #tokens)))
  end
end


-- One entry of the queue: name of the hash, its time to live and its limit, then tokens and values in turn.
local function encode_entry(key, conf, fields)
  local parts = { key, conf.mapping_ttl, conf.max_entries }
  for i = 1, #fields, 2 do
    parts[#parts + 1] = fields[i]
    parts[#parts + 1] = ngx.encode_base64(fields[i + 1])
  end

  return concat(parts, " ")
end


local function decode_entry(entry)
  local parts = {}
  for part in gmatch(entry, "%S+") do
    parts[#parts + 1] = part
  end

  local fields = {}
  for i = 4, #parts, 2 do
    fields[#fields + 1] = parts[i]
    fields[#fields + 1] = ngx.decode_base64(parts[i + 1])
  end

  return { key = parts[1], ttl = tonumber(parts[2]), max_entries = tonumber(parts[3]), fields = fields }
end


-- Sends what waits in the pipeline.
-- @return its replies, appended to `all` as well, or nil and why not
local function commit(red, call, all)
  local replies, err = red:commit_pipeline()
  if not replies then
    return nil, err
  end

  redis.heard(call)

  for _, reply in ipairs(replies) do
    all[#all + 1] = reply
  end

  return replies
end


-- Writes what a batch has, in pieces; leaves the last one in the pipeline.
-- @return true, or nil and why not
local function write_pieces(red, call, entries, all)
  local bytes = 0
  red:init_pipeline()
  for _, entry in ipairs(entries) do
    local fields = entry.fields
    for first = 1, #fields, PIECE_STEP do
      if bytes >= PIECE_BYTES then
        local replies, err = commit(red, call, all)
        if not replies then
          return nil, err
        end

        red:init_pipeline()
        bytes = 0
      end

      local last = min(first + PIECE_STEP - 1, #fields)
      add_writes(red, entry.key, fields, first, last)
      for i = first, last do
        bytes = bytes + #fields[i]
      end
    end
  end

  return true
end


-- Has what was written expire, and takes out what is too much of it.
-- @param scopes name of a hash -> an entry that was written there
-- @return true, or nil and why not
local function limit_scopes(red, call, scopes, all)
  local keys = {}
  for key, entry in pairs(scopes) do
    keys[#keys + 1] = key
    red:expire(key, entry.ttl)
    red:hlen(key)
  end

  local replies, err = commit(red, call, all)
  if not replies then
    return nil, err
  end

  for i, key in ipairs(keys) do
    local len = tonumber(replies[#replies - 2 * (#keys - i)])
    local excess = (len or 0) - scopes[key].max_entries
    if excess > 0 then
      trim(red, key, excess)
    end
  end

  return true
end


-- Called by the queue, in a timer.
local function store_batch(conf, batch)
  local entries = {}
  local scopes = {}
  for i, encoded in ipairs(batch) do
    local entry = decode_entry(encoded)
    entries[i] = entry
    scopes[entry.key] = entry
  end

  local replies, err = redis.run(conf, function(red, call)
    local all = {}
    local ok, err = write_pieces(red, call, entries, all)
    if ok then
      ok, err = limit_scopes(red, call, scopes, all)
    end

    return ok and all or nil, err
  end)
  if not replies then
    stored.forget(redis.describe(conf))
    on_write_failure(conf, err)
    return nil, err
  end

  err = first_error(replies)
  if err then
    on_write_failure(conf, err)
    if redis.is_replaced(err) then
      return nil, err
    end

    -- not tried again from here: the next request that has such a token does
    complain("tokens could not be stored in Redis: ", err)
    return true
  end

  local place = redis.describe(conf)
  for _, entry in ipairs(entries) do
    stored.add(place, entry.key, entry.fields, entry.ttl)
  end

  return true
end


local function queue_for(conf)
  local identity = redis.identity(conf)
  local params = queues[identity]
  if not params then
    queue_count = queue_count + 1
    params = { name = "aws-masker vault " .. queue_count .. " " .. redis.describe(conf) }
    for field, value in pairs(QUEUE) do
      params[field] = value
    end
    queues[identity] = params
  end

  return params
end


-- @return whether the queue took it
local function enqueue(conf, key, fields)
  local queue = require "kong.tools.queue"
  local params = queue_for(conf)
  local entry = encode_entry(key, conf, fields)
  -- a full queue would drop what it has, and say so for each
  if not queue.can_enqueue(params, entry) then
    return nil, "the queue is full"
  end

  return queue.enqueue(params, store_batch, conf, entry)
end


local function store_later(conf, key, fields, report)
  local called, ok, err = pcall(enqueue, conf, key, fields)
  if not called or not ok then
    report.error = "the queue is full"
    complain("tokens are not stored in Redis: ", called and err or ok)
    return
  end

  stored.queued(redis.describe(conf), key, fields)
end


-- Has the queue take out of a scope what it has too many. If it takes no more, the next request that stores asks again.
local function trim_later(conf, key)
  local called, ok, err = pcall(enqueue, conf, key, EMPTY)
  if not called or not ok then
    complain("a scope in Redis has more than max_entries: ", called and err or ok)
  end
end


local _M = {}


--- Has `fn` called with config and text when the queue could not store something.
function _M.tell_write_failures(fn)
  on_write_failure = fn
end


--- Looks up what the session cannot explain and stores what it has made. Phase: access, after masking.
-- @param conf plugin config with `use_redis`
-- @param whole_scope the answer may hold any token of the scope
-- @param owner the exchange's table, for `redis.abandon`
-- @return table: asked (tokens looked up), found (of those), scanned (values read of the whole scope), rejected (values
-- that did not open), stored (new tokens, or those queued), too_many (the scope has more than max_entries), error (a
-- text, or nil); or nil and why not, with
-- `redis_required` only
function _M.exchange(conf, session, whole_scope, owner)
  local report = { asked = 0, found = 0, rejected = 0, scanned = 0, stored = 0, too_many = false }
  local restores = conf.restore_responses
  local tokens = restores and split(clib.unexplained(session, conf.max_entries)) or EMPTY
  whole_scope = whole_scope and restores
  local keys = hash_names(session)
  local fields, made = new_fields(conf, session, keys[1])
  local required = conf.redis_required
  report.asked, report.stored = #tokens, #fields / 2

  -- With `redis_required` it has to be there now, also what was stored before.
  local store_now = required and made > 0
  if store_now or tokens[1] or whole_scope then
    local task = {
      keys = keys, tokens = tokens, whole_scope = whole_scope, fields = store_now and fields or nil, made = made,
    }
    local replies, err = round_trip(conf, session, task, report, owner)
    report.error = report.error or (not replies and err or nil)
    if not replies and err ~= redis.LEFT_ALONE then
      stored.forget(redis.describe(conf))
    end
  end

  if report.rejected > 0 then
    complain(report.rejected, " values in Redis do not open: written with a secret that is not in"
             .. " token_secret_previous, or tampered with")
  end

  if required and report.error then
    return nil, report.error
  end

  if report.error then
    complain("Redis was of no help to a request: ", report.error)
  end

  if store_now then
    stored.add(redis.describe(conf), keys[1], fields, conf.mapping_ttl)
    if report.too_many then
      trim_later(conf, keys[1])
    end
  elseif fields[1] then
    store_later(conf, keys[1], fields, report)
  end

  return report
end


return _M
