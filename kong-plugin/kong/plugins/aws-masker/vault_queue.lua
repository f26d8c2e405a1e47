-- Stores what the vault has to keep behind the back of requests: a queue for each Redis and login, in batches. The
-- same batches see to it that scopes expire, keep to their limit, and still have what they were given.
local redis = require "kong.plugins.aws-masker.redis"
local stored = require "kong.plugins.aws-masker.stored"


local abs = math.abs
local concat = table.concat
local gmatch = string.gmatch
local ipairs = ipairs
local kong = kong
local max = math.max
local min = math.min
local ngx = ngx
local pairs = pairs
local pcall = pcall
local random = math.random
local require = require
local tonumber = tonumber
local type = type
local unpack = unpack


local EMPTY = {}

-- Arguments of one command.
local STEP = 1000

-- What a batch is stored in: round trips of about so many bytes, and arguments of a command that add up to less. Kong's
-- timers run in threads that live on, and nginx keeps for each thread a buffer as large as the largest it has sent.
local PIECE_BYTES = 8192
local PIECE_STEP = 32

-- What one entry of the queue has, about: what is too much for the queue as a whole goes in parts.
local ENTRY_BYTES = 256 * 1024

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


local _M = {}


--- Adds the commands that store `fields` (token, value, …) to the pipeline.
-- @param from, to range of `fields`, nil for all of them
-- @return how many commands
function _M.add_writes(red, key, fields, from, to)
  local count = 0
  to = to or #fields
  for first = from or 1, to, STEP do
    red:hset(key, unpack(fields, first, min(first + STEP - 1, to)))
    count = count + 1
  end

  return count
end


--- Logs a failure. They come in thousands; a line now and then is enough.
function _M.complain(...)
  local now = ngx.now()
  if abs(now - complained_at) < COMPLAINT_SECONDS then
    unsaid = unsaid + 1
    return
  end

  kong.log.warn(...)
  if unsaid > 0 then
    kong.log.warn(unsaid, " similar failures since the last such line")
  end
  complained_at, unsaid = now, 0
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


-- One entry of the queue: name of the hash, its time to live, its limit and how many tokens have to be there then, at
-- least; then tokens and values in turn.
local function encode_entry(key, conf, fields, made)
  local parts = { key, conf.mapping_ttl, conf.max_entries, made }
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
  for i = 5, #parts, 2 do
    fields[#fields + 1] = parts[i]
    fields[#fields + 1] = ngx.decode_base64(parts[i + 1])
  end

  return {
    key = parts[1], ttl = tonumber(parts[2]), max_entries = tonumber(parts[3]), made = tonumber(parts[4]),
    fields = fields,
  }
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
      _M.add_writes(red, entry.key, fields, first, last)
      for i = first, last do
        bytes = bytes + #fields[i]
      end
    end
  end

  return true
end


-- Has what was written expire, and takes out what is too much of it. Where there is too little, that Redis was emptied,
-- or another one took over that has less: it gets everything again.
-- @param scopes name of a hash -> an entry that was written there
-- @return true, or nil and why not
local function limit_scopes(red, call, place, scopes, all)
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
    local entry = scopes[key]
    local len = tonumber(replies[#replies - 2 * (#keys - i)])
    local excess = (len or 0) - entry.max_entries
    if excess > 0 then
      trim(red, key, excess)
    elseif len and len < min(entry.made, entry.max_entries) then
      stored.forget(place)
    end
  end

  return true
end


-- Called by the queue, in a timer.
local function store_batch(conf, batch)
  local place = redis.describe(conf)
  local entries = {}
  local scopes = {}
  for i, encoded in ipairs(batch) do
    local entry = decode_entry(encoded)
    local before = scopes[entry.key]
    entry.made = max(entry.made, before and before.made or 0)
    entries[i] = entry
    scopes[entry.key] = entry
  end

  local replies, err = redis.run(conf, function(red, call)
    local all = {}
    local ok, err = write_pieces(red, call, entries, all)
    if ok then
      ok, err = limit_scopes(red, call, place, scopes, all)
    end

    return ok and all or nil, err
  end)
  if not replies then
    stored.forget(place)
    on_write_failure(conf, err)
    return nil, err
  end

  err = redis.error_in(replies)
  if err then
    on_write_failure(conf, err)
    if redis.is_replaced(err) then
      return nil, err
    end

    -- not tried again from here: the next request that has such a token does
    _M.complain("tokens could not be stored in Redis: ", err)
    return true
  end

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
local function enqueue(conf, key, fields, made)
  local queue = require "kong.tools.queue"
  local params = queue_for(conf)
  local entry = encode_entry(key, conf, fields, made)
  -- a full queue would drop what it has, and say so for each
  if not queue.can_enqueue(params, entry) then
    return nil, "the queue is full"
  end

  return queue.enqueue(params, store_batch, conf, entry)
end


-- @return array of parts of `fields`, each of which makes an entry
local function cut(fields)
  local parts, part, bytes = {}, {}, 0
  for i = 1, #fields, 2 do
    if bytes >= ENTRY_BYTES then
      parts[#parts + 1] = part
      part, bytes = {}, 0
    end

    part[#part + 1] = fields[i]
    part[#part + 1] = fields[i + 1]
    bytes = bytes + #fields[i + 1]
  end

  parts[#parts + 1] = part
  return parts
end


--- Has `fn` called with config and text when the queue could not store something.
function _M.tell_write_failures(fn)
  on_write_failure = fn
end


--- Stores the tokens in `fields` (token, value, …) later. Phases: those that may yield.
-- @param key name of the hash
-- @param there how many tokens of the request are stored already
-- @param report gets `error` when the queue does not take all
function _M.store(conf, key, fields, there, report)
  local place = redis.describe(conf)
  local parts = cut(fields)
  -- a request that is too much for the queue comes again in the next turn, and its end must not be missing each time
  local first = random(#parts)
  for i = 0, #parts - 1 do
    local part = parts[(first + i) % #parts + 1]
    local called, ok, err = pcall(enqueue, conf, key, part, there + #part / 2)
    if not called or not ok then
      report.error = "the queue is full"
      _M.complain("tokens are not stored in Redis: ", called and err or ok)
      return
    end

    stored.queued(place, key, part)
  end
end


--- Has the queue look whether what is remembered is still there, and take out of a scope what it has too many. If it
-- takes no more, the next request asks again.
-- @param made how many tokens have to be there
function _M.check(conf, key, made)
  local called, ok, err = pcall(enqueue, conf, key, EMPTY, made)
  if not called or not ok then
    _M.complain("nobody looks whether a scope in Redis has what it should: ", called and err or ok)
  end
end


return _M
