//! Where a string stands in the JSON of the APIs of Anthropic, OpenAI, Google (Gemini) and Cohere.
//!
//! The vendors' shapes do not contradict each other, so one table serves requests, answers and stream events of
//! all. What must never change is known by its position in the protocol; a key such as `signature` deep inside a
//! tool's input is the customer's own text. Positions that nobody listed are [`Place::Free`]: they are masked.
//!
//! Source: the type definitions of the vendors' own Python SDKs, `anthropic/types` (2.13) and `openai/types` (3.57).
//! Bedrock's Converse shapes are read along, as far as something in them must not change; so are those of Gemini
//! (reference of `generateContent`, read 2026-12) and Cohere (reference of the Chat API v2).

use super::packed::is_packed;

/// A position in the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The customer's text, as deep as it goes.
    Free,
    /// Never touched, as deep as it goes.
    Opaque,
    /// Text that the vendor may hold against a signature later: masked on its way out, never restored.
    Kept,
    /// The customer's text, being JSON inside a string: escaped once more.
    JsonText,
    /// The top level of a request, an answer or an event.
    Root,
    /// A list of messages, or one message: a role and content.
    Message,
    /// Content: text, a block, an item, or a list of these.
    Block,
    /// A list of items, or what a program is called with: see [`Self::opened`].
    Input,
    /// A summary of earlier turns.
    Compaction,
    /// What a model thought, as gateways to many models hand it out.
    Reasoning,
    /// A block whose `result` is an image.
    Image,
    /// What the vendor read from the web under a `url` that it compares.
    Web,
    /// Where the bytes of an image or a document come from.
    Source,
    /// The same, of a text: its data is that, whatever it looks like.
    TextSource,
    /// A document that is given along: its fields are the customer's.
    Document,
    /// A file: its bytes in base64, and what they are, or where it is.
    File,
    /// Bytes in base64, or text, whatever the value looks like: see [`Self::of_value`].
    Data,
    /// Sound and what is said in it.
    Audio,
    /// A tool's definition.
    Tool,
    /// A block that gives the model a tool in the middle of a conversation: its name, or its definition.
    ToolAddition,
    /// Where a tool runs.
    Environment,
    /// What is to be left out of a conversation that gets long; tools by their names.
    Edits,
    /// What an agent is to work with; some of it the vendor has to fetch.
    Resource,
    /// A credential that the vendor is to keep for an agent: that of an MCP server has to reach it.
    Auth,
    /// A function that the model calls, or its definition.
    Function,
    /// One choice of an OpenAI answer.
    Choice,
}

/// What the bytes of a key are, a bit each.
const WORD: u8 = 1;
const SMALL: u8 = 2;
const OTHER: u8 = 4;
const IN_KEYS: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut c: u8 = 0;
    while c < 128 {
        if c.is_ascii_lowercase() {
            classes[c as usize] = SMALL;
        } else if c.is_ascii_alphanumeric() || c == b'_' {
            classes[c as usize] = WORD;
        }
        c += 1;
    }
    classes
};

impl Place {
    /// The place of the value of `key` in an object at this place.
    pub fn member(self, key: &[u8]) -> Self {
        match self {
            Self::Free | Self::Opaque | Self::Kept => self,
            // The text of an object in place of a string is its own, not escaped once more.
            Self::JsonText | Self::Data => Self::Free,
            Self::Root => root(key),
            // Who speaks: the customer's own, unlike the name of a tool in a block.
            Self::Message if key == b"name" => Self::Free,
            Self::Message | Self::Block | Self::Input => block(key),
            Self::Compaction => match key {
                b"content" => Self::Kept,
                b"tool_changes" => Self::Opaque,
                key => block(key),
            },
            Self::Reasoning => match key {
                b"text" | b"summary" => Self::Kept,
                key => block(key),
            },
            Self::Image => match key {
                b"result" => Self::Opaque,
                key => block(key),
            },
            Self::Web => match key {
                b"url" | b"page_age" | b"retrieved_at" => Self::Opaque,
                key => block(key),
            },
            Self::Source => source(key),
            Self::TextSource => match key {
                b"data" => Self::Free,
                key => source(key),
            },
            Self::Document => match key {
                b"id" => Self::Free,
                key => block(key),
            },
            Self::File => match key {
                b"data" | b"mimeType" | b"mime_type" | b"fileUri" | b"file_uri" => Self::Opaque,
                _ => Self::Free,
            },
            Self::Audio => match key {
                b"transcript" => Self::Free,
                _ => Self::Opaque,
            },
            Self::Tool => tool(key),
            Self::ToolAddition => match key {
                b"tool" => Self::Tool,
                _ => Self::Opaque,
            },
            Self::Edits => match key {
                b"edits" => Self::Edits,
                b"exclude_tools" => Self::Opaque,
                _ => Self::Free,
            },
            Self::Resource => match key {
                b"authorization_token" => Self::Opaque,
                _ => Self::Free,
            },
            Self::Auth => Self::Free,
            Self::Environment => match key {
                b"network_policy" | b"file_ids" => Self::Opaque,
                b"skills" => Self::Block,
                _ => Self::Free,
            },
            Self::Function => function(key),
            Self::Choice => choice(key),
        }
    }

