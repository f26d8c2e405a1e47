//! Answers that come in pieces: what the client reads does not depend on where they are cut.
#![allow(clippy::string_slice, clippy::unwrap_used)]

mod support;

use aws_masker_core::session::Session;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use support::body::{Spelling, json as any_input};
use support::identifier::text;
use support::{cases, mask, restore, restore_cut, session};

const JSON: &str = "application/json";
const SSE: &str = "text/event-stream; charset=utf-8";

/// A text and a tool's input as the upstream gets them.
struct Exchange {
    session: Session,
    text: String,
    input: String,
}

fn exchange(text: &str, input: &Value) -> Exchange {
    let request = json!({ "model": "m", "messages": [{ "role": "user", "content": [
        { "type": "text", "text": text },
        { "type": "tool_use", "id": "toolu_1", "name": "n", "input": input },
    ]}]});
    let mut session = session();
    let masked: Value = serde_json::from_slice(&mask(&mut session, JSON, request.to_string().as_bytes())).unwrap();
    let content = &masked["messages"][0]["content"];
    Exchange { text: content[0]["text"].as_str().unwrap().to_string(), input: content[1]["input"].to_string(), session }
}

/// Cuts between characters.
fn pieces<'t>(text: &'t str, cuts: &[Index]) -> Vec<&'t str> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
    at.iter_mut().for_each(|at| *at = (0..=*at).rev().find(|&i| text.is_char_boundary(i)).unwrap());
    at.extend([0, text.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// The stream of the Messages API that says `text` in block 0 and calls a tool with `input` in block 1, the deltas of
/// the two in turns where `mixed`.
fn stream(text: &[&str], input: &[&str], mixed: bool) -> String {
    let delta = |index: usize, kind: &str, field: &str, said: &str| {
        event(
            "content_block_delta",
            &json!({ "type": "content_block_delta", "index": index, "delta": { "type": kind, field: said } }),
        )
    };
    let start = |index: usize, block: Value| {
        event("content_block_start", &json!({ "type": "content_block_start", "index": index, "content_block": block }))
    };
    let stop = |index: usize| event("content_block_stop", &json!({ "type": "content_block_stop", "index": index }));
    let texts = text.iter().map(|said| delta(0, "text_delta", "text", said));
    let inputs = input.iter().map(|said| delta(1, "input_json_delta", "partial_json", said));

    let mut out =
        event("message_start", &json!({ "type": "message_start", "message": { "id": "msg_1", "content": [] } }));
    out += &start(0, json!({ "type": "text", "text": "" }));
    out += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    if mixed {
        out += &start(1, json!({ "type": "tool_use", "id": "toolu_1", "name": "n", "input": {} }));
        let (mut texts, mut inputs) = (texts.fuse(), inputs.fuse());
        loop {
            let (text, input) = (texts.next(), inputs.next());
            if text.is_none() && input.is_none() {
                break;
            }
            out.extend(text);
            out.extend(input);
        }
        out += &(stop(0) + &stop(1));
    } else {
        out.extend(texts);
        out += &(stop(0) + &start(1, json!({ "type": "tool_use", "id": "toolu_1", "name": "n", "input": {} })));
        out.extend(inputs);
        out += &stop(1);
    }
    out += &event("message_delta", &json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" } }));
    out + &event("message_stop", &json!({ "type": "message_stop" }))
}

/// What a client makes of a stream: the text and the tool's input. Checks that events come in the order of the API.
fn read(stream: &[u8]) -> (String, String) {
    let (mut text, mut input) = (String::new(), String::new());
    let mut open = [false; 2];
    let events: Vec<Value> = std::str::from_utf8(stream)
        .unwrap()
        .split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()).unwrap())
        .collect();
    for event in &events {
        let index = usize::try_from(event["index"].as_u64().unwrap_or(0)).unwrap();
        match event["type"].as_str().unwrap() {
            "content_block_start" => open[index] = true,
            "content_block_stop" => open[index] = false,
            "content_block_delta" => {
                assert!(open[index], "a delta of a block that is not open");
                text += event["delta"]["text"].as_str().unwrap_or("");
                input += event["delta"]["partial_json"].as_str().unwrap_or("");
            }
            _ => {}
        }
    }
    assert_eq!(events.last().unwrap()["type"], "message_stop");
    (text, input)
}

/// Restores with a cut at each place in turn, then in pieces of one byte.
fn check_every_cut(session: &mut Session, content_type: &str, answer: &[u8]) {
    let whole = restore(session, content_type, answer);
    for cut in 1..answer.len() {
        assert!(restore_cut(session, content_type, answer, &[cut]) == whole, "cut at {cut}");
    }
    let all: Vec<usize> = (1..answer.len()).collect();
    assert!(restore_cut(session, content_type, answer, &all) == whole, "byte by byte");
}

/// An event is put together of its chunks once, and not again with each: of a byte each, this one would take minutes.
#[test]
fn long_events_may_come_byte_by_byte() {
    let Exchange { mut session, text, .. } = exchange(SAYS, &json!({}));
    let long = format!("{}{text}", "x".repeat(200_000));
    let delta = |said: &str| event("content_block_delta", &json!({ "index": 0, "delta": { "text": said } }));
    let lines = delta(&long).replacen("\"delta\":", "\ndata: \"delta\":\ndata: ", 1);
    let stream =
        [delta(&text), delta(&long), delta(&text), lines.clone(), lines.replace('\n', "\r\n"), delta("x")].concat();
    let whole = restore(&mut session, SSE, stream.as_bytes());
    assert!(String::from_utf8_lossy(&whole).matches("i-0f3a9c27be41d8056").count() == 5);
    for len in [1, 2, 1000, 100_000] {
        let cuts: Vec<usize> = (len..stream.len()).step_by(len).collect();
        assert!(restore_cut(&mut session, SSE, stream.as_bytes(), &cuts) == whole, "chunks of {len}");
    }
}

const SAYS: &str =
    "i-0f3a9c27be41d8056가 10.24.7.31 \"arn:aws:iam::618734209955:role/billing-export\"\n\\ s3://acme-logs/a/b.txt";

#[test]
fn every_cut_of_a_document_gives_the_same_bytes() {
    let body = json!({ "content": [{ "type": "text", "text": SAYS }], "note\n": [SAYS, { SAYS: null }] }).to_string();
    let mut session = session();
    let masked = mask(&mut session, JSON, body.as_bytes());
    assert_ne!(masked, body.as_bytes());
    assert_eq!(restore(&mut session, JSON, &masked), body.as_bytes());
    check_every_cut(&mut session, JSON, &masked);
}

#[test]
fn every_cut_of_a_text_gives_the_same_bytes() {
    let mut session = session();
    let masked = mask(&mut session, "text/plain", SAYS.as_bytes());
    assert_eq!(restore(&mut session, "text/plain", &masked), SAYS.as_bytes());
    check_every_cut(&mut session, "text/plain", &masked);
}

#[test]
fn every_cut_of_a_stream_gives_the_same_bytes() {
    let Exchange { mut session, text, input } = exchange(SAYS, &json!({ "query": SAYS }));
    let (texts, inputs): (Vec<String>, Vec<String>) =
        (text.chars().map(String::from).collect(), input.chars().map(String::from).collect());
    let (texts, inputs): (Vec<&str>, Vec<&str>) =
        (texts.iter().map(String::as_str).collect(), inputs.iter().map(String::as_str).collect());
    // a token is whole in one delta, cut in two, spread over many
    for (text, input) in [(&[text.as_str()][..], &[input.as_str()][..]), (&texts[..], &inputs[..])] {
        let answer = stream(text, input, true);
        let (said, input) = read(&restore(&mut session, SSE, answer.as_bytes()));
        assert_eq!(said, SAYS);
        assert_eq!(serde_json::from_str::<Value>(&input).unwrap()["query"], SAYS);
        if text.len() == 1 {
            check_every_cut(&mut session, SSE, answer.as_bytes());
            let windows = answer.replace('\n', "\r\n");
            check_every_cut(&mut session, SSE, windows.as_bytes());
        }
    }
}

/// What the whole events of a stream say, all texts together; what stands behind the last blank line is nothing. `None`
/// when an event is broken.
fn said_by_whole_events(stream: &str) -> Option<String> {
    let whole = stream.rfind("\n\n").map_or("", |end| &stream[..end]);
    let mut said = String::new();
    for data in whole.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let data: Value = serde_json::from_str(data).ok()?;
        for place in ["/delta/text", "/delta/partial_json", "/delta", "/choices/0/delta/content"] {
            said += data.pointer(place).and_then(Value::as_str).unwrap_or("");
        }
    }
    Some(said)
}

