-- A stream that a plugin of lower priority reads as it passes: ai-proxy makes its own events of those that the chunk
-- in body_filter holds. For an empty chunk it makes again those of the last one; of the end of the answer it makes
-- nothing, whatever stands in that chunk.
local ngx = ngx


local _M = {}


--- Whether a plugin reads the answer so. Phase: header_filter.
function _M.is_read()
  local of = ngx.ctx.ai_namespaced_ctx
  local global = of and of._global
  return global ~= nil and global.stream_mode == true
end


--- Says that there is nothing in this chunk. Phase: body_filter.
function _M.say_nothing()
  local parsed = ngx.ctx.ai_namespaced_ctx["parse-sse-chunk"]
  if parsed then
    parsed.current_events = nil
  end
end


return _M
