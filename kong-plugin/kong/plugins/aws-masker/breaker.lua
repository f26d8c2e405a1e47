-- Decides when a Redis that fails or hangs is left alone, so that requests do not wait for it.
--
-- closed: calls go on. It opens after some failures in a row, or when calls are under way and nothing has been heard
-- for a while: nobody waits for the first timeout.
-- open: calls are refused. After a pause it may be probed, off the path of requests. A call from before that succeeds
-- after all closes it.
-- half-open: the probe is under way; its end closes or opens.
--
-- The clock it is told may be set back (nginx's is that of the day): then what lay ahead of it counts from now on.
local max = math.max
local setmetatable = setmetatable


local MAX_FAILURES = 5
local STALL_SECONDS = 0.5
local PAUSE_SECONDS = 1
-- A probe of which nothing is heard for this long has come to an end that nobody told.
local PROBE_SECONDS = 30

local CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"


local Breaker = {}
Breaker.__index = Breaker


local _M = {}


--- A breaker that is closed. One per Redis and worker.
function _M.new()
  return setmetatable({
    state = CLOSED,
    failures = 0,
    under_way = 0,
    -- when something was heard last, or the first of the calls under way began
    heard_at = 0,
    opened_at = 0,
    probed_at = 0,
  }, Breaker)
end


-- How long ago `self[moment]` was.
local function since(self, moment, now)
  if self[moment] > now then
    self[moment] = now
  end

  return now - self[moment]
end


local function open(self, now)
  self.state = OPEN
  self.opened_at = now
end


local function close(self)
  self.state = CLOSED
  self.failures = 0
end


-- A call from before the breaker closed may end after that: the count is too low then for a while, never below nothing.
local function ended(self)
  self.under_way = max(0, self.under_way - 1)
end


local function is_silent(self, now)
  return since(self, "heard_at", now) > STALL_SECONDS
end


--- Whether a call may be made at `now` (seconds). Each call that is made ends with `succeeded`, `failed`, `gave_up` or
-- `abandoned`.
-- @return boolean; true as second result when it may not because nothing is heard of those under way. It may be this
-- worker that stood still, and not Redis: look again once it has read what lies in its sockets, and `open` then.
function Breaker:begin(now)
  if self.state ~= CLOSED then
    return false
  end

  if self.under_way == 0 then
    self.heard_at = now
  elseif is_silent(self, now) then
    return false, true
  end

  self.under_way = self.under_way + 1
  return true
end


function Breaker:open(now)
  open(self, now)
end


--- One of several round trips of a call has come back.
function Breaker:heard(now)
  self.heard_at = now
end


function Breaker:succeeded(now)
  ended(self)
  self.heard_at = now
  self.failures = 0
  if self.state == OPEN then
    close(self)
  end
end


--- The call ended without anything being heard of Redis.
function Breaker:gave_up()
  ended(self)
end


--- @return true when this failure opened the breaker
function Breaker:failed(now)
  ended(self)
  self.failures = self.failures + 1
  if self.state ~= CLOSED or self.failures < MAX_FAILURES and not is_silent(self, now) then
    return false
  end

  open(self, now)
  return true
end


--- Whoever made the call is gone. When that is because Redis hangs, it counts as a failure: else nobody would notice
-- where all clients are impatient.
-- @return true when this opened the breaker
function Breaker:abandoned(now)
  if is_silent(self, now) then
    return self:failed(now)
  end

  ended(self)
  return false
end


function Breaker:is_closed()
  return self.state == CLOSED
end


--- Whether the caller is the one to probe now. A probe that is begun ends with `probed`.
function Breaker:begin_probe(now)
  local is_due = self.state == OPEN and since(self, "opened_at", now) >= PAUSE_SECONDS
                 or self.state == HALF_OPEN and since(self, "probed_at", now) > PROBE_SECONDS
  if not is_due then
    return false
  end

  self.state = HALF_OPEN
  self.probed_at = now
  return true
end


function Breaker:probed(now, ok)
  if ok then
    self.under_way = 0
    close(self)
  else
    open(self, now)
  end
end


return _M
