-- Prints how much later tokens of streamed answers come through the gateway than from the upstream itself.
--
-- usage: luajit scripts/latency.lua [STREAMS]    (200; of each kind, one after the other)
-- Fails when the first token, or the time between two, is more than a millisecond off in the median.
local bed = require "spec.support.bed"
local gateway = require "spec.support.gateway"
local latency = require "spec.support.latency"


local DELAY_MS = 20
local LIMIT_MS = 1


local world = bed.start()
-- connections, caches and the code that the JIT compiles
latency.measure(world.port, world.mock.port, { streams = 5, delay_ms = DELAY_MS })
local measured = latency.measure(world.port, world.mock.port,
                                 { streams = tonumber(arg[1]) or 200, delay_ms = DELAY_MS })
world:stop()

print(("%s, %d ms between tokens, milliseconds:"):format(gateway.describe(), DELAY_MS))
print(("%-10s %12s %10s %9s %9s"):format("", "first token", "gap", "gap p99", "longest"))
for _, kind in ipairs({ "direct", "through" }) do
  local of = measured[kind]
  print(("%-10s %12.3f %10.3f %9.3f %9.3f   (%d gaps)"):format(kind, of.first, of.gap, of.gap_p99, of.longest, of.gaps))
end

local added_gap = measured.through.gap - measured.direct.gap
print(("added, median of pairs: first token %.3f, gap %.3f"):format(measured.added_first, added_gap))
os.exit(measured.added_first <= LIMIT_MS and math.abs(added_gap) <= LIMIT_MS and 0 or 1)
