-- Calls everything that libaws_masker.so exports, with inputs that lie in memory of exactly their size and that are
-- freed right after the call, so that a memory checker sees each byte too many and each pointer kept too long.
--
-- usage: luajit scripts/memory/drive.lua LIBRARY [ROUNDS | overread | use-after-free]
--
-- The two words make the mistake of their name once, on purpose: a checker that does not report it is not on.
package.path = "./?.lua;./kong-plugin/?.lua;" .. package.path

local ffi = require "ffi"
local cjson = require "cjson"
local cdefs = require "kong.plugins.aws-masker.cdefs"
local process = require "spec.support.process"


local ffi_string = ffi.string


local SECRET = "0123456789abcdef0123456789abcdef"
local CONFIG = '{"custom_terms":["acme"],"custom_patterns":[{"name":"ticket","label":"TICKET","regex":"T-[0-9]{4}"}]}'
local ROUNDS = 300
local JSON, TEXT, EVENTS = "application/json", "text/plain", "text/event-stream"

ffi.cdef [[
void *malloc(size_t size);
void free(void *memory);
]]

local C = ffi.C
local OUT, LEN = ffi.new("const uint8_t *[1]"), ffi.new("size_t[1]")
local DETECTOR, SESSION = ffi.new("awsm_detector *[1]"), ffi.new("awsm_session *[1]")
local KINDS, COUNTS = ffi.new("const awsm_kind_count *[1]"), ffi.new("awsm_counts[1]")

local OK, UNCHANGED = 0, 1

local library = ffi.load(arg[1])
local calls, called = 0, {}
local lib = setmetatable({}, {
  __index = function(_, name)
    return function(...)
      calls = calls + 1
      called[name] = true
      return tonumber((library[name](...)))
    end
  end,
})


