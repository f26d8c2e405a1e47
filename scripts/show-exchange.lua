-- Sends one streamed request through the gateway and prints what each side saw of it, side by side.
-- Fails when an original reached the upstream or did not come back.
--
-- usage: GATEWAY_URL=… MOCK_URL=… luajit scripts/show-exchange.lua
local ffi = require "ffi"
local cjson = require "cjson"
local http = require "spec.support.http"
local process = require "spec.support.process"
local sse = require "spec.support.sse"


local ORIGINALS = {
  "i-0f3a9c27be41d8056",
  "vpc-04d1c7e92ab86f035",
  "arn:aws:iam::618734209955:role/billing-export",
  "618734209955",
  "acme-billing-logs",
  "10.24.7.31",
}

local PROMPT = "Instance i-0f3a9c27be41d8056 (10.24.7.31) in vpc-04d1c7e92ab86f035 cannot assume"
               .. " arn:aws:iam::618734209955:role/billing-export. It writes to s3://acme-billing-logs/2026/ in account"
               .. " 618734209955. What is missing?"

-- so small that every token arrives in pieces
local DELTA_BYTES = 3

local TOKEN = "%f[%w][A-Z0-9]+_[A-Z2-7]+%f[^%w]"
local RED, GREEN, BOLD, PLAIN = "\27[31m", "\27[32m", "\27[1m", "\27[0m"
local DEFAULT_COLUMNS = 120
local MIN_COLUMNS = 26
local GAP = "  "


ffi.cdef "int isatty(int fd);"

local is_terminal = ffi.C.isatty(1) == 1
local has_color = is_terminal and not os.getenv("NO_COLOR")


local function port_of(url)
  return tonumber(url:match(":(%d+)$"))
end


local function paint(color, text)
  return has_color and color .. text .. PLAIN or text
end


-- Marks the bytes of `text` that belong to any of the stretches.
local function marks(text, stretches, plain)
  local marked = {}
  for _, stretch in ipairs(stretches) do
    local from, to = text:find(stretch, 1, plain)
    while from do
      for i = from, to do
        marked[i] = true
      end
      from, to = text:find(stretch, to + 1, plain)
    end
  end

  return marked
end


-- Breaks `text` into lines of `width` bytes, at spaces where there are any. The texts are ASCII.
local function wrap(text, width)
  local lines = {}
  local first = 1
  while first <= #text do
    local last = math.min(first + width - 1, #text)
    if last < #text then
      for i = last + 1, first + 1, -1 do
        if text:sub(i, i) == " " then
          last = i
          break
        end
      end
    end

    lines[#lines + 1] = { first = first, last = last }
    first = last + 1
  end

  return lines
end


local function cell(column, number, width)
  local line = column.lines[number]
  if not line then
    return (" "):rep(width)
  end

  local last = math.min(line.last, line.first + width - 1)
  local parts = {}
  local from = line.first
  while from <= last do
    local to = from
    while to < last and column.marked[to + 1] == column.marked[from] do
      to = to + 1
    end

    local run = column.text:sub(from, to)
    parts[#parts + 1] = column.marked[from] and paint(column.color, run) or run
    from = to + 1
  end

  return table.concat(parts) .. (" "):rep(width - (last - line.first + 1))
end


local function print_columns(columns)
  -- tput asks the terminal behind stderr, as its stdout is a pipe
  local total = is_terminal and tonumber((process.capture("tput cols"))) or DEFAULT_COLUMNS
  local width = math.max(MIN_COLUMNS, math.floor((total - (#columns - 1) * #GAP) / #columns))

  local titles, rules = {}, {}
  local height = 0
  for i, column in ipairs(columns) do
    column.lines = wrap(column.text, width)
    height = math.max(height, #column.lines)
    titles[i] = paint(BOLD, column.title .. (" "):rep(width - #column.title))
    rules[i] = ("-"):rep(width)
  end

  print((table.concat(titles, GAP):gsub("%s+$", "")))
  print(table.concat(rules, GAP))
  for number = 1, height do
    local cells = {}
    for i, column in ipairs(columns) do
      cells[i] = cell(column, number, width)
    end
    print((table.concat(cells, GAP):gsub("%s+$", "")))
  end
end


local gateway_port, mock_port = port_of(os.getenv("GATEWAY_URL")), port_of(os.getenv("MOCK_URL"))
local answer = http.request({
  port = gateway_port,
  path = "/v1/messages",
  headers = { ["Content-Type"] = "application/json", ["x-api-key"] = "demo", ["x-mock-delta"] = DELTA_BYTES },
  body = cjson.encode({
    model = "mock", max_tokens = 256, stream = true, messages = { { role = "user", content = PROMPT } },
  }),
})
if answer.status ~= 200 then
  io.stderr:write("the gateway answered ", tostring(answer.status), ": ", answer.body, "\n")
  os.exit(1)
end

local received = http.request({ port = mock_port, path = "/__mock/requests/last/body" }).body
local seen = cjson.decode(received).messages[1].content
local got = sse.join(sse.events(answer.body), "text")[0]

print("")
print_columns({
  { title = "client sent", text = PROMPT, marked = marks(PROMPT, ORIGINALS, true), color = RED },
  { title = "upstream saw", text = seen, marked = marks(seen, { TOKEN }, false), color = GREEN },
  { title = "client got (streamed echo)", text = got, marked = marks(got, ORIGINALS, true), color = RED },
})
print("")

local leaked = 0
for _, original in ipairs(ORIGINALS) do
  if received:find(original, 1, true) then
    leaked = leaked + 1
  end
end

print(("%d of %d originals reached the upstream; the client's text came back %s.")
      :format(leaked, #ORIGINALS, got == PROMPT and "byte for byte" or "CHANGED"))
os.exit(leaked == 0 and got == PROMPT and 0 or 1)
