-- nginx's timers, sleep and semaphores with a clock that a spec moves by hand.
local Clock = {}
Clock.__index = Clock


local _M = {}


function _M.new()
  return setmetatable({ time = 1000, threads = {}, exiting = false }, Clock)
end


-- Runs a thread until it ends or waits again.
function Clock:resume(thread, ...)
  local ok, wait = coroutine.resume(thread, ...)
  assert(ok, wait)
  if coroutine.status(thread) ~= "dead" then
    wait.thread = thread
    self.threads[#self.threads + 1] = wait
  end
end


-- The next thread that can go on before `limit`, taken out of the list.
function Clock:next_due(limit)
  local best
  for i, wait in ipairs(self.threads) do
    local at = wait.semaphore and wait.semaphore.posted > 0 and self.time or wait.at
    if at <= limit and (not best or at < best.at) then
      best = { index = i, at = at }
    end
  end

  if best then
    return table.remove(self.threads, best.index), best.at
  end
end


--- Lets `seconds` pass; whatever is due in that time runs, in order.
function Clock:advance(seconds)
  local limit = self.time + seconds
  while true do
    local wait, at = self:next_due(limit)
    if not wait then
      break
    end

    self.time = math.max(self.time, at)
    local semaphore = wait.semaphore
    if semaphore and semaphore.posted > 0 then
      semaphore.posted = semaphore.posted - 1
      self:resume(wait.thread, true)
    elseif semaphore then
      self:resume(wait.thread, nil, "timeout")
    else
      self:resume(wait.thread)
    end
  end

  self.time = limit
end


--- The parts of `ngx` that have to do with time.
function Clock:ngx()
  return {
    now = function()
      return self.time
    end,
    sleep = function(seconds)
      coroutine.yield({ at = self.time + seconds })
    end,
    worker = {
      exiting = function()
        return self.exiting
      end,
    },
    timer = {
      at = function(delay, fn, ...)
        local arguments = { ... }
        local thread = coroutine.create(function()
          fn(false, unpack(arguments))
        end)
        self.threads[#self.threads + 1] = { at = self.time + delay, thread = thread }
        return true
      end,
    },
  }
end


--- In place of the module ngx.semaphore.
function Clock.semaphore()
  local Semaphore = {}
  Semaphore.__index = Semaphore

  function Semaphore:post()
    self.posted = self.posted + 1
  end

  function Semaphore:count()
    return self.posted
  end

  function Semaphore:wait(seconds)
    if self.posted > 0 then
      self.posted = self.posted - 1
      return true
    end

    if seconds == 0 then
      return nil, "timeout"
    end

    return coroutine.yield({ at = _M.current.time + seconds, semaphore = self })
  end

  return {
    new = function()
      return setmetatable({ posted = 0 }, Semaphore)
    end,
  }
end


--- Runs `load` with `ngx` and ngx.semaphore replaced by those of a new clock.
-- @return the clock, and what `load` returned
function _M.with(load)
  local clock = _M.new()
  _M.current = clock
  local before = { ngx = _G.ngx, semaphore = package.loaded["ngx.semaphore"] }
  _G.ngx = clock:ngx()
  package.loaded["ngx.semaphore"] = Clock.semaphore()
  local ok, result = pcall(load)
  _G.ngx = before.ngx
  package.loaded["ngx.semaphore"] = before.semaphore
  return clock, ok and result or error(result, 2)
end


return _M
