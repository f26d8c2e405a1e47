-- An upstream whose answers are spelled out byte by byte (see raw_upstream.py).
local paths = require "spec.support.paths"
local process = require "spec.support.process"


local START_SECONDS = 10


local Upstream = {}
Upstream.__index = Upstream


local _M = {}


function _M.start()
  local folder = process.temporary_folder()
  local pid = process.spawn(("python3 %s %s"):format(
    process.quote(paths.root .. "/spec/support/raw_upstream.py"), process.quote(folder)), folder .. "/log")
  local port = process.wait_until(START_SECONDS, function()
    return tonumber(process.read_file(folder .. "/port") or "")
  end)
  assert(port, "the upstream did not start: " .. tostring(process.read_file(folder .. "/log")))
  return setmetatable({ pid = pid, port = port, folder = folder }, Upstream)
end


--- Answers from now on with these bytes; nil closes without a word.
function Upstream:answer(bytes)
  process.write_file(self.folder .. "/answer", bytes or "")
end


--- The last request, head and body.
function Upstream:request()
  return process.read_file(self.folder .. "/request")
end


function Upstream:stop()
  process.stop(self.pid)
  process.remove_folder(self.folder)
end


return _M
