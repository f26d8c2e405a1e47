-- Runs in a worker, asked over HTTP: frees what can be freed, then says what is left.
local ffi = require "ffi"
local cjson = require "cjson.safe"
local clib = require "kong.plugins.aws-masker.clib"


local KIB = 1024

pcall(ffi.cdef, [[
int malloc_trim(size_t pad);
struct soak_mallinfo { size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost; };
struct soak_mallinfo mallinfo2(void);
]])


local function kib(name)
  for line in io.lines("/proc/self/status") do
    local value = line:match("^" .. name .. ":%s*(%d+) kB")
    if value then
      return tonumber(value)
    end
  end
end


collectgarbage()
collectgarbage()
-- glibc keeps freed memory; what counts is what nobody gave back
local allocated_bytes
pcall(function()
  ffi.C.malloc_trim(0)
  local info = ffi.C.mallinfo2()
  allocated_bytes = tonumber(info.uordblks + info.hblkhd)
end)

local resident_bytes = kib("RssAnon") * KIB
local lua_bytes = collectgarbage("count") * KIB
ngx.header["Content-Type"] = "application/json"
ngx.print(cjson.encode({
  pid = ngx.worker.pid(),
  resident_bytes = resident_bytes,
  -- what somebody holds: Lua, and the rest of the worker; without mallinfo2, what is resident
  held_bytes = allocated_bytes and allocated_bytes + lua_bytes or resident_bytes,
  lua_bytes = lua_bytes,
  open_handles = clib.live_handles(),
}))
