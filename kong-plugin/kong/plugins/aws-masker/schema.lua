local clib = require "kong.plugins.aws-masker.clib"
local config = require "kong.plugins.aws-masker.config"
local redis_schema = require "kong.tools.redis.schema"
local typedefs = require "kong.db.schema.typedefs"


local CATEGORIES = { "ids", "arns", "hosts", "accounts", "addresses", "credentials", "names" }

local MEBIBYTE = 1024 * 1024

-- Patterns are compiled with any key; the real one may still be an unresolved reference.
local ANY_SECRET = ("\0"):rep(32)


--- Compiles the mask config, so that a bad pattern is refused with the name of its field. Where the
-- library is absent (a control plane), the checks of the single fields are all there is.
local function check_mask_config(entity)
  if not clib.available() then
    return true
  end

  local detector, _, why = clib.detector(config.encode(entity.config), ANY_SECRET)
  if not detector then
    return nil, why
  end

  return true
end


-- Whether a list holds anything. Checks may see what failed the checks of its field.
local function has_any(list)
  return type(list) == "table" and list[1] ~= nil
end


--- A config that masks nothing lets everything leave. That is not what an empty list out of a template means.
local function check_masks_anything(entity)
  local conf = entity.config
  if type(conf.categories) == "table" and not has_any(conf.categories)
    and not has_any(conf.custom_patterns) and not has_any(conf.custom_terms)
  then
    return nil, "categories: is empty, so nothing would be masked; leave it out to mask all, or name some"
  end

  return true
end


--- What needs a Redis has to say where it is.
local function check_redis(entity)
  local conf = entity.config
  local host = type(conf.redis) == "table" and conf.redis.host
  local has_host = type(host) == "string" and host ~= ""
  for _, flag in ipairs({ "use_redis", "enable_redis_events" }) do
    if conf[flag] == true and not has_host then
      return nil, "redis.host: is needed with " .. flag
    end
  end

  if conf.redis_required == true and conf.use_redis ~= true then
    return nil, "redis_required: needs use_redis"
  end

  return true
end