/// Wherever the upstream breaks off, no event is glued to half of another, and nothing that was said is lost.
#[test]
fn a_stream_that_breaks_off_says_what_was_said() {
    let input = json!({ "id": "i-0f3a9c27be41d8056" });
    let mut exchange = exchange("i-0f3a9c27be41d8056 in vpc-04d1c7e92ab86f035", &input);
    let pieces = |text: &str| -> Vec<String> {
        text.as_bytes().chunks(3).map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect()
    };
    let (text, input) = (pieces(&exchange.text), pieces(&exchange.input));
    let texts: Vec<&str> = text.iter().map(String::as_str).collect();
    let inputs: Vec<&str> = input.iter().map(String::as_str).collect();
    let chat = |said: &String| {
        let data = json!({ "id": "x", "choices": [{ "index": 0, "delta": { "content": said } }] });
        format!("data: {data}\n\n")
    };
    let responses = |said: &String| {
        let name = "response.output_text.delta";
        let data = json!({ "type": name, "output_index": 0, "content_index": 0, "delta": said, "sequence_number": 1 });
        event(name, &data)
    };
    let answers = [
        (stream(&texts, &inputs, false), true),
        (stream(&texts, &inputs, true), false),
        (text.iter().map(chat).collect(), true),
        (text.iter().map(responses).collect(), true),
    ];
    for (answer, in_order) in answers {
        for cut in 0..=answer.len() {
            let (came, session) = (&answer[..cut], &mut exchange.session);
            let out = String::from_utf8(restore(session, SSE, came.as_bytes())).unwrap();
            let got = said_by_whole_events(&out);
            assert!(got.is_some(), "cut at {cut}, a broken event: {out}");
            // a client may or may not count an event whose blank line is missing
            let wanted = [said_by_whole_events(came), said_by_whole_events(&(came.trim_end().to_string() + "\n\n"))];
            let mut wanted = wanted.into_iter().flatten();
            // texts that come in turns are not put together here
            let fits = !in_order
                || wanted
                    .any(|masked| got == String::from_utf8(restore(session, "text/plain", masked.as_bytes())).ok());
            assert!(fits, "cut at {cut}: {out}");
        }
    }
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn a_stream_says_what_was_masked(
        piece in text(),
        input in any_input(),
        text_cuts in vec(any::<Index>(), 0..12),
        input_cuts in vec(any::<Index>(), 0..12),
        byte_cuts in vec(any::<Index>(), 0..12),
        mixed in any::<bool>(),
    ) {
        let input: Value = serde_json::from_str(&input.render(Spelling::Plain)).unwrap();
        let mut exchange = exchange(&piece.text, &input);
        let answer = stream(&pieces(&exchange.text, &text_cuts), &pieces(&exchange.input, &input_cuts), mixed);
        let whole = restore(&mut exchange.session, SSE, answer.as_bytes());

        let (said, called) = read(&whole);
        prop_assert_eq!(said, piece.text);
        prop_assert_eq!(serde_json::from_str::<Value>(&called).unwrap(), input);

        let mut cuts: Vec<usize> = byte_cuts.iter().map(|cut| cut.index(answer.len())).collect();
        cuts.sort_unstable();
        prop_assert!(restore_cut(&mut exchange.session, SSE, answer.as_bytes(), &cuts) == whole, "cuts {:?} matter", cuts);
    }
}

