//! Requests made from a seed: what people and agents send to a language model, with identifiers in it or without.

/// What a payload holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Density {
    /// Nothing to mask.
    Clean,
    /// An identifier for about 200 bytes.
    Dense,
}

/// SplitMix64: the same numbers on every machine.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap_or(u64::MAX)).unwrap_or(0)
    }

    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    pub fn chars(&mut self, alphabet: &str, len: usize) -> String {
        (0..len).map(|_| char::from(alphabet.as_bytes()[self.below(alphabet.len())])).collect()
    }
}

const WORDS: &[&str] = &[
    "the",
    "service",
    "returns",
    "after",
    "deploy",
    "latency",
    "is",
    "higher",
    "than",
    "expected",
    "and",
    "we",
    "should",
    "check",
    "whether",
    "cache",
    "warm",
    "before",
    "traffic",
    "moves",
    "to",
    "new",
    "version",
    "retry",
    "with",
    "backoff",
    "a",
    "of",
    "handler",
    "request",
    "timeout",
    "memory",
    "limit",
    "index",
    "query",
    "slow",
    "table",
    "scan",
    "logs",
    "show",
    "서버가",
    "느려진",
    "원인을",
    "확인해",
    "주세요",
    "배포",
    "이후",
    "오류가",
    "발생합니다",
];

const CODE: &[&str] = &[
    "        if task is None:\n            util.debug('result handler got sentinel')\n            break\n",
    "    for (index, item) in items.iter().enumerate() {\n        total += item.size * 2;\n    }\n",
    "def __reduce__(self):\n    raise NotImplementedError('pool objects cannot be pickled')\n",
    "let reader = std::io::BufReader::new(file);\nlet width = options.width.unwrap_or(80);\n",
    "  const response = await fetch(url, { method: 'POST', headers: { Accept: 'text/plain' } });\n",
    "<div class=\"mt-4 flex items-center justify-between\" data-index=\"3\">{title}</div>\n",
    "{\"level\": \"info\", \"message\": \"cache miss\", \"elapsed_ms\": 12.5, \"ok\": true}\n",
    "| column | type | nullable |\n|--------|------|----------|\n| total | int | no |\n",
    "serde = { version = \"1.0.203\", features = [\"derive\"] }\n",
    "    assert_eq!(parse(\"a: b\"), Ok((\"a\", \"b\")));\n",
    "- name: build\n  run: cargo test --workspace --all-features\n",
    "commit 9f3c2b1a77de45c0ffee00112233445566778899\n",
];

impl Numbers {
    fn sentence(&mut self) -> String {
        let words: Vec<&str> = (0..8 + self.below(10)).map(|_| self.pick(WORDS)).collect();
        format!("{}.\n", words.join(" "))
    }

    fn log_line(&mut self) -> String {
        let (minute, second, millis) = (self.below(60), self.below(60), self.below(1000));
        format!("2025-03-14T09:{minute:02}:{second:02}.{millis:03}Z INFO worker-{} {}", self.below(16), self.sentence())
    }

    fn clean(&mut self) -> String {
        match self.below(5) {
            0 => self.log_line(),
            1 | 2 => self.pick(CODE).to_owned(),
            _ => self.sentence(),
        }
    }

    pub fn hex(&mut self, len: usize) -> String {
        self.chars("0123456789abcdef", len)
    }

    pub fn account(&mut self) -> String {
        format!("{}{}", 1 + self.below(9), self.chars("0123456789", 11))
    }

    pub fn name(&mut self) -> String {
        let first = self.pick(&["orders", "ledger", "search", "billing", "media"]);
        let second = self.pick(&["prod", "staging", "batch", "events", "archive"]);
        format!("acme-{first}-{second}-{}", self.below(40))
    }

    fn identifier(&mut self) -> String {
        let region = self.pick(&["us-east-1", "eu-west-1", "ap-northeast-2"]);
        match self.below(10) {
            0 => format!("instance i-{} is unhealthy\n", self.hex(17)),
            1 => format!("{{\"VpcId\": \"vpc-{}\", \"SubnetId\": \"subnet-{}\"}}\n", self.hex(17), self.hex(17)),
            2 => format!("arn:aws:lambda:{region}:{}:function:{}\n", self.account(), self.name()),
            3 => format!("connect to 10.{}.{}.{}:5432\n", self.below(250), self.below(250), 1 + self.below(250)),
            4 => format!("arn:aws:iam::{}:role/{}\n", self.account(), self.name()),
            5 => format!("aws s3 cp s3://{}/{}.csv .\n", self.name(), self.hex(6)),
            6 => format!("https://{}.s3.{region}.amazonaws.com/{}.png\n", self.name(), self.hex(6)),
            7 => format!("\"AccountId\": \"{}\"\n", self.account()),
            8 => format!("sg-{} allows 0.0.0.0/0\n", self.hex(17)),
            _ => format!("{}.{}.{region}.rds.amazonaws.com\n", self.name(), self.chars("abcdefgh1234567", 12)),
        }
    }
}

/// A text of about `len` bytes; `per_identifier` bytes for one identifier when it is dense.
pub fn text(len: usize, density: Density, per_identifier: usize, seed: u64) -> String {
    let mut numbers = Numbers::new(seed);
    let (mut text, mut next) = (String::with_capacity(len + 512), 0);
    let mut seen: Vec<String> = Vec::new();
    while text.len() < len {
        if density == Density::Dense && text.len() >= next {
            next = text.len() + per_identifier;
            // People speak of the same things again.
            let known = !seen.is_empty() && numbers.below(3) == 0;
            let line = if known { seen[numbers.below(seen.len())].clone() } else { numbers.identifier() };
            text.push_str(&line);
            seen.push(line);
        } else {
            text.push_str(&numbers.clean());
        }
    }
    text
}

/// A Messages request of about `len` bytes: instructions, a tool and a conversation.
pub fn request(len: usize, density: Density, per_identifier: usize, seed: u64) -> Vec<u8> {
    let body = text(len.saturating_sub(700).max(200) * 9 / 10, density, per_identifier, seed);
    let mut messages = Vec::new();
    let mut rest = body.as_str();
    // Turns of a size that people and tools write.
    let turn = (len / 8).clamp(300, 20_000);
    while !rest.is_empty() {
        let end = (turn.min(rest.len())..=rest.len()).find(|&at| rest.is_char_boundary(at)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(end);
        let role = if messages.len() % 2 == 0 { "user" } else { "assistant" };
        messages.push(serde_json::json!({"role": role, "content": [{"type": "text", "text": head}]}));
        rest = tail;
    }
    let request = serde_json::json!({
        "model": "claude-sonnet-4-5-20250929",
        "max_tokens": 8192,
        "stream": true,
        "system": [{"type": "text", "text": "Be concise. Use the tools available to you. Never guess file contents."}],
        "tools": [{"name": "Bash", "description": "Executes a command in a shell.", "input_schema":
            {"type": "object", "properties": {"command": {"type": "string"}, "timeout": {"type": "number"}}}}],
        "messages": messages,
    });
    request.to_string().into_bytes()
}
