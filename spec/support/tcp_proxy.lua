-- Puts a proxy that treats replies badly in front of a Redis.
local paths = require "spec.support.paths"
local process = require "spec.support.process"


local START_SECONDS = 10


local Proxy = {}
Proxy.__index = Proxy


local _M = {}


--- @param mode "delay:MS", "cut", "blackhole", "says:TEXT" or "switch:FILE" (see tcp_proxy.py)
function _M.start(target_port, mode)
  local folder = process.temporary_folder()
  local port_file = folder .. "/port"
  local program = paths.root .. "/spec/support/tcp_proxy.py"
  local pid = process.spawn(("python3 %s %s %d %s"):format(
    process.quote(program), process.quote(port_file), target_port, process.quote(mode)), folder .. "/log")
  local port = process.wait_until(START_SECONDS, function()
    return tonumber(process.read_file(port_file) or "")
  end)
  assert(port, "the proxy did not start: " .. tostring(process.read_file(folder .. "/log")))
  return setmetatable({ pid = pid, port = port, folder = folder }, Proxy)
end


function Proxy:stop()
  process.stop(self.pid)
  process.remove_folder(self.folder)
end


return _M
