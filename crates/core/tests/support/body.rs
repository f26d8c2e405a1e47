//! Strategies for bodies: a tree that knows which of its strings may change, and spellings of it.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::identifier::{Piece, clean_text, identifier, text};

/// JSON whose strings know what is to happen to them.
#[derive(Clone)]
pub enum Node {
    /// May change.
    Text(Piece),
    /// Must stay byte for byte, whatever it looks like.
    Opaque(String),
    /// JSON inside a string.
    Embedded(Box<Node>),
    Scalar(&'static str),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// How strings are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Only the escapes that JSON asks for.
    Plain,
    /// What is not ASCII as `\uXXXX`.
    Ascii,
    /// Slashes as `\/`.
    Solidus,
    /// Every third letter, digit or sign as `\uXXXX`.
    Hidden,
}

impl Spelling {
    /// True when identifiers are spelled as a serializer spells them, so that they come back byte for byte; else the
    /// text comes back, in another spelling.
    pub fn is_canonical(self) -> bool {
        matches!(self, Self::Plain | Self::Ascii)
    }
}

pub fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![
        5 => Just(Spelling::Plain),
        2 => Just(Spelling::Ascii),
        1 => Just(Spelling::Solidus),
        2 => Just(Spelling::Hidden),
    ]
}

fn quote(text: &str, spelling: Spelling, out: &mut String) {
    out.push('"');
    for (i, c) in text.chars().enumerate() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '/' if spelling == Spelling::Solidus => out.push_str("\\/"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if spelling == Spelling::Ascii && !c.is_ascii() => {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
            }
            c if spelling == Spelling::Hidden && i % 3 == 1 && c.is_ascii() => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

impl Node {
    /// The bytes of this JSON.
    pub fn render(&self, spelling: Spelling) -> String {
        let mut out = String::new();
        self.write(spelling, &mut out);
        out
    }

    fn write(&self, spelling: Spelling, out: &mut String) {
        match self {
            Self::Text(piece) => quote(&piece.text, spelling, out),
            // as the vendor sent it
            Self::Opaque(text) => quote(text, Spelling::Plain, out),
            Self::Embedded(inner) => quote(&inner.render(Spelling::Plain), spelling, out),
            Self::Scalar(scalar) => out.push_str(scalar),
            Self::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i > 0 { "," } else { "" });
                    item.write(spelling, out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    out.push_str(if i > 0 { ", " } else { "" });
                    quote(key, Spelling::Plain, out);
                    out.push_str(if i % 2 == 0 { ":" } else { ": " });
                    value.write(spelling, out);
                }
                out.push('}');
            }
        }
    }

    /// Everything that must not be in the masked body.
    pub fn secrets(&self) -> Vec<&str> {
        let mut secrets = Vec::new();
        self.each(&mut |node| {
            if let Self::Text(piece) = node {
                secrets.extend(piece.secrets.iter().map(String::as_str));
            }
        });
        secrets
    }

    /// Everything that must be in the masked body, as it is spelled there.
    pub fn opaque(&self) -> Vec<String> {
        let mut opaque = Vec::new();
        self.each(&mut |node| {
            if let Self::Opaque(_) = node {
                opaque.push(node.render(Spelling::Plain));
            }
        });
        opaque
    }

    fn each<'n>(&'n self, visit: &mut impl FnMut(&'n Node)) {
        visit(self);
        match self {
            Self::List(items) => items.iter().for_each(|item| item.each(visit)),
            Self::Object(members) => members.iter().for_each(|(_, value)| value.each(visit)),
            Self::Embedded(inner) => inner.each(visit),
            _ => {}
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Spelling::Plain))
    }
}

fn object(members: Vec<(&str, Node)>) -> Node {
    Node::Object(members.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
}

fn opaque(text: &str) -> Node {
    Node::Opaque(text.into())
}

fn free() -> impl Strategy<Value = Node> {
    prop_oneof![4 => text().prop_map(Node::Text), 1 => clean_text().prop_map(|text| Node::Text(Piece { text, secrets: Vec::new() }))]
}

/// Something that must stay although it looks like an identifier.
fn lookalike() -> impl Strategy<Value = String> {
    identifier().prop_map(|piece| piece.text)
}

/// The customer's own JSON: tool inputs, metadata, bodies of other APIs.
pub fn json() -> BoxedStrategy<Node> {
    let leaf = prop_oneof![
        5 => free(),
        1 => select(&["0", "-1.5e3", "123456789", "true", "false", "null"][..]).prop_map(Node::Scalar),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let key = prop_oneof![
            3 => select(&["a", "note", "signature", "data", "id", "type", "thinking", "Größe", "결과"][..]).prop_map(String::from),
            1 => lookalike(),
        ];
        prop_oneof![
            3 => vec((key, inner.clone()), 0..5).prop_map(|members| {
                let mut object: Vec<(String, Node)> = Vec::new();
                for (key, value) in members {
                    if !object.iter().any(|(known, _)| *known == key) {
                        object.push((key, value));
                    }
                }
                Node::Object(object)
            }),
            2 => vec(inner.clone(), 0..5).prop_map(Node::List),
            1 => inner.prop_map(|node| Node::Embedded(Box::new(node))),
        ]
    })
    .boxed()
}

