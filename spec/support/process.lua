-- Starts and stops the programs a spec needs. Stops only what it started, by pid.
local ffi = require "ffi"
local socket = require "socket"


ffi.cdef "int kill(int pid, int sig);"


local SIGTERM, SIGKILL, SIGSTOP, SIGCONT = 15, 9, 19, 18
local POLL_SECONDS = 0.02


local _M = {}


function _M.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end


function _M.read_file(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end

  local text = file:read("*a")
  file:close()
  return text
end


function _M.write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end


-- Output of a shell command without the line end, and whether it succeeded.
function _M.capture(command)
  local pipe = assert(io.popen(command .. "; echo \" $?\"", "r"))
  local output = pipe:read("*a")
  pipe:close()
  local text, status = output:match("^(.*) (%d+)\n$")
  return (text:gsub("%s+$", "")), status == "0"
end


function _M.temporary_folder()
  return (_M.capture("mktemp -d \"${TMPDIR:-/tmp}/aws-masker.XXXXXX\""))
end


function _M.remove_folder(path)
  assert(path:find("/aws-masker.", 1, true), "not a folder of ours")
  os.execute("rm -rf " .. _M.quote(path))
end


-- A port nobody listens on at this moment.
function _M.free_port()
  local server = assert(socket.bind("127.0.0.1", 0))
  local _, port = server:getsockname()
  server:close()
  return tonumber(port)
end


-- Calls `ready` until it returns something true; nil after `seconds`.
function _M.wait_until(seconds, ready)
  local deadline = socket.gettime() + seconds
  repeat
    local result = ready()
    if result then
      return result
    end

    socket.sleep(POLL_SECONDS)
  until socket.gettime() > deadline
end


function _M.accepts(port)
  local client = socket.connect("127.0.0.1", port)
  if client then
    client:close()
  end

  return client ~= nil
end


-- "NAME=value NAME=value" for the shell.
function _M.environment(variables)
  local parts = {}
  for name, value in pairs(variables or {}) do
    parts[#parts + 1] = name .. "=" .. _M.quote(tostring(value))
  end

  table.sort(parts)
  return table.concat(parts, " ")
end


-- Starts `command` in the background and returns its pid.
function _M.spawn(command, log_path, variables)
  local line = ("env %s %s >%s 2>&1 </dev/null & echo $!")
               :format(_M.environment(variables), command, _M.quote(log_path))
  return tonumber((_M.capture("{ " .. line .. "; }")))
end


-- A process that has ended but that nobody has waited for still has an entry.
function _M.is_alive(pid)
  local status = _M.read_file("/proc/" .. pid .. "/status")
  return status ~= nil and not status:find("\nState:%s+Z")
end


function _M.stop(pid)
  ffi.C.kill(pid, SIGTERM)
  local gone = _M.wait_until(10, function()
    return not _M.is_alive(pid)
  end)
  if not gone then
    ffi.C.kill(pid, SIGKILL)
  end
end


--- Ends a process at once.
function _M.kill(pid)
  ffi.C.kill(pid, SIGKILL)
  _M.wait_until(10, function()
    return not _M.is_alive(pid)
  end)
end


function _M.pause(pid)
  ffi.C.kill(pid, SIGSTOP)
end


function _M.resume(pid)
  ffi.C.kill(pid, SIGCONT)
end


return _M
