-- Decides when a Redis that fails or hangs is left alone, so that requests do not wait for it.
--
-- closed: calls go on. It opens after some failures in a row, or when calls are under way and none has come back for a
-- while: nobody waits for the first timeout.
-- open: calls are refused. After a pause it may be probed, off the path of requests. A call from before that succeeds
-- after all closes it.
-- half-open: the probe is under way; its end closes or opens.
local max = math.max
local setmetatable = setmetatable


local MAX_FAILURES = 5
local STALL_SECONDS = 0.5
local PAUSE_SECONDS = 1

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
    -- when the last call came back, or the first of those under way began
    heard_at = 0,
    opened_at = 0,
  }, Breaker)
end


local function open(self, now)
  self.state = OPEN
  self.opened_at = now
end


local function close(self)
  self.state = CLOSED
  self.failures = 0
end


-- Calls whose thread was ended are forgotten when the breaker closes: the count may then be too high, and go too low.
local function ended(self)
  self.under_way = max(0, self.under_way - 1)
end


--- Whether a call may be made at `now` (seconds). Each call that is made ends with `succeeded`, `failed` or `gave_up`.
-- @return boolean; true as second result when this opened the breaker
function Breaker:begin(now)
  if self.state ~= CLOSED then
    return false
  end

  if self.under_way == 0 then
    self.heard_at = now
  elseif now - self.heard_at > STALL_SECONDS then
    open(self, now)
    return false, true
  end

  self.under_way = self.under_way + 1
  return true
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
  if self.state ~= CLOSED or self.failures < MAX_FAILURES and now - self.heard_at <= STALL_SECONDS then
    return false
  end

  open(self, now)
  return true
end


function Breaker:is_closed()
  return self.state == CLOSED
end


--- Whether the caller is the one to probe now. A probe that is begun ends with `probed`.
function Breaker:begin_probe(now)
  if self.state ~= OPEN or now - self.opened_at < PAUSE_SECONDS then
    return false
  end

  self.state = HALF_OPEN
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
