-- Where things lie. Specs run from the root of the repository.
local process = require "spec.support.process"


local root = process.capture("pwd")
local target = os.getenv("TARGET_DIR") or root .. "/target/release"
if target:sub(1, 1) ~= "/" then
  target = root .. "/" .. target
end


return {
  root = root,
  plugin = root .. "/kong-plugin",
  target = target,
  library_cpath = target .. "/?.so",
  mock = target .. "/mock-llm",
  host = root .. "/kong-plugin/openresty",
}
