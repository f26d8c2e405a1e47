//! What `mock-llm` keeps and goes on from: responses, batches, files; and OpenAI's other endpoints.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod support;

use serde_json::{Value, json};
use support::{Answer, Mock};

const PROMPT: &str = "서버 \"EC2_ABCDEFGH\"를\nSG_ABCD2345 에서 😀";

fn ask(mock: &Mock, headers: &[(&str, &str)], body: &Value) -> Answer {
    let answer = mock.post("/v1/responses", headers, body);
    assert_eq!(answer.status, 200);
    answer
}

#[test]
fn responses_go_on_from_earlier_ones() {
    let mock = Mock::start();
    let first = ask(&mock, &[], &json!({"model": "m-1", "input": "one", "instructions": "be short"})).json();
    assert_eq!(first["output"][0]["content"][0]["text"], "one");
    assert_eq!((&first["instructions"], &first["status"]), (&json!("be short"), &json!("completed")));

    let input = json!([{"role": "user", "content": [{"type": "input_text", "text": "two"}]}]);
    let second = ask(&mock, &[], &json!({"input": input, "previous_response_id": first["id"]})).json();
    assert_eq!(second["output"][0]["content"][0]["text"], "one\ntwo");
    assert_eq!(second["previous_response_id"], first["id"]);

    let path = format!("/v1/responses/{}", second["id"].as_str().unwrap());
    assert_eq!(mock.get(&path).json()["output"], second["output"]);
    assert_eq!(mock.send("DELETE", &path, &[], b"").status, 200);
    assert_eq!(mock.get(&path).status, 404);

    let unkept = ask(&mock, &[], &json!({"input": "x", "store": false})).json();
    let answer = mock.post("/v1/responses", &[], &json!({"input": "x", "previous_response_id": unkept["id"]}));
    assert_eq!((answer.status, answer.json()["error"]["type"].clone()), (400, json!("invalid_request_error")));
}

#[test]
fn responses_stream_numbered_events_that_add_up() {
    let mock = Mock::start();
    for (reply, delta, field) in [
        ("text", "response.output_text.delta", "/item/content/0/text"),
        ("thinking", "response.reasoning_summary_text.delta", "/item/summary/0/text"),
        ("tool", "response.function_call_arguments.delta", "/item/arguments"),
    ] {
        let headers = [("x-mock-reply", reply), ("x-mock-delta", "3")];
        let events = ask(&mock, &headers, &json!({"input": PROMPT, "stream": true})).events();
        for (number, (name, data)) in events.iter().enumerate() {
            assert_eq!(data["sequence_number"], number);
            assert_eq!(data["type"], *name);
        }
        let joined: String =
            events.iter().filter(|(name, _)| name == delta).map(|(_, data)| data["delta"].as_str().unwrap()).collect();
        let items: Vec<_> = events.iter().filter(|(name, _)| name == "response.output_item.done").collect();
        assert!(items.iter().any(|(_, item)| item.pointer(field) == Some(&json!(joined))), "{reply}");
        let (last, completed) = events.last().unwrap();
        assert_eq!(last, "response.completed");
        assert_eq!(completed["response"]["output"].as_array().unwrap().len(), items.len());
    }
}

#[test]
fn reasoning_must_come_back_as_it_was() {
    let mock = Mock::start();
    let given = ask(&mock, &[("x-mock-reply", "thinking")], &json!({"input": PROMPT})).json();
    let mut item = given["output"][0].clone();
    let turns = |item: &Value| json!({"input": [item, {"role": "user", "content": "go on"}]});
    assert_eq!(ask(&mock, &[], &turns(&item)).json()["output"][0]["content"][0]["text"], "go on");
    item["summary"][0]["text"] = json!("other");
    assert_eq!(mock.post("/v1/responses", &[], &turns(&item)).status, 400);
}

#[test]
fn results_of_functions_are_echoed() {
    let mock = Mock::start();
    let input = json!([
        {"role": "user", "content": "q"},
        {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "a"},
        {"type": "function_call_output", "call_id": "d", "output": [{"type": "input_text", "text": "b"}]},
    ]);
    assert_eq!(ask(&mock, &[], &json!({"input": input})).json()["output"][0]["content"][0]["text"], "ab");
}

#[test]
fn bare_prompts_and_embeddings() {
    let mock = Mock::start();
    let whole = mock.post("/v1/completions", &[], &json!({"prompt": ["a", "b"]})).json();
    assert_eq!((&whole["object"], &whole["choices"][0]["text"]), (&json!("text_completion"), &json!("ab")));
    let streamed = mock.post("/v1/completions", &[("x-mock-delta", "2")], &json!({"prompt": PROMPT, "stream": true}));
    let text = String::from_utf8(streamed.body).unwrap();
    assert!(text.ends_with("data: [DONE]\n\n"));
    let chunks = text.split("\n\n").filter_map(|event| serde_json::from_str(event.strip_prefix("data: ")?).ok());
    let joined: String = chunks.map(|chunk: Value| chunk["choices"][0]["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(joined, PROMPT);

    let vectors = |input: Value| mock.post("/v1/embeddings", &[], &json!({"input": input})).json()["data"].clone();
    assert_eq!(vectors(json!(["a", "b"]))[0], vectors(json!("a"))[0]);
    assert_eq!(vectors(json!([1, 2])).as_array().unwrap().len(), 1);
    assert_eq!(mock.post("/v1/embeddings", &[], &json!({})).status, 400);
}

#[test]
fn batches_end_with_results() {
    let mock = Mock::start();
    let one = json!({"custom_id": "a", "params": support::request(false, PROMPT)});
    let bad = json!({"custom_id": "b", "params": {}});
    let created = mock.post("/v1/messages/batches", &[], &json!({"requests": [one, bad]})).json();
    assert_eq!((&created["processing_status"], &created["results_url"]), (&json!("in_progress"), &Value::Null));
    let path = format!("/v1/messages/batches/{}", created["id"].as_str().unwrap());
    let ended = mock.get(&path).json();
    assert_eq!(ended["request_counts"]["succeeded"], 1);
    assert_eq!(ended["results_url"], format!("http://mock{path}/results"));
    let results = mock.get(&format!("{path}/results"));
    assert_eq!(results.header("content-type"), Some("application/x-jsonl"));
    let lines: Vec<Value> =
        String::from_utf8(results.body).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0].pointer("/result/message/content/0/text"), Some(&json!(PROMPT)));
    assert_eq!(lines[1].pointer("/result/type"), Some(&json!("errored")));
}

#[test]
fn files_of_both_vendors_come_back() {
    let mock = Mock::start();
    let form = "--B\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--B\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nhello\r\n--B--\r\n";
    for (version, prefix, name) in [("x-other", "file-mock", "bytes"), ("anthropic-version", "file_mock", "size_bytes")]
    {
        let headers = [(version, "2023-06-01")];
        let file = mock.send_as("multipart/form-data; boundary=B", "/v1/files", &headers, form.as_bytes()).json();
        let id = file["id"].as_str().unwrap();
        assert!(id.starts_with(prefix));
        assert_eq!((&file["filename"], &file[name]), (&json!("a.txt"), &json!(5)));
        assert_eq!(mock.get(&format!("/v1/files/{id}")).json(), file);
        assert_eq!(mock.get(&format!("/v1/files/{id}/content")).body, b"hello");
    }
    assert_eq!(mock.send_as("multipart/form-data; boundary=C", "/v1/files", &[], form.as_bytes()).status, 400);
}
