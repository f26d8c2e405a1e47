-- Connections to Redis. A worker never has more of them than the operator said, in use and idle together; they go back
-- into their pool on every path, and one whose state is unknown is closed instead.
local breaker = require "kong.plugins.aws-masker.breaker"


local abs = math.abs
local concat = table.concat
local find = string.find
local gsub = string.gsub
local ipairs = ipairs
local kong = kong
local match = string.match
local ngx = ngx
local pcall = pcall
local require = require
local type = type


local IDLE_MS = 60000

local PROBE_SECONDS = 1.05
local FORGOTTEN_SECONDS = 60
-- nginx drops timers, without a word to who set them, when too many run. One that is so late will not come any more.
local LATE_SECONDS = 10

-- A worker that stood still for long (over a large body) has yet to read what came in that time. It does that once in
-- each round through its events, and whoever sleeps for a moment comes in a later one; twice, for it may have stood
-- still again in the same.
local LOOK_SECONDS = 0.001
local LOOKS = 2

-- Error replies, by their first letters, that say something of Redis as a whole, not of the command.
local UNHEALTHY = {
  "^BUSY ",
  "^CLUSTERDOWN",
  "^ERR max number of clients",
  "^LOADING",
  "^MASTERDOWN",
  "^NOAUTH",
}

-- Error replies of one that is no longer the primary. After a failover its name leads to another one, but it keeps its
-- connections, and what goes on using them is refused for ever.
local REPLACED = { "^READONLY" }


-- What Redis itself writes with signs that could begin a quotation, so that its reason is not cut off there.
local PLAIN = {
  { "can't", "cannot" },
  { "it's", "it is" },
  { "AUTH <password>", "AUTH" },
}


-- Pool name -> breaker and turns, a semaphore. The limit of nginx's own pools (`backlog`) is not strict: a connection
-- that comes back can be taken by a newcomer while the first in the queue, already let through, opens another one.
local pools = {}


local function present(value)
  return value ~= nil and value ~= ngx.null and value ~= ""
end


-- Two configs share connections only when they would log in to the same place as the same user. The digest stands for
-- the password too, so that after a rotation no connection of the old one is used.
-- Where a Redis is, who logs in and how: connections that agree in this are the same.
local function identity_of(record)
  return concat({
    record.host,
    record.port,
    record.database or 0,
    record.ssl and "tls" or "tcp",
    record.ssl and record.ssl_verify and "verified" or "",
    record.ssl and present(record.server_name) and record.server_name or "",
    present(record.password) and ngx.md5((present(record.username) and record.username or "") .. "\0"
                                         .. record.password) or "",
  }, "|")
end


-- What may be logged of an error. Redis quotes the arguments of a command in some replies: only words before the first
-- quotation mark, digit or underscore are kept.
local function readable(err)
  if type(err) ~= "string" then
    return "no reason given"
  end

  -- bytes that are no reply at all
  if find(err, "unknown prefix", 1, true) then
    return "protocol error"
  end

  local plain = err
  for _, spelling in ipairs(PLAIN) do
    plain = gsub(plain, spelling[1], spelling[2])
  end

  return match(plain, "^%u%u+[%a -]*%f[%A]") or err
end


-- The first of the replies that is an error and matches one of the patterns.
local function first_error(replies, patterns)
  if type(replies) ~= "table" then
    return nil
  end

  for i = 1, #replies do
    local reply = replies[i]
    if type(reply) == "table" and reply[1] == false then
      for _, pattern in ipairs(patterns) do
        if find(reply[2], pattern) then
          return reply[2]
        end
      end
    end
  end
end


local function authenticate(red, record)
  local function try(options)
    local ok, err
    if present(options.username) then
      ok, err = red:auth(options.username, options.password)
    else
      ok, err = red:auth(options.password)
    end

    if ok then
      return true
    end

    return nil, err
  end

  -- resolves references anew when the password is refused, as after a rotation
  local vault = kong.vault
  if vault and vault.try then
    return vault.try(try, record)
  end

  return try(record)
end


-- Calls `fn` in a light thread. When nginx ends a request in the middle, it forgets what its threads wait for, but not
-- what coroutines inside of them do, and Kong has one for each plugin: to resume what is gone ends the whole worker.
local function in_thread(fn, ...)
  local ok, result = ngx.thread.wait(ngx.thread.spawn(fn, ...))
  return ok and result