#[test]
fn what_stands_beside_a_text_is_not_said_twice() {
    let Exchange { mut session, .. } = exchange("Is i-0f3a9c27be41d8056 down?", &json!({}));
    let chunk = |delta: Value, logprobs: Value, reason: Value| {
        let choice = json!({ "index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": reason });
        format!("data: {}\n\n", json!({ "id": "c", "object": "chat.completion.chunk", "choices": [choice] }))
    };
    let said = |text: &str| {
        let token = json!({ "token": text, "logprob": -0.5, "bytes": text.as_bytes(), "top_logprobs": [] });
        chunk(json!({ "content": text }), json!({ "content": [token], "refusal": null }), Value::Null)
    };
    // an end that could be the beginning of a token
    let stream = said("It is on") + &said(" EC2") + &chunk(json!({}), Value::Null, json!("stop")) + "data: [DONE]\n\n";
    for cut in [0, stream.len() / 2] {
        let restored = restore_cut(&mut session, SSE, stream.as_bytes(), &[cut]);
        assert_eq!(String::from_utf8(restored).unwrap(), stream);
    }
}

#[test]
fn events_are_known_without_their_type() {
    let Exchange { mut session, text, .. } = exchange("Is i-0f3a9c27be41d8056 down?", &json!({}));
    let pieces: Vec<&str> = text.as_bytes().chunks(3).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
    let stream = stream(&pieces, &[], false);
    for content_type in ["", "application/octet-stream"] {
        for begin in ["", ": hello\n\n"] {
            let stream = format!("{begin}{stream}");
            let data = stream.find("data:").unwrap();
            let first = data + stream[data..].find("\n\n").unwrap() + 2;
            let typed = restore(&mut session, SSE, stream.as_bytes());
            assert_eq!(restore_cut(&mut session, content_type, stream.as_bytes(), &[first]), typed);
        }
    }
    // what stands in many a file
    for file in ["data:\n  key: \"EC2\"\n", "id: 5\nname: EC2", "data: {}", ": x"] {
        assert_eq!(restore(&mut session, "", file.as_bytes()), file.as_bytes());
    }
}