-- `text` in memory of its own size; nothing at all where it is empty.
local function copied(text)
  if #text == 0 then
    return nil
  end

  local memory = C.malloc(#text)
  ffi.copy(memory, text, #text)
  return ffi.cast("const uint8_t *", memory)
end


-- Calls `name` with its inputs (each in memory of its own) between `handle` and the outputs.
local function call(name, before, inputs, ...)
  local arguments = { unpack(before, 1, before.n or #before) }
  local memory = {}
  for _, input in ipairs(inputs) do
    local bytes = copied(input)
    memory[#memory + 1] = bytes
    arguments[#arguments + 1] = bytes or ffi.cast("const uint8_t *", nil)
    arguments[#arguments + 1] = #input
  end
  for i = 1, select("#", ...) do
    arguments[#arguments + 1] = (select(i, ...))
  end

  local status = lib[name](unpack(arguments))
  for _, bytes in ipairs(memory) do
    C.free(ffi.cast("void *", bytes))
  end

  return status
end


-- The lent bytes.
local function result()
  return ffi_string(OUT[0], LEN[0])
end


local function detector(config, secret)
  local status = call("awsm_detector_new", {}, { config, secret }, DETECTOR)
  return status == OK and DETECTOR[0] or nil, status
end


local function session(of, scope)
  assert(call("awsm_session_new", { of }, { scope }, SESSION) == OK)
  return SESSION[0]
end


local function mask(exchange, content_type, body, coding)
  local status = call("awsm_session_mask", { exchange }, { content_type, coding or "", body }, OUT, LEN)
  return status == OK and result() or body, status
end


local function restore(exchange, content_type, answer, size)
  if call("awsm_session_open_answer", { exchange }, { content_type, "" }) ~= OK then
    return answer
  end

  local parts = {}
  for from = 1, math.max(#answer, 1), size do
    local chunk = answer:sub(from, from + size - 1)
    local last = from + size > #answer and 1 or 0
    local status = call("awsm_session_restore", { exchange }, { chunk }, last, OUT, LEN)
    assert(status == OK or status == UNCHANGED)
    parts[#parts + 1] = status == OK and result() or chunk
  end

  return table.concat(parts)
end


-- Answers that break off, and ones that are not what their coding says.
local function broken_answers(exchange, masked)
  for _, coding in ipairs({ "", "gzip", "deflate", "br" }) do
    if call("awsm_session_open_answer", { exchange }, { TEXT, coding }) == OK then
      call("awsm_session_restore", { exchange }, { masked:sub(1, #masked / 2) }, 0, OUT, LEN)
      if lib.awsm_session_release(exchange, OUT, LEN) == OK then
        assert(#result() > 0)
      end
    end
  end
end


-- Reads the names of the kinds that a call lends.
local function read_kinds(status)
  assert(status == OK)
  for i = 0, tonumber(LEN[0]) - 1 do
    assert(#ffi_string(KINDS[0][i].name, KINDS[0][i].name_len) > 0)
  end
end


local function report(exchange)
  assert(lib.awsm_session_counts(exchange, COUNTS) == OK)
  read_kinds(lib.awsm_session_kinds(exchange, KINDS, LEN))
  assert(lib.awsm_session_tally(exchange) == OK)
  read_kinds(lib.awsm_take_tally(KINDS, LEN))
end


-- Stores what `from` made and has `to` learn it.
local function vault(from, to)
  local names = 0
  while lib.awsm_session_vault_name(to, names, OUT, LEN) == OK and names < 8 do
    assert(#result() > 0)
    names = names + 1
  end

  if lib.awsm_session_to_store(from, OUT, LEN) ~= OK then
    return
  end

  for token in result():gmatch("[^\n]+") do
    assert(call("awsm_session_seal", { from }, { token }, OUT, LEN) == OK)
    local sealed = result()
    call("awsm_session_learn", { to, 0 }, { token, sealed })
    call("awsm_session_learn", { to, 0 }, { token, sealed:sub(2) })
  end
end


local function event(delta)
  return "event: content_block_delta\ndata: " .. cjson.encode({
    type = "content_block_delta", index = 0, delta = { type = "text_delta", text = delta },
  }) .. "\n\n"
end


local function exchange(of, content_type, body, i)
  local one = session(of, "consumer:" .. i % 3)
  local masked, status = mask(one, content_type, body)
  report(one)
  if status == OK then
    for _, size in ipairs({ 1, 7, 4096 }) do
      -- an escape that hid an identifier is spelled plainly afterwards
      local back = restore(one, content_type, masked, size)
      assert(back == body or body:find("\\", 1, true), "an answer came back changed")
    end
    if #masked < 2000 then
      restore(one, EVENTS, event(masked:sub(1, #masked / 2)) .. event(masked:sub(#masked / 2 + 1)), 1 + i % 9)
    end

    broken_answers(one, masked)

    local later = session(of, "consumer:" .. i % 3)
    mask(later, TEXT, masked)
    lib.awsm_session_refers_to_state(later)
    if lib.awsm_session_unexplained(later, 16, OUT, LEN) == OK then
      assert(#result() > 0)
    end
    vault(one, later)
    restore(later, TEXT, masked, 11)
    assert(lib.awsm_session_close(later) == OK)
    assert(call("awsm_session_renew", { later, of }, { "another owner" }) == OK)
    restore(later, TEXT, mask(later, TEXT, masked), 11)
    lib.awsm_session_free(later)
  end
  lib.awsm_session_free(one)
end


-- The same bytes in every run.
local random_state = 20261125
local function random(below)
  random_state = (random_state * 1103515245 + 12345) % 2147483648
  return math.floor(random_state / 65536) % below
end


local function mutated(body)
  local at = random(#body) + 1
  local kind = random(4)
  if kind == 0 then
    return body:sub(1, at - 1)
  elseif kind == 1 then
    return body:sub(1, at - 1) .. string.char(random(256)) .. body:sub(at + 1)
  elseif kind == 2 then
    return body:sub(at) .. body
  end

  return body:sub(1, at) .. body:sub(at)
end


local function mistakes(of)
  for _, config in ipairs({ "", "{", '{"categories":["x"]}', CONFIG:sub(1, -9) }) do
    local made = detector(config, SECRET)
    if made then
      lib.awsm_detector_free(made)
    end
  end
  assert(not detector("{}", "short"))

  local one = session(of, "")
  local body = '{"a":"i-0f3a9c27be41d8056"}'
  assert(lib.awsm_session_mask(one, nil, 1, nil, 0, body, #body, OUT, LEN) > UNCHANGED)
  assert(lib.awsm_session_mask(nil, nil, 0, nil, 0, body, #body, OUT, LEN) > UNCHANGED)
  assert(lib.awsm_session_restore(one, "x", 1, 1, OUT, LEN) > UNCHANGED)
  assert(lib.awsm_last_error(OUT, LEN) == OK and #result() > 0)
  for _, coding in ipairs({ "gzip", "deflate", "br" }) do
    mask(one, JSON, body, coding)
    mask(one, JSON, "\31\139\8" .. body, coding)
  end
  assert(lib.awsm_session_close(one) == OK)
  assert(lib.awsm_session_counts(one, COUNTS) > UNCHANGED)
  assert(select(2, mask(one, JSON, body)) > UNCHANGED)
  lib.awsm_session_free(one)
  lib.awsm_session_free(nil)
  lib.awsm_detector_free(nil)
end


local function drive(rounds)
  local of = assert(detector(CONFIG, SECRET))
  assert(call("awsm_detector_add_vault_secret", { of }, { SECRET }) == OK)
  assert(lib.awsm_abi_version() == cdefs.ABI_VERSION)

  local cases = cjson.decode(process.read_file("crates/core/testdata/cases.json"))
  for i, case in ipairs(cases) do
    exchange(of, case.type, case.input, i)
  end
  for i = 1, rounds do
    local case = cases[i % #cases + 1]
    exchange(of, i % 5 == 0 and TEXT or case.type, mutated(case.input .. " acme T-1234"), i)
  end
  local long = cjson.encode({ text = ("i-0f3a9c27be41d8056 arn:aws:iam::618734209955:role/x-1\n"):rep(2000) })
  exchange(of, JSON, long, 1)
  mistakes(of)

  -- a detector may go before its sessions
  local last = session(of, "last")
  lib.awsm_detector_free(of)
  mask(last, TEXT, "i-0f3a9c27be41d8056")
  lib.awsm_session_free(last)
  assert(lib.awsm_live_handles() == 0, "handles are left")

  for _, name in ipairs(cdefs.SYMBOLS) do
    assert(called[name], name .. " is never called here; add it")
  end
  print(calls .. " calls of " .. #cdefs.SYMBOLS .. " functions")
end


local function overread(of)
  local body = "i-0f3a9c27be41d8056 " .. ("x"):rep(80)
  local memory = copied(body)
  lib.awsm_session_mask(session(of, ""), "text/plain", 10, nil, 0, memory, #body + 64, OUT, LEN)
end


local function use_after_free(of)
  local one = session(of, "")
  lib.awsm_session_free(one)
  lib.awsm_session_counts(one, COUNTS)
end


if arg[2] == "overread" then
  overread(detector("{}", SECRET))
elseif arg[2] == "use-after-free" then
  use_after_free(detector("{}", SECRET))
else
  drive(tonumber(arg[2]) or ROUNDS)
end
