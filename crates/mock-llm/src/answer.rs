//! The answer to a prompt, before a vendor's format is put on it.

use serde::Serialize;

use crate::json::Json;
use crate::knobs::{Knobs, Reply};
use crate::prompt::{Echoed, Prompt};
use crate::script::Script;

const DEFAULT_TOOL: &str = "run";
const BEFORE_TOOL: &str = "I will run it.";

/// One piece of content.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    /// Text for the user.
    Text(Script),
    /// Thinking, to be signed.
    Thinking(String),
    /// A call of a tool.
    Tool {
        /// Its name.
        name: String,
        /// Its arguments.
        input: Input,
    },
}

/// Arguments of a tool call.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Input {
    command: String,
    ids: Vec<String>,
}

impl Input {
    fn new(echo: &str) -> Self {
        Self { command: echo.to_owned(), ids: echo.split_whitespace().map(str::to_owned).collect() }
    }

    /// The arguments as a model writes them: JSON with a space after each colon and comma.
    pub(crate) fn text(&self, json: Json) -> String {
        let ids: Vec<String> = self.ids.iter().map(|id| json.text(id)).collect();
        format!(r#"{{"command": {}, "ids": [{}]}}"#, json.text(&self.command), ids.join(", "))
    }
}

/// How an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As it should.
    Complete,
    /// With an error event, where it is streamed.
    Error(String),
    /// With a broken connection.
    Abort,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Number of the request, for the ids in the answer.
    pub(crate) seq: u64,
    /// The model that is said to have answered.
    pub(crate) model: String,
    /// The content, in order.
    pub(crate) blocks: Vec<Block>,
    /// How it ends.
    pub(crate) ending: Ending,
    /// Bytes of text in each event of a stream.
    pub(crate) delta_bytes: usize,
    /// How JSON is written.
    pub(crate) json: Json,
    /// Made-up count of tokens in the request.
    pub(crate) input_tokens: usize,
    /// Whether an OpenAI stream tells the usage.
    pub(crate) include_usage: bool,
    /// Members of the request that OpenAI's Responses repeat.
    pub(crate) echoed: Echoed,
}

impl Answer {
    /// The answer that `knobs` ask for.
    pub(crate) fn plan(prompt: Prompt, knobs: &Knobs, seq: u64) -> Self {
        let Prompt { echo, model, tool, holds_results, input_tokens, include_usage, echoed, .. } = prompt;
        let mut ending = Ending::Complete;
        let blocks = match knobs.reply {
            Reply::Tool | Reply::Agent if knobs.reply == Reply::Tool || !holds_results => {
                let name = tool.unwrap_or_else(|| DEFAULT_TOOL.to_owned());
                let before = Block::Text(Script::once(BEFORE_TOOL.to_owned()));
                vec![before, Block::Tool { name, input: Input::new(&echo) }]
            }
            Reply::Thinking => vec![Block::Thinking(echo.clone()), Block::Text(Script::once(echo))],
            Reply::Large => vec![Block::Text(Script::repeated(echo, knobs.large_bytes))],
            Reply::ErrorStream => {
                ending = Ending::Error(quote(&echo));
                vec![Block::Text(Script::once(echo).half())]
            }
            Reply::Reset if prompt.stream => {
                ending = Ending::Abort;
                vec![Block::Text(Script::once(echo).half())]
            }
            _ => vec![Block::Text(Script::once(echo))],
        };
        let (delta_bytes, json) = (knobs.delta_bytes, knobs.json);
        Self { seq, model, blocks, ending, delta_bytes, json, input_tokens, include_usage, echoed }
    }

    /// Made-up count of tokens in the answer.
    pub(crate) fn output_tokens(&self) -> usize {
        let bytes = |block: &Block| match block {
            Block::Text(script) => script.len(),
            Block::Thinking(text) => text.len(),
            Block::Tool { input, .. } => input.command.len(),
        };
        self.blocks.iter().map(bytes).sum::<usize>().div_ceil(4).max(1)
    }

    /// Whether the answer calls a tool.
    pub(crate) fn calls_tool(&self) -> bool {
        self.blocks.iter().any(|block| matches!(block, Block::Tool { .. }))
    }

    /// The one text of the answer, where it may be too long to hold in memory.
    pub(crate) fn long_text(&self) -> Option<&Script> {
        match self.blocks.as_slice() {
            [Block::Text(script)] => Some(script),
            _ => None,
        }
    }
}

/// The message of an error that quotes the prompt.
pub(crate) fn quote(echo: &str) -> String {
    format!("prompt was: {echo}")
}
