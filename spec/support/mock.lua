-- The fake upstream: the repository's own mock-llm.
local cjson = require "cjson"
local http = require "spec.support.http"
local paths = require "spec.support.paths"
local process = require "spec.support.process"


local START_SECONDS = 10


local Mock = {}
Mock.__index = Mock


local _M = {}


--- Starts one.
-- @param options table: arguments (further ones of mock-llm, as for the shell)
function _M.start(options)
  local folder = process.temporary_folder()
  local port_file = folder .. "/port"
  local pid = process.spawn(("%s --listen 127.0.0.1:0 --port-file %s %s")
                            :format(process.quote(paths.mock), process.quote(port_file),
                                    options and options.arguments or ""), folder .. "/log")

  local port = process.wait_until(START_SECONDS, function()
    return tonumber(process.read_file(port_file) or "")
  end)
  if not port then
    error("mock-llm did not start: " .. tostring(process.read_file(folder .. "/log")))
  end

  return setmetatable({ pid = pid, port = port, folder = folder }, Mock)
end


function Mock:control(method, path, body)
  local answer = http.request({ port = self.port, method = method, path = "/__mock" .. path, body = body })
  assert(answer.status and answer.status < 300, "mock-llm refused " .. method .. " " .. path)
  return answer.body
end


--- Forgets what it received, what it looks for and what it is to answer.
function Mock:reset()
  self:control("DELETE", "/requests")
  self:control("DELETE", "/originals")
  self:control("DELETE", "/answers")
end


--- Answers requests for `path` with `body`, whatever they are.
function Mock:answer(path, content_type, body)
  self:control("POST", "/answers", cjson.encode({ path = path, content_type = content_type, body = body }))
end


--- Strings that must never arrive.
function Mock:watch(originals)
  self:control("POST", "/originals", cjson.encode(originals))
end


--- How many watched strings arrived, and how many requests were searched.
function Mock:leaks()
  local findings = cjson.decode(self:control("GET", "/leaks"))
  return findings.leaks, findings.checked
end


function Mock:count()
  return cjson.decode(self:control("GET", "/count")).count
end


function Mock:requests()
  return cjson.decode(self:control("GET", "/requests"))
end


function Mock:last()
  local requests = self:requests()
  return requests[#requests]
end


--- The body of the last request, byte for byte.
function Mock:last_body()
  return self:control("GET", "/requests/last/body")
end


function Mock:stop()
  process.stop(self.pid)
  process.remove_folder(self.folder)
end


return _M
