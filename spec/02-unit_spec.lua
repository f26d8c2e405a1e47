local cjson = require "cjson"
local paths = require "spec.support.paths"
local plugin = require "spec.support.plugin"
local process = require "spec.support.process"


local SECRET = "0123456789abcdef"


-- A `kong` with just the given answers.
-- What nginx has of the request that `fake_pdk` was asked for last.
local headers = {}
local fake_ngx = {
  var = setmetatable({}, {
    __index = function(_, variable)
      return headers[(variable:gsub("^http_", ""):gsub("_", "-"))]
    end,
  }),
}


local function fake_pdk(options)
  headers = options.headers or {}
  return {
    client = {
      get_consumer = function()
        return options.consumer
      end,
      get_credential = function()
        return options.credential
      end,
    },
    request = {
      get_header = function(name)
        return headers[name:lower()]:match("^[^,]*")
      end,
      get_raw_body = function(max_bytes)
        return options.raw_body(max_bytes)
      end,
    },
    router = {
      get_route = function()
        return options.route
      end,
    },
  }
end


describe("versions", function()
  it("agree between handler, rockspec and crates", function()
    local handler = plugin.load("handler", nil, { kong = {}, ngx = {} })
    local cargo = process.read_file(paths.root .. "/Cargo.toml")
    local rockspec = process.capture("ls " .. process.quote(paths.plugin) .. "/*.rockspec")

    assert.equal(cargo:match('\nversion = "([%d.]+)"'), handler.VERSION)
    assert.equal("kong-plugin-aws-masker-" .. handler.VERSION .. "-1.rockspec", rockspec:match("[^/]+$"))
  end)


  it("of the rockspec list every module", function()
    local rockspec = process.read_file(process.capture("ls " .. process.quote(paths.plugin) .. "/*.rockspec"))
    local folder = paths.plugin .. "/kong/plugins/aws-masker"
    local count = 0

    for file in process.capture("ls " .. process.quote(folder)):gmatch("[^\n]+") do
      local module = file:match("^(.*)%.lua$")
      local line = ('["kong.plugins.aws-masker.%s"] = "kong/plugins/aws-masker/%s.lua"'):format(module, module)
      assert.is_truthy(rockspec:find(line, 1, true), file)
      count = count + 1
    end

    assert.equal(count, select(2, rockspec:gsub("%.lua\"", "")))
  end)
end)


