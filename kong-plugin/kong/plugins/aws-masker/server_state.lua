-- Which requests have the API answer from something that it keeps itself: such an answer holds tokens of earlier
-- requests. What a body says of that, the library knows; this is about the rest.
local gmatch = string.gmatch


-- Path segments under which the APIs keep what was sent to them before.
local KEPT = {
  agents = true,
  assistants = true,
  batches = true,
  completions = true,
  containers = true,
  conversations = true,
  deployments = true,
  evals = true,
  files = true,
  memory_stores = true,
  responses = true,
  sessions = true,
  skills = true,
  threads = true,
  vector_stores = true,
  videos = true,
}

-- Those of them that a request with a body goes on from because its path names one.
local CONTINUED = {
  agents = true,
  assistants = true,
  conversations = true,
  evals = true,
  memory_stores = true,
  sessions = true,
  threads = true,
  vector_stores = true,
}

local WITHOUT_ANSWER = { HEAD = true, OPTIONS = true }


local _M = {}


--- Whether the answer may hold tokens that nothing in the request names.
-- @param method HTTP method
-- @param path of the request
-- @param has_body whether the request has a body
function _M.is_asked_for(method, path, has_body)
  if WITHOUT_ANSWER[method] then
    return false
  end

  local segments = has_body and CONTINUED or KEPT
  for segment in gmatch(path, "[^/]+") do
    if segments[segment] then
      return true
    end
  end

  return false
end


return _M