/// A block of an Anthropic message.
fn block() -> BoxedStrategy<Node> {
    prop_oneof![
        4 => free().prop_map(|text| object(vec![("type", opaque("text")), ("text", text)])),
        2 => json().prop_map(|input| object(vec![
            ("type", opaque("tool_use")), ("id", opaque("toolu_01A09q90qw90lq917835lq9")), ("name", opaque("describe")),
            ("input", object(vec![("query", input)])),
        ])),
        2 => json().prop_map(|result| object(vec![
            ("tool_use_id", opaque("toolu_01A09q90qw90lq917835lq9")), ("type", opaque("tool_result")),
            ("content", Node::Embedded(Box::new(result))),
        ])),
        1 => free().prop_map(|text| object(vec![
            ("type", opaque("tool_result")), ("tool_use_id", opaque("toolu_01")), ("is_error", Node::Scalar("true")),
            ("content", Node::List(vec![object(vec![("type", opaque("text")), ("text", text)])])),
        ])),
        1 => (lookalike(), lookalike()).prop_map(|(thinking, signature)| object(vec![
            ("type", opaque("thinking")), ("thinking", opaque(&thinking)), ("signature", opaque(&signature)),
        ])),
        1 => (lookalike(), lookalike()).prop_map(|(thinking, signature)| object(vec![
            ("signature", opaque(&signature)), ("thinking", opaque(&thinking)), ("type", opaque("thinking")),
        ])),
        1 => lookalike().prop_map(|data| object(vec![("type", opaque("redacted_thinking")), ("data", opaque(&data))])),
        1 => lookalike().prop_map(|data| object(vec![
            ("type", opaque("image")),
            ("source", object(vec![
                ("data", opaque(&data)), ("media_type", opaque("image/png")), ("type", opaque("base64")),
            ])),
        ])),
        1 => (free(), free()).prop_map(|(data, title)| object(vec![
            ("type", opaque("document")), ("title", title),
            ("source", object(vec![("type", opaque("text")), ("media_type", opaque("text/plain")), ("data", data)])),
        ])),
    ]
    .boxed()
}

/// A request to the Messages API.
pub fn messages() -> BoxedStrategy<Node> {
    let content = prop_oneof![free(), vec(block(), 0..4).prop_map(Node::List)];
    let message = (select(&["user", "assistant"][..]), content)
        .prop_map(|(role, content)| object(vec![("role", opaque(role)), ("content", content)]));
    (vec(message, 1..4), free(), free(), lookalike())
        .prop_map(|(messages, system, description, model)| {
            object(vec![
                ("model", opaque(&model)),
                ("max_tokens", Node::Scalar("1024")),
                ("system", system),
                ("tools", Node::List(vec![object(vec![("name", opaque("describe")), ("description", description)])])),
                ("messages", Node::List(messages)),
            ])
        })
        .boxed()
}

/// A request to the Chat Completions API.
pub fn chat() -> BoxedStrategy<Node> {
    let call = json().prop_map(|arguments| {
        object(vec![
            ("role", opaque("assistant")),
            (
                "tool_calls",
                Node::List(vec![object(vec![
                    ("id", opaque("call_abc123")),
                    ("type", opaque("function")),
                    (
                        "function",
                        object(vec![
                            ("name", opaque("describe")),
                            ("arguments", Node::Embedded(Box::new(object(vec![("query", arguments)])))),
                        ]),
                    ),
                ])]),
            ),
        ])
    });
    let message = prop_oneof![
        2 => free().prop_map(|content| object(vec![("role", opaque("user")), ("content", content)])),
        1 => call,
    ];
    (vec(message, 1..4), lookalike())
        .prop_map(|(messages, model)| object(vec![("model", opaque(&model)), ("messages", Node::List(messages))]))
        .boxed()
}

/// Any body that is JSON.
pub fn any_json() -> BoxedStrategy<Node> {
    prop_oneof![4 => messages(), 2 => chat(), 2 => json().prop_map(|inner| object(vec![("payload", inner)]))].boxed()
}
