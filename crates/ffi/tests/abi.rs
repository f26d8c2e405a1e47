//! The C ABI, as LuaJIT sees it: the built library, called through the plugin's own declarations.
#![allow(clippy::unwrap_used)]

mod support;

use support::Worker;

#[test]
fn masks_and_restores() {
    Worker::new().with_clib().run::<()>(
        r#"
        local detector = assert(clib.detector("{}", SECRET))
        local session = assert(clib.session(detector, "consumer:1"))
        local masked = assert(clib.mask(session, JSON, BODY))
        assert(not masked:find("i-0f3a9c27be41d8056", 1, true) and not masked:find("vpc-04", 1, true), masked)
        assert(clib.open_answer(session, JSON, ""))
        local restored = ""
        for i = 1, #masked do
          restored = restored .. clib.restore(session, masked:sub(i, i), i == #masked)
        end
        assert(restored == BODY, restored)
        clib.free(session)
        assert(detector)
        "#,
    );
}

#[test]
fn the_cases_of_the_core_are_masked_as_written() {
    let cases = include_str!("../../core/testdata/cases.json");
    let cases: Vec<serde_json::Value> = serde_json::from_str(cases).unwrap();
    let worker = Worker::new().with_clib();
    worker.run::<()>(
        r#"
        local detector = assert(clib.detector("{}", SECRET))
        function masked(type, body)
          local session = assert(clib.session(detector, "s"))
          local seen, count = {}, {}
          return (assert(clib.mask(session, type, body)):gsub("(%u[%u%d]+)_([A-Z2-7]+)", function(label, code)
            local token = label .. "_" .. code
            if not seen[token] then
              count[label] = (count[label] or 0) + 1
              seen[token] = label .. '#' .. count[label]
            end
            return seen[token]
          end))
        end
        "#,
    );
    let lua_quoted = |text: &str| -> String { text.bytes().map(|byte| format!("\\{byte:03}")).collect() };
    for case in &cases {
        let text = |member: &str| case[member].as_str().unwrap();
        let call = format!(r#"return masked("{}", "{}")"#, lua_quoted(text("type")), lua_quoted(text("input")));
        assert_eq!(worker.run::<String>(&call), text("masked"), "{}: {}", text("name"), text("why"));
    }
    assert!(cases.len() > 40);
}

#[test]
fn results_are_lent_until_the_next_call_on_the_same_session() {
    Worker::new().with_library().run::<()>(
        r#"
        local one = new_session()
        local other = new_session()
        assert(status(lib.awsm_session_mask(one, JSON, #JSON, nil, 0, BODY, #BODY, OUT, LEN)) == "OK")
        local lent, len = OUT[0], LEN[0]
        local copy = ffi.string(lent, len)
        -- calls on other handles, and failures, leave it alone
        assert(status(lib.awsm_session_mask(other, JSON, #JSON, nil, 0, BODY:rep(3), #BODY, OUT, LEN)) == "OK")
        assert(status(lib.awsm_session_mask(nil, JSON, #JSON, nil, 0, BODY, #BODY, OUT, LEN)) == "NULL_POINTER")
        assert(ffi.string(lent, len) == copy)
        -- the next call on the same one may reuse the memory, with another length
        local answer = copy:rep(2)
        assert(status(lib.awsm_session_open_answer(one, "text/plain", 10, "", 0)) == "OK")
        assert(status(lib.awsm_session_restore(one, answer, #answer, 1, OUT, LEN)) == "OK")
        assert(ffi.string(OUT[0], LEN[0]) == BODY:rep(2))
        lib.awsm_session_free(one)
        lib.awsm_session_free(other)
        "#,
    );
}

#[test]
fn outputs_are_written_only_on_success() {
    Worker::new().with_library().run::<()>(
        r#"
        local session = new_session()
        local marker = ffi.cast("const uint8_t *", 0x10)
        local function untouched(wanted, got)
          assert(status(got) == wanted, status(got))
          assert(OUT[0] == marker and LEN[0] == 7)
        end
        OUT[0], LEN[0] = marker, 7
        local clean, broken = '{"a":1}', '{"a":"i-0f3a9c27be41d8056'
        untouched("UNCHANGED", lib.awsm_session_mask(session, JSON, #JSON, nil, 0, clean, #clean, OUT, LEN))
        untouched("INVALID_BODY", lib.awsm_session_mask(session, JSON, #JSON, nil, 0, broken, #broken, OUT, LEN))
        untouched("UNSUPPORTED_CONTENT", lib.awsm_session_mask(session, "image/png", 9, nil, 0, BODY, #BODY, OUT, LEN))
        untouched("WRONG_STATE", lib.awsm_session_restore(session, BODY, #BODY, 1, OUT, LEN))
        DETECTOR[0] = nil
        local bad = '{"categories":["nonsense"]}'
        assert(status(lib.awsm_detector_new(bad, #bad, SECRET, #SECRET, DETECTOR)) == "INVALID_CONFIG")
        assert(DETECTOR[0] == nil)
        "#,
    );
}

#[test]
fn null_pointers_are_refused_wherever_they_stand() {
    Worker::new().with_library().run::<()>(
        r#"
        local session, detector = new_session()
        local function null(what, got)
          assert(status(got) == "NULL_POINTER", what .. ": " .. status(got))
          assert(last_error():find("null pointer", 1, true), last_error())
        end
        null("config", lib.awsm_detector_new(nil, 2, SECRET, #SECRET, DETECTOR))
        null("secret", lib.awsm_detector_new("{}", 2, nil, 16, DETECTOR))
        null("detector out", lib.awsm_detector_new("{}", 2, SECRET, #SECRET, nil))
        null("detector", lib.awsm_session_new(nil, "s", 1, SESSION))
        null("scope", lib.awsm_session_new(detector, nil, 1, SESSION))
        null("session out", lib.awsm_session_new(detector, "s", 1, nil))
        null("session", lib.awsm_session_mask(nil, JSON, #JSON, nil, 0, BODY, #BODY, OUT, LEN))
        null("type", lib.awsm_session_mask(session, nil, 1, nil, 0, BODY, #BODY, OUT, LEN))
        null("coding", lib.awsm_session_mask(session, JSON, #JSON, nil, 1, BODY, #BODY, OUT, LEN))
        null("body", lib.awsm_session_mask(session, JSON, #JSON, nil, 0, nil, 1, OUT, LEN))
        null("out", lib.awsm_session_mask(session, JSON, #JSON, nil, 0, BODY, #BODY, nil, LEN))
        null("out_len", lib.awsm_session_mask(session, JSON, #JSON, nil, 0, BODY, #BODY, OUT, nil))
        null("open", lib.awsm_session_open_answer(nil, JSON, #JSON, "", 0))
        null("open type", lib.awsm_session_open_answer(session, nil, 4, "", 0))
        null("open coding", lib.awsm_session_open_answer(session, JSON, #JSON, nil, 4))
        null("restore", lib.awsm_session_restore(nil, "x", 1, 1, OUT, LEN))
        null("chunk", lib.awsm_session_restore(session, nil, 1, 1, OUT, LEN))
        null("restore out", lib.awsm_session_restore(session, "x", 1, 1, nil, LEN))
        null("restore len", lib.awsm_session_restore(session, "x", 1, 1, OUT, nil))
        null("release", lib.awsm_session_release(nil, OUT, LEN))
        null("release out", lib.awsm_session_release(session, nil, LEN))
        null("release len", lib.awsm_session_release(session, OUT, nil))
        null("close", lib.awsm_session_close(nil))
        null("renew", lib.awsm_session_renew(nil, detector, "s", 1))
        null("renew detector", lib.awsm_session_renew(session, nil, "s", 1))
        null("renew scope", lib.awsm_session_renew(session, detector, nil, 1))
        null("counts", lib.awsm_session_counts(nil, ffi.new("awsm_counts[1]")))
        null("counts out", lib.awsm_session_counts(session, nil))
        assert(status(lib.awsm_last_error(nil, LEN)) == "NULL_POINTER")
        assert(status(lib.awsm_last_error(OUT, nil)) == "NULL_POINTER")
        -- freeing nothing is nothing
        lib.awsm_session_free(nil)
        lib.awsm_detector_free(nil)
        "#,
    );
}

#[test]
fn null_with_length_0_is_empty() {
    Worker::new().with_library().run::<()>(
        r#"
        assert(status(lib.awsm_detector_new(nil, 0, SECRET, #SECRET, DETECTOR)) == "OK")
        assert(status(lib.awsm_session_new(DETECTOR[0], nil, 0, SESSION)) == "OK")
        local session = SESSION[0]
        assert(status(lib.awsm_session_mask(session, nil, 0, nil, 0, nil, 0, OUT, LEN)) == "UNCHANGED")
        assert(status(lib.awsm_session_mask(session, nil, 0, nil, 0, BODY, #BODY, OUT, LEN)) == "OK")
        assert(status(lib.awsm_session_open_answer(session, nil, 0, nil, 0)) == "OK")
        assert(status(lib.awsm_session_open_answer(session, JSON, #JSON, nil, 0)) == "OK")
        assert(status(lib.awsm_session_restore(session, nil, 0, 1, OUT, LEN)) == "UNCHANGED")
        "#,
    );
}

#[test]
fn wrong_arguments_are_refused_with_a_text_that_says_which() {
    Worker::new().with_library().run::<()>(
        r#"
        local function refused(config, secret, word)
          assert(status(lib.awsm_detector_new(config, #config, secret, #secret, DETECTOR)) == "INVALID_CONFIG", config)
          assert(last_error():find(word, 1, true), last_error())
        end
        refused("{}", "short", "token_secret")
        refused("not JSON", SECRET, "expected")
        refused('{"categories":["nonsense"]}', SECRET, "categories")
        refused('{"exclude_kinds":["nonsense"]}', SECRET, "exclude_kinds")
        refused('{"custom_patterns":[{"name":"n","label":"N1","regex":"("}]}', SECRET, "custom_patterns")
        refused('{"dry_run":"yes"}', SECRET, "bool")
        refused('{"custom_terms":["\255"]}', SECRET, "unicode")
        -- LuaJIT keeps the handles apart by their types
        local session, detector = new_session()
        local mixed = pcall(lib.awsm_session_mask, detector, JSON, #JSON, nil, 0, BODY, #BODY, OUT, LEN)
        assert(not mixed)
        assert(not pcall(lib.awsm_session_free, detector))
        "#,
    );
}

#[test]
fn errors_hold_nothing_of_a_body() {
    Worker::new().with_clib().run::<()>(
        r#"
        local detector = assert(clib.detector("{}", SECRET))
        local session = assert(clib.session(detector, "s"))
        for cut = 1, #BODY - 1 do
          local masked, _, why = clib.mask(session, JSON, BODY:sub(1, cut))
          if not masked then
            assert(not why:find("i-0f3a", 1, true) and not why:find("text", 1, true), why)
          end
        end
        "#,
    );
}

#[test]
fn open_handles_are_counted_until_they_are_collected() {
    Worker::new().with_clib().run::<()>(
        r#"
        assert(clib.live_handles() == 0)
        local function traffic()
          local detector = assert(clib.detector("{}", SECRET))
          for i = 1, 200 do
            local session = assert(clib.session(detector, "consumer:" .. i))
            assert(clib.mask(session, JSON, BODY) ~= BODY)
            if i % 2 == 0 then
              clib.free(session)
            end
          end
          assert(clib.live_handles() > 0)
        end
        for _ = 1, 5 do
          traffic()
        end
        collectgarbage()
        collectgarbage()
        assert(clib.live_handles() == 0, clib.live_handles())
        "#,
    );
}

#[test]
fn a_session_outlives_its_detector() {
    Worker::new().with_library().run::<()>(
        r#"
        local session, detector = new_session()
        lib.awsm_detector_free(detector)
        assert(status(lib.awsm_session_mask(session, JSON, #JSON, nil, 0, BODY, #BODY, OUT, LEN)) == "OK")
        assert(tonumber(lib.awsm_live_handles()) == 1)
        lib.awsm_session_free(session)
        assert(tonumber(lib.awsm_live_handles()) == 0)
        "#,
    );
}

#[test]
fn a_state_that_closes_frees_its_handles() {
    let worker = Worker::new().with_clib();
    let folder = worker.folder().to_path_buf();
    worker.run::<()>(
        r#"
        detector = assert(clib.detector("{}", SECRET))
        session = assert(clib.session(detector, "s"))
        assert(clib.live_handles() == 2)
        "#,
    );
    // another state of the same process, as the next configuration of nginx has
    let other = Worker::new();
    other.run::<()>(&format!(r#"LIVE = ffi.load("{}/libaws_masker.so").awsm_live_handles"#, folder.display()));
    assert_eq!(other.run::<u64>("return tonumber(LIVE())"), 2);
    drop(worker);
    assert_eq!(other.run::<u64>("return tonumber(LIVE())"), 0);
}

#[test]
fn bodies_may_hold_any_byte() {
    Worker::new().with_clib().run::<()>(
        r#"
        local detector = assert(clib.detector("{}", SECRET))
        local session = assert(clib.session(detector, "\0\255"))
        local bytes = {}
        for i = 0, 255 do
          bytes[#bytes + 1] = string.char(i)
        end
        local body = table.concat(bytes) .. " i-0f3a9c27be41d8056 " .. table.concat(bytes)
        local masked = clib.mask(session, "text/plain", body)
        assert(#masked < #body and not masked:find("i-0f3a9c27be41d8056", 1, true))
        assert(clib.open_answer(session, "text/plain", ""))
        assert(clib.restore(session, masked, true) == body)
        "#,
    );
}