    /// True for places whose objects have a `type` that decides over them, see [`Self::typed`].
    pub fn is_typed(self) -> bool {
        matches!(self, Self::Block | Self::Source | Self::Auth)
    }

    /// The place of an object whose `type` is known.
    pub fn typed(self, object_type: &[u8]) -> Self {
        match self {
            Self::Source if matches!(object_type, b"base64" | b"url" | b"file") => Self::Opaque,
            Self::Source if object_type == b"text" => Self::TextSource,
            Self::Auth if matches!(object_type, b"static_bearer" | b"mcp_oauth") => Self::Opaque,
            Self::Block => typed_block(object_type),
            _ => self,
        }
    }

    /// The place of what stands in an object or a list at this place. OpenAI's input is a list; an object is that of some
    /// other API, whose fields are the customer's, whatever they are called.
    pub fn opened(self, is_object: bool) -> Self {
        match (self, is_object) {
            (Self::Input, true) => Self::Free,
            (Self::Input, false) => Self::Block,
            (place, _) => place,
        }
    }

    /// The place of a string whose inside is `value`: whether data is base64, nothing but itself tells.
    pub fn of_value(self, value: &[u8]) -> Self {
        match self {
            Self::Data | Self::File if is_packed(value) => Self::Opaque,
            Self::Data | Self::File => Self::Free,
            place => place,
        }
    }

    /// True where the text of a request may be changed.
    pub fn may_mask(self) -> bool {
        self != Self::Opaque
    }

    /// True where `key`, by its inside, is none of the protocol's: it may be an identifier then, and is masked like text.
    pub fn may_rename(self, key: &[u8]) -> bool {
        match self {
            Self::Free | Self::JsonText | Self::Data => true,
            Self::Opaque => false,
            // `tool_use_id`, `b64_json`
            _ => key.iter().fold(0, |seen, &c| seen | IN_KEYS[usize::from(c)]) & !WORD != SMALL,
        }
    }

    /// True where the text of an answer may be changed.
    pub fn may_restore(self) -> bool {
        !matches!(self, Self::Opaque | Self::Kept)
    }
}

fn typed_block(block_type: &[u8]) -> Place {
    match block_type {
        b"thinking"
        | b"redacted_thinking"
        | b"reasoning.encrypted"
        | b"web_search_tool_result"
        | b"tool_search_tool_result"
        | b"tool_reference"
        | b"container_upload"
        | b"fallback"
        | b"advisor_tool_result"
        | b"tool_removal"
        | b"compaction_delta" => Place::Opaque,
        b"tool_addition" => Place::ToolAddition,
        b"compaction" => Place::Compaction,
        b"reasoning.text" | b"reasoning.summary" => Place::Reasoning,
        b"image_generation_call" => Place::Image,
        b"web_fetch_result" | b"web_search_result" => Place::Web,
        _ => Place::Block,
    }
}

