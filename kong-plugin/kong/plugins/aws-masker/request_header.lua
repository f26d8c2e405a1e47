-- One header of the request.
--
-- Most of those that are asked for here are not there. nginx's own variables say so for a part of what Kong's
-- `get_header` takes, which makes the name of the variable anew each time; with half a dozen headers that adds up.
local find = string.find
local ngx = ngx


local _M = {}


--- Phases: those of a request.
-- @param request `kong.request`
-- @param name of the header
-- @param variable nginx's name for it, mostly `http_` and the name in lower case with `_` for `-`
-- @return the value, the first one of several headers; or nil
function _M.get(request, name, variable)
  local value = ngx.var[variable]
  if value and find(value, ", ", 1, true) then
    -- of several, or with a comma of its own
    return request.get_header(name)
  end

  return value
end


return _M
