-- For the load test: the least that a plugin which rewrites bodies can do. It reads the request body, copies it once
-- and sets it back; it drops the length of the answer and copies every chunk of it.
local ffi = require "ffi"


local MAX_BYTES = 32 * 1024 * 1024


local size = 0
local buffer


local function copy(text)
  if #text > size then
    size = #text
    buffer = ffi.new("uint8_t[?]", size)
  end

  ffi.copy(buffer, text, #text)
  -- a byte more, so that LuaJIT cannot hand out the very string it already has
  if #text > 0 then
    buffer[#text - 1] = buffer[#text - 1] == 10 and 32 or 10
  end

  return ffi.string(buffer, #text)
end


return {
  PRIORITY = 785,
  VERSION = "0.1.0",

  configure = function() end,

  access = function()
    local body = kong.request.get_raw_body(MAX_BYTES)
    if body and body ~= "" then
      ngx.req.set_body_data(copy(body))
    end
  end,

  header_filter = function()
    kong.response.clear_header("Content-Length")
  end,

  body_filter = function()
    local chunk = ngx.arg[1]
    if chunk and chunk ~= "" then
      ngx.arg[1] = copy(chunk)
    end
  end,

  log = function() end,
}
