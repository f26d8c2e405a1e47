-- Request bodies of a given size: Messages requests as an agent sends them, with and without identifiers.
local cjson = require "cjson"


local CLEAN = {
  "The service answers slowly since the last deployment; p99 went from 80 ms to 1.4 s while traffic stayed flat.\n",
  "def handler(event, context):\n    for record in event['Records']:\n        process(record['body'])\n",
  "| step | what happened | minutes |\n|---|---|---|\n| 1 | the alarm fired | 0 |\n| 2 | rolled back | 14 |\n",
  "인스턴스가 응답하지 않습니다. 로그를 보면 연결 수가 한계에 닿은 뒤에 시간 초과가 이어집니다.\n",
}

-- One identifier each: with a clean line before, one in about 200 bytes. %h is 17 hex digits, %d a number under 256.
local DENSE = {
  "Instance i-%h lost its route and was replaced by the group, see the log.\n",
  "subnet_id = \"subnet-%h\" # the second zone, the smaller of the two\n",
  "From 10.%d.%d.%d the health check timed out three times in a row.\n",
  "arn:aws:lambda:us-east-1:482910573364:function:billing-%h failed; it is tried again.\n",
  "The volume vol-%h is attached, but the queue on it does not shrink.\n",
  "결과: vpc-%h 안에서는 연결이 되지만 밖에서는 되지 않습니다.\n",
}


local state = 42

-- The same bodies in every run.
local function random(limit)
  state = (state * 1103515245 + 12345) % 2147483648
  return math.floor(state / 65536) % limit
end


local function hex17()
  local digits = {}
  for i = 1, 17 do
    digits[i] = ("%x"):format(random(16))
  end
  return table.concat(digits)
end


local function dense_line(number)
  local line = DENSE[number % #DENSE + 1]:gsub("%%h", hex17)
  line = line:gsub("%%d", function()
    return random(256)
  end)
  return CLEAN[number % #CLEAN + 1] .. line
end


local function request(text)
  return cjson.encode({
    model = "claude-load",
    max_tokens = 64,
    messages = { { role = "user", content = text } },
  })
end


local _M = {}


--- @param kind "clean" or "dense"
-- @param bytes size, met to a few hundred bytes
-- @return JSON text
function _M.make(kind, bytes)
  state = 42
  local lines, length, number = {}, 0, 0
  repeat
    number = number + 1
    local line = kind == "dense" and dense_line(number) or CLEAN[number % #CLEAN + 1]
    lines[number] = line
    length = length + #line + 4
  until length >= bytes - 100

  return request(table.concat(lines))
end


return _M
