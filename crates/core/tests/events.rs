//! Every event and every item that the vendors' SDKs define, one by one: which of its strings come back, and which stay.
//!
//! Source: the type definitions of `anthropic` 2.14 (`types/raw_message_stream_event.py`, `types/beta`) and `openai` 3.57
//! (`types/responses/response_stream_event.py`, `response_output_item.py`, `types/beta/assistant_stream_event.py`).
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use aws_masker_core::detect::{Detector, DetectorConfig};
use aws_masker_core::session::{Session, SessionOptions};
use aws_masker_core::token::TokenKey;
use serde_json::Value;

/// An original that has to be escaped in JSON, and once more in JSON in JSON.
const ORIGINAL: &str = "the \"odd\" \\name";

/// Data of events: `+` stands for text that comes back, `-` for what stays as it is, `=` for JSON in a string.
const EVENTS: &[&str] = &[
    // Anthropic
    r#"{"type":"message_start","message":{"id":"-","type":"message","role":"assistant","model":"-","content":[{"type":"text","text":"+"}],"stop_reason":null,"stop_sequence":"+","container":{"id":"+"}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"+","citations":[{"type":"char_location","cited_text":"+","document_title":"+","file_id":"-"}]}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"-","signature":"-"}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking","data":"-"}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"-","name":"-","caller":{"type":"direct","tool_id":"-"},"input":{"id":"+","name":["+"]}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_tool_use","id":"-","name":"-","input":{"query":"+"}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"web_search_tool_result","tool_use_id":"-","content":[{"type":"web_search_result","url":"-","title":"-","encrypted_content":"-"}]}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"web_fetch_tool_result","tool_use_id":"-","content":{"type":"web_fetch_result","url":"-","retrieved_at":"-","content":{"type":"document","title":"+","source":{"type":"text","media_type":"-","data":"+"}}}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"web_fetch_tool_result","content":{"type":"web_fetch_result","content":{"type":"document","source":{"type":"base64","data":"-"}}}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"code_execution_tool_result","tool_use_id":"-","content":{"type":"code_execution_result","stdout":"+","stderr":"+","return_code":0,"content":[{"type":"code_execution_output","file_id":"-"}]}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"code_execution_tool_result","content":{"type":"encrypted_code_execution_result","encrypted_stdout":"-","stderr":"+"}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"bash_code_execution_tool_result","tool_use_id":"-","content":{"type":"bash_code_execution_result","stdout":"+","stderr":"+","content":[{"type":"bash_code_execution_output","file_id":"-"}]}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text_editor_code_execution_tool_result","tool_use_id":"-","content":{"type":"text_editor_code_execution_view_result","content":"+","file_type":"text"}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text_editor_code_execution_tool_result","content":{"type":"text_editor_code_execution_str_replace_result","lines":["+"]}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_search_tool_result","tool_use_id":"-","content":{"type":"tool_search_tool_search_result","tool_references":[{"type":"tool_reference","tool_name":"-"}]}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"container_upload","file_id":"-"}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"mcp_tool_use","id":"-","name":"-","server_name":"-","input":{"key":"+"}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"mcp_tool_result","tool_use_id":"-","is_error":false,"content":[{"type":"text","text":"+"}]}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"compaction","content":"-","encrypted_content":"-"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"+"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"="}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"-"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"-"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"compaction_delta","content":"-","encrypted_content":"-"}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"page_location","cited_text":"+","document_title":"+","file_id":"-"}}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","cited_text":"+","title":"+","encrypted_index":"-"}}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{"type":"search_result_location","cited_text":"+","title":"+","source":"+"}}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"-","stop_sequence":"+","stop_details":{"type":"refusal","explanation":"+"}},"usage":{"output_tokens":1}}"#,
    r#"{"type":"error","error":{"type":"+","message":"+"},"request_id":"+"}"#,
    r#"{"type":"event_delta","event_id":"+","delta":{"type":"content_delta","index":0,"content":{"type":"text","text":"+"}}}"#,
    r#"{"type":"agent.message","id":"+","content":[{"type":"text","text":"+"}],"processed_at":"+"}"#,
    r#"{"type":"agent.tool_use","id":"+","name":"+","input":{"command":"+"}}"#,
    // Chat Completions
    r#"{"object":"chat.completion.chunk","model":"-","obfuscation":"-","choices":[{"index":0,"delta":{"role":"-","content":"+"},"logprobs":{"content":[{"token":"-"}]},"finish_reason":null}]}"#,
    r#"{"choices":[{"index":0,"delta":{"refusal":"+"}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"reasoning_content":"+"}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"-","type":"function","function":{"name":"-","arguments":"="}}]}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"-","type":"custom","custom":{"name":"-","input":"+"}}]}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"function_call":{"name":"-","arguments":"="}}}]}"#,
    r#"{"choices":[{"index":0,"delta":{"audio":{"id":"-","data":"-","transcript":"+"}}}]}"#,
    r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"+","refusal":"+","annotations":[{"type":"url_citation","url_citation":{"title":"+"}}],"audio":{"data":"-","transcript":"+"},"tool_calls":[{"id":"-","function":{"name":"-","arguments":"="}}]}}]}"#,
    // Responses: deltas, and what repeats them
    r#"{"type":"response.created","response":{"model":"-","instructions":"+","metadata":{"k":"+"},"output":[],"tools":[{"type":"function","name":"-","description":"+"}]}}"#,
    r#"{"type":"response.audio.transcript.delta","delta":"+"}"#,
    r#"{"type":"response.code_interpreter_call_code.delta","item_id":"i","output_index":0,"delta":"+"}"#,
    r#"{"type":"response.code_interpreter_call_code.done","item_id":"i","output_index":0,"code":"+"}"#,
    r#"{"type":"response.content_part.done","part":{"type":"output_text","text":"+","logprobs":[{"token":"-"}],"annotations":[{"type":"file_citation","file_id":"-","filename":"+"}]}}"#,
    r#"{"type":"response.content_part.done","part":{"type":"refusal","refusal":"+"}}"#,
    r#"{"type":"response.content_part.added","part":{"type":"reasoning_text","text":"+"}}"#,
    r#"{"type":"response.custom_tool_call_input.delta","delta":"+"}"#,
    r#"{"type":"response.custom_tool_call_input.done","input":"+"}"#,
    r#"{"type":"error","code":"+","message":"+","param":"+"}"#,
    r#"{"type":"response.function_call_arguments.delta","delta":"="}"#,
    r#"{"type":"response.function_call_arguments.done","arguments":"="}"#,
    r#"{"type":"response.mcp_call_arguments.delta","delta":"="}"#,
    r#"{"type":"response.mcp_call_arguments.done","arguments":"="}"#,
    r#"{"type":"response.image_generation_call.partial_image","partial_image_b64":"-"}"#,
    r#"{"type":"response.output_text.annotation.added","annotation":{"type":"url_citation","title":"+","url":"+"}}"#,
    r#"{"type":"response.output_text.annotation.added","annotation":{"type":"container_file_citation","container_id":"-","file_id":"-","filename":"+"}}"#,
    r#"{"type":"response.reasoning_summary_part.done","part":{"type":"summary_text","text":"+"}}"#,
    r#"{"type":"response.reasoning_summary_text.delta","delta":"+"}"#,
    r#"{"type":"response.reasoning_summary_text.done","text":"+"}"#,
    r#"{"type":"response.reasoning_text.delta","delta":"+"}"#,
    r#"{"type":"response.reasoning_text.done","text":"+"}"#,
    r#"{"type":"response.refusal.delta","delta":"+"}"#,
    r#"{"type":"response.refusal.done","refusal":"+"}"#,
    r#"{"type":"response.shell_call_command.added","command":"+"}"#,
    r#"{"type":"response.shell_call_command.delta","delta":"+","obfuscation":"-"}"#,
    r#"{"type":"response.shell_call_command.done","command":"+"}"#,
    r#"{"type":"response.shell_call_output_content.delta","delta":{"stdout":"+","stderr":"+"}}"#,
    r#"{"type":"response.shell_call_output_content.done","output":[{"stdout":"+","stderr":"+"}]}"#,
    r#"{"type":"response.output_text.delta","delta":"+","logprobs":[{"token":"-"}]}"#,
    r#"{"type":"response.output_text.done","text":"+","logprobs":[{"token":"-"}]}"#,
    r#"{"type":"response.failed","response":{"error":{"code":"x","message":"+"}}}"#,
    // Responses: items
    r#"{"type":"response.output_item.done","item":{"type":"message","id":"-","role":"-","content":[{"type":"output_text","text":"+"}]}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"file_search_call","id":"-","queries":["+"],"results":[{"filename":"+","text":"+","attributes":{"k":"+"}}]}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"function_call","id":"-","call_id":"-","name":"-","namespace":"-","arguments":"=","caller":{"type":"program","caller_id":"-"}}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"function_call_output","id":"-","call_id":"-","output":"+"}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"web_search_call","id":"-","action":{"type":"search","query":"+","queries":["+"]}}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"computer_call","id":"-","call_id":"-","action":{"type":"type","text":"+"},"pending_safety_checks":[{"message":"+"}]}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"reasoning","id":"-","encrypted_content":"-","summary":[{"type":"summary_text","text":"+"}],"content":[{"type":"reasoning_text","text":"+"}]}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"program","id":"-","call_id":"-","fingerprint":"-","code":"+"}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"program_output","id":"-","call_id":"-","result":"+"}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"tool_search_call","id":"-","call_id":"-","arguments":{"query":"+"}}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"compaction","id":"-","encrypted_content":"-"}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"image_generation_call","id":"-","result":"-","revised_prompt":"+"}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"code_interpreter_call","id":"-","container_id":"-","code":"+","outputs":[{"type":"logs","logs":"+"}]}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"local_shell_call","id":"-","call_id":"-","action":{"type":"exec","command":["+"],"env":{"K":"+"},"working_directory":"+"}}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"shell_call","id":"-","call_id":"-","action":{"commands":["+"]}}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"shell_call_output","id":"-","call_id":"-","output":[{"stdout":"+","stderr":"+"}]}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"apply_patch_call","id":"-","call_id":"-","operation":{"type":"update_file","path":"+","diff":"+"}}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"mcp_call","id":"-","name":"-","server_label":"-","approval_request_id":"-","arguments":"=","output":"+","error":{"message":"+"}}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"mcp_list_tools","id":"-","server_label":"-","tools":[{"name":"-","description":"+","input_schema":{"description":"+"}}]}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"mcp_approval_request","id":"-","name":"-","server_label":"-","arguments":"="}}"#,
    r#"{"type":"response.output_item.done","item":{"type":"custom_tool_call","id":"-","call_id":"-","name":"-","input":"+"}}"#,
    // Assistants
    r#"{"id":"run_1","object":"thread.run","instructions":"+","required_action":{"type":"submit_tool_outputs","submit_tool_outputs":{"tool_calls":[{"id":"-","type":"function","function":{"name":"-","arguments":"="}}]}}}"#,
    r#"{"id":"step_1","object":"thread.run.step","step_details":{"type":"tool_calls","tool_calls":[{"id":"-","type":"function","function":{"name":"-","arguments":"=","output":"+"}}]}}"#,
    r#"{"id":"step_1","object":"thread.run.step","step_details":{"type":"tool_calls","tool_calls":[{"id":"-","type":"code_interpreter","code_interpreter":{"input":"+","outputs":[{"type":"logs","logs":"+"}]}}]}}"#,
    r#"{"id":"step_1","object":"thread.run.step.delta","delta":{"step_details":{"type":"tool_calls","tool_calls":[{"index":0,"id":"-","function":{"name":"-","arguments":"="}}]}}}"#,
    r#"{"id":"step_1","object":"thread.run.step.delta","delta":{"step_details":{"type":"tool_calls","tool_calls":[{"index":0,"code_interpreter":{"input":"+"}}]}}}"#,
    r#"{"id":"msg_1","object":"thread.message","content":[{"type":"text","text":{"value":"+","annotations":[{"type":"file_citation","text":"+"}]}}]}"#,
    r#"{"id":"msg_1","object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text","text":{"value":"+"}}]}}"#,
];

