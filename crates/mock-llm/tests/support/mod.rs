//! Drives the built `mock-llm` over TCP and shows answers as they were sent, chunk by chunk.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// A running mock; killed when dropped.
pub struct Mock {
    pub child: Child,
    pub port: u16,
    pub first_line: String,
    _stdout: BufReader<ChildStdout>,
}

impl Mock {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mock-llm"))
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut first_line = String::new();
        stdout.read_line(&mut first_line).unwrap();
        let port = first_line.trim().rsplit(':').next().unwrap().parse().unwrap();
        Self { child, port, first_line, _stdout: stdout }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        stream
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.exchange(&head(method, path, headers, body.len()), body)
    }

    /// Posts a body that is not JSON.
    pub fn send_as(&self, content_type: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let head = String::from_utf8(head("POST", path, headers, body.len())).unwrap();
        self.exchange(head.replace("application/json", content_type).as_bytes(), body)
    }

    fn exchange(&self, head: &[u8], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        stream.write_all(head).unwrap();
        stream.write_all(body).unwrap();
        let mut bytes = Vec::new();
        let reset = match stream.read_to_end(&mut bytes) {
            Ok(_) => false,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => true,
            Err(error) => panic!("reading the answer: {error}"),
        };
        Answer::parse(&bytes, reset)
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send("POST", path, headers, body.to_string().as_bytes())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// Posts `text` as the only message to the Messages API.
    pub fn messages(&self, headers: &[(&str, &str)], stream: bool, text: &str) -> Answer {
        self.post("/v1/messages", headers, &request(stream, text))
    }

    /// Posts `text` as the only message to the Chat Completions API.
    pub fn chat(&self, headers: &[(&str, &str)], stream: bool, text: &str) -> Answer {
        self.post("/v1/chat/completions", headers, &request(stream, text))
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn request(stream: bool, text: &str) -> Value {
    json!({
        "model": "m-1",
        "max_tokens": 100,
        "stream": stream,
        "messages": [{"role": "user", "content": text}],
    })
}

pub fn head(method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> Vec<u8> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n"
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A parsed answer.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The chunks of the body, where it was chunked.
    pub chunks: Vec<Vec<u8>>,
    /// Whether the body ended as the headers promised.
    pub complete: bool,
    /// Whether the connection was reset.
    pub reset: bool,
}

impl Answer {
    fn parse(bytes: &[u8], reset: bool) -> Self {
        let end = find(bytes, b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_owned(), value.to_owned())
            })
            .collect();
        let mut answer =
            Self { status, headers, body: bytes[end + 4..].to_vec(), chunks: Vec::new(), complete: true, reset };
        if answer.header("transfer-encoding") == Some("chunked") {
            let raw = std::mem::take(&mut answer.body);
            (answer.chunks, answer.complete) = parse_chunks(&raw);
            answer.body = answer.chunks.concat();
        } else if let Some(length) = answer.header("content-length") {
            answer.complete = answer.body.len() == length.parse::<usize>().unwrap();
        }
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The events of the stream: name (empty where there is none) and data.
    pub fn events(&self) -> Vec<(String, Value)> {
        assert_eq!(self.header("content-type"), Some("text/event-stream; charset=utf-8"));
        events_of(&self.body)
    }

    /// The deltas of type `kind` of an Anthropic stream: their field `field`, by block index.
    pub fn deltas(&self, kind: &str, field: &str) -> Vec<(u64, String)> {
        let events = self.events().into_iter().map(|(_, data)| data);
        events
            .filter(|data| data["delta"]["type"] == kind)
            .map(|data| (data["index"].as_u64().unwrap(), data["delta"][field].as_str().unwrap().to_owned()))
            .collect()
    }

    /// All text deltas together.
    pub fn streamed_text(&self) -> String {
        self.deltas("text_delta", "text").into_iter().map(|(_, text)| text).collect()
    }
}

pub fn events_of(body: &[u8]) -> Vec<(String, Value)> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(text.ends_with("\n\n"));
    let event = |block: &str| {
        let mut name = String::new();
        let mut data = Value::Null;
        for line in block.lines() {
            match line.split_once(": ").unwrap() {
                ("event", value) => name = value.to_owned(),
                ("data", "[DONE]") => data = Value::from("[DONE]"),
                ("data", value) => data = serde_json::from_str(value).unwrap(),
                other => panic!("unexpected field {other:?}"),
            }
        }
        (name, data)
    };
    text.split_terminator("\n\n").map(event).collect()
}

fn parse_chunks(mut raw: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut chunks = Vec::new();
    while let Some(end) = find(raw, b"\r\n") {
        let size = std::str::from_utf8(&raw[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let rest = &raw[end + 2..];
        if size == 0 {
            return (chunks, true);
        }
        let Some(chunk) = rest.get(..size) else { break };
        chunks.push(chunk.to_vec());
        raw = rest.get(size + 2..).unwrap_or_default();
    }
    (chunks, false)
}

pub fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
