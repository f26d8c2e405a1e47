//! Which endpoint a path names, and in which format it speaks.

use axum::http::{HeaderMap, HeaderName, StatusCode};

use crate::answer::Answer;
use crate::json::Json;
use crate::prompt::{self, Prompt};
use crate::pump::Outgoing;
use crate::sse::Steps;
use crate::{anthropic, files, legacy, openai, responses};

/// What a path asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Messages,
    CountTokens,
    Batches,
    ChatCompletions,
    Responses,
    Completions,
    Embeddings,
    Files,
    Models,
    Root,
    /// Something of an earlier request, or nothing.
    Other,
}

impl Endpoint {
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "/v1/messages" | "/analyze-claude" => Self::Messages,
            "/v1/messages/count_tokens" => Self::CountTokens,
            "/v1/messages/batches" => Self::Batches,
            "/v1/chat/completions" => Self::ChatCompletions,
            "/v1/responses" => Self::Responses,
            "/v1/completions" => Self::Completions,
            "/v1/embeddings" => Self::Embeddings,
            "/v1/files" => Self::Files,
            "/v1/models" => Self::Models,
            "/" => Self::Root,
            _ => Self::Other,
        }
    }

    /// The format of its answers.
    pub(crate) fn format(self, path: &str, headers: &HeaderMap) -> Format {
        match self {
            Self::ChatCompletions => Format::Chat,
            Self::Responses => Format::Responses,
            Self::Completions | Self::Embeddings => Format::Completion,
            Self::Files if !files::is_anthropic(headers) => Format::Completion,
            Self::Other if path.starts_with("/v1/responses/") => Format::Responses,
            _ => Format::Messages,
        }
    }

    /// Whether it answers a prompt.
    pub(crate) fn converses(self) -> bool {
        matches!(self, Self::Messages | Self::CountTokens | Self::ChatCompletions | Self::Responses | Self::Completions)
    }
}

/// How questions and answers are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Anthropic's.
    Messages,
    /// OpenAI's Chat Completions.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// OpenAI's older ones.
    Completion,
}

impl Format {
    pub(crate) fn error(self, json: Json, status: StatusCode, message: String, seq: u64) -> Outgoing {
        let document = match self {
            Self::Messages => anthropic::error(json, status.as_u16(), message, seq),
            Self::Chat | Self::Responses | Self::Completion => openai::error(json, status.as_u16(), message),
        };
        Outgoing::json(status, document)
    }

    /// The status of an API that has too much to do.
    pub(crate) fn overloaded(self) -> StatusCode {
        match self {
            Self::Messages => StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            Self::Chat | Self::Responses | Self::Completion => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) fn request_id_header(self) -> HeaderName {
        match self {
            Self::Messages => HeaderName::from_static("request-id"),
            Self::Chat | Self::Responses | Self::Completion => HeaderName::from_static("x-request-id"),
        }
    }

    pub(crate) fn read(self, body: &[u8]) -> Result<Prompt, String> {
        match self {
            Self::Messages => prompt::anthropic(body),
            Self::Chat => prompt::openai(body),
            Self::Responses => prompt::responses(body),
            Self::Completion => prompt::completion(body),
        }
    }

    pub(crate) fn whole(self, answer: &Answer) -> String {
        match self {
            Self::Messages => anthropic::whole(answer),
            Self::Chat => openai::whole(answer),
            Self::Responses => responses::whole(answer),
            Self::Completion => legacy::whole(answer),
        }
    }

    pub(crate) fn around_text(self, answer: &Answer) -> (String, String) {
        match self {
            Self::Messages => anthropic::around_text(answer),
            Self::Chat => openai::around_text(answer),
            Self::Responses => responses::around_text(answer),
            Self::Completion => legacy::around_text(answer),
        }
    }

    pub(crate) fn stream(self, answer: Answer) -> Steps {
        match self {
            Self::Messages => anthropic::stream(answer),
            Self::Chat => openai::stream(answer),
            Self::Responses => responses::stream(answer),
            Self::Completion => legacy::stream(answer),
        }
    }
}
