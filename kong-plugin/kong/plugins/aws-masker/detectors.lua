-- The compiled detectors of this worker, one per different config and secret.
local clib = require "kong.plugins.aws-masker.clib"
local config = require "kong.plugins.aws-masker.config"
local node_key = require "kong.plugins.aws-masker.node_key"


local pairs = pairs
local setmetatable = setmetatable


-- Content (config and key) -> entry: `detector`, or `failure` and `why` when it could not be built.
-- A config whose detector could not be built stays poisoned: every request it governs is stopped.
local by_content = {}

-- Kong's conf table -> entry, so that a request does not have to encode its config again. Weak,
-- because Kong makes new conf tables at every rebuild.
local by_conf = setmetatable({}, { __mode = "k" })


local function build(content, secret)
  local detector, failure, why = clib.detector(content, secret)
  return { detector = detector, failure = failure, why = why }
end


local function find(conf)
  local secret = conf.token_secret
  -- An empty secret is a reference that could not be resolved. It must not fall back to the node's
  -- key: the operator asked for another one.
  local key = secret or node_key.get()
  local content = config.encode(conf)
  local id = content .. "\0" .. key

  local entry = by_content[id]
  if not entry then
    entry = build(content, key)
    by_content[id] = entry
  end

  return { entry = entry, id = id, secret = secret }
end


local _M = {}


--- The detector of one config. Reuses it only while the secret is the one it was built with: Kong
-- writes a rotated `{vault://…}` value into the same conf table.
-- @return the detector, or nil, failure name, text
function _M.get(conf)
  local known = by_conf[conf]
  if not known or known.secret ~= conf.token_secret then
    local stale = known and known.id
    known = find(conf)
    by_conf[conf] = known

    if stale then
      by_content[stale] = nil
    end
  end

  local entry = known.entry
  return entry.detector, entry.failure, entry.why
end


--- Builds what `confs` needs and forgets everything else. Runs before a new config takes effect.
-- @param confs array of all enabled configs, nil when there are none
-- @return array of texts, one per config that could not be compiled
function _M.replace(confs)
  local keep = {}
  local problems = {}

  for i = 1, confs and #confs or 0 do
    local conf = confs[i]
    local detector, _, why = _M.get(conf)
    keep[by_conf[conf].id] = true
    if not detector then
      problems[#problems + 1] = why
    end
  end

  for id in pairs(by_content) do
    if not keep[id] then
      by_content[id] = nil
    end
  end

  return problems
end


return _M
