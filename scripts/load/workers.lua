-- What the worker processes of a gateway use.
local process = require "spec.support.process"


local TICKS_PER_SECOND = tonumber((process.capture("getconf CLK_TCK")))
local KIBIBYTE = 1024


local function pids(gateway)
  local result = {}
  for pid in process.capture("pgrep -P " .. gateway:pid()):gmatch("%d+") do
    result[#result + 1] = tonumber(pid)
  end

  return result
end


local function status(pid, field)
  local text = process.read_file("/proc/" .. pid .. "/status") or ""
  return (tonumber(text:match(field .. ":%s+(%d+) kB")) or 0) * KIBIBYTE
end


local _M = {}


--- Time that all workers have used so far, in user and kernel mode.
function _M.cpu_seconds(gateway)
  local ticks = 0
  for _, pid in ipairs(pids(gateway)) do
    -- the fields after the name, which may hold spaces
    local fields = process.read_file("/proc/" .. pid .. "/stat"):match("^.*%) (.*)$")
    local index = 2
    for field in fields:gmatch("%S+") do
      index = index + 1
      if index == 14 or index == 15 then
        ticks = ticks + tonumber(field)
      end
    end
  end

  return ticks / TICKS_PER_SECOND
end


--- Resident memory of the largest worker, bytes.
function _M.memory(gateway)
  local largest = 0
  for _, pid in ipairs(pids(gateway)) do
    largest = math.max(largest, status(pid, "VmRSS"))
  end

  return largest
end


--- Forgets the highest memory use so far.
function _M.reset_peak(gateway)
  for _, pid in ipairs(pids(gateway)) do
    os.execute("echo 5 >/proc/" .. pid .. "/clear_refs")
  end
end


--- Highest memory use of the largest worker since then, bytes.
function _M.peak(gateway)
  local largest = 0
  for _, pid in ipairs(pids(gateway)) do
    largest = math.max(largest, status(pid, "VmHWM"))
  end

  return largest
end


return _M
