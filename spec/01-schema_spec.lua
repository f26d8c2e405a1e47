local cjson = require "cjson"
local host_schema = require "host.schema"
local paths = require "spec.support.paths"
local plugin = require "spec.support.plugin"
local process = require "spec.support.process"


package.cpath = paths.library_cpath .. ";" .. package.cpath


describe("the schema", function()
  local schema


  setup(function()
    schema = plugin.load("schema")
  end)


  local function config_record()
    for _, entry in ipairs(schema.fields) do
      if entry.config then
        return entry.config
      end
    end
  end


  local function refused(config)
    local complete, problems = host_schema.complete(schema, config)
    assert.is_nil(complete)
    return table.concat(problems, "\n")
  end


  it("runs on the HTTP protocols", function()
    assert.equal(require("kong.db.schema.typedefs").protocols_http, schema.fields[1].protocols)
  end)


  it("has these defaults", function()
    assert.same({
      categories = { "ids", "arns", "hosts", "accounts", "addresses", "credentials", "names" },
      exclude_kinds = {},
      custom_patterns = {},
      custom_terms = {},
      allow_list = {},
      preserve_structure = true,
      token_scope = "consumer",
      max_request_body_size = 33554432,
      scan_cache_size = 1048576,
      mask_query = true,
      unsupported_content = "block",
      restore_responses = true,
      restore_credentials = true,
      on_error = "block",
      dry_run = false,
      use_redis = false,
      redis_required = false,
      redis_pool_size = 16,
      mapping_ttl = 604800,
      max_entries = 10000,
      token_secret_previous = {},
      enable_redis_events = false,
      event_transport = "stream",
      redis_event_stream = "masking:events:stream",
      event_stream_maxlen = 100000,
      redis_event_channel = "kong:masking:events",
      event_sampling_rate = 1,
      event_batch_size = 100,
      event_flush_interval = 1,
      event_detail = "minimal",
    }, host_schema.complete(schema, {}))
  end)


  it("describes every field and bounds every value", function()
    local function walk(fields)
      for _, entry in ipairs(fields) do
        local name, field = next(entry)
        assert.is_string(field.description, name .. " has no description")
        if field.type == "integer" or field.type == "number" then
          assert.is_table(field.between, name .. " has no bounds")
        elseif field.type == "array" then
          assert.is_number(field.len_max, name .. " has no bound")
        end

        if field.elements and field.elements.fields then
          walk(field.elements.fields)
        end
      end
    end

    walk(config_record().fields)
  end)


  it("refuses fields that it does not have", function()
    assert.matches("config.tokensecret: unknown field", refused({ tokensecret = "0123456789abcdef" }))
  end)


  it("refuses values out of their range", function()
    assert.matches("config.max_request_body_size", refused({ max_request_body_size = 0 }))
    assert.matches("config.max_request_body_size", refused({ max_request_body_size = 1024 ^ 3 + 1 }))
    assert.matches("config.max_request_body_size", refused({ max_request_body_size = 1.5 }))
    assert.matches("config.scan_cache_size", refused({ scan_cache_size = -1 }))
    assert.matches("config.categories%[1%]", refused({ categories = { "secrets" } }))
    assert.matches("config.token_scope", refused({ token_scope = "service" }))
    assert.matches("config.on_error", refused({ on_error = "ignore" }))
    assert.matches("config.unsupported_content", refused({ unsupported_content = true }))
  end)


  it("refuses a secret of less than 16 bytes", function()
    assert.matches("config.token_secret", refused({ token_secret = "0123456789abcde" }))
    assert.is_table(host_schema.complete(schema, { token_secret = "0123456789abcdef" }))
  end)


  it("refuses a former secret of less than 16 bytes", function()
    assert.matches("config.token_secret_previous%[2%]",
                   refused({ token_secret_previous = { "0123456789abcdef", "0123456789abcde" } }))
  end)


  it("has Kong's record of how to reach a Redis", function()
    local shared = require("kong.tools.redis.schema").config_schema
    for _, entry in ipairs(config_record().fields) do
      if entry.redis then
        assert.equal(shared, entry.redis)
      end
    end

    local complete = host_schema.complete(schema, { use_redis = true, redis = { host = "redis.example.com" } })
    assert.same({ host = "redis.example.com", port = 6379, timeout = 2000, database = 0, ssl = false,
                  ssl_verify = false }, complete.redis)
  end)


  it("refuses to mask nothing, but takes custom patterns or terms alone", function()
    assert.matches("categories: is empty, so nothing would be masked", refused({ categories = {} }))
    assert.is_table(host_schema.complete(schema, { categories = {}, custom_terms = { "zebrafish" } }))
    assert.is_table(host_schema.complete(schema, {
      categories = {},
      custom_patterns = { { name = "ticket", label = "TICKET", regex = "OPS-[0-9]+" } },
    }))
  end)


  it("refuses to use a Redis without knowing where it is", function()
    assert.matches("redis.host: is needed", refused({ use_redis = true }))
    assert.matches("redis.host: is needed", refused({ use_redis = true, redis = { port = 6380 } }))
  end)


  it("refuses to require a Redis that is not used", function()
    assert.matches("redis_required: needs use_redis", refused({ redis_required = true }))
  end)


  it("accepts a reference as the secret", function()
    for _, entry in ipairs(config_record().fields) do
      if entry.token_secret then
        assert.is_true(entry.token_secret.referenceable)
        assert.is_true(entry.token_secret.encrypted)
      end
    end

    assert.is_table(host_schema.complete(schema, { token_secret = "{vault://env/secret}" }))
  end)


  it("refuses labels that no token can have", function()
    for _, label in ipairs({ "A", "lower", "2DIGIT", "WITH_LINE", "ELEVENCHARS" }) do
      assert.matches("config.custom_patterns%[1%].label",
                     refused({ custom_patterns = { { name = "n", label = label, regex = "x" } } }))
    end
  end)


  it("refuses patterns without a name, a label or a regex", function()
    local problems = refused({ custom_patterns = { {} } })

    for _, name in ipairs({ "name", "label", "regex" }) do
      assert.matches("config.custom_patterns%[1%]." .. name .. ": required field missing", problems)
    end
  end)


  it("has the library compile the patterns, and names the one that is bad", function()
    local problems = refused({ custom_patterns = {
      { name = "good", label = "GOOD", regex = "g[0-9]+" },
      { name = "bad", label = "BAD", regex = "(unclosed" },
    } })

    assert.matches("custom_patterns%[%d%]%.regex", problems)
  end)


  -- field of the first problem -> config that has it
  local UNUSABLE = {
    ["custom_patterns%[1%].regex: matches the empty text"] = { custom_patterns = { { regex = "x*" } } },
    ["custom_patterns%[1%].regex: needs more than"] = { custom_patterns = { { regex = "[0-9]{1000000}" } } },
    ["custom_patterns%[1%].regex: look%-around"] = { custom_patterns = { { regex = "(?<=a)b" } } },
    ["custom_patterns%[1%].label: `EC2` is the label of ec2:instance"] = { custom_patterns = { { label = "EC2" } } },
    ["custom_patterns%[1%].label: `TERM` is the label of custom_terms"] = { custom_patterns = { { label = "TERM" } } },
    ["custom_patterns%[2%].label: `AA` is the label of custom_patterns%[1%]"] =
      { custom_patterns = { { label = "AA", name = "a" }, { label = "AA", name = "b" } } },
    ["custom_patterns%[2%].name: `same` is taken"] =
      { custom_patterns = { { label = "AA", name = "same" }, { label = "BB", name = "same" } } },
    ["custom_patterns%[1%].name: `ec2:vpc` is taken"] = { custom_patterns = { { name = "ec2:vpc" } } },
    ["custom_terms%[2%]: is empty"] = { custom_terms = { "x", " " } },
    ["custom_terms%[1%]: has no letter and no digit"] = { custom_terms = { "--" } },
    ["exclude_kinds: `ec2:vpcs` is not a kind"] = { exclude_kinds = { "ec2:vpcs" } },
  }

  for problem, config in pairs(UNUSABLE) do
    it("refuses what the library cannot use, by field and with what to do: " .. problem:gsub("%%", ""), function()
      for i, pattern in ipairs(config.custom_patterns or {}) do
        pattern.name = pattern.name or "own-" .. i
        pattern.label = pattern.label or "OWN" .. i
        pattern.regex = pattern.regex or "x"
      end

      local why = refused(config)
      assert.matches(problem, why)
      assert.matches("; ", why)
    end)
  end


  it("refuses empty strings in lists", function()
    assert.matches("config.custom_terms%[1%]", refused({ custom_terms = { "" } }))
    assert.matches("config.allow_list%[2%]", refused({ allow_list = { "x", "" } }))
  end)


  it("has the categories of the catalog, and takes every kind of it", function()
    local catalog, ok = process.capture(paths.target .. "/aws-masker catalog --format json")
    assert.is_true(ok, catalog)

    local categories = {}
    local kinds = {}
    for _, kind in ipairs(cjson.decode(catalog)) do
      categories[kind.category] = true
      kinds[#kinds + 1] = kind.kind
    end

    local known = {}
    for _, category in ipairs(host_schema.complete(schema, {}).categories) do
      known[category] = true
    end

    assert.same(categories, known)
    assert.is_true(#kinds >= 400)
    assert.same(kinds, host_schema.complete(schema, { exclude_kinds = kinds }).exclude_kinds)
  end)


  it("does without the library where there is none, as on a control plane", function()
    local without = plugin.load("schema", {
      clib = {
        available = function()
          return nil, "no library"
        end,
      },
    })

    assert.is_table(host_schema.complete(without, { custom_patterns = { { name = "n", label = "NN", regex = "(" } } }))
  end)
end)
