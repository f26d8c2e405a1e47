-- An answer that Kong holds as a whole before it goes on with it ("buffered proxying"). Plugins of lower priority, such
-- as ai-proxy, read it there in header_filter and send what they make of it, whatever body_filter was given.
local lower = string.lower
local ngx = ngx
local pairs = pairs


local _M = {}


--- The answer that the upstream gave, where Kong holds it. Phase: header_filter.
-- @return its bytes as they came, or nil: it streams, or a plugin answers in place of the upstream
function _M.get(pdk)
  local ctx = ngx.ctx
  if not ctx.buffered_proxying or pdk.response.get_source() ~= "service" then
    return nil
  end

  return ctx.buffered_body
end


--- Has plugins of lower priority read other bytes, which have no coding. Phase: header_filter.
function _M.replace(body)
  local ctx = ngx.ctx
  ctx.buffered_body = body

  -- what goes to the client has headers of its own; these are what `kong.service.response` tells
  local headers = ctx.buffered_headers
  for name in pairs(headers) do
    if lower(name) == "content-encoding" then
      headers[name] = nil
    end
  end
end


return _M
