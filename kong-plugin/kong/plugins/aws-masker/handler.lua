local answer = require "kong.plugins.aws-masker.answer"
local clib = require "kong.plugins.aws-masker.clib"
local detectors = require "kong.plugins.aws-masker.detectors"
local errors = require "kong.plugins.aws-masker.errors"
local events = require "kong.plugins.aws-masker.events"
local exchange = require "kong.plugins.aws-masker.exchange"
local held_answer = require "kong.plugins.aws-masker.held_answer"
local log_fields = require "kong.plugins.aws-masker.log_fields"
local metrics = require "kong.plugins.aws-masker.metrics"
local node_key = require "kong.plugins.aws-masker.node_key"
local read_stream = require "kong.plugins.aws-masker.read_stream"
local redis = require "kong.plugins.aws-masker.redis"
local request_body = require "kong.plugins.aws-masker.request_body"
local request_header = require "kong.plugins.aws-masker.request_header"
local scope = require "kong.plugins.aws-masker.scope"
local server_state = require "kong.plugins.aws-masker.server_state"
local spans = require "kong.plugins.aws-masker.spans"
local states = require "kong.plugins.aws-masker.state"
local vault = require "kong.plugins.aws-masker.vault"
local vault_queue = require "kong.plugins.aws-masker.vault_queue"


local error = error
local get_header = request_header.get
local ipairs = ipairs
local kong = kong
local ngx = ngx
local pcall = pcall
local tonumber = tonumber


vault_queue.tell_write_failures(function(conf, why)
  events.redis_failed(conf, "write", "degraded", why)
end)


-- How a query spells its values.
local FORM = "application/x-www-form-urlencoded"

local INTERNAL_SERVER_ERROR = 500


-- Opens the exchange's session.
-- @return the session, or nil, failure name, text
local function open_session(conf, state, detector)
  local session, failure, why = clib.session(detector, scope.of(conf.token_scope, kong))
  if not session then
    return nil, failure, why
  end

  state.session = session
  return session
end


-- Exchanges tokens with Redis.
-- @return nothing when the request may go on, or failure name, text
local function use_vault(conf, state, whole_scope)
  local ok, report, why = pcall(vault.exchange, conf, state.session, whole_scope, state)
  if not ok then
    report, why = nil, report
    kong.log.err("the vault cannot be used: ", why)
  end

  state.redis_error = report and report.error or why
  if not report then
    if conf.redis_required then
      return "REDIS_UNAVAILABLE", why
    end

    return
  end

  state.restorable = state.restorable or report.found + report.scanned > 0
end


-- Asks for an answer that can be read, where there may be something to restore in it.
local function prepare_answer(conf, state)
  if state.restorable and conf.restore_responses then
    ngx.req.set_header("Accept-Encoding", "identity")
  end
end


-- Masks the values of the query.
-- @return nothing when the request may go on, or failure name, text
local function mask_query(state, query)
  if query == "" then
    return
  end

  local masked, failure, why = clib.mask(state.session, FORM, query)
  if not masked then
    return failure, why
  end

  if masked ~= query then
    state.masked = true
    state.restorable = true
    kong.service.request.set_raw_query(masked)
    log_fields.mask_query(masked, kong)
    spans.mask_query(masked)
  end
end


-- Says what would have been masked.
local function note_dry_run(state)
  state.dry_run = true
  kong.log.notice("dry run: ", clib.counts(state.session).masked, " values would have been masked")
end


-- A request without a body has a query at most; and it may ask for what earlier ones left at the API.
local function mask_bodiless(conf, state, detector, query)
  local request = kong.request
  local asks_for_kept = conf.use_redis and conf.restore_responses and not conf.dry_run
                        and server_state.is_asked_for(request.get_method(), request.get_path(), false)
  if query == "" and not asks_for_kept then
    return
  end

  local session, failure, why = open_session(conf, state, detector)
  if not session then
    return failure, why
  end

  failure, why = mask_query(state, query)
  if not failure and conf.dry_run then
    note_dry_run(state)
  end
  if not failure and asks_for_kept then
    failure, why = use_vault(conf, state, true)
  end

  prepare_answer(conf, state)
  return failure, why
end


-- Drops a header that vouches for the bytes the client sent: false once the body is masked.
local function drop_digest(name, variable)
  -- Taking out what is not there costs several times what looking does. nginx's variable sees it however many headers
  -- there are.
  if ngx.var[variable] then
    kong.service.request.clear_header(name)
  end
end


local function replace_body(state, masked, coding)
  state.masked = true
  state.restorable = true
  drop_digest("Content-MD5", "http_content_md5")
  drop_digest("Digest", "http_digest")
  drop_digest("Content-Digest", "http_content_digest")
  drop_digest("Repr-Digest", "http_repr_digest")
  if coding then
    kong.service.request.clear_header("Content-Encoding")
  end

  ngx.req.set_body_data(masked)
end


