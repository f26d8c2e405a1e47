-- The only module that calls libaws_masker.so.
--
-- Loading it never fails: where the library is absent (a control plane, a broken install) every
-- function answers `nil, "LIBRARY_UNAVAILABLE", why`, and the handler stops requests with that.
local ffi = require "ffi"
local cdefs = require "kong.plugins.aws-masker.cdefs"


local ffi_gc = ffi.gc
local ffi_load = ffi.load
local ffi_new = ffi.new
local ffi_string = ffi.string
local pcall = pcall
local searchpath = package.searchpath
local tonumber = tonumber


local LIBRARY = "libaws_masker"
local UNAVAILABLE = "LIBRARY_UNAVAILABLE"

local OK = 0
local UNCHANGED = 1

-- what the handler has to tell apart; any other status is an internal error
local FAILURES = {
  [4] = "MISCONFIGURED",
  [5] = "INVALID_BODY",
  [6] = "UNSUPPORTED_CONTENT",
  [7] = "BODY_TOO_LARGE",
  [9] = "UNSEALABLE",
}

-- One set of output cells for the whole worker: nothing yields between a call and the read after it.
local OUT = ffi_new("const uint8_t *[1]")
local OUT_LEN = ffi_new("size_t[1]")
local DETECTOR = ffi_new("awsm_detector *[1]")
local SESSION = ffi_new("awsm_session *[1]")
local COUNTS = ffi_new("awsm_counts[1]")
local KINDS = ffi_new("const awsm_kind_count *[1]")


-- Idle sessions that are kept for further exchanges.
local MAX_IDLE = 512


-- Closed sessions. Giving a handle its finalizer, and taking it back, costs more than the session itself.
local idle = {}
local idle_count = 0

-- `lib` stays referenced for the life of the worker: a collected namespace would be unloaded.
local lib, load_error


local function open()
  local path, tried = searchpath(LIBRARY, package.cpath)
  if not path then
    return nil, LIBRARY .. ".so is not on lua_package_cpath; tried:" .. tried
  end

  local ok, loaded = pcall(ffi_load, path)
  if not ok then
    return nil, path .. " could not be loaded: " .. loaded
  end

  local found, version = pcall(function()
    return tonumber(loaded.awsm_abi_version())
  end)
  if not found then
    return nil, path .. " is not a " .. LIBRARY .. ": " .. version
  end

  if version ~= cdefs.ABI_VERSION then
    return nil, path .. " has ABI version " .. version .. ", this plugin needs " .. cdefs.ABI_VERSION
                .. "; install the library and the plugin from the same release"
  end

  return loaded
end


local function last_error()
  lib.awsm_last_error(OUT, OUT_LEN)
  return ffi_string(OUT[0], OUT_LEN[0])
end


local function failure(status)
  return nil, FAILURES[status] or "INTERNAL", last_error() .. " (status " .. status .. ")"
end


-- Finalizers are Lua closures, so that a live handle keeps the library loaded.
local function free_detector(detector)
  lib.awsm_detector_free(detector)
end


local function free_session(session)
  lib.awsm_session_free(session)
end


local _M = {}


--- Says whether the library answered at load time.
-- @return true, or nil and why not
function _M.available()
  if not lib then
    return nil, load_error
  end

  return true
end


