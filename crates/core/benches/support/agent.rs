//! Requests of coding agents: excerpts of files, of shells and of logs, in messages and in calls of tools.

use serde_json::{Value, json};

use super::payload::{Density, Numbers};

/// What people and tools write, between lines of `%%`. Nothing is to be masked in the first; the second is full of it.
const CLEAN: &str = include_str!("excerpts/clean.txt");
const DENSE: &str = include_str!("excerpts/dense.txt");

/// A Messages request of about `len` bytes.
pub fn request(len: usize, density: Density, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    let excerpts = match density {
        Density::Clean => CLEAN,
        Density::Dense => DENSE,
    };
    let excerpts: Vec<&str> = excerpts.split("%%\n").collect();
    let mut messages: Vec<Value> = Vec::new();
    let mut size = 0;
    while size < len {
        let excerpt = numbers.pick(&excerpts);
        let text = numbers.filled(excerpt);
        // With escapes, and what stands around it.
        size += text.len() * 11 / 10 + 200;
        let id = format!("toolu_{}", numbers.chars("0123456789ABCDEFGHabcdefgh", 22));
        messages.push(json!({"role": "assistant", "content": [
            {"type": "text", "text": "확인해 볼게요."},
            {"type": "tool_use", "id": id, "name": "Bash", "input": {"command": "make check", "description": "run"}}]}));
        messages
            .push(json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": text}]}));
    }
    let body = json!({
        "model": "claude-sonnet-4-5-20250929",
        "max_tokens": 8192,
        "stream": true,
        "metadata": {"user_id": "user_0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
        "system": [{"type": "text", "text": "Be concise. Use the tools. Never guess file contents.", "cache_control": {"type": "ephemeral"}}],
        "messages": messages,
    });
    body.to_string().into_bytes()
}

/// Where the id of the last call of a tool ends in a request: in the call, and in what answers it.
pub fn ends_of_last_call(request: &[u8]) -> Vec<usize> {
    let text = std::str::from_utf8(request).expect("JSON is UTF-8");
    let ends = text.match_indices("\"toolu_").map(|(at, quote)| at + quote.len() + 22);
    let mut ends: Vec<usize> = ends.collect();
    ends.split_off(ends.len() - 2)
}

impl Numbers {
    /// The excerpt with identifiers of its own.
    fn filled(&mut self, excerpt: &str) -> String {
        let mut text = String::with_capacity(excerpt.len() * 2);
        let mut rest = excerpt;
        while let Some((before, behind)) = rest.split_once('<') {
            text.push_str(before);
            let filled = behind.split_once('>').and_then(|(what, behind)| Some((self.value(what)?, behind)));
            rest = match filled {
                Some((value, behind)) => {
                    text.push_str(&value);
                    behind
                }
                // `useState<User | null>`
                None => {
                    text.push('<');
                    behind
                }
            };
        }
        text + rest
    }

    fn value(&mut self, what: &str) -> Option<String> {
        Some(match what {
            "hex16" => self.hex(16),
            "hex17" => self.hex(17),
            "uuid" => [8, 4, 4, 4, 12].map(|len| self.hex(len)).join("-"),
            "account" => self.account(),
            "name" => self.name(),
            "octet" => (1 + self.below(250)).to_string(),
            _ => return None,
        })
    }
}
