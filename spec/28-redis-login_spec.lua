-- How a gateway gets into a Redis: passwords, users, names, TLS.
local bed = require "spec.support.bed"
local events = require "spec.support.events"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sample = require "spec.support.sample"
local vault = require "spec.support.vault"


describe("a gateway reaches a Redis", function()
  local redis, world


  after_each(function()
    if world then
      world:stop()
      world = nil
    end
    redis:stop()
  end)


  -- Stores and reads back, from both workers.
  local function assert_works(changes, env)
    local config = vault.config(redis.port, { redis_required = true })
    for name, value in pairs(changes) do
      config.redis[name] = value
    end
    world = bed.start({ config = config, env = env })
    world:reset()
    world:send({ body = sample.messages({ text = sample.INSTANCE }) })
    local token = world:upstream_text()
    for _ = 1, 20 do
      assert.equal(sample.INSTANCE, world:send({ body = sample.messages({ text = token }) }).json.content[1].text)
    end
    assert.equal(0, (world.mock:leaks()))
  end


  it("with a password, a user that may do just this, and a database", function()
    redis = redis_server.start({ password = "admin" })
    redis:call("ACL", "SETUSER", "gateway", "on", ">for the gateway", "~aws-masker:*", "resetchannels", "-@all",
               "+ping", "+select", "+hset", "+hmget", "+hscan", "+expire", "+hlen", "+hrandfield", "+hdel")
    assert_works({ username = "gateway", password = "for the gateway", database = 5 })

    assert.equal(1, redis:in_database(5, function(call)
      return call("DBSIZE")
    end))
    assert.same({}, redis:call("KEYS", "*"))
  end)


  it("with a user that may report events besides", function()
    redis = redis_server.start({ password = "admin" })
    redis:call("ACL", "SETUSER", "gateway", "on", ">for the gateway", "~aws-masker:*", "resetchannels", "-@all",
               "+ping", "+select", "+hset", "+hmget", "+hscan", "+expire", "+hlen", "+hrandfield", "+hdel",
               "~masking:events:stream", "+xadd", "&kong:masking:events", "+publish")
    local config = vault.config(redis.port, {
      enable_redis_events = true, event_transport = "both", event_flush_interval = 0.1, event_stream_maxlen = 1,
    })
    config.redis.username, config.redis.password = "gateway", "for the gateway"
    world = bed.start({ config = config })
    world:send({ body = sample.messages({ text = sample.INSTANCE }) })

    assert.same({ "data_masked masked", "data_unmasked restored" }, events.summary(events.wait(redis, 2)))
    assert.equal(2, redis:calls().publish)
    vault.settle(redis, 1)
  end)


  it("with a password from the environment", function()
    redis = redis_server.start({ password = "secret of the spec" })
    assert_works({ password = "{vault://env/aws-masker-spec-redis-password}" },
                 { AWS_MASKER_SPEC_REDIS_PASSWORD = "secret of the spec" })
  end)


  it("by its name", function()
    redis = redis_server.start()
    assert_works({ host = "localhost" })
  end)


  describe("over TLS", function()
    local folder


    setup(function()
      folder = process.temporary_folder()
      local output, ok = process.capture(([[
        cd %s && {
          openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=spec CA" &&
          openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=redis.example.com" &&
          printf 'subjectAltName=DNS:redis.example.com' > server.ext &&
          openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext \
            -out server.pem
        } 2>&1]]):format(process.quote(folder)))
      assert.is_true(ok, output)
    end)


    teardown(function()
      process.remove_folder(folder)
    end)


    local function start()
      local arguments = "--tls-cert-file %s/server.pem --tls-key-file %s/server.key --tls-auth-clients no"
      redis = redis_server.start({ tls_arguments = arguments:format(folder, folder) })
    end


    -- Where the gateway looks for the CA.
    local function trusting(path)
      return { SSL_CERT_FILE = path, KONG_LUA_SSL_TRUSTED_CERTIFICATE = path }
    end


    it("whose certificate is verified", function()
      start()
      assert_works({ port = redis.tls_port, ssl = true, ssl_verify = true, server_name = "redis.example.com" },
                   trusting(folder .. "/ca.pem"))
    end)


    it("whose certificate nobody asks for", function()
      start()
      assert_works({ port = redis.tls_port, ssl = true })
    end)


    it("unless the certificate is of another name", function()
      start()
      local config = vault.config(redis.tls_port, { redis_required = true })
      config.redis.ssl, config.redis.ssl_verify, config.redis.server_name = true, true, "other.example.com"
      world = bed.start({ config = config, env = trusting(folder .. "/ca.pem") })

      assert.equal(503, world:send({ body = sample.messages() }).status)
      assert.equal(0, world.mock:count())
    end)


    it("unless nobody knows who signed the certificate", function()
      start()
      local config = vault.config(redis.tls_port, { redis_required = true })
      config.redis.ssl, config.redis.ssl_verify, config.redis.server_name = true, true, "redis.example.com"
      world = bed.start({ config = config })

      assert.equal(503, world:send({ body = sample.messages() }).status)
      assert.equal(0, world.mock:count())
    end)
  end)
end)
