-- What the specs of the vault have in common.
local process = require "spec.support.process"
local sample = require "spec.support.sample"


local SETTLE_SECONDS = 5


local _M = { SECRET = "specs use this secret" }


--- A plugin config that uses the Redis at `port`; `changes` are further fields.
function _M.config(port, changes)
  local config = {
    token_secret = _M.SECRET,
    use_redis = true,
    redis = { host = "127.0.0.1", port = port },
  }
  for name, value in pairs(changes or {}) do
    config[name] = value
  end

  return config
end


--- Names of the vault's hashes in `redis`.
function _M.hashes(redis)
  return redis:call("KEYS", "aws-masker:*:vault")
end


--- How many tokens lie in `redis`.
function _M.count(redis)
  local total = 0
  for _, key in ipairs(_M.hashes(redis)) do
    total = total + redis:call("HLEN", key)
  end

  return total
end


--- Waits until `redis` holds `count` tokens: they are stored behind a request's back.
function _M.settle(redis, count)
  local there = process.wait_until(SETTLE_SECONDS, function()
    return _M.count(redis) >= count
  end)
  assert(there, "the vault holds " .. _M.count(redis) .. " tokens, not " .. count)
end


--- Sends a text and gives what the upstream saw of it, when that is stored.
-- @param world the bed
-- @param redis where it is stored
-- @param text the text, `sample.INSTANCE` when nil
-- @param request further members of the request
function _M.store(world, redis, text, request)
  local message = { body = sample.messages({ text = text or sample.INSTANCE }) }
  for name, value in pairs(request or {}) do
    message[name] = value
  end

  local before = _M.count(redis)
  assert(world:send(message).status == 200, "the request failed")
  _M.settle(redis, before + 1)
  return world:upstream_text()
end


return _M
