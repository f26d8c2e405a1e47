-- Tracing spans of the two steps. Where tracing is off Kong's own spans do nothing.
local match = string.match
local ngx = ngx
local pairs = pairs


local _M = { MASK = "aws-masker.mask", RESTORE = "aws-masker.restore" }


--- Starts a span. Phases: access, header_filter.
-- @param name `MASK` or `RESTORE`
function _M.start(pdk, name)
  return pdk.tracing.start_span(name)
end


--- Ends a span.
-- @param values map of attribute to number or text, nil for none
function _M.finish(span, values)
  -- tracing is off
  if span.is_recording == false then
    return
  end

  if values then
    for name, value in pairs(values) do
      span:set_attribute("aws_masker." .. name, value)
    end
  end

  span:finish()
end


--- Has the span of the request tell the query as the upstream got it; Kong's tells it as the client sent it. Phase:
-- access.
function _M.mask_query(query)
  local all = ngx.ctx.KONG_SPANS
  local request = all and all[1]
  local url = request and request.attributes and request.attributes["http.url"]
  if url then
    request:set_attribute("http.url", match(url, "^[^?]*") .. "?" .. query)
  end
end


return _M