fn root(key: &[u8]) -> Place {
    match key {
        b"messages" | b"message" => Place::Message,
        b"system" | b"content" | b"content_block" | b"delta" | b"output" | b"item" | b"part" | b"prediction"
        | b"annotation" | b"required_action" | b"step_details" => Place::Block,
        // Gemini; outputs of tools that an Assistants run waits for.
        b"contents" | b"systemInstruction" | b"system_instruction" | b"candidates" | b"tool_outputs" => Place::Block,
        b"tools" | b"functions" | b"toolConfig" | b"tool_config" => Place::Tool,
        b"input" => Place::Input,
        b"choices" => Place::Choice,
        // Batches, and what Gemini's own clients wrap: what is asked, and what was answered.
        b"requests" | b"request" | b"params" | b"body" | b"result" | b"response" | b"generateContentRequest" => {
            Place::Root
        }
        b"arguments" => Place::JsonText,
        b"audio" => Place::Audio,
        b"context_management" => Place::Edits,
        b"resources" => Place::Resource,
        b"auth" => Place::Auth,
        b"model"
        | b"modelId"
        | b"type"
        | b"mcp_servers"
        | b"authorization_token"
        | b"tool_choice"
        | b"function_call"
        | b"cache_control"
        | b"thinking"
        | b"stop_reason"
        | b"obfuscation"
        | b"previous_response_id"
        | b"item_id"
        | b"call_id"
        | b"tool_call_id"
        | b"tool_use_id"
        | b"cachedContent"
        | b"cached_content"
        | b"partial_image_b64"
        | b"logprobs"
        | b"guardrailConfig"
        | b"guardrailIdentifier" => Place::Opaque,
        _ => Place::Free,
    }
}

fn block(key: &[u8]) -> Place {
    match key {
        b"content"
        | b"tool_calls"
        | b"summary"
        | b"output"
        | b"annotations"
        | b"citations"
        | b"citation"
        | b"toolUse"
        | b"toolResult"
        | b"file"
        | b"image"
        | b"video"
        // Gemini
        | b"parts"
        // Gemini in the format of OpenAI, which has its signature there.
        | b"extra_content"
        | b"google"
        | b"submit_tool_outputs"
        | b"step_details"
        // OpenRouter and LiteLLM: thinking in the formats of OpenAI, with the vendor's signature.
        | b"reasoning_details"
        | b"thinking_blocks" => Place::Block,
        // Converse puts its answer one level deeper.
        b"message" => Place::Message,
        b"source" => Place::Source,
        b"document" => Place::Document,
        b"inlineData" | b"inline_data" | b"fileData" | b"file_data" => Place::File,
        b"data" => Place::Data,
        b"tools" => Place::Tool,
        b"function" | b"function_call" | b"custom" | b"functionCall" | b"functionResponse" | b"function_response" => {
            Place::Function
        }
        b"arguments" | b"partial_json" => Place::JsonText,
        b"audio" => Place::Audio,
        b"type"
        | b"id"
        | b"name"
        | b"namespace"
        | b"role"
        | b"model"
        | b"status"
        | b"object"
        | b"tool_use_id"
        | b"toolUseId"
        | b"call_id"
        | b"tool_call_id"
        | b"toolCallId"
        | b"item_id"
        | b"file_id"
        | b"container_id"
        | b"caller_id"
        | b"approval_request_id"
        | b"fingerprint"
        | b"server_name"
        | b"mcp_server_name"
        | b"server_label"
        | b"toolset_name"
        | b"tool_name"
        | b"caller"
        | b"media_type"
        | b"cache_control"
        | b"cachePoint"
        | b"signature"
        | b"thinking"
        | b"thoughtSignature"
        | b"thought_signature"
        | b"reasoning_opaque"
        | b"reasoningContent"
        | b"encrypted_content"
        | b"encrypted_index"
        | b"encrypted_stdout"
        | b"image_url"
        | b"input_audio"
        | b"file_url"
        | b"stop_reason"
        | b"logprobs" => Place::Opaque,
        _ => Place::Free,
    }
}

fn source(key: &[u8]) -> Place {
    match key {
        b"content" => Place::Block,
        b"data" => Place::Data,
        b"type" | b"media_type" | b"file_id" | b"url" | b"bytes" | b"s3Location" => Place::Opaque,
        _ => Place::Free,
    }
}

fn tool(key: &[u8]) -> Place {
    match key {
        b"function" | b"custom" | b"toolSpec" | b"functionDeclarations" | b"function_declarations" => Place::Function,
        b"tools" | b"definition" => Place::Tool,
        b"environment" | b"container" => Place::Environment,
        b"type"
        | b"name"
        | b"server_name"
        | b"cache_control"
        | b"cachePoint"
        | b"toolChoice"
        | b"model"
        | b"server_url"
        | b"headers"
        | b"authorization"
        | b"tunnel_id"
        | b"vector_store_ids"
        | b"server_label"
        | b"mcp_server_name"
        | b"connector_id"
        | b"allowed_tools"
        | b"configs"
        | b"url_sources"
        | b"require_approval"
        | b"input_image_mask"
        | b"functionCallingConfig"
        | b"function_calling_config" => Place::Opaque,
        _ => Place::Free,
    }
}

