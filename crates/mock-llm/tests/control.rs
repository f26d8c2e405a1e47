//! What `mock-llm` remembers, and how it starts and stops.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod support;

use std::io::{Read as _, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use support::{Mock, head, request};

const MIB: usize = 1024 * 1024;

#[test]
fn records_requests_as_they_came() {
    let mock = Mock::start();
    assert_eq!(mock.get("/__mock/health").json(), json!({"status": "ok"}));
    assert_eq!(mock.get("/__mock/requests").json(), json!([]));
    assert_eq!(mock.get("/__mock/requests/last").status, 404);

    let body = b"{\"messages\": [],  \"x\": \"\xff\xec\x84\x9c\"}";
    mock.send("POST", "/v1/messages?beta=true&q=%41", &[("X-One", "1"), ("x-one", "2")], body);
    mock.get("/v1/models");
    let list = mock.get("/__mock/requests").json();
    assert_eq!(list.as_array().unwrap().len(), 2);
    let first = &list[0];
    assert_eq!((&first["seq"], &first["method"]), (&json!(1), &json!("POST")));
    assert_eq!((&first["path"], &first["query"]), (&json!("/v1/messages"), &json!("beta=true&q=%41")));
    assert_eq!(first["headers"]["x-one"], "1, 2");
    assert_eq!(first["headers"]["host"], "mock");
    assert_eq!(first["bytes"], body.len());
    assert_eq!(first["body"], String::from_utf8_lossy(body).into_owned());
    assert_eq!(STANDARD.decode(first["body_base64"].as_str().unwrap()).unwrap(), body);
    assert_eq!(list[1]["path"], "/v1/models");

    assert_eq!(mock.get("/__mock/requests/last").json(), list[1]);
    assert_eq!(mock.get("/__mock/requests/1").json(), list[0]);
    assert_eq!(mock.get("/__mock/requests/1/body").body, body);
    assert_eq!(mock.get("/__mock/requests?since=1").json(), json!([list[1]]));
    assert_eq!(mock.get("/__mock/requests?after=1").status, 400);
    assert_eq!(mock.get("/__mock/count").json(), json!({"count": 2, "recorded": 2}));

    assert_eq!(mock.send("DELETE", "/__mock/requests", &[], b"").status, 204);
    assert_eq!(mock.get("/__mock/count").json(), json!({"count": 0, "recorded": 0}));
    mock.get("/v1/models");
    assert_eq!(mock.get("/__mock/requests/last").json()["seq"], 3);
    assert_eq!(mock.get("/__mock/nothing").status, 404);
}

#[test]
fn answers_are_fixed_by_path() {
    let mock = Mock::start();
    let setting = json!({"path": "/v1/responses/resp_1", "content_type": "application/json", "body": "{\"a\": 1}"});
    assert_eq!(mock.send("POST", "/__mock/answers", &[], setting.to_string().as_bytes()).status, 204);
    let answer = mock.get("/v1/responses/resp_1?include=all");
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"{\"a\": 1}"[..]));
    assert_eq!(mock.get("/v1/responses/resp_2").status, 404);
    assert_eq!(mock.get("/__mock/requests").json().as_array().unwrap().len(), 2);

    let unknown = json!({"path": "/", "content_type": "image/png", "body": ""});
    assert_eq!(mock.send("POST", "/__mock/answers", &[], unknown.to_string().as_bytes()).status, 400);
    assert_eq!(mock.send("POST", "/__mock/answers", &[], b"{}").status, 400);

    assert_eq!(mock.send("DELETE", "/__mock/answers", &[], b"").status, 204);
    assert_eq!(mock.get("/v1/responses/resp_1").status, 404);
}

#[test]
fn record_no_leaves_no_trace_but_the_count() {
    let mock = Mock::start();
    let answer = mock.messages(&[("x-mock-record", "no")], false, "abc");
    assert_eq!(answer.json()["content"][0]["text"], "abc");
    assert_eq!(mock.get("/__mock/count").json(), json!({"count": 1, "recorded": 0}));
}

#[test]
fn compressed_requests_are_read() {
    let mock = Mock::start();
    mock.post("/__mock/originals", &[], &json!(["i-0abc"]));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(request(false, "see i-0abc").to_string().as_bytes()).unwrap();
    let body = gzip.finish().unwrap();
    let answer = mock.send("POST", "/v1/messages", &[("content-encoding", "gzip")], &body);
    assert_eq!(answer.json()["content"][0]["text"], "see i-0abc");
    let last = mock.get("/__mock/requests/last").json();
    assert_eq!(last["bytes"], body.len());
    assert!(last["body"].as_str().unwrap().contains("i-0abc"));
    assert_eq!(mock.get("/__mock/leaks").json()["leaks"], 1);
}

