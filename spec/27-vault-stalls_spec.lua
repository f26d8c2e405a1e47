-- What looks as if Redis hung, and is none of its fault: clients that are gone, a worker that stood still, calls of
-- many round trips.
local bed = require "spec.support.bed"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sample = require "spec.support.sample"
local socket = require "socket"
local tcp_proxy = require "spec.support.tcp_proxy"
local vault = require "spec.support.vault"


local REPLY_MS = 300


describe("Redis is not taken for one that hangs", function()
  local redis, slow, world, folder, token


  setup(function()
    redis = redis_server.start()
    slow = tcp_proxy.start(redis.port, "delay:" .. REPLY_MS)
    folder = process.temporary_folder()
    process.write_file(folder .. "/include", "lua_check_client_abort on;\n")
  end)


  teardown(function()
    slow:stop()
    redis:stop()
    process.remove_folder(folder)
  end)


  before_each(function()
    redis:call("FLUSHALL")
    world = bed.start({
      config = vault.config(slow.port, { redis_pool_size = 2 }),
      workers = 1,
      env = { KONG_NGINX_PROXY_LUA_CHECK_CLIENT_ABORT = "on", GATEWAY_INCLUDE = folder .. "/include" },
    })
    world:reset()
    token = vault.store(world, redis)
  end)


  after_each(function()
    world:stop()
  end)


  local function connect()
    local client = assert(socket.connect("127.0.0.1", world.port))
    client:settimeout(20)
    return client
  end


  -- Sends a request that asks Redis for `text`.
  local function send(client, text)
    local body = sample.messages({ text = text })
    assert(client:send(("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        .. "Content-Length: %d\r\n\r\n%s"):format(#body, body)))
  end


  -- The answer to what `send` sent, which comes in chunks: it was restored.
  local function receive(client)
    local lines = {}
    repeat
      lines[#lines + 1] = assert(client:receive("*l"))
    until lines[#lines] == "" and lines[#lines - 1] == "0"
    return table.concat(lines, "\n")
  end


  local function assert_unharmed()
    local log = world.gateway:error_log()
    assert.is_nil(log:find("left alone", 1, true))
    assert.is_nil(log:find("exited on signal", 1, true))
    assert.equal(0, (world.mock:leaks()))
  end


  it("when clients are gone in the middle of a call, or of the wait for a connection", function()
    for _ = 1, 2 do
      for _ = 1, 4 do
        local client = connect()
        send(client, token)
        socket.sleep(0.05)
        client:close()
      end
      -- longer than any silence of Redis may be
      socket.sleep(1)

      for _ = 1, 3 do
        assert.equal(sample.INSTANCE, world:send({ body = sample.messages({ text = token }) }).json.content[1].text)
      end
    end
    assert_unharmed()
  end)


  -- The only process that serves requests.
  local function worker()
    local master = world.gateway:pid()
    for pid in process.read_file(("/proc/%d/task/%d/children"):format(master, master)):gmatch("%d+") do
      if process.read_file("/proc/" .. pid .. "/cmdline"):find("worker process", 1, true) then
        return tonumber(pid)
      end
    end
  end


  it("when a worker stood still, and finds a request before the reply of Redis", function()
    local first, second = connect(), connect()
    -- both connections are known to the worker
    for _, client in ipairs({ first, second }) do
      send(client, token)
      assert.is_truthy(receive(client):find(sample.INSTANCE, 1, true))
    end

    send(first, token)
    socket.sleep(0.1)
    local pid = assert(worker())
    process.pause(pid)
    send(second, token)
    socket.sleep(1)
    process.resume(pid)

    assert.is_truthy(receive(first):find(sample.INSTANCE, 1, true))
    assert.is_truthy(receive(second):find(sample.INSTANCE, 1, true))
    first:close()
    second:close()
    assert_unharmed()
  end)


  it("when a call takes many round trips", function()
    -- five steps of a scope
    redis:connected(function(call)
      local key = vault.hashes(redis)[1]
      local value = call("HGET", key, token)
      for first = 1, 5000, 500 do
        local fields = {}
        for i = first, first + 499 do
          fields[#fields + 1] = ("EC2_%08d"):format(i)
          fields[#fields + 1] = value
        end
        call("HSET", key, unpack(fields))
      end
    end)

    local client = connect()
    local body = '{"model":"m","previous_response_id":"resp_1","input":"none"}'
    assert(client:send(("POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        .. "Content-Length: %d\r\n\r\n%s"):format(#body, body)))
    socket.sleep(2.5 * REPLY_MS / 1000)
    assert.equal(sample.INSTANCE, world:send({ body = sample.messages({ text = token }) }).json.content[1].text)
    receive(client)
    client:close()
    assert_unharmed()
  end)
end)
