local bed = require "spec.support.bed"
local process = require "spec.support.process"
local sample = require "spec.support.sample"


-- A library of another release: the right name, the wrong ABI version.
local WRONG_ABI = [[
#include <stdint.h>
uint32_t awsm_abi_version(void) { return 4242; }
]]

-- A library that loads and whose every call fails, as after a panic.
local FAILING = [[
#include <stddef.h>
#include <stdint.h>
static int handle;
uint32_t awsm_abi_version(void) { return %d; }
void awsm_last_error(const uint8_t **out, size_t *len) { *out = (const uint8_t *)"made to fail"; *len = 12; }
int awsm_detector_new(const uint8_t *c, size_t cl, const uint8_t *s, size_t sl, void **out)
{ *out = &handle; return 0; }
void awsm_detector_free(void *d) { (void)d; }
int awsm_session_new(const void *d, const uint8_t *s, size_t sl, void **out) { *out = &handle; return 0; }
int awsm_session_renew(void *s, const void *d, const uint8_t *c, size_t cl) { return 0; }
int awsm_session_close(void *s) { return 8; }
void awsm_session_free(void *s) { (void)s; }
int awsm_session_mask(void *s, const uint8_t *t, size_t tl, const uint8_t *e, size_t el, const uint8_t *b, size_t bl,
                      const uint8_t **o, size_t *ol)
{ return 2; }
]]

-- A library that masks everything as "{}" and cannot restore.
local MASKS = [[{ *o = (const uint8_t *)"{\"messages\":[]}"; *ol = 15; return 0; }]]
local RESTORE_FAILING = FAILING:gsub("{ return 2; }", MASKS) .. [[
int awsm_session_open_answer(void *s, const uint8_t *t, size_t tl, const uint8_t *e, size_t el) { return 0; }
int awsm_session_restore(void *s, const uint8_t *c, size_t cl, uint32_t last, const uint8_t **o, size_t *ol)
{ return 2; }
int awsm_session_release(void *s, const uint8_t **o, size_t *ol) { return 2; }
]]


