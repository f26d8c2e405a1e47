-- Kong's `kong.tools.queue`: entries are taken in any phase and handed to a handler in batches, from a timer.
--
-- Interface and behaviour are those of Kong 3.9: a queue belongs to one worker and is known by its name; an existing
-- one keeps the handler and the limits it was made with and takes over the latest `handler_conf`; entries leave the
-- queue when they are handed over; a full queue drops its oldest entry; a batch that the handler refuses is tried
-- again with growing delays until `max_retry_time` has passed.
local semaphore = require "ngx.semaphore"


local error = error
local min = math.min
local ngx = ngx
local pairs = pairs
local pcall = pcall
local setmetatable = setmetatable
local tostring = tostring
local type = type
local unpack = unpack


local WARN_AT = 0.8
-- A worker that is about to end is noticed at the latest after this time.
local POLL_SECONDS = 1
-- What is left of the coalescing delay is not waited for when it is shorter than this.
local LEAST_WAIT_SECONDS = 0.05

local NUMBERS = {
  "max_batch_size", "max_coalescing_delay", "max_entries", "max_retry_time", "initial_retry_delay",
  "max_retry_delay", "concurrency_limit",
}

local UNLIMITED = -1


-- Name -> queue. One that has run empty is gone.
local queues = {}


local Queue = {}
Queue.__index = Queue


function Queue:log(level, ...)
  kong.log[level]("[", self.log_tag or "", "] queue ", self.name, ": ", ...)
end


function Queue:count()
  return self.back - self.front
end


function Queue:is_full()
  return self:count() >= self.max_entries or (self.max_bytes ~= nil and self.bytes >= self.max_bytes)
end


local function size_of(entry)
  return type(entry) == "string" and #entry or 0
end


function Queue:fits(entry)
  return self:count() < self.max_entries
         and (not self.max_bytes or self.bytes + size_of(entry) <= self.max_bytes)
end


function Queue:remove_oldest()
  local entry = self.entries[self.front]
  self.entries[self.front] = nil
  self.front = self.front + 1
  self.bytes = self.bytes - size_of(entry)
  if self.front == self.back then
    self.front, self.back = 1, 1
  end
end


-- The semaphore counts the entries that the timer has not seen yet.
function Queue:drop_oldest()
  self.semaphore:wait(0)
  self:remove_oldest()
end


function Queue:add(entry)
  if self:count() >= self.max_entries * WARN_AT then
    if not self.warned then
      self.warned = true
      self:log("warn", "at ", WARN_AT * 100, "% of its capacity")
    end
  else
    self.warned = nil
  end

  if self.max_bytes and size_of(entry) > self.max_bytes then
    local why = "an entry of " .. #entry .. " bytes is larger than the queue's max_bytes, " .. self.max_bytes
    self:log("err", why)
    return nil, why
  end

  local dropped = 0
  while not self:fits(entry) do
    self:drop_oldest()
    dropped = dropped + 1
  end
  if dropped > 0 then
    self:log("err", "full, dropped the oldest ", dropped, " entries")
  end

  self.entries[self.back] = entry
  self.back = self.back + 1
  self.bytes = self.bytes + size_of(entry)
  self.semaphore:post()
  return true
end


-- Waits for more entries after the first one; returns how many the batch may take.
function Queue:coalesce()
  local started = ngx.now()
  local count = 1

  while count < self.max_batch_size do
    local left = self.max_coalescing_delay - (ngx.now() - started)
    if left < LEAST_WAIT_SECONDS then
      break
    end

    if ngx.worker.exiting() then
      self.max_coalescing_delay = LEAST_WAIT_SECONDS
      left = LEAST_WAIT_SECONDS
    end

    local ok, err = self.semaphore:wait(min(left, POLL_SECONDS))
    if ok then
      count = count + 1
    elseif err ~= "timeout" then
      self:log("err", "could not wait for entries: ", err)
      break
    end
  end

  return count
end