end


local function connect(record, pool)
  local red = require("resty.redis"):new()
  red:set_timeout(record.timeout)

  -- A table of its own for each call: whatever is set in a shared one would stick for other configs.
  local ok, err = red:connect(record.host, record.port, {
    pool = pool.name,
    pool_size = pool.size,
    ssl = record.ssl or false,
    ssl_verify = record.ssl_verify or false,
    server_name = present(record.server_name) and record.server_name or nil,
  })
  if not ok then
    return nil, err
  end

  local reused
  reused, err = red:get_reused_times()
  if reused == 0 then
    ok = true
    if present(record.password) then
      ok, err = authenticate(red, record)
    end

    if ok and (record.database or 0) ~= 0 then
      ok, err = red:select(record.database)
    end
  else
    ok = reused
  end

  if not ok then
    red:close()
    return nil, err
  end

  return red
end


-- Calls `work` with a connection and puts the connection back.
-- @return what `work` gave, or nil and an error code
local function with_connection(record, pool, work, call)
  local red, err = connect(record, pool)
  if not red then
    return nil, readable(err)
  end

  local ok, result
  ok, result, err = pcall(work, red, call)
  if not ok then
    red:close()
    return nil, "a bug in the plugin: " .. result
  end

  err = first_error(result, UNHEALTHY) or err
  if result == nil or err then
    -- replies may be under way
    red:close()
    return nil, readable(err)
  end

  if first_error(result, REPLACED) then
    -- what it could read is of use; the next connection goes where the name leads to by then
    red:close()
  else
    red:set_keepalive(IDLE_MS, pool.size)
  end

  return result
end


local function ping(red)
  local ok, err = red:ping()
  return ok or nil, err
end


-- Waits for a turn, for `seconds` at most or until Redis is left alone.
local function wait_for_turn(pool, seconds)
  local turns, openings = pool.turns, pool.openings
  return turns:wait(0) or in_thread(turns.wait, turns, seconds) and openings == pool.openings
end


-- Calls `work` with one of the pool's connections, when there is a free one or as soon as there is.
-- @param call what `abandon` has to know
-- @return what `work` gave, or nil and a text; true as third result when none became free in time
local function take_turn(pool, record, work, call)
  if not wait_for_turn(pool, record.timeout / 1000) then
    return nil, "all connections are in use", true
  end

  call.has_turn = true
  local called, result, err = pcall(with_connection, record, pool, work, call)
  call.has_turn = false
  pool.turns:post()
  if not called then
    return nil, "the client cannot be used: " .. result
  end

  return result, err
end


local probe


-- Has Redis probed in `seconds`, unless it is going to be.
local function probe_in(pool, record, seconds)
  local now = ngx.now()
  if pool.probe_due and abs(now - pool.probe_due) <= LATE_SECONDS then
    return
  end

  pool.probe_due = ngx.timer.at(seconds, probe, pool, record) and now + seconds or nil
end


-- Asks Redis each second whether it is well, so that a worker that has little to do knows it too. Ends when nobody has
-- wanted anything of this Redis for a while: its config may be gone.
function probe(premature, pool, record)
  local known = pool.breaker
  pool.probe_due = nil
  if premature or known:is_closed() or ngx.now() - pool.asked_at > FORGOTTEN_SECONDS then
    return
  end

  if known:begin_probe(ngx.now()) then
    local called, result, err = pcall(take_turn, pool, record, ping, {})
    local is_well = called and result ~= nil
    known:probed(ngx.now(), is_well)
    if is_well then
      kong.log.notice("Redis answers again and is used again")
      return
    end

    kong.log.debug("Redis is still left alone: ", called and err or result)
  end

  probe_in(pool, record, PROBE_SECONDS)
end


-- Sends home who waits for a turn. Each takes one of those posted here and gives none back.
local function leave_alone(pool, record, why)
  pool.openings = pool.openings + 1
  local waiting = -pool.turns:count()
  if waiting > 0 then
    pool.turns:post(waiting)
  end

  probe_in(pool, record, PROBE_SECONDS)
  kong.log.warn("Redis is left alone for now, because it ", why)
