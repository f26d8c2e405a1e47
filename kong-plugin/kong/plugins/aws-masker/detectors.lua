-- The compiled detectors of this worker, one per different config and secret.
local clib = require "kong.plugins.aws-masker.clib"
local config = require "kong.plugins.aws-masker.config"
local node_key = require "kong.plugins.aws-masker.node_key"


local concat = table.concat
local ipairs = ipairs
local pairs = pairs
local setmetatable = setmetatable


-- Content (config and key) -> entry: `detector`, or `failure` and `why` when it could not be built.
-- A config whose detector could not be built stays poisoned: every request it governs is stopped.
local by_content = {}

-- Kong's conf table -> entry, so that a request does not have to encode its config again. Weak,
-- because Kong makes new conf tables at every rebuild.
local by_conf = setmetatable({}, { __mode = "k" })


local function build(content, secret, conf)
  local detector, failure, why = clib.detector(content, secret)
  if detector and conf.use_redis then
    local ok
    ok, failure, why = clib.add_vault_secret(detector, secret)
    for _, former in ipairs(ok and conf.token_secret_previous or {}) do
      -- an empty one is a reference that could not be resolved: nothing can be read with it
      if ok and former ~= "" then
        ok, failure, why = clib.add_vault_secret(detector, former)
      end
    end

    detector = ok and detector or nil
  end

  return { detector = detector, failure = failure, why = why }
end


-- What decides which parts of the vault are read.
local function vault_id(conf)
  return conf.use_redis and "\0" .. concat(conf.token_secret_previous, "\0") or ""
end


local function find(conf)
  local secret = conf.token_secret
  -- An empty secret is a reference that could not be resolved. It must not fall back to the node's
  -- key: the operator asked for another one.
  local key = secret or node_key.get()
  local content = config.encode(conf)
  local former = vault_id(conf)
  local id = content .. "\0" .. key .. former

  local entry = by_content[id]
  if not entry then
    entry = build(content, key, conf)
    by_content[id] = entry
  end

  return { entry = entry, id = id, secret = secret, former = former }
end


local _M = {}


--- The detector of one config. Reuses it only while the secrets are those it was built with: Kong
-- writes a rotated `{vault://…}` value into the same conf table.
-- @return the detector, or nil, failure name, text
function _M.get(conf)
  local known = by_conf[conf]
  if not known or known.secret ~= conf.token_secret or known.former ~= vault_id(conf) then
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
  local known = {}
  local problems = {}

  for i = 1, confs and #confs or 0 do
    local conf = confs[i]
    local detector, _, why = _M.get(conf)
    keep[by_conf[conf].id] = true
    known[conf] = true
    if not detector then
      problems[#problems + 1] = why
    end
  end

  for id in pairs(by_content) do
    if not keep[id] then
      by_content[id] = nil
    end
  end

  -- Kong's caches hold on to former configs for a while; their detectors need not live that long
  for conf in pairs(by_conf) do
    if not known[conf] then
      by_conf[conf] = nil
    end
  end

  return problems
end


return _M