function Queue:take()
  if not self.semaphore:wait(0) then
    return nil
  end

  local count = self:coalesce()
  local batch = { unpack(self.entries, self.front, self.front + count - 1) }
  for _ = 1, count do
    self:remove_oldest()
  end

  return batch
end


function Queue:hand_over(batch)
  local started = ngx.now()
  local retries = 0

  while true do
    local called, ok, why = pcall(self.handler, self.handler_conf, batch)
    if called and ok == true then
      return
    end

    self:log("warn", "the handler could not process the entries: ", tostring(called and why or ok))
    if ngx.now() - started > self.max_retry_time then
      self:log("err", "max_retry_time exceeded, ", #batch, " entries were lost")
      return
    end

    ngx.sleep(min(self.max_retry_delay, 2 ^ retries * self.initial_retry_delay))
    retries = retries + 1
  end
end


local function run(_, queue)
  while queue:count() > 0 do
    local batch = queue:take()
    if batch then
      queue:hand_over(batch)
    end
  end

  queues[queue.name] = nil
end


local function check(conf, handler, handler_conf)
  if type(conf) ~= "table" or type(conf.name) ~= "string" then
    error("arg #1 (queue_conf) must be a table with a name", 3)
  end

  if type(handler) ~= "function" then
    error("arg #2 (handler) must be a function", 3)
  end

  if handler_conf ~= nil and type(handler_conf) ~= "table" then
    error("arg #3 (handler_conf) must be a table or nil", 3)
  end

  for i = 1, #NUMBERS do
    if type(conf[NUMBERS[i]]) ~= "number" then
      error("arg #1 (queue_conf) " .. NUMBERS[i] .. " must be a number", 3)
    end
  end
end


local function get_or_create(conf, handler, handler_conf)
  local queue = queues[conf.name]
  if queue then
    queue.handler_conf = handler_conf
    return queue
  end

  queue = { entries = {}, front = 1, back = 1, bytes = 0, semaphore = semaphore.new() }
  for name, value in pairs(conf) do
    queue[name] = value
  end
  queue.handler, queue.handler_conf = handler, handler_conf
  setmetatable(queue, Queue)

  if queue.concurrency_limit ~= UNLIMITED then
    local ok, err = ngx.timer.at(0, run, queue)
    if not ok then
      return nil, "failed to create timer: " .. err
    end

    queues[conf.name] = queue
  end

  return queue
end


local _M = {}


--- Adds an entry. Any phase.
-- @param conf name, max_batch_size, max_coalescing_delay, max_entries, max_bytes, max_retry_time, initial_retry_delay,
-- max_retry_delay, concurrency_limit (1, or -1: every entry at once, in a timer of its own)
-- @param handler function(handler_conf, entries): true, or nil and why not
-- @return true, or nil and why not
function _M.enqueue(conf, handler, handler_conf, entry)
  check(conf, handler, handler_conf)
  if entry == nil then
    return nil, "entry must be a non-nil Lua value"
  end

  local queue, why = get_or_create(conf, handler, handler_conf)
  if not queue then
    return nil, why
  end

  if queue.concurrency_limit ~= UNLIMITED then
    return queue:add(entry)
  end

  local ok, err = ngx.timer.at(0, function(premature)
    if not premature then
      queue:hand_over({ entry })
    end
  end)
  if not ok then
    return nil, "failed to create timer: " .. err
  end

  return true
end


function _M.exists(name)
  return queues[name] ~= nil
end


function _M.is_full(conf)
  local queue = queues[conf.name]
  return queue ~= nil and queue:is_full()
end


--- Whether an entry can be added without dropping another one.
function _M.can_enqueue(conf, entry)
  local queue = queues[conf.name]
  return queue == nil or (not queue:is_full() and queue:fits(entry))
end


--- The `queue` record of a plugin config, named and tagged for the logs.
function _M.get_plugin_params(plugin_name, config, queue_name)
  local params = config.queue or {}
  params.log_tag = plugin_name .. " plugin " .. kong.plugin.get_id()
  params.name = params.name or queue_name or kong.plugin.get_id()
  return params
end


return _M
