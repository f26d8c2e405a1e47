-- The token key of a node whose config has no `token_secret`: drawn once from the operating system
-- and shared by all workers.
local ngx = ngx


local KEY_BYTES = 32
local NAME = "aws-masker:node-key"

-- Every Kong has both. `kong_locks` comes first because Kong empties `kong` when it reloads, and a
-- new key would change every token.
local DICTS = { "kong_locks", "kong" }


-- Read where this module is loaded, that is in the master: should there be no shared dictionary, the
-- workers still inherit one and the same key.
local drawn

-- Whether this worker's candidate became the key of the node.
local decided = false


local function draw()
  local source = assert(io.open("/dev/urandom", "rb"))
  local key = source:read(KEY_BYTES)
  source:close()
  assert(key and #key == KEY_BYTES, "/dev/urandom gave too few bytes")
  return key
end


local _M = {}


--- The key, and whether it was this worker that decided it for the node.
-- @return 32 bytes, boolean
function _M.get()
  local shared = ngx and ngx.shared or {}

  for _, name in ipairs(DICTS) do
    local dict = shared[name]
    if dict then
      if dict:safe_add(NAME, drawn) then
        decided = true
      end

      local key = dict:get(NAME)
      if key then
        return key, decided
      end
    end
  end

  return drawn, false
end


drawn = draw()


return _M