/// A session that knows [`ORIGINAL`], and its token.
fn session() -> (Session, String) {
    let config = DetectorConfig { custom_terms: vec![ORIGINAL.to_owned()], ..DetectorConfig::default() };
    let key = TokenKey::new(b"0123456789abcdef0123456789abcdef").unwrap().scope(b"test");
    let mut session = Session::new(Arc::new(Detector::new(&config).unwrap()), key, SessionOptions::default());
    session.mask(b"text/plain", ORIGINAL.as_bytes()).unwrap().unwrap();
    let token = String::from_utf8(session.tokens().iter().next().unwrap().token.to_vec()).unwrap();
    (session, token)
}

/// `event` with what it holds in the place of its marks; the order of its members is the vendor's.
fn filled(event: &str, text: &str, token: &str) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    let arguments = format!("{{\"key\":{}}}", quoted(&format!("see {text}.")));
    event
        .replace("\"+\"", &quoted(&format!("see {text}.")))
        .replace("\"-\"", &quoted(&format!("see {token}.")))
        .replace("\"=\"", &quoted(&arguments))
}

#[test]
fn every_string_that_may_come_back_does_and_no_other() {
    let (mut session, token) = session();
    for event in EVENTS {
        let stream = format!("event: x\ndata: {}\n\n", filled(event, &token, &token));
        let got = support::restore(&mut session, "text/event-stream", stream.as_bytes());
        let wanted = format!("event: x\ndata: {}\n\n", filled(event, ORIGINAL, &token));
        assert_eq!(String::from_utf8(got).unwrap(), wanted);
    }
}

#[test]
fn items_come_back_in_answers_that_are_no_streams_too() {
    let (mut session, token) = session();
    for event in EVENTS.iter().filter(|event| !event.contains("delta")) {
        let got = support::restore(&mut session, "application/json", filled(event, &token, &token).as_bytes());
        assert_eq!(String::from_utf8(got).unwrap(), filled(event, ORIGINAL, &token));
    }
}
