-- A small HTTP/1.1 client that shows what a spec has to see: every header line, and when each chunk came.
local socket = require "socket"


local TIMEOUT_SECONDS = 60
local SEND_BYTES = 65536
local READ_BYTES = 65536


local function read_chunked(client, chunks)
  while true do
    local line = assert(client:receive("*l"))
    local size = tonumber(line:match("^%x+"), 16)
    if size == 0 then
      assert(client:receive("*l"))
      return
    end

    local data = assert(client:receive(size))
    chunks[#chunks + 1] = { at = socket.gettime(), bytes = data }
    assert(client:receive("*l"))
  end
end


local function read_sized(client, size, chunks)
  while size > 0 do
    local data, err, part = client:receive(math.min(size, READ_BYTES))
    data = data or part
    if data == "" then
      error("the connection ended " .. size .. " bytes early: " .. tostring(err))
    end

    chunks[#chunks + 1] = { at = socket.gettime(), bytes = data }
    size = size - #data
  end
end


local function read_to_end(client, chunks)
  repeat
    local data, err, part = client:receive(READ_BYTES)
    data = data or part
    if data ~= "" then
      chunks[#chunks + 1] = { at = socket.gettime(), bytes = data }
    end
  until err
end


local function read_head(client)
  local line, err = client:receive("*l")
  if not line then
    return nil, err
  end

  local status = tonumber(line:match("^HTTP/1%.%d (%d+)"))
  local headers = {}
  while true do
    line = assert(client:receive("*l"))
    if line == "" then
      return status, headers
    end

    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    headers[name:lower()] = value
  end
end


local function read_answer(client, method)
  local status, headers
  repeat
    status, headers = read_head(client)
    if not status then
      return nil, headers
    end
  until status ~= 100

  local chunks = {}
  local complete, err = true, nil
  if method ~= "HEAD" and status ~= 204 and status ~= 304 then
    complete, err = pcall(function()
      if headers["transfer-encoding"] == "chunked" then
        read_chunked(client, chunks)
      elseif headers["content-length"] then
        read_sized(client, tonumber(headers["content-length"]), chunks)
      else
        read_to_end(client, chunks)
      end
    end)
  end

  local parts = {}
  for i, chunk in ipairs(chunks) do
    parts[i] = chunk.bytes
  end

  return {
    status = status,
    headers = headers,
    chunks = chunks,
    body = table.concat(parts),
    complete = complete,
    problem = err,
  }
end


local function send_body(client, request)
  local body = request.body or ""
  if not request.chunk_bytes then
    for first = 1, #body, SEND_BYTES do
      -- a gateway that has answered already may stop reading
      if not client:send(body:sub(first, first + SEND_BYTES - 1)) then
        return
      end
    end

    return
  end

  for first = 1, #body, request.chunk_bytes do
    local part = body:sub(first, first + request.chunk_bytes - 1)
    if not client:send(("%x\r\n%s\r\n"):format(#part, part)) then
      return
    end
  end

  client:send("0\r\n\r\n")
end


local _M = {}


--- Sends one request over a connection of its own.
-- @param request table: port, method ("POST"), path ("/"), headers (map or array of {name, value}), body,
-- chunk_bytes (send the body chunked, in chunks of that size)
-- @return table: status, headers (lower-case names), body, chunks ({at, bytes}), complete, problem, started
function _M.request(request)
  local client = assert(socket.connect("127.0.0.1", request.port))
  client:settimeout(TIMEOUT_SECONDS)
  client:setoption("tcp-nodelay", true)

  local method = request.method or (request.body and "POST" or "GET")
  local lines = {
    method .. " " .. (request.path or "/") .. " HTTP/1.1",
    "Host: localhost",
    "Connection: close",
  }
  for name, value in pairs(request.headers or {}) do
    if type(value) == "table" then
      name, value = value[1], value[2]
    end
    lines[#lines + 1] = name .. ": " .. tostring(value)
  end

  if request.chunk_bytes then
    lines[#lines + 1] = "Transfer-Encoding: chunked"
  elseif request.body then
    lines[#lines + 1] = "Content-Length: " .. #request.body
  end

  local started = socket.gettime()
  assert(client:send(table.concat(lines, "\r\n") .. "\r\n\r\n"))
  send_body(client, request)

  local answer, err = read_answer(client, method)
  client:close()
  if not answer then
    return { complete = false, problem = err, chunks = {}, headers = {}, body = "", started = started }
  end

  answer.started = started
  return answer
end


return _M
