// libaws_masker: finds AWS identifiers, replaces them by tokens and restores them.
// SPDX-License-Identifier: Apache-2.0

#ifndef AWS_MASKER_H
#define AWS_MASKER_H

// Made from crates/ffi by `make header`. Do not edit.

#include <stddef.h>
#include <stdint.h>

// Version of this interface. Any change of a signature, an enum or a lifetime raises it.
#define AWSM_ABI_VERSION 7

// How a call ended. Numbers are only ever added.
typedef enum {
  // Done; outputs are written.
  AWSM_STATUS_OK = 0,
  // Done, and the input stands as it is; outputs are not written.
  AWSM_STATUS_UNCHANGED = 1,
  // A bug in the library. The session accepts only free.
  AWSM_STATUS_PANIC = 2,
  // A pointer that must not be null was null.
  AWSM_STATUS_NULL_POINTER = 3,
  // The configuration cannot be used; the last error names the field.
  AWSM_STATUS_INVALID_CONFIG = 4,
  // The body is not what its content type says.
  AWSM_STATUS_INVALID_BODY = 5,
  // A content type that cannot be masked.
  AWSM_STATUS_UNSUPPORTED_CONTENT = 6,
  // The body grew over the limit when it was inflated.
  AWSM_STATUS_BODY_TOO_LARGE = 7,
  // The call came out of order.
  AWSM_STATUS_WRONG_STATE = 8,
  // A sealed value does not open: it was made for another scope, token or secret, or somebody changed it.
  AWSM_STATUS_UNSEALABLE = 9,
} awsm_status;

// A compiled configuration. One per plugin instance and worker.
typedef struct awsm_detector awsm_detector;

// A handle for one exchange after the other.
typedef struct awsm_session awsm_session;

// What a session did. The numbers are those that Lua has, whole ones.
typedef struct {
  // Stretches of the request that were replaced.
  double masked;
  // Different originals among them.
  double distinct;
  // Tokens of the answer that were turned back.
  double restored;
  // Texts of the answer that look like tokens and stand for nothing known; an estimate on the low side.
  double unresolved;
  // Size of the request as it came, bytes.
  double bytes_in;
  // Size of the request as it left, bytes.
  double bytes_out;
  // Size of the answer so far as it came, bytes.
  double answer_bytes_in;
  // Size of the answer so far as it left, bytes.
  double answer_bytes_out;
  // Time spent in `awsm_session_mask`.
  double mask_microseconds;
  // Time spent in `awsm_session_restore`, all chunks together.
  double restore_microseconds;
} awsm_counts;

// How many stretches of one kind were replaced.
typedef struct {
  // Name of the kind, as in the catalog or of a custom pattern.
  const uint8_t *name;
  // Bytes of the name.
  size_t name_len;
  // Stretches.
  uint64_t count;
} awsm_kind_count;

// Version of this interface, to be compared with `AWSM_ABI_VERSION` of the header that the caller was written for.
uint32_t awsm_abi_version(void);

// Number of detectors that are not freed yet and of sessions that are neither closed nor freed, in this process.
uint64_t awsm_live_handles(void);

// What went wrong in the last call of this thread that did not succeed. Never holds a byte of a body.
//
// # Lifetimes
// The text is lent until the next call of this thread that fails.
//
// # Safety
// - `out` and `out_len` are valid for writes.
awsm_status awsm_last_error(const uint8_t **out, size_t *out_len);

// Compiles a configuration.
//
// `config` is a JSON object; all members are optional: `categories`, `exclude_kinds`, `custom_patterns`,
// `custom_terms`, `allow_list`, `preserve_structure`, `restore_credentials`, `dry_run`,
// `max_request_body_size` (bytes, of the inflated body), `scan_cache_size` (bytes that the detector may use to remember where
// it found something; 0 is none), `unsupported_content` (`block` or `allow`). `secret` is what tokens are
// keyed with, 16 bytes or more.
//
// Gives `InvalidConfig` when a field cannot be used; the last error names it.
//
// # Lifetimes
// The detector lives until `awsm_detector_free`. Both inputs are copied.
//
// # Safety
// - `config` and `secret` are valid for reads of their lengths, or null with length 0.
// - `out` is valid for writes.
awsm_status awsm_detector_new(const uint8_t *config,
                              size_t config_len,
                              const uint8_t *secret,
                              size_t secret_len,
                              awsm_detector **out);

