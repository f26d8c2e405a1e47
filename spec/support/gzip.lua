-- Compressed bodies, made by the gzip program.
local process = require "spec.support.process"


local _M = {}


--- `bytes` as gzip.
function _M.pack(bytes)
  local folder = process.temporary_folder()
  process.write_file(folder .. "/plain", bytes)
  local _, ok = process.capture("gzip " .. process.quote(folder .. "/plain"))
  local packed = process.read_file(folder .. "/plain.gz")
  process.remove_folder(folder)
  assert(ok and packed, "gzip failed")
  return packed
end


return _M
