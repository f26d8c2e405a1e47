-- What became of one exchange, as plain counts and words: all that events, metrics and logs ever get to see.
local clib = require "kong.plugins.aws-masker.clib"


local function blocked(state)
  return {
    reason = state.failure,
    outcome = state.stopped and "blocked" or (state.dry_run and "dry_run" or "allowed"),
  }
end


local function mask_outcome(state)
  if state.dry_run then
    return "dry_run"
  end

  return state.masked and "masked" or "unchanged"
end


local function restore_outcome(state, counts)
  if state.failed then
    return "failed"
  end

  if not state.finished then
    return "incomplete"
  end

  return counts.restored > 0 and "restored" or "unchanged"
end


local _M = {}


--- The exchange that ends now, as Kong's logs are to show it. Phase: log, before the session is freed.
-- @param state what the handler keeps of the exchange
-- @return table with some of: blocked { reason, outcome }; mask and restore { outcome, microseconds, bytes_in,
-- bytes_out, … }; restore_skipped (why the answer of a masked request was not restored). Or nil when the plugin had
-- nothing to do, or nil and a text when the library fails
function _M.of(conf, state)
  if state.failure then
    return { blocked = blocked(state) }
  end

  local session = state.session
  if not session then
    return nil
  end

  local counts, _, why = clib.counts(session)
  if not counts then
    return nil, why
  end

  -- a request without a body may have a session too, to restore what earlier ones left at the API
  local mask, restore, skipped
  local bytes_in = counts.bytes_in
  if bytes_in > 0 then
    mask = {
      outcome = mask_outcome(state),
      microseconds = counts.mask_microseconds,
      bytes_in = bytes_in,
      bytes_out = counts.bytes_out,
      masked = counts.masked,
      distinct = counts.distinct,
    }
  end

  if state.restoring or state.failed then
    restore = {
      outcome = restore_outcome(state, counts),
      microseconds = counts.restore_microseconds,
      bytes_in = counts.answer_bytes_in,
      bytes_out = counts.answer_bytes_out,
      restored = counts.restored,
      unresolved = counts.unresolved,
    }
  elseif state.masked then
    skipped = conf.restore_responses and (state.skipped or "no_body") or "disabled"
  end

  return { mask = mask, restore = restore, restore_skipped = skipped }
end


return _M