// Frees a detector; null is nothing. Sessions made from it live on.
//
// # Safety
// - `detector` is null, or came from `awsm_detector_new` and was not freed.
void awsm_detector_free(awsm_detector *detector);

// Opens a session whose tokens belong to `scope`: any text that names who owns them. It is wiped with the session.
//
// # Lifetimes
// The session lives until `awsm_session_free`, also when the detector is freed before. `scope` is not kept.
//
// # Safety
// - `detector` is live.
// - `scope` is valid for reads of `scope_len` bytes, or null with length 0.
// - `out` is valid for writes.
awsm_status awsm_session_new(const awsm_detector *detector,
                             const uint8_t *scope,
                             size_t scope_len,
                             awsm_session **out);

// Ends the exchange. What the session knew is wiped; it accepts only renew, close and free. Closing again is nothing.
//
// # Safety
// - `session` is live and not used by another call.
awsm_status awsm_session_close(awsm_session *session);

// Begins another exchange, as if the session were freed and made anew. That is for hosts in which to make a handle
// costs more than the session: a finalizer in LuaJIT is an entry in a table of all of them.
//
// # Lifetimes
// As for `awsm_session_new`.
//
// # Safety
// - `session` is live and not used by another call.
// - `detector` is live.
// - `scope` is valid for reads of `scope_len` bytes, or null with length 0.
awsm_status awsm_session_renew(awsm_session *session,
                               const awsm_detector *detector,
                               const uint8_t *scope,
                               size_t scope_len);

// Frees a session; null is nothing. What it knew is wiped.
//
// # Safety
// - `session` is null, or came from `awsm_session_new` and was not freed.
void awsm_session_free(awsm_session *session);

// Masks a request body.
//
// `content_type` is the value of the header; empty means JSON if the body looks like it, else text. A body with a
// `content_encoding` (gzip, deflate) is inflated first, and the result has none.
//
// Gives `Unchanged` when the body stands as it is, coding and all; `UnsupportedContent` for types and codings that
// cannot be masked; `InvalidBody` for a body that is not what its type or coding says; `BodyTooLarge` when it grows over
// `max_request_body_size`.
//
// # Lifetimes
// The result is lent until the next call on this session.
//
// # Safety
// - `session` is live and not used by another call.
// - `content_type`, `content_encoding` and `body` are valid for reads of their lengths, or null with length 0.
// - `out` and `out_len` are valid for writes.
awsm_status awsm_session_mask(awsm_session *session,
                              const uint8_t *content_type,
                              size_t content_type_len,
                              const uint8_t *content_encoding,
                              size_t content_encoding_len,
                              const uint8_t *body,
                              size_t body_len,
                              const uint8_t **out,
                              size_t *out_len);

// Prepares for an answer, by the values of its headers.
//
// Gives `Unchanged` when nothing in it can change: no tokens are known, or its type or coding cannot be read. Its
// bytes are then passed as they are. Gives `Ok` when each chunk has to go through `awsm_session_restore`, which gives
// bytes without a coding.
//
// # Safety
// - `session` is live and not used by another call.
// - `content_type` and `content_encoding` are valid for reads of their lengths, or null with length 0.
awsm_status awsm_session_open_answer(awsm_session *session,
                                     const uint8_t *content_type,
                                     size_t content_type_len,
                                     const uint8_t *content_encoding,
                                     size_t content_encoding_len);

// Restores the next bytes of the answer. `last` is not 0 with the last of them and gives out what was held back.
//
// Gives `Unchanged` when the chunk is to be passed as it is, else the bytes to pass instead, which may be none.
// `InvalidBody` says that an answer with a coding cannot be read on: what is left of it is to be cut off.
//
// # Lifetimes
// The result is lent until the next call on this session.
//
// # Safety
// - `session` is live and not used by another call.
// - `chunk` is valid for reads of `chunk_len` bytes, or null with length 0.
// - `out` and `out_len` are valid for writes.
awsm_status awsm_session_restore(awsm_session *session,
                                 const uint8_t *chunk,
                                 size_t chunk_len,
                                 uint32_t last,
                                 const uint8_t **out,
                                 size_t *out_len);

// Gives out what was held back of an answer that breaks off: the upstream is gone in the middle of it.
//
// Gives `Unchanged` when nothing was held back.
//
// # Lifetimes
// The result is lent until the next call on this session.
//
// # Safety
// - `session` is live and not used by another call.
// - `out` and `out_len` are valid for writes.
awsm_status awsm_session_release(awsm_session *session, const uint8_t **out, size_t *out_len);

