-- Identifiers that the specs send. None of them belongs to anybody.
local cjson = require "cjson"


local _M = {
  INSTANCE = "i-0f3a9c27be41d8056",
  OTHER_INSTANCE = "i-0b7721ddc5e90a4f3",
  VPC = "vpc-04d1c7e92ab86f035",
  SUBNET = "subnet-0c2f18a7d5e3964b0",
  GROUP = "sg-0de91b7c3a5f24680",
  ACCESS_KEY = "AKIAQ3EGRZ5LXW7TPN4M",
}

_M.IDS = { _M.INSTANCE, _M.OTHER_INSTANCE, _M.VPC, _M.SUBNET, _M.GROUP }


--- Text with Korean, quotes, line breaks, a code fence and every identifier of `IDS`.
_M.TEXT = "인스턴스 " .. _M.INSTANCE .. "가 응답하지 않습니다.\n- \"" .. _M.VPC .. "\" / `" .. _M.SUBNET
          .. "`\n" .. _M.GROUP .. "와 " .. _M.OTHER_INSTANCE .. "\\도 확인해 주세요 😀."


--- An Anthropic Messages request with one user message.
-- @param options table: text (`TEXT`), stream (false), further members by name
function _M.messages(options)
  options = options or {}
  local request = {
    model = "claude-test",
    max_tokens = 1024,
    stream = options.stream or nil,
    messages = options.messages or { { role = "user", content = options.text or _M.TEXT } },
    tools = options.tools,
    system = options.system,
  }
  return cjson.encode(request)
end


--- `count` different instance ids.
function _M.many_ids(count)
  local ids = {}
  for i = 1, count do
    ids[i] = ("i-0%016x"):format(0xabc0000000 + i * 7919)
  end

  return ids
end


return _M