#[test]
fn counts_leaks_of_registered_originals() {
    let mock = Mock::start();
    mock.messages(&[], false, "i-0abc");
    let add = |originals: Value| mock.post("/__mock/originals", &[], &originals);
    assert_eq!(add(json!(["i-0abc", "10.0.0.1"])).json(), json!({"originals": 2}));
    assert_eq!(add(json!(["키/값"])).json(), json!({"originals": 3}));
    assert_eq!(add(json!([""])).status, 400);
    assert_eq!(add(json!({"a": 1})).status, 400);

    mock.messages(&[], false, "EC2_ABCDEFGH");
    assert_eq!(mock.get("/__mock/leaks").json(), json!({"leaks": 0, "checked": 1, "samples": []}));

    mock.messages(&[("x-mock-record", "no"), ("x-note", "at 10.0.0.1")], false, "i-0abc, i-0abc");
    mock.send("POST", "/v1/messages", &[], br#"{"messages":[{"role":"user","content":"\ud0a4\/\uac12"}]}"#);
    mock.get("/v1/models?q=%ED%82%A4%2F%EA%B0%92");
    let leaks = mock.get("/__mock/leaks").json();
    assert_eq!((&leaks["leaks"], &leaks["checked"]), (&json!(4), &json!(4)));
    assert_eq!(
        leaks["samples"],
        json!([
            {"seq": 3, "index": 1, "place": "x-note"},
            {"seq": 3, "index": 0, "place": "body"},
            {"seq": 4, "index": 2, "place": "body"},
            {"seq": 5, "index": 2, "place": "path"},
        ])
    );
    assert_eq!(mock.send("DELETE", "/__mock/originals", &[], b"").status, 204);
    mock.messages(&[], false, "i-0abc");
    assert_eq!(mock.get("/__mock/leaks").json(), json!({"leaks": 0, "checked": 0, "samples": []}));
}

#[test]
fn keeps_what_fits_into_its_memory() {
    let mock = Mock::start();
    let body = vec![b'x'; 100 * MIB];
    for _ in 0..3 {
        assert_eq!(mock.send("POST", "/v1/messages", &[], &body).status, 400);
    }
    assert_eq!(mock.get("/__mock/count").json(), json!({"count": 3, "recorded": 2}));
    assert_eq!(mock.get("/__mock/requests/1/body").status, 404);
    assert!(mock.get("/__mock/requests/3/body").body == body);
}

#[test]
fn takes_bodies_up_to_its_limit() {
    let mock = Mock::start();
    let answer = mock.messages(&[], false, &"x".repeat(20 * MIB));
    assert_eq!(answer.json()["content"][0]["text"].as_str().unwrap().len(), 20 * MIB);

    let answer = mock.send("POST", "/v1/messages", &[], &vec![b'x'; 256 * MIB + 1]);
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["error"]["type"], "request_too_large");
    assert_eq!(mock.get("/__mock/count").json(), json!({"count": 2, "recorded": 1}));
}

#[test]
fn reads_chunked_requests_and_waits_for_continue() {
    let mock = Mock::start();
    let mut stream = mock.connect();
    stream
        .write_all(
            b"POST /v1/messages HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\
              transfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n",
        )
        .unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    for part in ["{\"messages\":[{\"role\":\"user\",", "\"content\":\"abc\"}]}"] {
        stream.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\"text\":\"abc\""));
}

#[test]
fn fast_answers_without_reading_the_prompt() {
    let mock = Mock::start_with(&["--fast", "--workers", "1"]);
    for body in ["", "not JSON", &request(true, "abc").to_string()] {
        let answer = mock.send("POST", "/v1/messages", &[("x-mock-reply", "error")], body.as_bytes());
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["content"][0]["text"], "ok");
        assert!(answer.header("content-length").is_some());
    }
    assert_eq!(mock.get("/__mock/health").status, 200);
    assert_eq!(mock.get("/__mock/count").json(), json!({"count": 3, "recorded": 0}));
}

#[test]
fn says_where_it_listens() {
    let file = std::env::temp_dir().join(format!("mock-llm-port-{}", std::process::id()));
    let mock = Mock::start_with(&["--port-file", file.to_str().unwrap()]);
    assert_eq!(mock.first_line, format!("listening on http://127.0.0.1:{}\n", mock.port));
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), mock.port.to_string());
    std::fs::remove_file(&file).unwrap();

    let taken = format!("127.0.0.1:{}", mock.port);
    let second = Command::new(env!("CARGO_BIN_EXE_mock-llm")).args(["--listen", &taken]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8(second.stderr).unwrap().starts_with("mock-llm: "));
}

#[test]
fn stops_on_signals_and_finishes_what_it_started() {
    for signal in ["-TERM", "-INT"] {
        let mut mock = Mock::start();
        let body = request(true, "0123456789").to_string();
        let headers = [("x-mock-delta", "1"), ("x-mock-delay-ms", "30")];
        let mut stream = mock.connect();
        stream.write_all(&head("POST", "/v1/messages", &headers, body.len())).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        stream.read_exact(&mut [0; 64]).unwrap();

        let start = Instant::now();
        let pid = mock.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert!(rest.contains("message_stop") && rest.ends_with("0\r\n\r\n"));
        assert!(mock.child.wait().unwrap().success());
        assert!(start.elapsed() < Duration::from_secs(3));
    }
}