--- Compiles a mask config.
-- @param config JSON object as a string (see `config.encode`)
-- @param secret token key material, 16 bytes or more
-- @return the detector, or nil, failure name, text
function _M.detector(config, secret)
  if not lib then
    return nil, UNAVAILABLE, load_error
  end

  local status = tonumber(lib.awsm_detector_new(config, #config, secret, #secret, DETECTOR))
  if status ~= OK then
    return failure(status)
  end

  return ffi_gc(DETECTOR[0], free_detector)
end


--- Lets the sessions of `detector` use a vault; the first secret added is written with, all are read with.
-- @return true, or nil, failure name, text
function _M.add_vault_secret(detector, secret)
  local status = tonumber(lib.awsm_detector_add_vault_secret(detector, secret, #secret))
  if status ~= OK then
    return failure(status)
  end

  return true
end


--- Starts one exchange. It goes on as it is when `detector` is collected meanwhile.
-- @return the session, or nil, failure name, text
function _M.session(detector, scope)
  if idle_count == 0 then
    local status = tonumber(lib.awsm_session_new(detector, scope, #scope, SESSION))
    if status ~= OK then
      return failure(status)
    end

    return ffi_gc(SESSION[0], free_session)
  end

  local session = idle[idle_count]
  idle[idle_count] = nil
  idle_count = idle_count - 1
  local status = tonumber(lib.awsm_session_renew(session, detector, scope, #scope))
  if status ~= OK then
    return failure(status)
  end

  return session
end


--- Ends an exchange now instead of at some later garbage collection.
function _M.free(session)
  if idle_count < MAX_IDLE and tonumber(lib.awsm_session_close(session)) == OK then
    idle_count = idle_count + 1
    idle[idle_count] = session
    return
  end

  ffi_gc(session, nil)
  lib.awsm_session_free(session)
end


--- Masks a request body.
-- @param content_encoding of the body, or nil; a coded body is inflated, and the masked one has no coding
-- @return the masked body (`body` itself when nothing had to change), or nil, failure name, text
function _M.mask(session, content_type, body, content_encoding)
  content_encoding = content_encoding or ""
  local status = tonumber(lib.awsm_session_mask(session, content_type, #content_type, content_encoding,
                                                #content_encoding, body, #body, OUT, OUT_LEN))
  if status == OK then
    return ffi_string(OUT[0], OUT_LEN[0])
  end

  if status == UNCHANGED then
    return body
  end

  return failure(status)
end


-- What a call without an input of its own lends, "" when that is nothing.
local function lent(status)
  if status == OK then
    return ffi_string(OUT[0], OUT_LEN[0])
  end

  return status == UNCHANGED and "" or error(last_error())
end


--- Names of the scope's part of the vault, one for each secret, the one to write to first.
function _M.vault_names(session)
  local names = {}
  while true do
    local name = lent(tonumber(lib.awsm_session_vault_name(session, #names, OUT, OUT_LEN)))
    if name == "" then
      return names
    end

    names[#names + 1] = name
  end
end


--- Tokens in the masked request that the session cannot explain, `limit` at most.
-- @return string, one token a line
function _M.unexplained(session, limit)
  return lent(tonumber(lib.awsm_session_unexplained(session, limit, OUT, OUT_LEN)))
end


--- Whether the masked request has the API go on from something that it keeps itself.
function _M.refers_to_state(session)
  return tonumber(lib.awsm_session_refers_to_state(session)) == OK
end


--- Takes over a sealed value of the vault.
-- @param index which of `vault_names` it lay under, from 1
-- @return true, false when the session does not restore that token, or nil, failure name, text
function _M.learn(session, index, token, sealed)
  local status = tonumber(lib.awsm_session_learn(session, index - 1, token, #token, sealed, #sealed))
  if status == OK then
    return true
  end

  if status == UNCHANGED then
    return false
  end

  return failure(status)
end


--- Tokens that the session made and that belong into the vault.
-- @return string, one token a line
function _M.to_store(session)
  return lent(tonumber(lib.awsm_session_to_store(session, OUT, OUT_LEN)))
end


--- The sealed form of what one of `to_store` stands for.
function _M.seal(session, token)
  return lent(tonumber(lib.awsm_session_seal(session, token, #token, OUT, OUT_LEN)))
end


--- Prepares restoring the answer.
-- @return true when every chunk has to go through `restore`, false when the answer passes as it is,
-- or nil, failure name, text
function _M.open_answer(session, content_type, content_encoding)
  local status = tonumber(lib.awsm_session_open_answer(session, content_type, #content_type,
                                                       content_encoding, #content_encoding))
  if status == OK then
    return true
  end

  if status == UNCHANGED then
    return false
  end

  return failure(status)
end


--- Restores one chunk of the answer; `last` flushes what is held back.
-- @return the bytes to send (`chunk` itself when nothing had to change), or nil, failure name, text
function _M.restore(session, chunk, last)
  local status = tonumber(lib.awsm_session_restore(session, chunk, #chunk, last and 1 or 0, OUT, OUT_LEN))
  if status == OK then
    return ffi_string(OUT[0], OUT_LEN[0])
  end

  if status == UNCHANGED then
    return chunk
  end

  return failure(status)
end


--- What is held back of an answer that breaks off.
-- @return the bytes ("" when there are none), or nil, failure name, text
function _M.release(session)
  local status = tonumber(lib.awsm_session_release(session, OUT, OUT_LEN))
  if status == OK then
    return ffi_string(OUT[0], OUT_LEN[0])
  end

  if status == UNCHANGED then
    return ""
  end

  return failure(status)
end


--- What one session did.
-- @return lent until the next call: masked (replaced stretches), distinct (originals), restored and unresolved
-- (tokens); bytes_in, bytes_out (request), answer_bytes_in, answer_bytes_out; mask_microseconds, restore_microseconds
-- (in the library, rounded); or nil, failure name, text
function _M.counts(session)
  local status = tonumber(lib.awsm_session_counts(session, COUNTS))
  if status ~= OK then
    return failure(status)
  end

  return COUNTS[0]
end


-- Map of kind to count, of the array that a call lends.
local function kinds_lent(status)
  if status ~= OK then
    return failure(status)
  end

  local kinds = {}
  for i = 0, tonumber(OUT_LEN[0]) - 1 do
    local kind = KINDS[0][i]
    kinds[ffi_string(kind.name, kind.name_len)] = tonumber(kind.count)
  end

  return kinds
end


--- How many stretches of each kind one session replaced.
-- @return map of kind to count, or nil, failure name, text
function _M.kinds(session)
  return kinds_lent(tonumber(lib.awsm_session_kinds(session, KINDS, OUT_LEN)))
end


--- Has the library add the kinds of one session to what `take_tally` gives.
-- @return true, or nil, failure name, text
function _M.tally(session)
  local status = tonumber(lib.awsm_session_tally(session))
  if status ~= OK then
    return failure(status)
  end

  return true
end


--- What sessions added by `tally` since the last call.
-- @return map of kind to count, or nil, failure name, text
function _M.take_tally()
  return kinds_lent(tonumber(lib.awsm_take_tally(KINDS, OUT_LEN)))
end


--- Detectors of this process that are not freed yet, and sessions that have not ended (for leak checks).
function _M.live_handles()
  return tonumber(lib.awsm_live_handles())
end


lib, load_error = open()


return _M
