local cjson = require "cjson"
local bed = require "spec.support.bed"
local sample = require "spec.support.sample"
local sse = require "spec.support.sse"


local SECRET = "specs use this secret"

-- Enough requests, each over its own connection, for both workers to have their share.
local REQUESTS = 40


describe("tokens", function()
  local world


  setup(function()
    world = bed.start({
      config = { token_secret = SECRET },
      routes = {
        keyless = { token_scope = "global" },
        shared = { token_secret = SECRET, token_scope = "global" },
        by_route = { token_secret = SECRET, token_scope = "route" },
        whole = { token_secret = SECRET, preserve_structure = false },
        forgetful = { token_secret = SECRET, scan_cache_size = 0 },
        one_way = { token_secret = SECRET, restore_credentials = false },
        terms = { token_secret = SECRET, custom_terms = { "Zebrafish" }, allow_list = { sample.VPC },
                  custom_patterns = { { name = "ticket", label = "TICKET", regex = "OPS-[0-9]{4,6}" } } },
        no_ids = { token_secret = SECRET, categories = { "credentials" } },
        no_vpcs = { token_secret = SECRET, exclude_kinds = { "ec2:vpc" } },
      },
    })
  end)


  teardown(function()
    world:stop()
  end)


  before_each(function()
    world:reset()
  end)


  -- What the upstream gets to see of `text`.
  local function seen(text, options)
    options = options or {}
    world:send({
      path = (options.route and "/" .. options.route or "") .. "/v1/messages",
      body = sample.messages({ text = text }),
      headers = options.headers,
    })
    return world:upstream_text()
  end


  local function distinct_tokens(route)
    local tokens = {}
    local count = 0
    for _ = 1, REQUESTS do
      local token = seen(sample.INSTANCE, { route = route })
      if not tokens[token] then
        tokens[token] = true
        count = count + 1
      end
    end

    assert.equal(0, (world.mock:leaks()))
    return count
  end


  it("are the same in every worker", function()
    assert.equal(1, distinct_tokens())
  end)


  it("are the same in every worker without token_secret", function()
    assert.equal(1, distinct_tokens("keyless"))
  end)


  it("survive a reload without token_secret", function()
    local before = seen(sample.INSTANCE, { route = "keyless" })
    local changed = {}
    for name, value in pairs(world.gateway.options.routes) do
      changed[name] = value
    end
    changed.added = { token_secret = SECRET, categories = { "credentials" } }

    -- the new route keeps ids in clear, so nothing may watch for them meanwhile
    world.gateway:reload({ routes = changed }, function()
      for _ = 1, 10 do
        world:send({ path = "/added/v1/messages", body = sample.messages({ text = sample.INSTANCE }) })
        if world.mock:last().path ~= "/v1/messages" then
          return false
        end
      end

      return true
    end)
    world:reset()

    assert.equal(before, seen(sample.INSTANCE, { route = "keyless" }))
  end)


  it("stay the same from turn to turn", function()
    local first = seen(sample.INSTANCE)
    local second = seen("again: " .. sample.INSTANCE .. " and " .. sample.VPC)

    assert.matches("^again: " .. first .. " and VPC_", second)
  end)


  -- What was found in a turn is known in the next ones, and costs no second scan.
  it("stay the same in a long conversation, whether its turns are remembered or not", function()
    local messages = {}
    for turn = 1, 12 do
      local id = ("i-0%016x"):format(0xabc0000000 + turn)
      messages[#messages + 1] = { role = "user", content = sample.VPC .. " has " .. id .. (" and so on"):rep(400) }

      local sent = {}
      for i, route in ipairs({ "", "/forgetful", "" }) do
        world:send({ path = route .. "/v1/messages", body = sample.messages({ messages = messages }) })
        sent[i] = world.mock:last_body()
        assert.is_nil(sent[i]:find(id, 1, true))
        assert.is_nil(sent[i]:find(sample.VPC, 1, true))
      end

      assert.equal(sent[1], sent[2])
      assert.equal(sent[1], sent[3])
      messages[#messages + 1] = { role = "assistant", content = "I see " .. ("it goes on "):rep(400) }
    end
  end)


  it("are the same wherever an original stands in one request", function()
    local text = seen(sample.INSTANCE .. "|" .. sample.INSTANCE)

    local left, right = text:match("^(.*)|(.*)$")
    assert.equal(left, right)
  end)


  it("differ between two API keys", function()
    local one = seen(sample.INSTANCE, { headers = { ["x-api-key"] = "key-one" } })
    local two = seen(sample.INSTANCE, { headers = { ["x-api-key"] = "key-two" } })
    local three = seen(sample.INSTANCE, { headers = { Authorization = "Bearer key-three" } })

    assert.not_equal(one, two)
    assert.not_equal(one, three)
    assert.not_equal(two, three)
  end)


  it("do not differ between API keys with token_scope = global", function()
    local one = seen(sample.INSTANCE, { route = "shared", headers = { ["x-api-key"] = "key-one" } })
    local two = seen(sample.INSTANCE, { route = "shared", headers = { ["x-api-key"] = "key-two" } })

    assert.equal(one, two)
  end)


  it("differ between routes with token_scope = route", function()
    assert.not_equal(seen(sample.INSTANCE, { route = "shared" }), seen(sample.INSTANCE, { route = "by_route" }))
  end)


  it("of another API key are not restored", function()
    local token = seen(sample.INSTANCE, { headers = { ["x-api-key"] = "key-one" } })
    local answer = world:send({
      body = sample.messages({ text = token .. " " .. sample.VPC }),
      headers = { ["x-api-key"] = "key-two" },
    })

    assert.equal(token .. " " .. sample.VPC, answer.json.content[1].text)
  end)


  it("do not show the API key they belong to", function()
    local token = seen(sample.INSTANCE, { headers = { ["x-api-key"] = "key-one" } })

    assert.is_nil(token:find("key-one", 1, true))
    assert.equal("key-one", world.mock:last().headers["x-api-key"])
  end)


  it("replace whole ARNs when preserve_structure is off", function()
    local arn = "arn:aws:lambda:eu-central-1:618734209955:function:billing-export"

    local kept = seen(arn)
    assert.matches("^arn:aws:lambda:eu%-central%-1:ACCT_[A-Z2-7]+:function:", kept)
    assert.is_nil(kept:find("billing-export", 1, true))
    assert.is_nil(seen(arn, { route = "whole" }):find("arn:aws", 1, true))
  end)


  it("of credentials stay in the answer when restore_credentials is off", function()
    local text = sample.ACCESS_KEY .. " " .. sample.INSTANCE
    local answer = world:send({ path = "/one_way/v1/messages", body = sample.messages({ text = text }) })

    local back = answer.json.content[1].text
    assert.is_nil(back:find(sample.ACCESS_KEY, 1, true))
    assert.is_truthy(back:find(sample.INSTANCE, 1, true))
  end)


  it("of credentials are restored by default", function()
    world:reset({ sample.ACCESS_KEY })
    local answer = world:send({ body = sample.messages({ text = "key " .. sample.ACCESS_KEY }) })

    assert.equal(0, (world.mock:leaks()))
    assert.equal("key " .. sample.ACCESS_KEY, answer.json.content[1].text)
  end)


  it("hide custom terms and custom patterns", function()
    world:reset({ "Zebrafish", "OPS-12345" })
    local text = "Zebrafish broke, see OPS-12345."
    local answer = world:send({ path = "/terms/v1/messages", body = sample.messages({ text = text }) })

    assert.equal(0, (world.mock:leaks()))
    assert.matches("see TICKET_[A-Z2-7]+%.$", world:upstream_text())
    assert.equal(text, answer.json.content[1].text)
  end)


  it("spare what the allow list names", function()
    world.mock:reset()

    local text = seen(sample.VPC .. " " .. sample.INSTANCE, { route = "terms" })
    assert.matches("^" .. sample.VPC:gsub("%-", "%%-") .. " EC2_", text)
  end)


  it("spare categories that are switched off", function()
    world.mock:reset()

    local text = seen(sample.VPC .. " " .. sample.ACCESS_KEY, { route = "no_ids" })
    assert.matches("^" .. sample.VPC:gsub("%-", "%%-") .. " [A-Z0-9]+_[A-Z2-7]+$", text)
    assert.is_nil(text:find(sample.ACCESS_KEY, 1, true))
  end)


  it("spare kinds that are excluded", function()
    world.mock:reset()

    local text = seen(sample.VPC .. " " .. sample.INSTANCE, { route = "no_vpcs" })
    assert.matches("^" .. sample.VPC:gsub("%-", "%%-") .. " EC2_", text)
  end)


  describe("that a model composes into", function()
    local ACCOUNT = "618734209955"
    local BUCKET = "acme-billing-logs"
    local ROLE = "billing-export"
    local DATABASE = "orders-db"
    local PROMPT = "In account " .. ACCOUNT .. " arn:aws:iam::" .. ACCOUNT .. ":role/" .. ROLE .. " on "
                   .. sample.INSTANCE .. " writes to s3://" .. BUCKET .. "/2026/ and reads " .. DATABASE
                   .. ".cq3egrz5lxw7.eu-west-1.rds.amazonaws.com"
    local PATTERN = "^In account (%S+) arn:aws:iam::%S+:role/(%S+) on (%S+) writes to s3://([^/]+)/%S+ and reads"
                    .. " ([^.]+)%."

    -- what -> what a client has to get, with originals where the model writes tokens
    local COMPOSED = {
      ["an ARN of an object"] = "arn:aws:s3:::" .. BUCKET .. "/new/key",
      ["an ARN of another role"] = "arn:aws:iam::" .. ACCOUNT .. ":role/new-role",
      ["an ARN of several"] = "arn:aws:ec2:eu-west-1:" .. ACCOUNT .. ":instance/" .. sample.INSTANCE,
      ["an S3 URL"] = "s3://" .. BUCKET .. "/x/" .. ROLE .. ".json",
      ["the host of a bucket"] = "https://" .. BUCKET .. ".s3.eu-west-1.amazonaws.com/k?a=1",
      ["the host of a database"] = DATABASE .. "-replica.eu-west-1.rds.amazonaws.com:5432",
      ["a repository"] = ACCOUNT .. ".dkr.ecr.eu-west-1.amazonaws.com/" .. ROLE .. ":latest",
      ["a command"] = 'aws s3 cp "./a b" s3://' .. BUCKET .. "/ --profile " .. ROLE .. "_" .. ACCOUNT,
      ["a table"] = "| **" .. BUCKET .. "** | `" .. sample.INSTANCE .. "` |\n| 계정 " .. ACCOUNT .. "의 | " .. ROLE,
    }

    local originals = { ACCOUNT, ROLE, sample.INSTANCE, BUCKET, DATABASE }
    local tokens


    before_each(function()
      world:reset(originals)
      tokens = { seen(PROMPT):match(PATTERN) }
      assert.equal(#originals, #tokens)
    end)


    -- `text` as the model writes it.
    local function composed(text)
      for i, original in ipairs(originals) do
        text = text:gsub(original:gsub("%p", "%%%0"), tokens[i])
      end

      return text
    end


    local function event(data)
      return "event: " .. data.type .. "\ndata: " .. cjson.encode(data) .. "\n\n"
    end


    -- A stream that says `text` in pieces of `size` bytes; characters stay whole.
    local function stream(text, size)
      local events = {}
      local piece = ""
      for character in text:gmatch("[%z\1-\127\194-\244][\128-\191]*") do
        piece = piece .. character
        if #piece >= size then
          events[#events + 1] = event({ type = "content_block_delta", index = 0,
                                        delta = { type = "text_delta", text = piece } })
          piece = ""
        end
      end

      events[#events + 1] = event({ type = "content_block_delta", index = 0,
                                    delta = { type = "text_delta", text = piece } })
      events[#events + 1] = event({ type = "content_block_stop", index = 0 })
      events[#events + 1] = event({ type = "message_stop" })
      return table.concat(events)
    end


    for what, text in pairs(COMPOSED) do
      it(what .. " come back in it, plain and streamed", function()
        local written = composed(text)
        assert.not_equal(text, written)

        world.mock:answer("/v1/messages", "application/json",
                          cjson.encode({ content = { { type = "text", text = written } } }))
        assert.equal(text, world:send({ body = sample.messages({ text = PROMPT }) }).json.content[1].text)

        for _, size in ipairs({ 1, 3, 8, 50 }) do
          world.mock:answer("/v1/messages", "text/event-stream", stream(written, size))
          local answer = world:send({ body = sample.messages({ text = PROMPT, stream = true }),
                                      headers = { ["x-mock-write"] = 7 } })
          assert.equal(text, sse.join(sse.events(answer.body), "text")[0])
        end

        assert.equal(0, (world.mock:leaks()))
      end)
    end
  end)


  it("belong to the consumer where there is one", function()
    local keyed = bed.start({
      config = { token_secret = SECRET },
      plugins = { { name = "key-auth", config = { key_names = { "apikey" } } } },
      consumers = {
        { username = "ada", keyauth_credentials = { { key = "ada-1" }, { key = "ada-2" } } },
        { username = "bob", keyauth_credentials = { { key = "bob-1" } } },
      },
    })

    local tokens = {}
    for _, key in ipairs({ "ada-1", "ada-2", "bob-1" }) do
      keyed:send({ body = sample.messages({ text = sample.INSTANCE }),
                   headers = { apikey = key, ["x-api-key"] = "the same upstream key" } })
      tokens[key] = keyed:upstream_text()
    end
    local refused = keyed:send({ body = sample.messages(), headers = { apikey = "eve" } })
    keyed:stop()

    assert.equal(401, refused.status)
    assert.matches("^EC2_", tokens["ada-1"])
    assert.equal(tokens["ada-1"], tokens["ada-2"])
    assert.not_equal(tokens["ada-1"], tokens["bob-1"])
  end)


  it("take a secret from the environment", function()
    local resolved = bed.start({
      config = { token_secret = "{vault://env/aws-masker-spec-secret}" },
      env = { AWS_MASKER_SPEC_SECRET = SECRET },
    })
    resolved:send({ body = sample.messages({ text = sample.INSTANCE }) })
    local token = cjson.decode(resolved.mock:last_body()).messages[1].content
    resolved:stop()

    assert.equal(seen(sample.INSTANCE), token)
  end)
end)
