-- A private Redis on a free port.
local process = require "spec.support.process"
local socket = require "socket"


-- valkey-server, for example
local PROGRAM = os.getenv("REDIS_SERVER") or "redis-server"
local START_SECONDS = 10
local TIMEOUT_SECONDS = 5


local Redis = {}
Redis.__index = Redis


local _M = {}


local function read_reply(client)
  local line = assert(client:receive("*l"))
  local prefix, rest = line:sub(1, 1), line:sub(2)
  if prefix == "-" then
    return { err = rest }
  elseif prefix == "$" then
    local size = tonumber(rest)
    if size < 0 then
      return nil
    end

    local data = assert(client:receive(size))
    assert(client:receive(2))
    return data
  elseif prefix == "*" then
    local replies = {}
    for i = 1, tonumber(rest) do
      replies[i] = read_reply(client) or false
    end

    return replies
  end

  return prefix == ":" and tonumber(rest) or rest
end


--- Starts one.
-- @param options table: port (a free one), arguments (further ones, as for the shell), password,
-- tls_arguments (of a port with TLS beside the other, `tls_port`)
function _M.start(options)
  options = options or {}
  local folder = process.temporary_folder()
  local self = setmetatable({
    port = options.port or process.free_port(),
    folder = folder,
    options = options,
    password = options.password,
  }, Redis)
  if options.tls_arguments then
    self.tls_port = process.free_port()
    options.arguments = ("--tls-port %d %s"):format(self.tls_port, options.tls_arguments)
  end
  self:run()
  return self
end


--- Starts the server, also again after `kill`.
function Redis:run()
  local auth = self.password and "--requirepass " .. process.quote(self.password) or ""
  self.pid = process.spawn(("%s --port %d --bind 127.0.0.1 --save '' --appendonly no --dir %s %s %s"):format(
                             PROGRAM, self.port, process.quote(self.folder), auth,
                             self.options.arguments or ""), self.folder .. "/log")
  local ready = process.wait_until(START_SECONDS, function()
    return process.accepts(self.port)
  end)
  assert(ready, "redis-server did not start: " .. tostring(process.read_file(self.folder .. "/log")))
end


--- Opens a connection, on which nothing takes longer than `seconds` (5).
-- @return a function that runs one command and gives its reply (a string, a number, an array (nil inside as false), or
-- { err = … }), and one that closes; or nil when Redis takes no connection
function Redis:connect(seconds)
  local client = socket.connect("127.0.0.1", self.port)
  if not client then
    return nil
  end
  client:settimeout(seconds or TIMEOUT_SECONDS)

  local function call(...)
    local parts = { "*" .. select("#", ...) .. "\r\n" }
    for _, argument in ipairs({ ... }) do
      argument = tostring(argument)
      parts[#parts + 1] = "$" .. #argument .. "\r\n" .. argument .. "\r\n"
    end
    assert(client:send(table.concat(parts)))
    return read_reply(client)
  end

  if self.password then
    call("AUTH", self.password)
  end

  return call, function()
    client:close()
  end
end


--- Calls `action` with what `connect` gave, and closes.
-- @return what `action` gave
function Redis:connected(action)
  local call, close = self:connect()
  assert(call, "Redis takes no connection")
  local result = action(call)
  close()
  return result
end


--- `connected`, in another database than 0.
function Redis:in_database(database, action)
  return self:connected(function(call)
    call("SELECT", database)
    return action(call)
  end)
end


--- Runs one command over a connection of its own.
function Redis:call(...)
  local command = { ... }
  return self:connected(function(call)
    return call(unpack(command))
  end)
end


--- Subscribes to a channel.
-- @return table: receive(count, seconds) (array of the messages that came, at most `count`), close()
function Redis:subscribe(channel)
  local client = assert(socket.connect("127.0.0.1", self.port))
  client:settimeout(TIMEOUT_SECONDS)
  assert(client:send(("*2\r\n$9\r\nSUBSCRIBE\r\n$%d\r\n%s\r\n"):format(#channel, channel)))
  read_reply(client)

  return {
    receive = function(_, count, seconds)
      local messages = {}
      while #messages < count do
        if not socket.select({ client }, nil, seconds or TIMEOUT_SECONDS)[1] then
          break
        end
        messages[#messages + 1] = read_reply(client)[3]
      end

      return messages
    end,
    close = function()
      client:close()
    end,
  }
end


--- How often each command was called since the start or `CONFIG RESETSTAT`.
-- @return map of lower-case command to count
function Redis:calls()
  local counts = {}
  for name, calls in self:call("INFO", "commandstats"):gmatch("cmdstat_([%w|-]+):calls=(%d+)") do
    counts[name] = tonumber(calls)
  end

  return counts
end


--- One field of INFO as a number.
function Redis:info(field)
  return tonumber(self:call("INFO"):match(field .. ":(%d+)"))
end


function Redis:kill()
  process.kill(self.pid)
end


--- Stops it from answering; connections stay open.
function Redis:pause()
  process.pause(self.pid)
end


function Redis:resume()
  process.resume(self.pid)
end


function Redis:stop()
  process.resume(self.pid)
  process.stop(self.pid)
  process.remove_folder(self.folder)
end


return _M
