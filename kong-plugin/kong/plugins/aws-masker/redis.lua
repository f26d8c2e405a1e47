-- Connections to Redis. They come from a pool that never grows over the size the operator gave, carry exactly one
-- pipeline or a few of them, and go back on every path; one whose state is unknown is closed instead.
local breaker = require "kong.plugins.aws-masker.breaker"


local concat = table.concat
local find = string.find
local ipairs = ipairs
local kong = kong
local match = string.match
local ngx = ngx
local pcall = pcall
local require = require
local type = type


local IDLE_MS = 60000
-- how many calls of one worker may wait for a connection of the pool
local BACKLOG = 4096

-- Error replies, by their first letters, that say something of Redis as a whole, not of the command.
local UNHEALTHY = {
  "^BUSY ",
  "^CLUSTERDOWN",
  "^ERR max number of clients",
  "^LOADING",
  "^MASTERDOWN",
  "^NOAUTH",
}


-- pool name -> breaker
local breakers = {}


local function present(value)
  return value ~= nil and value ~= ngx.null and value ~= ""
end


-- Two configs share connections only when they would log in to the same place as the same user. The digest stands for
-- the password too, so that after a rotation no connection of the old one is used.
local function pool_name(record)
  return concat({
    "aws-masker",
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

  return match(err, "^%u%u+[%a ]*%f[%A]") or err
end


-- The first reply that is an error of Redis as a whole; the connection is of no use then.
local function unhealthy(replies)
  if type(replies) ~= "table" then
    return nil
  end

  for i = 1, #replies do
    local reply = replies[i]
    if type(reply) == "table" and reply[1] == false then
      for _, pattern in ipairs(UNHEALTHY) do
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


local function connect(record, pool_size)
  local red = require("resty.redis"):new()
  red:set_timeout(record.timeout)

  -- A table of its own for each call: whatever is set in a shared one would stick for other configs.
  local ok, err = red:connect(record.host, record.port, {
    pool = pool_name(record),
    pool_size = pool_size,
    backlog = BACKLOG,
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
local function with_connection(record, pool_size, work)
  local red, err = connect(record, pool_size)
  if not red then
    return nil, readable(err)
  end

  local ok, result
  ok, result, err = pcall(work, red)
  if not ok then
    red:close()
    return nil, "a bug in the plugin: " .. result
  end

  err = unhealthy(result) or err
  if result == nil or err then
    -- replies may be under way
    red:close()
    return nil, readable(err)
  end

  red:set_keepalive(IDLE_MS, pool_size)
  return result
end


local function ping(red)
  local ok, err = red:ping()
  return ok or nil, err
end


local function probe(premature, known, record, pool_size)
  if premature then
    return
  end

  local ok, result, why = pcall(with_connection, record, pool_size, ping)
  known:probed(ngx.now(), ok and result ~= nil)
  if ok and result then
    kong.log.notice("Redis answers again and is used again")
  else
    kong.log.debug("Redis is still left alone: ", ok and why or result)
  end
end


local _M = {}


--- Calls `work` with a connection, unless Redis has been failing. Phases: those that may yield, and timers.
-- @param conf table with `redis` (Kong's record) and `redis_pool_size`
-- @param work function(red): a result that is not nil, or nil and an error of resty.redis, after which the connection
-- is closed. A pipeline's replies (`red:commit_pipeline()`) are such a result.
-- @return what `work` gave, or nil and a text without any data: "UNAVAILABLE" while the breaker is open
function _M.run(conf, work)
  local record, pool_size = conf.redis, conf.redis_pool_size
  local name = pool_name(record)
  local known = breakers[name]
  if not known then
    known = breaker.new()
    breakers[name] = known
  end

  if not known:begin(ngx.now()) then
    if known:begin_probe(ngx.now()) then
      local ok = ngx.timer.at(0, probe, known, record, pool_size)
      if not ok then
        known:probed(ngx.now(), false)
      end
    end

    return nil, "UNAVAILABLE"
  end

  local ok, result, err = pcall(with_connection, record, pool_size, work)
  if not ok then
    result, err = nil, "the client cannot be used: " .. result
  end

  if result ~= nil then
    known:succeeded(ngx.now())
    return result
  end

  if known:failed(ngx.now()) then
    kong.log.warn("Redis is left alone for now, because it keeps failing: ", err)
  end

  return nil, err
end


--- Where a config's Redis is and who logs in, for logs and names: nothing that is secret.
function _M.describe(conf)
  local record = conf.redis
  return concat({
    present(record.username) and record.username .. "@" or "",
    record.host, ":", record.port, "/", record.database or 0, record.ssl and " with TLS" or "",
  })
end


--- What an error reply says, without what Redis quotes of the command; nil when `reply` is none.
function _M.error_of(reply)
  if type(reply) == "table" and reply[1] == false then
    return readable(reply[2])
  end
end


return _M