describe("the handler", function()
  local handler


  setup(function()
    handler = plugin.load("handler", nil, { kong = {}, ngx = {} })
  end)


  it("runs after request-transformer and before the plugins that send the body", function()
    assert.is_true(handler.PRIORITY < 801)
    assert.is_true(handler.PRIORITY > 779)
  end)


  -- A `kong` for the phases in which nothing but the state of a request and the logs is touched.
  local function quiet_pdk()
    return {
      log = {
        err = function() end,
        set_serialize_value = function() end,
      },
    }
  end


  it("frees the session once, in the log phase, and none where access never ran", function()
    local freed = {}
    local ctx = {}
    local fresh = plugin.load("handler", {
      clib = {
        free = function(session)
          freed[#freed + 1] = session
        end,
        counts = function()
          return nil, "INTERNAL", "nothing is counted"
        end,
      },
      detectors = {},
    }, { kong = quiet_pdk(), ngx = { ctx = ctx, var = {} } })

    fresh:log({})
    assert.same({}, freed)

    ctx.aws_masker_exchange = { session = "the session" }
    fresh:log({})
    fresh:log({})
    assert.same({ "the session" }, freed)
  end)


  it("tells of a request that was stopped because the plugin threw, and not of one whose client left", function()
    local told
    local ngx = { ctx = {}, var = {} }
    local fresh = plugin.load("handler", {
      clib = {},
      detectors = {},
      exchange = {
        of = function(_, state)
          told = { state.failure, state.stopped }
        end,
      },
    }, { kong = quiet_pdk(), ngx = ngx })

    for status, expected in pairs({ [500] = { "INTERNAL", true }, [499] = { false, false } }) do
      ngx.status = status
      ngx.ctx.aws_masker_exchange = { masking = true, failure = false, stopped = false }
      fresh:log({})
      assert.same(expected, told)
    end
  end)


  it("leaves nothing of an exchange to the next one", function()
    local ctx = {}
    local state = plugin.load("state", nil, { ngx = { ctx = ctx } })
    local first = state.begin()
    local untouched = {}
    for name, value in pairs(first) do
      untouched[name] = value
      first[name] = "of the first"
    end

    assert.equal(first, state.current())
    state.finish(first)
    assert.is_nil(state.current())
    local second = state.begin()
    assert.equal(first, second)
    assert.same(untouched, second)
  end)


  it("accepts a request in every later phase that access never saw", function()
    local fresh = plugin.load("handler", nil, { kong = quiet_pdk(), ngx = { ctx = {}, var = {} } })

    assert.has_no_error(function()
      fresh:header_filter({})
      fresh:body_filter({})
      fresh:log({})
    end)
  end)


  it("has no response phase, which would buffer every answer", function()
    assert.is_nil(handler.response)
  end)
end)


describe("errors", function()
  local errors


  setup(function()
    errors = plugin.load("errors")
  end)


  it("have the shape that SDKs read", function()
    for _, name in ipairs({ "INVALID_BODY", "BODY_TOO_LARGE", "UNSUPPORTED_CONTENT", "BODY_UNREADABLE",
                            "MISCONFIGURED", "LIBRARY_UNAVAILABLE", "INTERNAL" }) do
      local failure = errors.of(name)
      local body = cjson.decode(failure.body)

      assert.equal(name, failure.name)
      assert.equal("error", body.type)
      assert.is_string(body.error.type)
      assert.is_string(body.error.message)
      assert.equal("AWS_MASKER_" .. name, body.code)
      assert.equal(body.code, body.error.code)
      assert.equal("application/json", failure.headers["Content-Type"])
    end
  end)


  it("are internal when nobody knows them", function()
    assert.equal("INTERNAL", errors.of("SOMETHING_NEW").name)
  end)


  it("never let a body that is too large pass", function()
    assert.is_false(errors.of("BODY_TOO_LARGE").may_pass)
  end)
end)


describe("the mask config", function()
  local config


  setup(function()
    config = plugin.load("config")
  end)


  it("has empty lists where lists are empty", function()
    local encoded = config.encode({ categories = {}, custom_patterns = {}, custom_terms = {} })

    assert.equal('{"categories":[],"custom_patterns":[],"custom_terms":[]}', encoded)
  end)


  it("is the same for the same sets in another order", function()
    assert.equal(config.encode({ categories = { "ids", "arns" } }), config.encode({ categories = { "arns", "ids" } }))
  end)


  it("leaves out what is null", function()
    assert.equal('{"dry_run":false}', config.encode({ categories = cjson.null, dry_run = false }))
  end)


  it("keeps every byte of a pattern", function()
    local regex = '\\b"a\\d+"\\s/한글'
    local encoded = config.encode({ custom_patterns = { { name = "n", label = "L", regex = regex } } })

    assert.equal(regex, cjson.decode(encoded).custom_patterns[1].regex)
  end)


  it("holds no field that the library does not know", function()
    local encoded = cjson.decode(config.encode({ token_secret = SECRET, token_scope = "global", dry_run = true }))

    assert.same({ dry_run = true }, encoded)
  end)
end)


describe("the scope", function()
  local scope


  setup(function()
    scope = plugin.load("scope", nil, { ngx = fake_ngx })
  end)


  it("is the consumer where there is one", function()
    local pdk = fake_pdk({ consumer = { id = "c1" }, headers = { ["x-api-key"] = "k" } })

    assert.equal("consumer:c1", scope.of("consumer", pdk))
    assert.equal("credential:k", scope.of("credential", pdk))
  end)


  it("falls back from consumer to credential to global", function()
    assert.equal("credential:k", scope.of("consumer", fake_pdk({ headers = { ["x-api-key"] = "k" } })))
    assert.equal("credential:Bearer t", scope.of("consumer", fake_pdk({ headers = { authorization = "Bearer t" } })))
    for _, name in ipairs({ "api-key", "x-goog-api-key" }) do
      assert.equal("credential:k", scope.of("consumer", fake_pdk({ headers = { [name] = "k" } })))
    end

    assert.equal("global", scope.of("consumer", fake_pdk({})))
  end)


  it("is what Kong has authenticated before the key that the API gets", function()
    local options = { credential = { id = "c1" }, headers = { ["x-api-key"] = "the gateway's own" } }

    assert.equal("credential-id:c1", scope.of("credential", fake_pdk(options)))
    assert.equal("credential-id:c1", scope.of("consumer", fake_pdk(options)))
    options.credential = { username = "bob" }
    assert.equal("credential:the gateway's own", scope.of("credential", fake_pdk(options)))
  end)


  it("takes the first of several headers", function()
    assert.equal("credential:a", scope.of("credential", fake_pdk({ headers = { ["x-api-key"] = "a, b" } })))
  end)


  it("takes an empty header for none", function()
    assert.equal("global", scope.of("credential", fake_pdk({ headers = { ["x-api-key"] = "" } })))
  end)


  it("is the route, or global without one", function()
    assert.equal("route:r1", scope.of("route", fake_pdk({ route = { id = "r1" } })))
    assert.equal("global", scope.of("route", fake_pdk({})))
  end)


  it("is global when the config says so", function()
    assert.equal("global", scope.of("global", fake_pdk({ consumer = { id = "c1" } })))
  end)
end)


describe("reading a request body", function()
  local request_body


  setup(function()
    request_body = plugin.load("request_body", nil, { ngx = fake_ngx })
  end)


  local function read(options, max_bytes)
    return request_body.read(fake_pdk(options).request, max_bytes or 10)
  end


  it("names the limit, without which Kong does not open the spill file", function()
    local asked
    read({
      raw_body = function(max_bytes)
        asked = max_bytes
        return ""
      end,
    })

    assert.equal(10, asked)
  end)


  it("does not read what is declared to be too long", function()
    local body, failure = read({
      headers = { ["content-length"] = "11" },
      raw_body = function()
        error("it was read")
      end,
    })

    assert.is_nil(body)
    assert.equal("BODY_TOO_LARGE", failure)
  end)


  it("holds the limit against a body in memory", function()
    local _, failure = read({
      raw_body = function()
        return ("x"):rep(11)
      end,
    })

    assert.equal("BODY_TOO_LARGE", failure)
  end)


  it("tells a body that is too large from one that cannot be read", function()
    local _, too_large = read({
      raw_body = function()
        return nil, "request body file too big: 20 > 10"
      end,
    })
    local _, unreadable = read({
      raw_body = function()
        return nil, "failed to open cached request body"
      end,
    })

    assert.equal("BODY_TOO_LARGE", too_large)
    assert.equal("BODY_UNREADABLE", unreadable)
  end)


  it("never takes nil for an empty body", function()
    local body, failure = read({
      raw_body = function() end,
    })

    assert.is_nil(body)
    assert.equal("BODY_UNREADABLE", failure)
  end)
end)


describe("an answer", function()
  local function has_body(status, method)
    local answer = plugin.load("answer", nil, {
      ngx = {
        status = status,
        req = {
          get_method = function()
            return method
          end,
        },
      },
    })
    return answer.has_body()
  end


  it("without a body is left alone", function()
    for _, status in ipairs({ 204, 206, 304 }) do
      assert.is_false(has_body(status, "POST"))
    end
    assert.is_false(has_body(200, "HEAD"))
    assert.is_true(has_body(500, "POST"))
  end)
end)


describe("the node key", function()
  -- A shared dictionary of nginx.
  local function dictionary()
    local values = {}
    return {
      safe_add = function(_, name, value)
        if values[name] ~= nil then
          return false, "exists"
        end

        values[name] = value
        return true
      end,
      get = function(_, name)
        return values[name]
      end,
    }
  end


  local function load(shared)
    return plugin.load("node_key", nil, { ngx = { shared = shared } })
  end


  it("has 32 bytes and is drawn anew by every process", function()
    local one, other = load({}).get(), load({}).get()

    assert.equal(32, #one)
    assert.not_equal(one, other)
  end)


  it("is the same for all who share a dictionary", function()
    local shared = { kong_locks = dictionary() }

    assert.equal(load(shared).get(), load(shared).get())
  end)


  it("is decided by one of them", function()
    local shared = { kong = dictionary() }
    local _, first = load(shared).get()
    local _, second = load(shared).get()

    assert.is_true(first)
    assert.is_false(second)
  end)


  it("stays in a process without any dictionary", function()
    local node_key = load({})

    assert.equal(node_key.get(), (node_key.get()))
  end)
end)


describe("the detectors", function()
  local built, detectors


  before_each(function()
    built = {}
    detectors = plugin.load("detectors", {
      clib = {
        detector = function(content, secret)
          if #secret < 16 then
            return nil, "MISCONFIGURED", "the secret is too short"
          end

          built[#built + 1] = content
          return { content = content, secret = secret }
        end,
      },
      node_key = {
        get = function()
          return ("k"):rep(32), false
        end,
      },
    })
  end)


  it("are built once for equal configs", function()
    local one = detectors.get({ token_secret = SECRET, categories = { "ids" } })
    local other = detectors.get({ token_secret = SECRET, categories = { "ids" } })

    assert.equal(one, other)
    assert.equal(1, #built)
  end)


  it("differ by secret", function()
    assert.not_equal(detectors.get({ token_secret = SECRET }), detectors.get({ token_secret = SECRET .. "x" }))
  end)


  it("use the node key without a secret", function()
    assert.equal(("k"):rep(32), detectors.get({}).secret)
  end)


  it("follow a secret that is rotated in place", function()
    local conf = { token_secret = SECRET }
    local before = detectors.get(conf)
    conf.token_secret = "fedcba9876543210"
    local after = detectors.get(conf)

    assert.not_equal(before, after)
    assert.equal("fedcba9876543210", after.secret)
    assert.equal(after, detectors.get(conf))
  end)


  it("do not fall back to the node key when a reference is not resolved", function()
    local detector, failure = detectors.get({ token_secret = "" })

    assert.is_nil(detector)
    assert.equal("MISCONFIGURED", failure)
  end)


  it("are kept over a config change that brings them again", function()
    local before = detectors.get({ token_secret = SECRET })
    detectors.replace({ { token_secret = SECRET }, { token_secret = SECRET, dry_run = true } })

    assert.equal(before, detectors.get({ token_secret = SECRET }))
    assert.equal(2, #built)
  end)


  it("are dropped when no config needs them any more", function()
    detectors.replace({ { token_secret = SECRET } })
    detectors.replace(nil)
    detectors.replace({ { token_secret = SECRET } })

    assert.equal(2, #built)
  end)


  it("report the configs that cannot be compiled, and keep refusing them", function()
    local conf = { token_secret = "short" }

    assert.same({ "the secret is too short" }, detectors.replace({ conf, { token_secret = SECRET } }))
    assert.is_nil((detectors.get(conf)))
  end)
end)
