-- What became of one exchange, as plain counts and words: all that events, metrics and logs ever get to see.
local clib = require "kong.plugins.aws-masker.clib"


local function blocked(ctx)
  return {
    reason = ctx.failure,
    outcome = ctx.stopped and "blocked" or (ctx.dry_run and "dry_run" or "allowed"),
  }
end


local function mask_outcome(ctx)
  if ctx.dry_run then
    return "dry_run"
  end

  return ctx.masked and "masked" or "unchanged"
end


local function restore_outcome(ctx, counts)
  if ctx.restore_failed then
    return "failed"
  end

  if not ctx.finished then
    return "incomplete"
  end

  return counts.restored > 0 and "restored" or "unchanged"
end


local _M = {}


--- The exchange that ends now. Phase: log, before the session is freed.
-- @param ctx `kong.ctx.plugin` as the handler left it
-- @return table with some of: blocked { reason, outcome }; mask and restore { outcome, microseconds, bytes_in,
-- bytes_out, … }; skipped (why the answer of a masked request was not restored); session (for counts by kind). Or nil
-- when the plugin had nothing to do, or nil and a text when the library fails
function _M.of(conf, ctx)
  if ctx.failure then
    return { blocked = blocked(ctx) }
  end

  local session = ctx.session
  if not session then
    return nil
  end

  local counts, _, why = clib.counts(session)
  if not counts then
    return nil, why
  end

  local exchange = { session = session }

  -- a request without a body may have a session too, to restore what earlier ones left at the API
  if counts.bytes_in > 0 then
    exchange.mask = {
      outcome = mask_outcome(ctx),
      microseconds = counts.mask_microseconds,
      bytes_in = counts.bytes_in,
      bytes_out = counts.bytes_out,
      masked = counts.masked,
      distinct = counts.distinct,
    }
  end

  if ctx.restoring or ctx.restore_failed then
    exchange.restore = {
      outcome = restore_outcome(ctx, counts),
      microseconds = counts.restore_microseconds,
      bytes_in = counts.answer_bytes_in,
      bytes_out = counts.answer_bytes_out,
      restored = counts.restored,
      unresolved = counts.unresolved,
    }
  elseif ctx.masked then
    exchange.skipped = conf.restore_responses and (ctx.skipped or "no_body") or "disabled"
  end

  return exchange
end


--- Counts by kind, read from the library when they are first asked for.
-- @return map of kind to count
function _M.kinds(exchange)
  local kinds = exchange.kinds
  if not kinds then
    kinds = clib.kinds(exchange.session) or {}
    exchange.kinds = kinds
  end

  return kinds
end


return _M
