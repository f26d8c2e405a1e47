-- Tracing spans of the two steps. Where tracing is off Kong's own spans do nothing.
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
  -- false where tracing is off
  if values and span.is_recording ~= false then
    for name, value in pairs(values) do
      span:set_attribute("aws_masker." .. name, value)
    end
  end

  span:finish()
end


return _M
