local cjson = require "cjson"
local ffi = require "ffi"
local config = require "kong.plugins.aws-masker.config"
local paths = require "spec.support.paths"
local plugin = require "spec.support.plugin"
local process = require "spec.support.process"
local sample = require "spec.support.sample"


package.cpath = paths.library_cpath .. ";" .. package.cpath

local SECRET = "0123456789abcdef"


-- Tokens as crates/core/testdata/cases.json writes them: EC2#1 is the first one with the label EC2.
local function numbered(masked)
  local seen, count = {}, {}
  return (masked:gsub("(%u[%u%d]+)_([A-Z2-7]+)", function(label, code)
    if #code ~= 8 and #code ~= 13 then
      return nil
    end

    local token = label .. "_" .. code
    if not seen[token] then
      count[label] = (count[label] or 0) + 1
      seen[token] = label .. "#" .. count[label]
    end

    return seen[token]
  end))
end


describe("the library", function()
  local clib, cdefs


  setup(function()
    cdefs = require "kong.plugins.aws-masker.cdefs"
    clib = plugin.load("clib")
    assert(clib.available())
  end)


  before_each(function()
    collectgarbage()
    collectgarbage()
  end)


  local function detector(conf)
    return assert(clib.detector(config.encode(conf or {}), SECRET))
  end


  local function session(conf, scope)
    local of = detector(conf)
    return assert(clib.session(of, scope or "global")), of
  end


  it("exports every symbol that is declared", function()
    local lib = ffi.load(package.searchpath("libaws_masker", package.cpath))

    assert.is_true(#cdefs.SYMBOLS >= 11)
    for _, name in ipairs(cdefs.SYMBOLS) do
      assert.is_truthy(lib[name], name)
    end
  end)


  it("exports nothing that is not declared", function()
    local exported = process.capture("nm -D --defined-only " .. process.quote(paths.target .. "/libaws_masker.so")
                                     .. " | awk '$2 == \"T\" && $3 ~ /^awsm_/ { print $3 }' | wc -l")

    assert.equal(#cdefs.SYMBOLS, tonumber(exported))
  end)


  it("is driven as a whole by what runs under the memory checkers", function()
    local output, ok = process.capture("luajit scripts/memory/drive.lua "
                                       .. process.quote(paths.target .. "/libaws_masker.so") .. " 20 2>&1")

    assert.is_true(ok, output)
    assert.matches("calls of " .. #cdefs.SYMBOLS .. " functions", output)
  end)


  it("has the ABI version of the declarations", function()
    local lib = ffi.load(package.searchpath("libaws_masker", package.cpath))

    assert.equal(cdefs.ABI_VERSION, tonumber(lib.awsm_abi_version()))
  end)


  it("is declared by what the header says", function()
    local generated = process.capture("scripts/generate-cdefs crates/ffi/include/aws_masker.h")

    assert.equal(generated, (process.read_file("kong-plugin/kong/plugins/aws-masker/cdefs.lua"):gsub("%s+$", "")))
  end)


  it("masks and restores", function()
    local exchange = session()
    local body = sample.messages()
    local masked = assert(clib.mask(exchange, "application/json", body))

    assert.not_equal(body, masked)
    for _, id in ipairs(sample.IDS) do
      assert.is_nil(masked:find(id, 1, true))
    end

    assert.is_true(clib.open_answer(exchange, "application/json", ""))
    assert.equal(body, clib.restore(exchange, masked, true))
  end)


  it("masks and restores the cases that the core has", function()
    local cases = cjson.decode(process.read_file("crates/core/testdata/cases.json"))
    assert.is_true(#cases > 40)

    for _, case in ipairs(cases) do
      local exchange, of = session()
      local masked = assert(clib.mask(exchange, case.type, case.input))
      assert.equal(case.masked, numbered(masked), case.name .. ": " .. case.why)

      -- an escape that hid an identifier is spelled plainly afterwards
      if masked ~= case.input and not case.input:find("\\u00", 1, true) then
        assert.is_true(clib.open_answer(exchange, case.type, ""))
        assert.equal(case.input, clib.restore(exchange, masked, true), case.name)
      end
      clib.free(exchange)
      assert.is_truthy(of)
    end
  end)


  it("restores the same bytes for every cut of the answer", function()
    local body = sample.messages()
    local masked = clib.mask(session(), "application/json", body)

    for cut = 1, #masked - 1 do
      local exchange, of = session()
      clib.mask(exchange, "application/json", body)
      clib.open_answer(exchange, "application/json", "")
      local first = clib.restore(exchange, masked:sub(1, cut), false)
      assert.equal(body, first .. clib.restore(exchange, masked:sub(cut + 1), true))
      clib.free(exchange)
      assert.is_truthy(of)
    end
  end)


  it("gives back the very same string when nothing has to change", function()
    local body = '{"a":1}'

    assert.equal(body, clib.mask(session(), "application/json", body))
  end)


  it("does not open an answer when there is nothing to restore", function()
    local exchange = session()
    clib.mask(exchange, "application/json", '{"a":1}')

    assert.is_false(clib.open_answer(exchange, "application/json", ""))
  end)


  it("counts what it replaced and restored, and how long that took", function()
    local exchange = session()
    local body = sample.messages({ text = sample.VPC .. " " .. sample.VPC .. " " .. sample.INSTANCE })
    local masked = clib.mask(exchange, "application/json", body)
    clib.open_answer(exchange, "application/json", "")
    local answer = "{\"text\":\"" .. masked:match("VPC_%w+") .. "\"}"
    local first = clib.restore(exchange, answer:sub(1, 15), false)
    local rest = clib.restore(exchange, answer:sub(16), true)

    local counts = clib.counts(exchange)
    assert.equal(3, counts.masked)
    assert.equal(2, counts.distinct)
    assert.equal(1, counts.restored)
    assert.equal(#body, counts.bytes_in)
    assert.equal(#masked, counts.bytes_out)
    assert.equal(#answer, counts.answer_bytes_in)
    assert.equal(#first + #rest, counts.answer_bytes_out)
    assert.equal("{\"text\":\"" .. sample.VPC .. "\"}", first .. rest)
  end)


  it("measures the time in the library", function()
    local text = {}
    for i, id in ipairs(sample.many_ids(20000)) do
      text[i] = id
    end
    local body = sample.messages({ text = table.concat(text, " ") })
    local exchange = session()
    assert.equal(0, clib.counts(exchange).mask_microseconds)

    local started = os.clock()
    local masked = clib.mask(exchange, "application/json", body)
    local spent = (os.clock() - started) * 1e6
    local measured = clib.counts(exchange).mask_microseconds
    assert.is_true(measured > 100 and measured < 20 * spent + 1e5, measured .. " of " .. spent)

    clib.open_answer(exchange, "application/json", "")
    clib.restore(exchange, masked, true)
    assert.is_true(clib.counts(exchange).restore_microseconds > 20)
  end)


  it("counts by kind", function()
    local exchange = session()
    clib.mask(exchange, "application/json", sample.messages({
      text = sample.VPC .. " " .. sample.VPC .. " " .. sample.INSTANCE .. " ticket-12345",
    }))
    assert.same({ ["ec2:vpc"] = 2, ["ec2:instance"] = 1 }, clib.kinds(exchange))
    assert.same({}, clib.kinds(session()))

    clib.take_tally()
    assert.is_true(clib.tally(exchange))
    assert.is_true(clib.tally(exchange))
    assert.is_true(clib.tally(session()))
    assert.same({ ["ec2:vpc"] = 4, ["ec2:instance"] = 2 }, clib.take_tally())
    assert.same({}, clib.take_tally())
  end)


  it("names the kinds of custom patterns as the config does", function()
    local exchange = session({ custom_patterns = { { name = "ticket", label = "TICKET", regex = "ticket-[0-9]+" } } })
    clib.mask(exchange, "text/plain", "ticket-12345")

    assert.same({ ticket = 1 }, clib.kinds(exchange))
  end)


  it("says which failure it was", function()
    local exchange = session()

    local _, invalid = clib.mask(exchange, "application/json", '{"a":"' .. sample.INSTANCE)
    assert.equal("INVALID_BODY", invalid)

    local _, unsupported = clib.mask(exchange, "image/png", "\137PNG")
    assert.equal("UNSUPPORTED_CONTENT", unsupported)

    local _, misconfigured, why = clib.detector('{"categories":["nonsense"]}', SECRET)
    assert.equal("MISCONFIGURED", misconfigured)
    assert.matches("categories", why)
  end)


  it("quotes nothing of a body in its errors", function()
    local _, _, why = clib.mask(session(), "application/json", '{"a":"' .. sample.INSTANCE)

    assert.is_nil(why:find(sample.INSTANCE, 1, true))
  end)


  it("refuses a secret that is too short", function()
    local _, failure = clib.detector("{}", "short")

    assert.equal("MISCONFIGURED", failure)
  end)


  it("refuses to restore before the answer is open", function()
    local _, failure = clib.restore(session(), "x", true)

    assert.equal("INTERNAL", failure)
  end)


  it("takes binary bodies and empty ones", function()
    local exchange = session()

    assert.equal("\1\255\127", clib.mask(exchange, "text/plain", "\1\255\127"))
    assert.equal("", clib.mask(exchange, "text/plain", ""))
  end)


  it("gives the same tokens in every session of a scope, and others in another", function()
    local body = sample.messages()
    local one = clib.mask(session(nil, "consumer:a"), "application/json", body)

    assert.equal(one, clib.mask(session(nil, "consumer:a"), "application/json", body))
    assert.not_equal(one, clib.mask(session(nil, "consumer:b"), "application/json", body))
  end)


  it("frees what it made, by hand and by the garbage collector", function()
    local before = clib.live_handles()

    local of = detector()
    local exchange = clib.session(of, "global")
    assert.equal(before + 2, clib.live_handles())

    clib.free(exchange)
    assert.equal(before + 1, clib.live_handles())

    do
      local forgotten = clib.session(of, "global")
      assert.is_truthy(forgotten)
    end
    of, exchange = nil, nil
    collectgarbage()
    collectgarbage()
    assert.equal(before, clib.live_handles())
    assert.is_nil(of or exchange)
  end)


  it("keeps nothing of an exchange for the next one", function()
    local body = sample.messages()
    local first, of = session()
    local masked = clib.mask(first, "application/json", body)
    clib.free(first)

    local second = clib.session(of, "global")
    assert.is_false(clib.open_answer(second, "application/json", ""))
    assert.equal(0, clib.counts(second).masked)
    assert.same({}, clib.kinds(second))
    assert.equal(masked, clib.mask(second, "application/json", body))
    clib.free(second)

    local third = clib.session(of, "another")
    assert.not_equal(masked, clib.mask(third, "application/json", body))
  end)


  it("leaves a session usable whose detector is gone", function()
    local exchange = assert(clib.session(detector(), "global"))
    collectgarbage()
    collectgarbage()

    assert.not_equal(sample.messages(), clib.mask(exchange, "application/json", sample.messages()))
  end)
end)
