-- The script that wrk runs: posts one body, waits between requests where it is told to, prints what it measured.
--
-- The pauses are as long as those between independent clients are: with pauses of one length all connections send at
-- the same moment after a while, and what is measured is how long the queue of their own making is.
--
-- usage: wrk … -s wrk.lua URL -- BODY_FILE MEAN_PAUSE_MS
local mean_pause_ms = 0


function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  wrk.body = file:read("*a")
  file:close()

  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["x-api-key"] = "load"
  mean_pause_ms = tonumber(arguments[2])
end


function delay()
  return math.floor(-math.log(1 - math.random()) * mean_pause_ms + 0.5)
end


function done(summary, latency)
  local errors = summary.errors
  io.write(("measured %d %d %d %d %d %d\n"):format(
    summary.requests, summary.duration, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99)))
end