fn function(key: &[u8]) -> Place {
    match key {
        b"name" | b"id" | b"type" | b"strict" => Place::Opaque,
        b"arguments" => Place::JsonText,
        b"parts" => Place::Block,
        _ => Place::Free,
    }
}

fn choice(key: &[u8]) -> Place {
    match key {
        b"message" | b"delta" => Place::Message,
        b"finish_reason" | b"logprobs" | b"index" => Place::Opaque,
        _ => Place::Free,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &[&str]) -> Place {
        path.iter().fold(Place::Root, |place, key| place.member(key.as_bytes()))
    }

    #[test]
    fn position_decides_not_the_key_alone() {
        assert_eq!(at(&["messages", "content", "signature"]), Place::Opaque);
        assert_eq!(at(&["messages", "content", "input", "signature"]), Place::Free);
        assert_eq!(at(&["messages", "content", "text"]), Place::Free);
        assert_eq!(at(&["messages", "content", "content", "text"]), Place::Free);
        assert_eq!(at(&["model"]), Place::Opaque);
        assert_eq!(at(&["tools", "input_schema", "properties", "id", "description"]), Place::Free);
        assert_eq!(at(&["mcp_servers", "authorization_token"]), Place::Opaque);
        assert_eq!(at(&["tools", "authorization"]), Place::Opaque);
        assert_eq!(at(&["tools", "environment", "network_policy", "domain_secrets", "value"]), Place::Opaque);
    }

    #[test]
    fn what_an_agent_is_given_reaches_the_vendor() {
        assert_eq!(at(&["resources", "authorization_token"]), Place::Opaque);
        assert_eq!(at(&["resources", "url"]), Place::Free);
        assert_eq!(at(&["authorization_token"]), Place::Opaque);
        for kept in [&b"static_bearer"[..], b"mcp_oauth"] {
            assert_eq!(at(&["auth"]).typed(kept), Place::Opaque);
        }
        // A variable may hold a key of AWS.
        assert_eq!(at(&["auth"]).typed(b"environment_variable").member(b"value"), Place::Free);
        assert_eq!(at(&["auth"]).typed(b"basic").member(b"password"), Place::Free);
        assert_eq!(at(&["events", "content", "text"]), Place::Free);
    }

    #[test]
    fn tools_are_named_as_they_are_wherever_they_are_named() {
        assert_eq!(at(&["context_management", "edits", "exclude_tools"]), Place::Opaque);
        assert_eq!(at(&["context_management", "edits", "instructions"]), Place::Free);
        assert_eq!(at(&["tools", "configs"]), Place::Opaque);
        assert_eq!(at(&["tools", "url_sources", "client_tool_results", "tools", "name"]), Place::Opaque);
        assert_eq!(at(&["tools", "input_schema", "properties", "configs"]), Place::Free);
    }

    #[test]
    fn arguments_are_json_in_a_string() {
        assert_eq!(at(&["messages", "tool_calls", "function", "arguments"]), Place::JsonText);
        assert_eq!(at(&["choices", "delta", "tool_calls", "function", "arguments"]), Place::JsonText);
        assert_eq!(at(&["delta", "partial_json"]), Place::JsonText);
        assert_eq!(at(&["input", "arguments"]), Place::JsonText);
        // Assistants.
        assert_eq!(
            at(&["required_action", "submit_tool_outputs", "tool_calls", "function", "arguments"]),
            Place::JsonText
        );
        assert_eq!(at(&["delta", "step_details", "tool_calls", "function", "arguments"]), Place::JsonText);
        assert_eq!(at(&["step_details", "tool_calls", "function", "output"]), Place::Free);
        // A tool search has an object there.
        assert_eq!(at(&["input", "arguments", "query"]), Place::Free);
    }

    #[test]
    fn converse_of_bedrock() {
        let answered = ["output", "message", "content"];
        let within = |path: &[&str]| at(&[&answered, path].concat());
        // what is not masked on its way back must not be restored either
        assert_eq!(within(&["reasoningContent", "reasoningText", "text"]), Place::Opaque);
        assert_eq!(at(&["messages", "content", "reasoningContent", "reasoningText", "text"]), Place::Opaque);
        assert_eq!(within(&["toolUse", "toolUseId"]), Place::Opaque);
        assert_eq!(within(&["toolUse", "input", "toolUseId"]), Place::Free);
        assert_eq!(within(&["text"]), Place::Free);
        assert_eq!(at(&["toolConfig", "tools", "toolSpec", "name"]), Place::Opaque);
        assert_eq!(at(&["toolConfig", "tools", "toolSpec", "description"]), Place::Free);
        assert_eq!(at(&["toolConfig", "tools", "toolSpec", "inputSchema", "json", "title"]), Place::Free);
        assert_eq!(at(&["messages", "content", "document", "source", "bytes"]), Place::Opaque);
        assert_eq!(at(&["messages", "content", "document", "source", "text"]), Place::Free);
        assert_eq!(at(&["modelId"]), Place::Opaque);
    }

    #[test]
    fn whoever_speaks_is_masked_but_no_tool_s_name() {
        assert_eq!(at(&["messages", "name"]), Place::Free);
        assert_eq!(at(&["messages", "content", "name"]), Place::Opaque);
        assert_eq!(at(&["messages", "tool_calls", "function", "name"]), Place::Opaque);
        assert_eq!(at(&["functions", "name"]), Place::Opaque);
    }

    #[test]
    fn batches_hold_requests_and_answers() {
        assert_eq!(at(&["requests", "params", "model"]), Place::Opaque);
        assert_eq!(at(&["requests", "params", "messages", "content", "thinking"]), Place::Opaque);
        assert_eq!(at(&["requests", "custom_id"]), Place::Free);
        assert_eq!(at(&["result", "message", "content", "signature"]), Place::Opaque);
        assert_eq!(at(&["body", "messages", "content", "text"]), Place::Free);
        assert_eq!(
            at(&["response", "body", "choices", "message", "tool_calls", "function", "arguments"]),
            Place::JsonText
        );
    }

    #[test]
    fn the_type_of_an_object_decides_over_it() {
        assert_eq!(Place::Block.typed(b"thinking"), Place::Opaque);
        assert_eq!(Place::Block.typed(b"compaction").member(b"content"), Place::Kept);
        assert_eq!(Place::Block.typed(b"image_generation_call").member(b"result"), Place::Opaque);
        assert_eq!(Place::Block.typed(b"program_output").member(b"result"), Place::Free);
        assert_eq!(Place::Block.typed(b"web_fetch_result").member(b"url"), Place::Opaque);
        assert_eq!(Place::Block.typed(b"brand_new").member(b"url"), Place::Free);
        let added = |path: &[&str]| {
            path.iter().fold(Place::Block.typed(b"tool_addition"), |place, key| place.member(key.as_bytes()))
        };
        for opaque in [&["tool", "name"][..], &["tool", "server_name"], &["tool", "definition", "name"], &["type"]] {
            assert_eq!(added(opaque), Place::Opaque, "{opaque:?}");
        }
        assert_eq!(added(&["tool", "definition", "description"]), Place::Free);
        assert_eq!(added(&["tool", "definition", "input_schema", "properties", "id", "name"]), Place::Free);
        // As the vendor returned them.
        assert_eq!(Place::Block.typed(b"compaction").member(b"tool_changes"), Place::Opaque);
        assert_eq!(Place::Source.typed(b"text").member(b"data"), Place::Free);
        assert_eq!(Place::Source.typed(b"base64"), Place::Opaque);
        let thought = Place::Message.member(b"reasoning_details").typed(b"reasoning.text");
        assert_eq!((thought.member(b"text"), thought.member(b"signature")), (Place::Kept, Place::Opaque));
        assert_eq!(Place::Message.member(b"thinking_blocks").typed(b"thinking"), Place::Opaque);
        assert!(Place::Kept.may_mask() && !Place::Kept.may_restore());
    }

    #[test]
    fn keys_that_no_protocol_has_are_text() {
        for place in [Place::Root, Place::Message, Place::Block, Place::Tool, Place::Free] {
            for key in
                [&b"i-0f3a9c27be41d8056"[..], b"618734209955", b"AKIAIOSFODNN7EXAMPLE", br"\u0069-0f3a9c27be41d8056"]
            {
                assert!(place.may_rename(key));
            }
            assert_eq!(place.may_rename(b"tool_use_id"), place == Place::Free);
        }
        assert!(!Place::Opaque.may_rename(b"i-0f3a9c27be41d8056"));
    }

    #[test]
    fn unknown_positions_may_change() {
        assert_eq!(at(&["brand_new", "x"]), Place::Free);
        assert_eq!(at(&["id"]), Place::Free);
        assert_eq!(at(&["role"]), Place::Free);
    }
}
