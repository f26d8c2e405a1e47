-- Tracing spans of the two steps. Where tracing is off Kong's own spans do nothing.
local pairs = pairs


local _M = {}


--- Starts the span `aws-masker.<step>`. Phases: access, header_filter.
function _M.start(pdk, step)
  return pdk.tracing.start_span("aws-masker." .. step)
end


--- Ends a span.
-- @param values map of attribute to number or text, nil for none
function _M.finish(span, values)
  if values then
    for name, value in pairs(values) do
      span:set_attribute("aws_masker." .. name, value)
    end
  end

  span:finish()
end


return _M
