-- The answers of the plugin itself, in the shape that the SDKs of both vendors understand: Anthropic's shows the whole
-- body, OpenAI's what is in `error` alone. They are fixed texts: nothing of a request can get into them.
local ipairs = ipairs


local TYPE_INVALID = "invalid_request_error"
local TYPE_TOO_LARGE = "request_too_large"
local TYPE_API = "api_error"

-- `may_pass`: `on_error: allow` lets the unmasked request through.
local FAILURES = {
  {
    name = "INVALID_BODY", status = 400, type = TYPE_INVALID, may_pass = true,
    message = "The request body is not what its Content-Type says, so it could not be masked and was not sent on.",
  },
  {
    name = "BODY_TOO_LARGE", status = 413, type = TYPE_TOO_LARGE, may_pass = false,
    message = "The request body is larger than this gateway masks (max_request_body_size) and was not sent on.",
  },
  {
    name = "UNSUPPORTED_CONTENT", status = 415, type = TYPE_INVALID, may_pass = false,
    message = "This gateway cannot mask content of this type or coding, or a WebSocket, so the request was not sent on."
              .. " Send JSON or text over HTTP, as it is or in gzip or deflate.",
  },
  {
    name = "BODY_UNREADABLE", status = 500, type = TYPE_API, may_pass = true,
    message = "The gateway could not read the request body, so the request was not sent on.",
  },
  {
    name = "MISCONFIGURED", status = 500, type = TYPE_API, may_pass = true,
    message = "The gateway's masking configuration could not be compiled, so the request was not sent on."
              .. " The gateway's error log says why.",
  },
  {
    name = "LIBRARY_UNAVAILABLE", status = 500, type = TYPE_API, may_pass = true,
    message = "The gateway's masking library is not available, so the request was not sent on."
              .. " The gateway's error log says what to do.",
  },
  {
    name = "REDIS_UNAVAILABLE", status = 503, type = TYPE_API, may_pass = false,
    message = "The gateway could not store or look up the tokens of this request in Redis, which its configuration"
              .. " requires (redis_required), so the request was not sent on. Try again later.",
  },
  {
    name = "INTERNAL", status = 500, type = TYPE_API, may_pass = true,
    message = "The gateway failed while masking the request and did not send it on.",
  },
}

local BY_NAME = {}
for _, failure in ipairs(FAILURES) do
  local code = '"code":"AWS_MASKER_' .. failure.name .. '"'
  failure.body = '{"type":"error","error":{"type":"' .. failure.type .. '","message":"' .. failure.message
                 .. '","param":null,' .. code .. "}," .. code .. "}"
  failure.headers = { ["Content-Type"] = "application/json" }
  BY_NAME[failure.name] = failure
end


local _M = {}


--- The answer for a failure; one without an entry of its own is an internal error.
-- @return table with name, status, body (JSON), headers, may_pass
function _M.of(name)
  return BY_NAME[name] or BY_NAME.INTERNAL
end


return _M