// What the session did so far.
//
// # Safety
// - `session` is live and not used by another call.
// - `out` is valid for writes.
awsm_status awsm_session_counts(awsm_session *session, awsm_counts *out);

// Which kinds were replaced and how often, in no particular order.
//
// # Lifetimes
// The array is lent until the next call on this session, the names until its free.
//
// # Safety
// - `session` is live and not used by another call.
// - `out` and `out_len` are valid for writes.
awsm_status awsm_session_kinds(awsm_session *session, const awsm_kind_count **out, size_t *out_len);

// Adds what `awsm_session_kinds` tells of a session to the counts of the process. To be called once for an exchange.
//
// # Safety
// - `session` is live and not used by another call.
awsm_status awsm_session_tally(awsm_session *session);

// What sessions added by `awsm_session_tally` since the last call of this, in any thread: names of kinds, and how many
// stretches of each were replaced.
//
// # Lifetimes
// The array and the names are lent until the next call of this function in this thread.
//
// # Safety
// - `out` and `out_len` are valid for writes.
awsm_status awsm_take_tally(const awsm_kind_count **out,
                            size_t *out_len);

// Lets the sessions that are opened from now on use a vault under `secret`, 16 bytes or more.
//
// The first secret added is written with; all of them read. Gives `InvalidConfig` for one that is too short.
//
// # Lifetimes
// The secret is not kept.
//
// # Safety
// - `detector` is live and not used by another call.
// - `secret` is valid for reads of `secret_len` bytes, or null with length 0.
awsm_status awsm_detector_add_vault_secret(awsm_detector *detector, const uint8_t *secret, size_t secret_len);

// The name under which the scope's mappings lie that were sealed with the secret at `index`, counted from 0.
//
// Gives `Unchanged` when there is no such secret.
//
// # Lifetimes
// The result is lent until the next call on this session.
//
// # Safety
// - `session` is live and not used by another call.
// - `out` and `out_len` are valid for writes.
awsm_status awsm_session_vault_name(awsm_session *session,
                                    size_t index,
                                    const uint8_t **out,
                                    size_t *out_len);

// Tokens in the masked request that this session cannot explain, each followed by a line feed; at most `limit`.
//
// Gives `Unchanged` when there are none.
//
// # Lifetimes
// The result is lent until the next call on this session.
//
// # Safety
// - `session` is live and not used by another call.
// - `out` and `out_len` are valid for writes.
awsm_status awsm_session_unexplained(awsm_session *session,
                                     size_t limit,
                                     const uint8_t **out,
                                     size_t *out_len);

// Tells whether the masked request has the API go on from something that it keeps itself, so that its answer may hold
// tokens that are not in the request: `Ok` when it does, `Unchanged` when not.
//
// # Safety
// - `session` is live and not used by another call.
awsm_status awsm_session_refers_to_state(awsm_session *session);

// Takes over a sealed value that lay under `token` at the name of the secret at `index`.
//
// Gives `Unchanged` when the session restores no such token, and `Unsealable` when the value does not open.
//
// # Safety
// - `session` is live and not used by another call.
// - `token` and `sealed` are valid for reads of their lengths, or null with length 0.
awsm_status awsm_session_learn(awsm_session *session,
                               size_t index,
                               const uint8_t *token,
                               size_t token_len,
                               const uint8_t *sealed,
                               size_t sealed_len);

// Tokens that the session made and that belong into the vault, each followed by a line feed.
//
// Gives `Unchanged` when there are none.
//
// # Lifetimes
// The result is lent until the next call on this session.
//
// # Safety
// - `session` is live and not used by another call.
// - `out` and `out_len` are valid for writes.
awsm_status awsm_session_to_store(awsm_session *session, const uint8_t **out, size_t *out_len);

// The sealed form of what `token`, one of `awsm_session_to_store`, stands for.
//
// Gives `Unchanged` for other tokens.
//
// # Lifetimes
// The result is lent until the next call on this session.
//
// # Safety
// - `session` is live and not used by another call.
// - `token` is valid for reads of `token_len` bytes, or null with length 0.
// - `out` and `out_len` are valid for writes.
awsm_status awsm_session_seal(awsm_session *session,
                              const uint8_t *token,
                              size_t token_len,
                              const uint8_t **out,
                              size_t *out_len);

#endif  /* AWS_MASKER_H */