-- @return nothing when the request may go on, or failure name, text
local function mask_body(conf, state, detector, body, query)
  local session, failure, why = open_session(conf, state, detector)
  if not session then
    return failure, why
  end

  local request = kong.request
  local coding = get_header(request, "Content-Encoding", "http_content_encoding")
  local content_type = get_header(request, "Content-Type", "content_type") or ""
  local masked
  masked, failure, why = clib.mask(session, content_type, body, coding)
  if not masked then
    return failure, why
  end

  failure, why = mask_query(state, query)
  if failure then
    return failure, why
  end

  if conf.dry_run then
    note_dry_run(state)
    return
  end

  if masked ~= body then
    replace_body(state, masked, coding)
  end

  if conf.use_redis then
    failure, why = use_vault(conf, state, clib.refers_to_state(session)
                             or server_state.is_asked_for(request.get_method(), request.get_path(), true))
  end

  prepare_answer(conf, state)
  return failure, why
end


-- @return nothing when the request may go on, or failure name, text
local function mask_request(conf, state)
  local detector, failure, why = detectors.get(conf)
  if not detector then
    return failure, why
  end

  local request = kong.request
  if request_body.is_upgrade(request) then
    return "UNSUPPORTED_CONTENT", "the request asks for a WebSocket"
  end

  local body
  body, failure, why = request_body.read(request, conf.max_request_body_size)
  if not body then
    return failure, why
  end

  local query = conf.mask_query and ngx.var.args or ""
  if body == "" then
    return mask_bodiless(conf, state, detector, query)
  end

  return mask_body(conf, state, detector, body, query)
end


-- @return true when the request may go on although it could not be masked
local function passes_anyway(conf, failure)
  if conf.dry_run then
    return true
  end

  if failure.name == "UNSUPPORTED_CONTENT" then
    return conf.unsupported_content == "allow"
  end

  return failure.may_pass and conf.on_error == "allow"
end


local AwsMasker = {
  -- Between request-transformer (801), whose additions have to be masked too, and the plugins that
  -- send or sign the body themselves: redirect (779), ai-request-transformer (777), ai-proxy (770),
  -- aws-lambda (750). Kong uses the same order in every phase, so proxy-cache (100) stores restored
  -- answers: the two do not belong on one route.
  PRIORITY = 785,
  VERSION = "0.1.0",
}


function AwsMasker:init_worker()
  metrics.init(kong)
end


--- Compiles the detectors of all configs before they take effect.
function AwsMasker:configure(configs)
  events.configure(configs)

  local available, why = clib.available()
  if not available and configs then
    kong.log.err("requests will be stopped with status 500, because the masking library cannot be used: ", why)
  end

  local problems = detectors.replace(configs)
  if available then
    for _, problem in ipairs(problems) do
      kong.log.err("requests will be stopped with status 500, because a config cannot be compiled: ", problem)
    end
  end

  for _, conf in ipairs(configs or {}) do
    if not conf.token_secret then
      local _, decided = node_key.get()
      if decided then
        kong.log.notice("no token_secret: this node has drawn a key of its own, so its tokens differ from those",
                        " of other nodes and change when it restarts",
                        conf.use_redis and "; what it stores in Redis, nobody else can read" or "")
      end

      break
    end
  end
end


-- As `mask_request`, for configs that let a request pass although it could not be masked: Kong stops one whose plugin
-- throws.
local function mask_or_say_why(conf, state)
  local ok, failure_name, why = pcall(mask_request, conf, state)
  if not ok then
    return "INTERNAL", failure_name
  end

  return failure_name, why
end


function AwsMasker:access(conf)
  local state = states.begin()
  local span = spans.start(kong, spans.MASK)
  state.span = span

  local failure_name, why
  if conf.dry_run or conf.on_error == "allow" then
    failure_name, why = mask_or_say_why(conf, state)
  else
    -- What throws leaves through Kong, which answers with 500. A pcall here would cost every request some microseconds:
    -- LuaJIT compiles nothing that returns through one it has not compiled, and it cannot compile all that is called.
    state.masking = true
    failure_name, why = mask_request(conf, state)
    state.masking = false
  end

  state.span = false
  spans.finish(span, failure_name and { failure = failure_name })
  if not failure_name then
    return
  end

  local failure = errors.of(failure_name)
  state.failure = failure.name
  if passes_anyway(conf, failure) then
    state.dry_run = conf.dry_run
    kong.log.warn("request passes unmasked: ", failure.name, ": ", why)
    return
  end

  state.stopped = true
  local log = failure.status < 500 and kong.log.warn or kong.log.err
  log("request stopped: ", failure.name, ": ", why)
  return kong.response.exit(failure.status, failure.body, failure.headers)
end


-- Restores an answer that Kong holds, where plugins of lower priority read it.
-- @return whether that worked
local function restore_held(state, held)
  local restored, _, why = clib.restore(state.session, held, true)
  if not restored then
    state.failed = true
    kong.log.err("the answer stays masked: ", why)
    return false
  end

  held_answer.replace(restored)
  state.held = held
  state.held_restored = restored
  -- ai-proxy ends the answer with its first chunk, so that the last one never comes
  state.finished = true
  return true
