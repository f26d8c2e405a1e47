-- What is kept of an exchange from phase to phase. The tables are used again: a new one of this size for every request
-- shows in what a short request costs, for the garbage collector has to go through it.
--
-- They lie in `ngx.ctx`, as Kong's own do; `kong.ctx.plugin` makes a table more for each request.
local ngx = ngx


local KEY = "aws_masker_exchange"

-- Ended exchanges that are kept for further ones.
local MAX_IDLE = 512

local idle = {}
local idle_count = 0


local function reset(state)
  state.session = false
  -- access has not come to its end
  state.masking = false
  -- name of what went wrong, and what that did to the request
  state.failure = false
  state.stopped = false
  state.dry_run = false
  state.redis_error = false
  -- the call of Redis that is under way
  state.redis_call = false
  -- the request was changed; the answer may hold tokens
  state.masked = false
  state.restorable = false
  -- the answer goes through the session; is inflated for that; has ended; could not be restored; why it was not
  state.restoring = false
  state.inflating = false
  state.finished = false
  state.failed = false
  state.skipped = false
  -- bytes of the answer that are still to come, where the upstream said how many there are; those that came last
  state.due = false
  state.last_bytes = false
  -- where Kong holds the answer: as it came, and restored
  state.held = false
  state.held_restored = false
  -- a plugin of lower priority reads it as it streams
  state.read = false
  state.span = false
  return state
end


local _M = {}


--- Begins an exchange. Phase: access.
function _M.begin()
  local state
  if idle_count > 0 then
    state = idle[idle_count]
    idle[idle_count] = nil
    idle_count = idle_count - 1
  else
    state = reset({})
  end

  ngx.ctx[KEY] = state
  return state
end


--- The current exchange, nil when access never saw it. Phases: header_filter, body_filter, log.
function _M.current()
  return ngx.ctx[KEY]
end


--- Ends the exchange: nothing of it is left here. Phase: log.
function _M.finish(state)
  ngx.ctx[KEY] = nil
  if idle_count < MAX_IDLE then
    idle_count = idle_count + 1
    idle[idle_count] = reset(state)
  end
end


return _M
