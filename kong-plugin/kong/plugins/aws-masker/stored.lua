-- Which tokens this worker need not store again, because it has stored them or they wait in the queue. Kept for each
-- Redis apart: what one of them has, another that another config names has not, and what one loses, the others keep.
local abs = math.abs
local min = math.min
local ngx = ngx
local require = require


-- How many tokens a worker remembers to be stored, and for how long at most: a Redis that was emptied gets them again
-- after that. They are stored again in any case before half of their time is over.
local REMEMBERED = 20000
local REMEMBERED_SECONDS = 300
-- A token that is queued, until it is known to be stored.
local PENDING_SECONDS = 30

-- How often it is asked whether what is remembered is still there.
local CHECK_SECONDS = 10

local PENDING = 0


-- Where it is, name of a hash and token -> PENDING, or the generation in which it was stored. A new generation begins
-- when that Redis failed: it may have lost what it had.
local remembered
local generations = {}
-- Where it is -> when it was asked last.
local checked = {}


local function cache()
  remembered = remembered or require("resty.lrucache").new(REMEMBERED)
  return remembered
end


local function remember(place, key, fields, state, seconds)
  local prefix = place .. key
  for i = 1, #fields, 2 do
    cache():set(prefix .. fields[i], state, seconds)
  end
end


local function generation_of(place)
  return generations[place] or 1
end


local _M = {}


--- Whether `token` need not be stored in the hash `key` of the Redis at `place`.
function _M.has(place, key, token)
  local state = cache():get(place .. key .. token)
  return state == PENDING or state == generation_of(place)
end


--- The tokens in `fields` (token, value, …) are on their way.
function _M.queued(place, key, fields)
  remember(place, key, fields, PENDING, PENDING_SECONDS)
end


--- The tokens in `fields` (token, value, …) are there, for `ttl` seconds.
function _M.add(place, key, fields, ttl)
  -- who stores looks whether the rest is there, too
  checked[place] = ngx.now()
  remember(place, key, fields, generation_of(place), min(REMEMBERED_SECONDS, ttl / 2))
end


--- Whether it is time to ask the Redis at `place` whether it has what it was given; then it is not for a while.
function _M.is_doubtful(place)
  local now = ngx.now()
  if abs(now - (checked[place] or 0)) < CHECK_SECONDS then
    return false
  end

  checked[place] = now
  return true
end


--- The Redis at `place` may have lost what was stored there.
function _M.forget(place)
  generations[place] = generation_of(place) + 1
end


return _M
