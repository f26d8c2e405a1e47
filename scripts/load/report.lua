-- Sums up the rounds of a load test, as Markdown and as JSON.
local cjson = require "cjson"


local NAMES = {
  bare = "no plugin",
  nothing = "a plugin that does nothing",
  floor = "a plugin that copies bodies",
  masker = "aws-masker, the request is known",
  anew = "aws-masker, the request is new",
  events = "aws-masker with events, the request is known",
}


local function median(values)
  table.sort(values)
  local middle = math.floor(#values / 2)
  if #values % 2 == 1 then
    return values[middle + 1]
  end

  return (values[middle] + values[middle + 1]) / 2
end


local function over_rounds(rounds, value)
  local values = {}
  for i, round in ipairs(rounds) do
    values[i] = value(round)
  end

  return median(values)
end


-- Medians of one route. What is compared with another route is taken within each round.
local function sum_up(rounds, route)
  local function of(field)
    return over_rounds(rounds, function(round)
      return round[route][field]
    end)
  end

  local function added(field, to)
    return over_rounds(rounds, function(round)
      return round[route][field] - round[to][field]
    end)
  end

  local function ratio(to)
    return over_rounds(rounds, function(round)
      return round[route].per_second / round[to].per_second
    end)
  end

  local errors = 0
  for _, round in ipairs(rounds) do
    errors = errors + round[route].errors
  end

  return {
    per_second = of("per_second"),
    p50 = of("p50"),
    p99 = of("p99"),
    cpu = of("cpu"),
    added_p50 = added("p50", "bare"),
    added_p99 = added("p99", "bare"),
    added_cpu = added("cpu", "bare"),
    ratio_to_bare = ratio("bare"),
    ratio_to_floor = ratio("floor"),
    errors = errors,
  }
end


-- Between which the median of all such runs lies in 95 of 100 cases, by the binomial distribution. `values` are sorted.
local function interval(values)
  local from = math.max(1, math.floor(#values / 2 - 0.98 * math.sqrt(#values)))
  return values[from], values[#values + 1 - from]
end


-- What events add: over one connection, and to what was measured with many.
local function sum_up_events(entry)
  local off, added = {}, {}
  for i, pair in ipairs(entry.events) do
    off[i] = pair.off
    added[i] = pair.on - pair.off
  end

  local p50, added_p50 = median(off), median(added)
  local low, high = interval(added)
  return {
    p50 = p50,
    added_p50 = added_p50,
    added_p50_from = low,
    added_p50_to = high,
    added_share = added_p50 / p50,
    added_cpu = over_rounds(entry.half, function(round)
      return round.events.cpu - round.masker.cpu
    end),
    per_second_ratio = over_rounds(entry.full, function(round)
      return round.events.per_second / round.masker.per_second
    end),
  }
end


local function body_tables(result, lines, data)
  for _, entry in ipairs(result.bodies) do
    lines[#lines + 1] = ("\n### %d KB, %s (%d bytes)\n"):format(entry.size, entry.kind, entry.bytes)
    lines[#lines + 1] = "| route | requests/s | to bare | to the copying one | CPU/request | p50 half load | added |"
                        .. " p99 half load | added | errors |"
    lines[#lines + 1] = "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    local summary = { size = entry.size, kind = entry.kind, bytes = entry.bytes, memory = entry.memory, routes = {},
                      events = sum_up_events(entry) }

    for _, route in ipairs(result.routes) do
      local full, half = sum_up(entry.full, route), sum_up(entry.half, route)
      summary.routes[route] = { full = full, half = half }
      local row = "| %s | %.0f | %.2f | %.2f | %.0f µs | %.0f µs | %+.0f µs | %.0f µs | %+.0f µs | %d |"
      lines[#lines + 1] = row:format(
        NAMES[route], full.per_second, full.ratio_to_bare, full.ratio_to_floor, full.cpu, half.p50, half.added_p50,
        half.p99, half.added_p99, full.errors + half.errors)
    end

    lines[#lines + 1] = ("\nLargest worker afterwards: %.1f MB."):format(entry.memory / 1e6)
    data.bodies[#data.bodies + 1] = summary
  end
end


local function events_table(data, lines)
  lines[#lines + 1] = "\n### Events on (sampling 1.0) over events off\n"
  lines[#lines + 1] = ("p50 over one connection, on which requests with events off and on take turns, a hundred each,"
                       .. " for %g s; behind the median of the differences between neighbouring turns, between what it"
                       .. " lies with 95 %% certainty.\n"):format(data.event_seconds)
  lines[#lines + 1] = "| body | p50 off | added by events | of p50 | CPU/request, half load | requests/s, full load |"
  lines[#lines + 1] = "|---|--:|--:|--:|--:|--:|"
  for _, body in ipairs(data.bodies) do
    local events = body.events
    local row = "| %d KB %s | %.0f µs | %+.1f µs (%+.1f to %+.1f) | %+.1f %% | %+.1f µs | %+.1f %% |"
    lines[#lines + 1] = row:format(
      body.size, body.kind, events.p50, events.added_p50, events.added_p50_from, events.added_p50_to,
      events.added_share * 100, events.added_cpu, (events.per_second_ratio - 1) * 100)
  end
end


local function other_tables(result, lines)
  lines[#lines + 1] = "\n### ab -n 10000 -c 100, 4 KB dense, POST /analyze-claude\n"
  lines[#lines + 1] = "| route | requests/s | p50 | p99 | complete | failed |"
  lines[#lines + 1] = "|---|--:|--:|--:|--:|--:|"
  for _, route in ipairs(result.routes) do
    local bench = result.apache_bench[route]
    lines[#lines + 1] = ("| %s | %.0f | %d ms | %d ms | %d | %d |"):format(
      NAMES[route], bench.per_second, bench.p50, bench.p99, bench.complete, bench.failed)
  end

  lines[#lines + 1] = "\n### Large answers with tokens in them\n"
  lines[#lines + 1] = "| answer | route | seconds | MB/s | worker's memory over before |"
  lines[#lines + 1] = "|---|---|--:|--:|--:|"
  for _, answer in ipairs(result.large_answers) do
    lines[#lines + 1] = ("| %d MB | %s | %.2f | %.0f | %+.2f MB |"):format(
      answer.megabytes, NAMES[answer.route], answer.seconds, answer.bytes / answer.seconds / 1e6, answer.memory / 1e6)
  end
end


local _M = {}


--- @param result what scripts/load/run.lua measured
-- @return Markdown, JSON
function _M.write(result)
  local lines = {
    "# Load test",
    ("\n%s, %d workers, %d connections, %d rounds of %g s for each route, interleaved. Medians of the rounds; ratios"
     .. " and differences are taken within a round. Load generator, gateway and upstream share this machine. Half"
     .. " load: the connections pause, each time for another random time, so that the slowest route carries half of"
     .. " what it can."):format(
       result.gateway, result.workers, result.connections, result.rounds, result.seconds),
  }
  local data = {
    gateway = result.gateway,
    workers = result.workers,
    connections = result.connections,
    seconds = result.seconds,
    rounds = result.rounds,
    event_seconds = result.event_seconds,
    bodies = {},
    apache_bench = result.apache_bench,
    large_answers = result.large_answers,
  }

  body_tables(result, lines, data)
  events_table(data, lines)
  other_tables(result, lines)
  return table.concat(lines, "\n") .. "\n", cjson.encode(data)
end


return _M
