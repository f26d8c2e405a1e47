-- The repository's own aws-masker-monitor.
local cjson = require "cjson"
local http = require "spec.support.http"
local paths = require "spec.support.paths"
local process = require "spec.support.process"


local START_SECONDS = 20


local Monitor = {}
Monitor.__index = Monitor


local _M = {}


--- Starts one that reads from a Redis of spec.support.redis.
-- @param options table: port (a free one), consumer, arguments (further ones, as for the shell)
function _M.start(redis, options)
  options = options or {}
  local folder = process.temporary_folder()
  local self = setmetatable({
    port = options.port or process.free_port(),
    folder = folder,
    log_path = folder .. "/log",
  }, Monitor)
  local command = ("%s --redis-url redis://127.0.0.1:%d --listen 127.0.0.1:%d --log-format json --consumer %s %s")
                  :format(process.quote(paths.target .. "/aws-masker-monitor"), redis.port, self.port,
                          options.consumer or "spec", options.arguments or "")
  self.pid = process.spawn(command, self.log_path)
  local ready = process.wait_until(START_SECONDS, function()
    return process.accepts(self.port) and self:get("/ready").status == 200
  end)
  assert(ready, "the monitor did not get ready: " .. tostring(self:log()))
  return self
end


function Monitor:get(path)
  return http.request({ port = self.port, path = path })
end


--- All series of a metric together, of those that have all of `labels` (an array of `name="value"`).
function Monitor:metric(name, labels)
  local sum = 0
  for line in self:get("/metrics").body:gmatch("[^\n]+") do
    local series, value = line:match("^(%S+) (%S+)$")
    if series and series:match("^[%w_]+") == name then
      local fits = true
      for _, label in ipairs(labels or {}) do
        fits = fits and series:find(label, 1, true) ~= nil
      end
      sum = fits and sum + tonumber(value) or sum
    end
  end

  return sum
end


--- What the page is told first: the last five minutes.
function Monitor:picture()
  local output = process.capture(("curl -sN --max-time 2 http://127.0.0.1:%d/live"):format(self.port))
  return cjson.decode((assert(output:match("data: (%b{})"), "the page is told nothing")))
end


function Monitor:log()
  return process.read_file(self.log_path)
end


--- The values of `field` in the log lines of events, as keys.
function Monitor:logged(field, message)
  local found = {}
  for line in self:log():gmatch("([^\n]+)\n") do
    local entry = cjson.decode(line)
    if entry.message == message and entry[field] then
      found[entry[field]] = true
    end
  end

  return found
end


--- Ends it at once, as a crash would; its log stays.
function Monitor:kill()
  process.kill(self.pid)
end


function Monitor:stop()
  process.stop(self.pid)
  process.remove_folder(self.folder)
end


return _M
