-- Which tokens this worker need not store again, because it has stored them or they wait in the queue. Kept for each
-- Redis apart: what one of them has, another that another config names has not, and what one loses, the others keep.
local min = math.min
local require = require


-- How many tokens a worker remembers to be stored, and for how long at most: a Redis that was emptied gets them again
-- after that. They are stored again in any case before half of their time is over.
local REMEMBERED = 20000
local REMEMBERED_SECONDS = 300
-- A token that is queued, until it is known to be stored.
local PENDING_SECONDS = 30

local PENDING = 0


-- Where it is, name of a hash and token -> PENDING, or the generation in which it was stored. A new generation begins
-- when that Redis failed: it may have lost what it had.
local remembered
local generations = {}


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
  remember(place, key, fields, generation_of(place), min(REMEMBERED_SECONDS, ttl / 2))
end


--- The Redis at `place` may have lost what was stored there.
function _M.forget(place)
  generations[place] = generation_of(place) + 1
end


return _M
