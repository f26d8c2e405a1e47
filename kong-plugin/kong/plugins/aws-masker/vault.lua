-- What tokens stand for, kept in Redis beyond the request: sealed by the library, one hash per scope, token to value.
--
-- An exchange takes one connection at most, and only when it has something to ask or, with `redis_required`, to store.
-- Else what is new is stored from a queue. Nothing here makes a request fail, but with `redis_required`.
local clib = require "kong.plugins.aws-masker.clib"
local redis = require "kong.plugins.aws-masker.redis"
local stored = require "kong.plugins.aws-masker.stored"
local vault_queue = require "kong.plugins.aws-masker.vault_queue"


local gmatch = string.gmatch
local ipairs = ipairs
local min = math.min
local next = next
local ngx = ngx
local pairs = pairs
local tonumber = tonumber
local type = type
local unpack = unpack


local EMPTY = {}

-- Arguments of one command, and fields that one HSCAN asks for.
local STEP = 1000

-- What answers is no Redis, or speaks to somebody else.
local NO_SUCH_REPLY = "protocol error"


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


local function add_lookups(red, keys, tokens)
  for _, key in ipairs(keys) do
    for first = 1, #tokens, STEP do
      red:hmget(key, unpack(tokens, first, min(first + STEP - 1, #tokens)))
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


-- @return index of the last of the replies, nil when they are none to such commands
local function learn_lookups(session, keys, tokens, replies, at, report)
  for index = 1, #keys do
    for first = 1, #tokens, STEP do
      at = at + 1
      local values = replies[at]
      if not redis.error_of(values) then
        local count = min(STEP, #tokens - first + 1)
        if type(values) ~= "table" or #values ~= count then
          return nil
        end

        for i = 1, count do
          report.found = report.found + learn(session, index, tokens[first + i - 1], values[i], report)
        end
      end
    end
  end

  return at
end


-- Learns what one HSCAN gave.
-- @return the cursor to go on from, "0" at the end; nil when it is no such reply
local function learn_scan(session, index, reply, report)
  if redis.error_of(reply) then
    return "0"
  end

  local fields = type(reply) == "table" and reply[2]
  if type(fields) ~= "table" or #fields % 2 == 1 then
    return nil
  end

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
      if not cursor then
        return nil, NO_SUCH_REPLY
      end

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
      writes = vault_queue.add_writes(red, keys[1], fields) + 2
      red:expire(keys[1], conf.mapping_ttl)
      red:hlen(keys[1])
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
    report.error = redis.error_in(replies)
    local there = fields and tonumber(replies[writes]) or 0
    if fields and not report.error and type(replies[writes]) ~= "number" then
      return nil, NO_SUCH_REPLY
    end

    report.too_many = there > conf.max_entries
    if fields and there < min(task.made, conf.max_entries) and not report.error then
      -- less lies there than this request alone needs, although the rest was remembered to
      red:init_pipeline()
      vault_queue.add_writes(red, keys[1], (new_fields(conf, session, keys[1], true)))
      red:expire(keys[1], conf.mapping_ttl)
      local again
      again, err = red:commit_pipeline()
      if not again then
        return nil, err
      end

      redis.heard(call)
      report.error = redis.error_in(again)
    end

    local at = learn_lookups(session, keys, tokens, replies, writes, report)
    if not at then
      return nil, NO_SUCH_REPLY
    end

    if task.whole_scope then
      local cursors = {}
      for index = 1, #keys do
        local cursor = learn_scan(session, index, replies[at + index], report)
        if not cursor then
          return nil, NO_SUCH_REPLY
        end

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


local _M = {}


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
    vault_queue.complain(report.rejected, " values in Redis do not open: written with a secret that is not in"
             .. " token_secret_previous, or tampered with")
  end

  if required and report.error then
    return nil, report.error
  end

  if report.error then
    vault_queue.complain("Redis was of no help to a request: ", report.error)
  end

  if store_now then
    stored.add(redis.describe(conf), keys[1], fields, conf.mapping_ttl)
    if report.too_many then
      vault_queue.check(conf, keys[1], made)
    end
  elseif fields[1] then
    vault_queue.store(conf, keys[1], fields, made - #fields / 2, report)
  elseif made > 0 and stored.is_doubtful(redis.describe(conf)) then
    vault_queue.check(conf, keys[1], made)
  end

  return report
end


return _M