/// The text that the events of `stream` say, by where it stands in them.
fn said_at(stream: &[u8], places: &[&str]) -> String {
    let events = std::str::from_utf8(stream).unwrap().lines().filter_map(|line| line.strip_prefix("data: "));
    let events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    events.map(|event| places.iter().filter_map(|at| event.pointer(at)?.as_str()).collect::<String>()).collect()
}

#[test]
fn texts_that_run_on_in_other_shapes_are_put_together() {
    let Exchange { mut session, text, .. } = exchange("Is i-0f3a9c27be41d8056 down?", &json!({}));
    let completion = |said: &str, reason: Value| {
        event("completion", &json!({ "type": "completion", "completion": said, "stop_reason": reason }))
    };
    let start = |said: &str| {
        let block = json!({ "type": "text", "text": said });
        event("content_block_start", &json!({ "type": "content_block_start", "index": 0, "content_block": block }))
    };
    let delta = |said: &str| {
        let delta = json!({ "type": "text_delta", "text": said });
        event("content_block_delta", &json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
    };
    let stop = event("content_block_stop", &json!({ "type": "content_block_stop", "index": 0 }));
    let parts = |said: &str| {
        let delta = json!({ "content": [{ "type": "text", "text": said }] });
        format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta }] }))
    };
    let preview = |id: &str, said: &str| {
        let delta = json!({ "type": "content_delta", "index": 0, "content": { "type": "text", "text": said } });
        event("event_delta", &json!({ "type": "event_delta", "event_id": id, "delta": delta }))
    };
    let whole = |id: &str| event("agent.message", &json!({ "type": "agent.message", "id": id, "content": [] }));
    for at in 0..=text.len() {
        let (first, rest) = text.split_at(at);
        let streams = [
            // what an agent's session previews, of two events at once
            preview("sevt_1", first) + &preview("sevt_2", "") + &preview("sevt_1", rest) + &whole("sevt_1"),
            // of the API that came before Messages
            completion(first, Value::Null) + &completion(rest, Value::Null) + &completion("", json!("stop_sequence")),
            completion(first, Value::Null) + &completion(rest, json!("max_tokens")),
            // a block that begins with text
            start(first) + &delta(rest) + &stop,
            start(&text[..at]) + &delta("") + &delta(rest) + &stop,
            // content in parts
            parts(first) + &parts(rest),
        ];
        for stream in streams {
            let restored = restore(&mut session, SSE, stream.as_bytes());
            let places = [
                "/completion",
                "/content_block/text",
                "/delta/text",
                "/choices/0/delta/content/0/text",
                "/delta/content/text",
            ];
            assert_eq!(said_at(&restored, &places), "Is i-0f3a9c27be41d8056 down?", "{stream}");
            let count =
                |stream: &[u8], what: &str| stream.windows(what.len()).filter(|w| w == &what.as_bytes()).count();
            for once in ["content_block_start\",", "stop_sequence", "max_tokens"] {
                assert_eq!(count(&restored, once), count(stream.as_bytes(), once), "{stream}");
            }
        }
    }
}

#[test]
fn answers_are_read_as_what_they_are_where_their_type_says_something_else() {
    let Exchange { mut session, text, .. } = exchange("Is i-0f3a9c27be41d8056 down?", &json!({}));
    let pieces: Vec<&str> = text.as_bytes().chunks(3).map(|piece| std::str::from_utf8(piece).unwrap()).collect();
    let events = stream(&pieces, &[], false);
    let wanted = restore(&mut session, SSE, events.as_bytes());
    for content_type in ["text/plain; charset=utf-8", "application/json"] {
        assert_eq!(restore(&mut session, content_type, events.as_bytes()), wanted);
        for page in ["<p>it's \"down\": {}</p>", "  not found: {}", "upstream said \"{}", "true for {}"] {
            let answer = page.replace("{}", &text);
            let wanted = page.replace("{}", "Is i-0f3a9c27be41d8056 down?");
            assert_eq!(restore(&mut session, content_type, answer.as_bytes()), wanted.as_bytes());
        }
    }
}
