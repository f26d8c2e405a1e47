local plugin = require "spec.support.plugin"


describe("commands to Redis", function()
  local commands


  setup(function()
    commands = plugin.load("commands")
  end)


  -- A connection that gives `text` in pieces of `step` bytes, and keeps what is sent.
  local function connection(text, step)
    local sent = {}
    local at = 1
    return {
      sent = sent,
      _sock = {
        send = function(_, parts)
          for i, part in ipairs(parts) do
            sent[i] = tostring(part)
          end
          return true
        end,
        receiveany = function()
          if at > #text then
            return nil, "timeout"
          end
          local chunk = text:sub(at, at + step - 1)
          at = at + step
          return chunk
        end,
      },
    }
  end


  local function add(...)
    local parts = {}
    local arguments = { ... }
    local last = table.remove(arguments)
    commands.add(parts, commands.prefix(unpack(arguments)), last)
    return parts
  end


  it("are encoded as Redis wants them, whatever they hold", function()
    local red = connection("+OK\r\n", 100)
    commands.send(red, add("XADD", "the stream", "*", "event", "{\r\n한}"), 1)

    assert.equal("*5\r\n$4\r\nXADD\r\n$10\r\nthe stream\r\n$1\r\n*\r\n$5\r\nevent\r\n$7\r\n{\r\n한}\r\n",
                 table.concat(red.sent))
  end)


  it("have their replies read wherever the bytes are cut", function()
    local replies = "$15\r\n1732507200123-0\r\n:12\r\n-WRONGTYPE not a stream\r\n$15\r\n1732507200123-1\r\n"
    for step = 1, #replies do
      local errors = commands.send(connection(replies, step), {}, 4)
      assert.same({ { false, "WRONGTYPE not a stream", index = 3 } }, errors)
    end
  end)


  it("fail when the connection ends before the last reply", function()
    local errors, why = commands.send(connection(":1\r\n", 100), {}, 2)
    assert.is_nil(errors)
    assert.equal("timeout", why)
  end)


  it("fail when there is more than was asked for", function()
    assert.is_nil((commands.send(connection(":1\r\n:2\r\n", 100), {}, 1)))
    assert.is_nil((commands.send(connection(":1\r\n:2", 100), {}, 1)))
  end)
end)