describe("faults", function()
  local folder, world


  setup(function()
    folder = process.temporary_folder()
  end)


  teardown(function()
    process.remove_folder(folder)
  end)


  after_each(function()
    if world then
      world:stop()
      world = nil
    end
  end)


  -- Search path of a library made of `source`.
  local function library(name, source)
    local lib_folder = folder .. "/" .. name
    os.execute("mkdir -p " .. process.quote(lib_folder))
    process.write_file(lib_folder .. "/lib.c", source)
    local output, ok = process.capture(("cc -shared -fPIC -w -o %s %s 2>&1")
      :format(process.quote(lib_folder .. "/libaws_masker.so"), process.quote(lib_folder .. "/lib.c")))
    assert.is_true(ok, output)
    return lib_folder .. "/?.so"
  end


  local function abi_version()
    return require("kong.plugins.aws-masker.cdefs").ABI_VERSION
  end


  local function assert_stopped(answer, code)
    assert.equal(500, answer.status)
    assert.equal("application/json", answer.headers["content-type"])
    assert.equal("error", answer.json.type)
    assert.equal("api_error", answer.json.error.type)
    assert.equal(code, answer.json.code)
    assert.is_nil(answer.body:find(sample.INSTANCE, 1, true))
    assert.equal(0, world.mock:count())
  end


  it("stop every request when the library is missing", function()
    world = bed.start({ library_cpath = folder .. "/nowhere/?.so" })

    assert_stopped(world:send({ body = sample.messages() }), "AWS_MASKER_LIBRARY_UNAVAILABLE")
    assert_stopped(world:send({ method = "GET", path = "/v1/models" }), "AWS_MASKER_LIBRARY_UNAVAILABLE")
    assert.matches("libaws_masker.so is not on lua_package_cpath", world.gateway:error_log())
  end)


  it("stop every request when the library has another ABI version", function()
    world = bed.start({ library_cpath = library("wrong-abi", WRONG_ABI) })

    assert_stopped(world:send({ body = sample.messages() }), "AWS_MASKER_LIBRARY_UNAVAILABLE")
    assert.matches("has ABI version 4242, this plugin needs " .. abi_version(), world.gateway:error_log())
  end)


  it("stop every request when the library is not a library", function()
    os.execute("mkdir -p " .. process.quote(folder .. "/broken"))
    process.write_file(folder .. "/broken/libaws_masker.so", "not an ELF file")
    world = bed.start({ library_cpath = folder .. "/broken/?.so" })

    assert_stopped(world:send({ body = sample.messages() }), "AWS_MASKER_LIBRARY_UNAVAILABLE")
  end)


  it("let requests pass without the library only with on_error = allow", function()
    world = bed.start({
      library_cpath = folder .. "/nowhere/?.so",
      routes = { lenient = { on_error = "allow" } },
    })
    local body = sample.messages()
    world:send({ path = "/lenient/v1/messages", body = body })

    assert.equal(body, world.mock:last_body())
    assert.matches("request passes unmasked: LIBRARY_UNAVAILABLE", world.gateway:error_log())
  end)


  it("stop a request when masking fails inside the library", function()
    world = bed.start({ library_cpath = library("failing", FAILING:format(abi_version())) })

    assert_stopped(world:send({ body = sample.messages() }), "AWS_MASKER_INTERNAL")
    assert.matches("made to fail", world.gateway:error_log())
  end)


  it("stop a request when the plugin itself fails, but where it may pass", function()
    world = bed.start({
      library_cpath = library("incomplete", (FAILING:format(abi_version()):gsub("awsm_session_mask", "other_name"))),
      routes = { lenient = { on_error = "allow" }, trial = { dry_run = true } },
    })
    local body = sample.messages()
    local answer = world:send({ body = body })
    -- the gateway's own answer to a plugin that throws
    assert.equal(500, answer.status)
    assert.is_nil(answer.body:find(sample.INSTANCE, 1, true))
    assert.equal(0, world.mock:count())
    assert.matches("awsm_session_mask", world.gateway:error_log())

    for _, route in ipairs({ "lenient", "trial" }) do
      assert.equal(200, world:send({ path = "/" .. route .. "/v1/messages", body = body }).status)
      assert.equal(body, world.mock:last_body())
    end
    assert.matches("request passes unmasked: INTERNAL", world.gateway:error_log())
  end)


  it("leave the answer masked when restoring fails, and say so once", function()
    world = bed.start({ library_cpath = library("restore-failing", RESTORE_FAILING:format(abi_version())) })
    local answer = world:send({ body = sample.messages(), headers = { ["x-mock-write"] = 10 } })

    assert.equal(200, answer.status)
    assert.is_true(answer.complete, answer.problem)
    assert.is_table(answer.json)
    local _, times = world.gateway:error_log():gsub("stays masked", "")
    assert.equal(1, times)
  end)


  it("stop the requests of a config whose secret cannot be resolved, and no others", function()
    world = bed.start({
      routes = { poisoned = { token_secret = "{vault://env/aws-masker-spec-no-such-secret}" } },
    })

    assert_stopped(world:send({ path = "/poisoned/v1/messages", body = sample.messages() }),
                   "AWS_MASKER_MISCONFIGURED")
    assert.matches("a config cannot be compiled: ", world.gateway:error_log())
    assert.equal(200, world:send({ body = sample.messages() }).status)
  end)


  it("stop the requests of a config whose secret is too short", function()
    world = bed.start({
      config = { token_secret = "{vault://env/aws-masker-spec-secret}" },
      env = { AWS_MASKER_SPEC_SECRET = "short" },
    })

    assert_stopped(world:send({ body = sample.messages() }), "AWS_MASKER_MISCONFIGURED")
  end)


  it("keep a gateway from starting with a bad pattern, and name the field", function()
    local started, why = require("spec.support.gateway").start({
      upstream_port = 1,
      config = { custom_patterns = {
        { name = "good", label = "GOOD", regex = "g[0-9]+" },
        { name = "bad", label = "BAD", regex = "(unclosed" },
      } },
    })

    assert.is_nil(started)
    assert.matches("custom_patterns%[%d%]%.regex", why)
  end)


  it("do not outlive a reload that brings the config back", function()
    world = bed.start({ config = { token_secret = "{vault://env/aws-masker-spec-secret}" } })
    assert.equal(500, world:send({ body = sample.messages() }).status)

    world.gateway:reload({ config = { token_secret = "0123456789abcdef0123" } }, function()
      return world:send({ body = sample.messages() }).status == 200
    end)
    world:reset()
    assert.equal(sample.TEXT, world:send({ body = sample.messages() }).json.content[1].text)
    assert.equal(0, (world.mock:leaks()))
  end)


  it("of the upstream do not disturb the plugin", function()
    local port = process.free_port()
    local gateway = assert(require("spec.support.gateway").start({ upstream_port = port }))
    local answer = require("spec.support.http").request({
      port = gateway.port, path = "/v1/messages", body = sample.messages(),
      headers = { ["Content-Type"] = "application/json" },
    })
    local log = gateway:error_log()
    gateway:stop()

    assert.equal(502, answer.status)
    assert.is_true(answer.complete, answer.problem)
    assert.is_nil(log:find("stack traceback", 1, true))
  end)
end)