return {
  name = "aws-masker",
  fields = {
    { protocols = typedefs.protocols_http },
    { config = {
        type = "record",
        fields = {
          { categories = {
              description = "Groups of identifiers to mask. An ARN or a host name is masked with all its parts. May be"
                            .. " empty only beside `custom_patterns` or `custom_terms`.",
              type = "set",
              required = true,
              default = CATEGORIES,
              elements = { type = "string", one_of = CATEGORIES },
          }, },
          { exclude_kinds = {
              description = "Kinds to leave alone although their category is masked, also as parts of ARNs and host"
                            .. " names; named as in the catalog (for example `ec2:image`).",
              type = "set",
              required = true,
              default = {},
              elements = { type = "string", len_max = 128 },
          }, },
          { custom_patterns = {
              description = "Further shapes to mask, at most 100. Without look-around and back-references. Letters of"
                            .. " escapes (`\\n`, `%2F`) and letters of other scripts than Latin end a word.",
              type = "array",
              required = true,
              default = {},
              len_max = 100,
              elements = {
                type = "record",
                fields = {
                  { name = {
                      description = "Kind under which findings are counted: at most 64 lower-case letters, digits,"
                                    .. " `_`, `-` and `:`.",
                      type = "string",
                      required = true,
                      len_max = 64,
                      match = "^[a-z0-9_:-]+$",
                  }, },
                  { label = {
                      description = "First part of the tokens: 2 to 10 upper-case letters or digits, a letter first."
                                    .. " No other pattern and no kind of the catalog may have it.",
                      type = "string",
                      required = true,
                      len_min = 2,
                      len_max = 10,
                      match = "^[A-Z][A-Z0-9]+$",
                  }, },
                  { regex = {
                      description = "Regular expression, at most 4096 bytes. What it matches is masked; it must not"
                                    .. " match the empty text.",
                      type = "string",
                      required = true,
                      len_max = 4096,
                  }, },
                },
              },
          }, },
          { custom_terms = {
              description = "Literal names to mask wherever they stand, in either case, but not inside a longer word;"
                            .. " at most 10000.",
              type = "array",
              required = true,
              default = {},
              len_max = 10000,
              elements = { type = "string", len_max = 1024 },
          }, },
          { allow_list = {
              description = "Exact values that are never masked, at most 10000.",
              type = "array",
              required = true,
              default = {},
              len_max = 10000,
              elements = { type = "string", len_max = 1024 },
          }, },
          { preserve_structure = {
              description = "Keep partition, service, region and resource type of ARNs, and the AWS suffix of host"
                            .. " names, so that the model can still reason about them. Off: one token for the whole.",
              type = "boolean",
              required = true,
              default = true,
          }, },
          { token_secret = {
              description = "Key of the tokens, 16 bytes or more. Nodes that share it give the same tokens. Without"
                            .. " it each node draws its own at start.",
              type = "string",
              referenceable = true,
              encrypted = true,
              len_min = 16,
          }, },
          { token_scope = {
              description = "Who shares tokens: requests of one consumer, of one credential, of one route, or all. A"
                            .. " request without a consumer falls back to its credential: what Kong has authenticated"
                            .. " it by, else the API key that it carries; one without either, to all.",
              type = "string",
              required = true,
              default = "consumer",
              one_of = { "consumer", "credential", "route", "global" },
          }, },
          { max_request_body_size = {
              description = "Largest request body to mask, in bytes. A larger one is refused with status 413.",
              type = "integer",
              required = true,
              default = 32 * MEBIBYTE,
              between = { 1, 1024 * MEBIBYTE },
          }, },
          { scan_cache_size = {
              description = "What a worker remembers for each config of the requests it has scanned, in bytes: where"
                            .. " something was found, never what. The next turn of a conversation then costs what is"
                            .. " new in it. `0` scans everything each time.",
              type = "integer",
              required = true,
              default = MEBIBYTE,
              between = { 0, 1024 * MEBIBYTE },
          }, },
          { mask_query = {
              description = "Mask the values of the URL's query too.",
              type = "boolean",
              required = true,
              default = true,
          }, },
          { unsupported_content = {
              description = "What happens to content that cannot be masked (binary types, unknown codings,"
                            .. " WebSockets): `block` refuses it with status 415, `allow` sends it on unmasked.",
              type = "string",
              required = true,
              default = "block",
              one_of = { "block", "allow" },
          }, },
          { restore_responses = {
              description = "Put the originals back into answers.",
              type = "boolean",
              required = true,
              default = true,
          }, },
          { restore_credentials = {
              description = "Put credentials back too. Off: they stay masked in the answer.",
              type = "boolean",
              required = true,
              default = true,
          }, },
          { on_error = {
              description = "What happens to a request that could not be masked because of a fault of the gateway or"
                            .. " a body that does not parse: `block` stops it, `allow` sends it on UNMASKED and logs"
                            .. " a warning.",
              type = "string",
              required = true,
              default = "block",
              one_of = { "block", "allow" },
          }, },
          { dry_run = {
              description = "Change and refuse nothing; log how many values would have been masked.",
              type = "boolean",
              required = true,
              default = false,
          }, },
          { use_redis = {
              description = "Keep what tokens stand for in Redis too, encrypted, so that other nodes and later"
                            .. " requests can restore them. Masking never waits for it. Nodes that share a Redis need"
                            .. " the same `token_secret`.",
              type = "boolean",
              required = true,
              default = false,
          }, },
          { redis_required = {
              description = "Refuse a request with status 503 when its tokens could not be stored, or looked up,"
                            .. " before anything of it leaves. Off: it goes on without Redis.",
              type = "boolean",
              required = true,
              default = false,
          }, },
          { redis = redis_schema.config_schema },
          { redis_pool_size = {
              description = "Most connections to this Redis that one worker holds, idle ones included. Further calls"
                            .. " wait for one.",
              type = "integer",
              required = true,
              default = 16,
              between = { 1, 1000 },
          }, },
          { mapping_ttl = {
              description = "How long Redis keeps a scope's tokens after the last one was stored, in seconds.",
              type = "integer",
              required = true,
              default = 604800,
              between = { 60, 31536000 },
          }, },
          { max_entries = {
              description = "Most tokens that Redis keeps for a scope, and that one request looks up. Over it, some"
                            .. " are forgotten at random.",
              type = "integer",
              required = true,
              default = 10000,
              between = { 1, 1000000 },
          }, },
          { token_secret_previous = {
              description = "Former values of `token_secret`, whose tokens in Redis are still read; nothing is"
                            .. " stored with them.",
              type = "array",
              required = true,
              default = {},
              len_max = 8,
              elements = { type = "string", referenceable = true, encrypted = true, len_min = 16 },
          }, },
          { enable_redis_events = {
              description = "Report to Redis what was masked, restored and blocked: counts, sizes and times, never"
                            .. " data. Requests never wait for it.",
              type = "boolean",
              required = true,
              default = false,
          }, },
          { event_transport = {
              description = "How events travel: `stream` appends them to a Redis Stream, which keeps them for readers"
                            .. " that come later; `pubsub` publishes them to whoever listens; or `both`.",
              type = "string",
              required = true,
              default = "stream",
              one_of = { "stream", "pubsub", "both" },
          }, },
          { redis_event_stream = {
              description = "Key of the stream.",
              type = "string",
              required = true,
              default = "masking:events:stream",
              len_max = 512,
          }, },
          { event_stream_maxlen = {
              description = "Events that the stream keeps, about: Redis trims the oldest in whole nodes.",
              type = "integer",
              required = true,
              default = 100000,
              between = { 1, 100000000 },
          }, },
          { redis_event_channel = {
              description = "Name of the Pub/Sub channel.",
              type = "string",
              required = true,
              default = "kong:masking:events",
              len_max = 512,
          }, },
          { event_sampling_rate = {
              description = "Share of the exchanges that are reported, 0 to 1. Requests that could not be masked and"
                            .. " failures of Redis always are.",
              type = "number",
              required = true,
              default = 1,
              between = { 0, 1 },
          }, },
          { event_batch_size = {
              description = "Events sent to Redis in one round trip, at most.",
              type = "integer",
              required = true,
              default = 100,
              between = { 1, 1000 },
          }, },
          { event_flush_interval = {
              description = "Longest time that an event waits for its batch to fill, in seconds.",
              type = "number",
              required = true,
              default = 1,
              between = { 0, 60 },
          }, },
          { event_detail = {
              description = "`detailed` adds request id, service, route, status and counts by kind to the events.",
              type = "string",
              required = true,
              default = "minimal",
              one_of = { "minimal", "detailed" },
          }, },
        },
    }, },
  },
  entity_checks = {
    { custom_entity_check = {
        field_sources = { "config" },
        fn = check_mask_config,
    }, },
    { custom_entity_check = {
        field_sources = { "config" },
        fn = check_masks_anything,
    }, },
    { custom_entity_check = {
        field_sources = { "config" },
        fn = check_redis,
    }, },
  },
}