end


local function look_around()
  for _ = 1, LOOKS do
    ngx.sleep(LOOK_SECONDS)
  end
end


-- @return whether a call may be made; it is counted then
local function begin(pool, record)
  local known = pool.breaker
  local may, is_silent = known:begin(ngx.now())
  if is_silent then
    in_thread(look_around)
    may, is_silent = known:begin(ngx.now())
  end

  if is_silent then
    known:open(ngx.now())
    leave_alone(pool, record, "hangs")
  elseif not may then
    probe_in(pool, record, 0)
  end

  return may
end


local function pool_of(conf)
  local size = conf.redis_pool_size
  local name = concat({ "aws-masker", size, identity_of(conf.redis) }, "|")
  local pool = pools[name]
  if not pool then
    pool = {
      name = name,
      size = size,
      breaker = breaker.new(),
      turns = require("ngx.semaphore").new(size),
      -- how often the breaker opened
      openings = 0,
    }
    pools[name] = pool
  end

  return pool
end


local _M = { LEFT_ALONE = "left alone, because it kept failing" }


--- Calls `work` with a connection, unless Redis has been failing. Phases: those that may yield, and timers.
-- @param conf table with `redis` (Kong's record) and `redis_pool_size`
-- @param work function(red, call): a result that is not nil, or nil and an error of resty.redis, after which the
-- connection is closed. A pipeline's replies (`red:commit_pipeline()`) are such a result. It tells `heard(call)` of
-- each round trip but the last.
-- @param owner table of a request, nil in timers; it gets a field `redis_call` for as long as the call takes, and
-- `abandon` has to be called with it when the request ends
-- @return what `work` gave, or nil and a text without any data: `LEFT_ALONE` while the breaker is open
function _M.run(conf, work, owner)
  local record, pool = conf.redis, pool_of(conf)
  local known = pool.breaker
  pool.asked_at = ngx.now()

  if not begin(pool, record) then
    return nil, _M.LEFT_ALONE
  end

  local call = { pool = pool, record = record, has_turn = false }
  if owner then
    owner.redis_call = call
  end

  local result, err, none_free = take_turn(pool, record, work, call)
  if owner then
    owner.redis_call = false
  end

  if result ~= nil then
    known:succeeded(ngx.now())
  elseif none_free then
    known:gave_up()
  elseif known:failed(ngx.now()) then
    leave_alone(pool, record, "keeps failing: " .. err)
  end

  return result, err
end


--- A round trip of `call` has come back, and another one follows.
function _M.heard(call)
  call.pool.breaker:heard(ngx.now())
end


--- Ends the call of a request that nginx has ended in the middle (`lua_check_client_abort`): the thread that made it
-- does not come back to do it. Its connection is closed by then. Phase: log.
function _M.abandon(owner)
  local call = owner.redis_call
  if not call then
    return
  end

  owner.redis_call = false
  local pool = call.pool
  if call.has_turn then
    pool.turns:post()
  end

  if pool.breaker:abandoned(ngx.now()) then
    leave_alone(pool, call.record, "hangs")
  end
end


--- Where a config's Redis is and who logs in, for logs and names: nothing that is secret.
function _M.describe(conf)
  local record = conf.redis
  return concat({
    present(record.username) and record.username .. "@" or "",
    record.host, ":", record.port, "/", record.database or 0, record.ssl and " with TLS" or "",
  })
end


--- The same as text that no other Redis or login has. Not for logs: it has a hash of the password.
function _M.identity(conf)
  return identity_of(conf.redis)
end


--- What an error reply says, without what Redis quotes of the command; nil when `reply` is none.
function _M.error_of(reply)
  if type(reply) == "table" and reply[1] == false then
    return readable(reply[2])
  end
end


--- The same for the first of the replies of a pipeline that is an error.
function _M.error_in(replies)
  for i = 1, #replies do
    local err = _M.error_of(replies[i])
    if err then
      return err
    end
  end
end


--- Whether the same may succeed over another connection, after an error reply that `error_of` has made readable.
function _M.is_replaced(err)
  for _, pattern in ipairs(REPLACED) do
    if find(err, pattern) then
      return true
    end
  end

  return false
end


return _M
