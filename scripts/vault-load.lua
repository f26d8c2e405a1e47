-- Puts load on a gateway whose Redis takes ten clients: once as it is, once with 100 ms added to each reply, once with
-- Redis killed, paused and restarted meanwhile. Prints what came of it; fails when a request did.
--
-- usage: luajit scripts/vault-load.lua [REQUESTS]
local gateway = require "spec.support.gateway"
local vault_load = require "spec.support.vault_load"


local REQUESTS = tonumber(arg[1] or "") or 10000
local CLIENTS = 100
-- how many samples of CLIENT LIST are printed
local SHOWN = 20


local function print_samples(samples)
  local step = math.max(1, math.floor(#samples / SHOWN))
  for i, sample in ipairs(samples) do
    if sample.what then
      print(("    %6.1f s  Redis %s"):format(sample.at, sample.what))
    elseif (i - 1) % step == 0 then
      print(("    %6.1f s  %s connections"):format(sample.at, sample.connections or "no answer, so no count of"))
    end
  end
end


local function run(title, options)
  print(("\n%s: maxclients 10, %d clients"):format(title, CLIENTS))
  options.clients = CLIENTS
  local report = vault_load.run(options)

  print("  CLIENT LIST, sampled:")
  print_samples(report.samples)
  print(("  requests %d in %.1f s, p50 %.1f ms, p99 %.1f ms, longest %.1f ms"):format(
    report.requests, report.seconds, report.p50_ms, report.p99_ms, report.max_ms))
  print(("  failed %d, leaks %d, worker restarts %d"):format(report.failed, report.leaks, report.restarts))
  print(("  tokens of the vault: restored %d, left as they were %d"):format(report.resolved, report.unresolved))
  print(("  connections: %d at most, pool %d"):format(report.connections, report.pool))
  for kind, count in pairs(report.failures) do
    print("  failed with " .. kind .. ": " .. count)
  end

  return report.failed == 0 and report.leaks == 0 and report.restarts == 0 and report.connections <= report.pool
end


print("gateway: " .. gateway.describe())
local good = run("As it is", { requests = REQUESTS })
good = run("100 ms added to each reply", { requests = REQUESTS, delay_ms = 100 }) and good
good = run("Killed, restarted and paused meanwhile", { seconds = 20, faults = {
  { at = 3, what = "was killed", act = function(redis) redis:kill() end },
  { at = 6, what = "was started again, empty", act = function(redis) redis:run() end },
  { at = 8, what = "got its tokens again", act = function() end, stores = true },
  { at = 9, what = "was paused", act = function(redis) redis:pause() end },
  { at = 13, what = "was resumed", act = function(redis) redis:resume() end },
  { at = 15, what = "was killed and started again", act = function(redis) redis:kill() redis:run() end },
} }) and good
os.exit(good and 0 or 1)
