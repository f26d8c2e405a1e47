-- Sends many small commands over one connection of resty.redis. Its own pipeline makes a table for every command and
-- two reads for every reply; for events that is more work than all the rest together.
--
-- Knows the replies of XADD and PUBLISH: a number, a line, an error, or a string without a line break in it.
local byte = string.byte
local concat = table.concat
local find = string.find
local sub = string.sub


local READ_BYTES = 65536

local LINE_END = "\r\n"
local BULK = byte("$")
local ERROR = byte("-")


local function encode(command)
  local parts = { "*" .. #command .. LINE_END }
  for i = 1, #command do
    parts[i + 1] = "$" .. #command[i] .. LINE_END .. command[i] .. LINE_END
  end

  return concat(parts)
end


-- Takes whole replies out of `text`.
-- @param before how many came before them
-- @return how many, and where the rest begins
local function take_replies(text, before, errors)
  local count, at = 0, 1
  while true do
    local line_end = find(text, LINE_END, at, true)
    if not line_end then
      return count, at
    end

    local kind = byte(text, at)
    if kind == BULK then
      -- the string itself is on the next line
      line_end = find(text, LINE_END, line_end + 2, true)
      if not line_end then
        return count, at
      end
    elseif kind == ERROR then
      errors[#errors + 1] = { false, sub(text, at + 1, line_end - 1), index = before + count + 1 }
    end

    count = count + 1
    at = line_end + 2
  end
end


local _M = {}


--- What a command looks like on the wire, but for its last argument.
-- @param ... the command and its other arguments, strings
function _M.prefix(...)
  local command = { ... }
  command[#command + 1] = ""
  -- without the empty last argument, of which the length is still to come
  return sub(encode(command), 1, -#("0" .. LINE_END .. LINE_END) - 1)
end


--- Adds a command to what is sent.
-- @param parts array of pieces for `send`
-- @param prefix what `_M.prefix` gave
function _M.add(parts, prefix, argument)
  local n = #parts
  parts[n + 1] = prefix
  parts[n + 2] = #argument
  parts[n + 3] = LINE_END
  parts[n + 4] = argument
  parts[n + 5] = LINE_END
end


--- Sends `count` commands in one go and reads their replies.
-- @return array of the replies that are errors, as resty.redis gives them and with the `index` of their command; or nil
-- and why, and then the connection is of no use any more
function _M.send(red, parts, count)
  local socket = red._sock
  local ok, err = socket:send(parts)
  if not ok then
    return nil, err
  end

  local errors, rest = {}, ""
  local done = 0
  while done < count do
    local chunk
    chunk, err = socket:receiveany(READ_BYTES)
    if not chunk then
      return nil, err
    end

    rest = rest .. chunk
    local taken, at = take_replies(rest, done, errors)
    done = done + taken
    rest = sub(rest, at)
  end

  if done > count or rest ~= "" then
    return nil, "protocol error"
  end

  return errors
end


return _M
