//! Where a string stands in the JSON of the Anthropic and OpenAI APIs.
//!
//! The two vendors' shapes do not contradict each other, so one table serves requests, answers and stream events of
//! both. What must never change is known by its position in the protocol; a key such as `signature` deep inside a
//! tool's input is the customer's own text. Positions that nobody listed are [`Place::Free`]: they are masked.

/// A position in the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The customer's text, as deep as it goes.
    Free,
    /// Never touched, as deep as it goes.
    Opaque,
    /// The customer's text, being JSON inside a string: escaped once more.
    JsonText,
    /// The top level.
    Root,
    /// A list of messages, or one message: a role and content.
    Message,
    /// Content: text, a block, or a list of blocks.
    Block,
    /// Where the bytes of an image or a document come from.
    Source,
    /// A tool's definition.
    Tool,
    /// A function that the model calls, or its definition.
    Function,
    /// One choice of an OpenAI answer.
    Choice,
}

impl Place {
    /// The place of the value of `key` in an object at this place.
    pub fn member(self, key: &[u8]) -> Self {
        match self {
            Self::Free => Self::Free,
            Self::JsonText => Self::JsonText,
            Self::Opaque => Self::Opaque,
            Self::Root => root(key),
            Self::Message | Self::Block => block(key),
            Self::Source => source(key),
            Self::Tool => tool(key),
            Self::Function => function(key),
            Self::Choice => choice(key),
        }
    }

    /// True for places whose objects have a `type` that decides over them, see [`is_opaque_block`].
    pub fn is_typed(self) -> bool {
        matches!(self, Self::Block | Self::Source)
    }

    /// True where text may be changed.
    pub fn may_change(self) -> bool {
        self != Self::Opaque
    }
}

fn root(key: &[u8]) -> Place {
    match key {
        b"messages" | b"message" => Place::Message,
        b"system" | b"content" | b"content_block" | b"delta" | b"input" | b"output" | b"item" | b"part" => Place::Block,
        b"tools" | b"functions" => Place::Tool,
        b"choices" => Place::Choice,
        b"response" => Place::Root,
        b"arguments" => Place::JsonText,
        b"model"
        | b"id"
        | b"type"
        | b"object"
        | b"role"
        | b"mcp_servers"
        | b"container"
        | b"tool_choice"
        | b"thinking"
        | b"service_tier"
        | b"stop_reason"
        | b"previous_response_id"
        | b"conversation"
        | b"item_id"
        | b"call_id"
        | b"request_id"
        | b"system_fingerprint"
        | b"obfuscation"
        | b"usage"
        | b"include"
        | b"betas"
        | b"prompt_cache_key"
        | b"partial_image_b64"
        | b"anthropic_version"
        | b"anthropic_beta" => Place::Opaque,
        _ => Place::Free,
    }
}

fn block(key: &[u8]) -> Place {
    match key {
        b"content" | b"tool_calls" | b"summary" | b"output" | b"annotations" => Place::Block,
        b"source" => Place::Source,
        b"function" | b"function_call" | b"custom" => Place::Function,
        b"arguments" | b"partial_json" => Place::JsonText,
        b"type"
        | b"id"
        | b"name"
        | b"role"
        | b"model"
        | b"status"
        | b"object"
        | b"tool_use_id"
        | b"call_id"
        | b"item_id"
        | b"file_id"
        | b"container_id"
        | b"server_name"
        | b"server_label"
        | b"tool_name"
        | b"caller"
        | b"media_type"
        | b"cache_control"
        | b"signature"
        | b"thinking"
        | b"data"
        | b"encrypted_content"
        | b"encrypted_index"
        | b"encrypted_stdout"
        | b"image_url"
        | b"input_audio"
        | b"audio"
        | b"file_data"
        | b"stop_reason"
        | b"usage"
        | b"container"
        | b"logprobs"
        | b"approval_request_id" => Place::Opaque,
        _ => Place::Free,
    }
}

fn source(key: &[u8]) -> Place {
    match key {
        b"content" => Place::Block,
        b"type" | b"media_type" | b"file_id" | b"url" => Place::Opaque,
        _ => Place::Free,
    }
}

fn tool(key: &[u8]) -> Place {
    match key {
        b"function" | b"custom" => Place::Function,
        b"type" | b"name" | b"cache_control" | b"server_url" | b"headers" | b"authorization" | b"vector_store_ids"
        | b"container" | b"server_label" | b"connector_id" => Place::Opaque,
        _ => Place::Free,
    }
}

fn function(key: &[u8]) -> Place {
    match key {
        b"name" | b"type" | b"strict" => Place::Opaque,
        b"arguments" => Place::JsonText,
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

/// Blocks of these types pass untouched, as a whole.
pub fn is_opaque_block(block_type: &[u8]) -> bool {
    matches!(
        block_type,
        b"thinking"
            | b"redacted_thinking"
            | b"web_search_tool_result"
            | b"tool_search_tool_result"
            | b"tool_reference"
            | b"container_upload"
            | b"fallback"
            | b"advisor_tool_result"
            | b"tool_addition"
            | b"tool_removal"
    )
}

/// Sources of these types hold encoded bytes or references, not text.
pub fn is_opaque_source(source_type: &[u8]) -> bool {
    matches!(source_type, b"base64" | b"url" | b"file")
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
    }

    #[test]
    fn arguments_are_json_in_a_string() {
        assert_eq!(at(&["messages", "tool_calls", "function", "arguments"]), Place::JsonText);
        assert_eq!(at(&["choices", "delta", "tool_calls", "function", "arguments"]), Place::JsonText);
        assert_eq!(at(&["delta", "partial_json"]), Place::JsonText);
    }

    #[test]
    fn unknown_positions_may_change() {
        assert_eq!(at(&["brand_new", "x"]), Place::Free);
    }
}