end


-- Decides by the session, not by where the answer comes from: plugins such as aws-lambda answer in
-- place of the upstream, and their answers hold tokens too.
function AwsMasker:header_filter(conf)
  local state = states.current()
  -- an exchange that holds no token has nothing to restore; neither has one that access never saw
  if not state or not state.restorable or not conf.restore_responses or not answer.has_body() then
    return
  end

  local coding = answer.header("Content-Encoding")
  local content_type = answer.header("Content-Type")
  local will_change, _, why = clib.open_answer(state.session, content_type, coding)
  if will_change == nil then
    state.skipped = "error"
    kong.log.err("the answer stays masked: ", why)
    return
  end

  if will_change then
    local held = held_answer.get(kong)
    if held and not restore_held(state, held) then
      return
    end

    state.read = read_stream.is_read()
    state.due = not state.read and tonumber(answer.header("Content-Length")) or false
    answer.drop_dependent_headers(kong)
    state.restoring = true
    state.span = spans.start(kong, spans.RESTORE)
    state.inflating = answer.is_coded(coding)
    if state.inflating then
      kong.response.clear_header("Content-Encoding")
    end
  else
    state.skipped = answer.is_coded(coding) and "coding" or "content_type"
    kong.log.warn("the answer goes to the client unrestored, because its ",
                  state.skipped == "coding" and "Content-Encoding" or "Content-Type", " cannot be read here")
  end
end


-- An answer ends with an empty chunk, which comes right behind its last bytes. These wait for it: to the client both go
-- as one piece then, and not as two.
-- @return the chunk to restore, or nil while the last bytes wait
local function join_end(state, chunk, last)
  local last_bytes = state.last_bytes
  if last_bytes then
    state.last_bytes = false
    return chunk == "" and last_bytes or last_bytes .. chunk
  end

  local due = state.due
  if last or not due then
    return chunk
  end

  due = due - #chunk
  state.due = due
  if due == 0 and chunk ~= "" then
    state.last_bytes = chunk
    return nil
  end

  return chunk
end


function AwsMasker:body_filter()
  local state = states.current()
  if not state or not state.restoring then
    return
  end

  local arg = ngx.arg
  local chunk, last = arg[1] or "", arg[2]
  local held = state.held
  if held then
    if chunk == held then
      arg[1] = state.held_restored
      return
    end

    if chunk == "" then
      return
    end

    -- a plugin of higher priority sends something else
    clib.open_answer(state.session, answer.header("Content-Type"), "")
    state.held = false
  end

  state.finished = last
  local came = chunk
  chunk = join_end(state, came, last)
  if not chunk then
    arg[1] = nil
    return
  end

  local restored, why, _
  if chunk == "" and not last then
    -- nginx says so when the upstream is gone in the middle of its answer; nothing will follow
    restored, _, why = clib.release(state.session)
  else
    restored, _, why = clib.restore(state.session, chunk, last)
  end

  if not restored then
    state.failed = true
    if state.inflating then
      -- the client was promised bytes without a coding, and these cannot be read: the answer ends here, visibly
      arg[1] = nil
      error("the answer is cut off: " .. why)
    end

    -- tokens in clear are safe, only unhelpful
    restored = chunk
    state.restoring = false
    kong.log.err("the rest of the answer stays masked: ", why)
  end

  if restored ~= came then
    arg[1] = restored
  end

  if state.read and restored == "" then
    read_stream.say_nothing()
  end
end


local UNREPORTED = "an exchange could not be reported: "


-- Tells the monitor of the exchange, or of what went wrong in it.
local function send_events(conf, state, of)
  local redis_error = state.redis_error
  if redis_error then
    events.redis_failed(conf, "read", state.stopped and "blocked" or "degraded", redis_error)
  end

  if of and conf.enable_redis_events then
    events.report(conf, of, state.session, kong)
  end
end


-- Tells of the exchange. Only what may throw is called under a pcall: LuaJIT hardly compiles what is.
local function report(conf, state)
  local of, why = exchange.of(conf, state)
  local span = state.span
  if span then
    spans.finish(span, of and of.restore)
  end

  if of then
    log_fields.add(of, kong)
    metrics.report(of, state.session)
  end

  if why then
    kong.log.err(UNREPORTED, why)
  end

  if conf.enable_redis_events or state.redis_error then
    local ok, problem = pcall(send_events, conf, state, of)
    if not ok then
      kong.log.err(UNREPORTED, problem)
    end
  end
end


function AwsMasker:log(conf)
  log_fields.redact(kong)
  local state = states.current()
  if not state then
    return
  end

  redis.abandon(state)
  -- the client was not gone: it got this
  if state.masking and ngx.status == INTERNAL_SERVER_ERROR then
    state.failure = "INTERNAL"
    state.stopped = true
  end

  report(conf, state)
  if state.session then
    clib.free(state.session)
  end
  states.finish(state)
end


return AwsMasker
