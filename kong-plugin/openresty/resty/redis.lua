-- lua-resty-redis under the name that it has in OpenResty. Debian's package (lua-nginx-redis) calls it nginx.redis, and
-- its version takes neither TLS nor names that only /etc/hosts knows, which Kong resolves itself.
local redis = require "nginx.redis"


local HOSTS_FILE = "/etc/hosts"


local function read_hosts(path)
  local result = {}
  local file = io.open(path, "r")
  if not file then
    return result
  end

  for line in file:lines() do
    local address, names = line:match("^%s*([%d.]+)%s+([^#]+)")
    for name in (names or ""):gmatch("%S+") do
      result[name] = result[name] or address
    end
  end

  file:close()
  return result
end


local hosts = read_hosts(HOSTS_FILE)
local plain_connect = redis.connect


function redis:connect(host, port, options)
  local ok, err = plain_connect(self, hosts[host] or host, port, options)
  if not ok or not options or not options.ssl or self:get_reused_times() > 0 then
    return ok, err
  end

  ok, err = self._sock:sslhandshake(false, options.server_name, options.ssl_verify)
  if not ok then
    self:close()
    return nil, "failed to do ssl handshake: " .. err
  end

  return true
end


return redis
