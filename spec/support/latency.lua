-- How long a streamed answer's tokens take: beside each stream through the gateway, one of the mock itself.
local http = require "spec.support.http"
local sample = require "spec.support.sample"


local DELTA = "content_block_delta"


local function median(values, quantile)
  local sorted = { unpack(values) }
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(#sorted * (quantile or 0.5)))]
end


local function stream(port, body, delay_ms)
  local answer = http.request({
    port = port, path = "/v1/messages", body = body,
    headers = { ["Content-Type"] = "application/json", ["x-mock-delay-ms"] = delay_ms, ["x-mock-record"] = "no" },
  })
  assert(answer.complete, answer.problem)

  local times = {}
  for _, chunk in ipairs(answer.chunks) do
    if chunk.bytes:find(DELTA, 1, true) then
      times[#times + 1] = chunk.at
    end
  end
  assert(#times > 1, "the stream has no deltas")

  return (times[1] - answer.started) * 1000, times
end


local _M = {}


--- Measures.
-- @param gateway_port, mock_port where both listen
-- @param options table: streams (of each kind), delay_ms (the mock's, between two tokens), text (of the prompt)
-- @return for "direct" and "through" a table in milliseconds: first (median until the first token), gap (median between
-- two tokens), gap_p99, longest; gaps (how many, fewer where tokens are shorter than originals); and added_first, the
-- median of the differences of first tokens, pair by pair
function _M.measure(gateway_port, mock_port, options)
  local body = sample.messages({ stream = true, text = options.text })
  local ports = { direct = mock_port, through = gateway_port }
  local firsts, gaps = { direct = {}, through = {} }, { direct = {}, through = {} }
  local added = {}
  for i = 1, options.streams do
    -- neither is always the first of a pair
    for _, kind in ipairs(i % 2 == 0 and { "direct", "through" } or { "through", "direct" }) do
      local first, times = stream(ports[kind], body, options.delay_ms)
      firsts[kind][i] = first
      for at = 2, #times do
        gaps[kind][#gaps[kind] + 1] = (times[at] - times[at - 1]) * 1000
      end
    end

    added[i] = firsts.through[i] - firsts.direct[i]
  end

  local result = { added_first = median(added) }
  for kind in pairs(ports) do
    result[kind] = {
      first = median(firsts[kind]),
      gap = median(gaps[kind]),
      gap_p99 = median(gaps[kind], 0.99),
      longest = median(gaps[kind], 1),
      gaps = #gaps[kind],
    }
  end

  return result
end


return _M
