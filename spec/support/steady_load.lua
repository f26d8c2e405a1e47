-- Sends requests one after the other until it is told to stop.
--
-- usage: luajit spec/support/steady_load.lua PORT STOP_FILE COUNT_FILE
-- Ends when STOP_FILE exists; writes into COUNT_FILE how many requests were answered with 200, and how many were not.
local http = require "spec.support.http"
local process = require "spec.support.process"
local sample = require "spec.support.sample"


local port, stop_file, count_file = tonumber(arg[1]), arg[2], arg[3]
local body = sample.messages()
local answered, failed = 0, 0

while not process.read_file(stop_file) do
  local answer = http.request({
    port = port, path = "/v1/messages", body = body, headers = { ["Content-Type"] = "application/json" },
  })
  if answer.status == 200 then
    answered = answered + 1
  else
    failed = failed + 1
  end
end

process.write_file(count_file .. ".draft", answered .. " " .. failed)
assert(os.rename(count_file .. ".draft", count_file))
