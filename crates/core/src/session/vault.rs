//! What a session asks of a vault, and what it has to put into one.

use hashbrown::HashSet;
use memchr::memmem;

use super::{Session, TokenIndex};
use crate::detect::Detector;
use crate::token::{CODE_LEN, LABEL_LEN, LONG_CODE_LEN, MAX_TOKEN_LEN, is_base32};
use crate::vault::ScopeVault;
use crate::wire::Content;

/// Most tokens of one request that are remembered.
const MAX_NOTED: usize = 1 << 16;

/// Members of a request that make the API go on from what it keeps itself, and may hence answer with old tokens.
const REFERENCES: [&[u8]; 6] = [
    b"\"previous_response_id\"",
    b"\"conversation\"",
    b"\"container\"",
    b"\"file_id\"",
    b"\"file_ids\"",
    b"\"vector_store_ids\"",
];

/// Types of items that stand for earlier ones: kept by the API, or sealed by it. Those that are sealed say so by the member
/// beside, since what asks for a compaction has the same type.
const ITEM_REFERENCE: &[u8] = b"\"item_reference\"";
const COMPACTION: &[u8] = b"\"compaction\"";
const SEALED: &[u8] = b"\"encrypted_content\"";

/// A token in its plain spelling, filled up with zeroes.
type Spelling = [u8; MAX_TOKEN_LEN];

/// The vault's side of a session.
#[derive(Debug, Default)]
pub(super) struct VaultView {
    /// The scope's part of the vault under each secret; the first is the one that is written to.
    vaults: Vec<ScopeVault>,
    noted: HashSet<Spelling>,
    refers_to_state: bool,
}

impl VaultView {
    pub(super) fn new(vaults: Vec<ScopeVault>) -> Self {
        Self { vaults, ..Self::default() }
    }

    /// Looks at a request body before it is masked.
    pub(super) fn note(&mut self, detector: &Detector, content: Content, body: &[u8]) {
        if self.vaults.is_empty() {
            return;
        }
        for underscore in memchr::memchr_iter(b'_', body) {
            for spelling in spelled_at(detector, body, underscore).into_iter().flatten() {
                if self.noted.len() < MAX_NOTED {
                    self.noted.insert(spelling);
                }
            }
        }
        if content == Content::Json && !self.refers_to_state {
            self.refers_to_state = REFERENCES.iter().any(|member| has_value(body, member))
                || memmem::find(body, ITEM_REFERENCE).is_some()
                || memmem::find(body, COMPACTION).is_some() && has_value(body, SEALED);
        }
    }
}

/// The tokens, by the labels of this configuration, that the `_` at `underscore` may belong to.
///
/// There are two when more characters of a code follow than the shorter form has.
fn spelled_at(detector: &Detector, text: &[u8], underscore: usize) -> [Option<Spelling>; 2] {
    let code = &text[underscore + 1..];
    let code_len = code.iter().take(LONG_CODE_LEN + 1).take_while(|&&c| is_base32(c)).count();
    // Most words with an underscore end here: code goes on in capitals and digits of other lengths.
    let goes_on = code.get(code_len).is_some_and(u8::is_ascii_digit);
    if !(code_len == CODE_LEN || code_len == LONG_CODE_LEN) || goes_on {
        return [None; 2];
    }
    // Markdown, and JSON in JSON, put backslashes before it.
    let floor = underscore.saturating_sub(8);
    let separator = (floor..underscore).rev().find(|&i| text[i] != b'\\').map_or(floor, |i| i + 1);
    let floor = separator.saturating_sub(*LABEL_LEN.end() + 1);
    let label_char = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
    let start = (floor..separator).rev().find(|&i| !label_char(text[i])).map_or(floor, |i| i + 1);
    let label = &text[start..separator];
    if !detector.has_label(label) {
        return [None; 2];
    }
    let spell = |code: &[u8]| {
        let mut spelling = [0; MAX_TOKEN_LEN];
        let parts = label.iter().chain(b"_").chain(code);
        spelling.iter_mut().zip(parts).for_each(|(to, &from)| *to = from);
        spelling
    };
    [Some(spell(&code[..CODE_LEN])), (code_len == LONG_CODE_LEN).then(|| spell(&code[..LONG_CODE_LEN]))]
}

fn plain(spelling: &Spelling) -> &[u8] {
    let len = spelling.iter().position(|&c| c == 0).unwrap_or(MAX_TOKEN_LEN);
    &spelling[..len]
}

/// True when `member` (with its quotes) stands in `json` with a value other than null.
fn has_value(json: &[u8], member: &[u8]) -> bool {
    memmem::find_iter(json, member).any(|at| {
        let rest = json[at + member.len()..].trim_ascii_start();
        rest.strip_prefix(b":").is_some_and(|value| !value.trim_ascii_start().starts_with(b"null"))
    })
}

/// What became of a sealed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// The session knows what the token stands for.
    Known,
    /// It did not open here: of another scope, token or secret, or tampered with.
    Unsealable,
    /// It is a credential, and this session restores none; or the token stands for something else here.
    Refused,
}

impl Session {
    /// Lets the session read from and write to `vaults`: its scope under each secret, the current one first.
    #[must_use]
    pub fn with_vaults(mut self, vaults: Vec<ScopeVault>) -> Self {
        self.vault = VaultView::new(vaults);
        self
    }

    /// Its scope's part of the vault under each secret.
    pub fn vaults(&self) -> &[ScopeVault] {
        &self.vault.vaults
    }

    /// Tokens in the request that this session cannot explain.
    ///
    /// Any text that is spelled like a token of this configuration is one, in its plain spelling; in no order.
    pub fn unexplained(&self) -> impl Iterator<Item = &[u8]> {
        self.vault.noted.iter().map(plain).filter(|token| self.tokens.find(token).is_none())
    }

    /// True when the request has the API go on from something that it keeps itself (an earlier response, a file): the
    /// answer may then hold tokens that are not in the request.
    pub fn refers_to_state(&self) -> bool {
        self.vault.refers_to_state
    }

    /// Takes over what lay in the vault under `token`, written with the secret at `index`.
    pub fn learn_sealed(&mut self, index: usize, token: &[u8], sealed: &[u8]) -> Learned {
        let Some(opened) = self.vault.vaults.get(index).and_then(|vault| vault.open(token, sealed)) else {
            return Learned::Unsealable;
        };
        let may_restore = self.options.restore_credentials || !opened.is_credential;
        if may_restore && self.tokens.learn(token, &opened.original) { Learned::Known } else { Learned::Refused }
    }

    /// The tokens this session made that belong into the vault. Credentials that are never restored do not.
    pub fn to_store(&self) -> impl Iterator<Item = &[u8]> {
        let stores = !self.vault.vaults.is_empty() && !self.options.dry_run;
        self.tokens.iter().filter(move |e| stores && e.restores && e.kind.is_some()).map(|e| e.token)
    }

    /// Appends the sealed form of what `token` stands for to `out`; false when it is none of [`Self::to_store`].
    pub fn seal(&self, token: &[u8], out: &mut Vec<u8>) -> bool {
        let found = self.tokens.find(token).filter(|entry| entry.restores && !self.options.dry_run);
        let (Some(vault), Some(entry)) = (self.vault.vaults.first(), found) else { return false };
        let Some(kind) = entry.kind else { return false };
        vault.seal(token, entry.original, self.detector.is_credential(kind), out);
        true
    }
}

impl TokenIndex {
    /// The token that is spelled exactly like this.
    fn find(&self, token: &[u8]) -> Option<super::TokenEntry<'_>> {
        let at = memchr::memchr(b'_', token)?;
        self.by_exact_code(&token[at + 1..]).filter(|entry| entry.token == token)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::detect::{CustomPattern, DetectorConfig};
    use crate::session::SessionOptions;
    use crate::token::TokenKey;
    use crate::vault::VaultKey;

    const SECRET: &[u8] = b"a secret of thirty-two bytes ...";
    const FORMER: &[u8] = b"the secret that was used before.";
    const INSTANCE: &str = "i-0f3a9c27be41d8056";

    fn session_with(scope: &[u8], secrets: &[&[u8]], options: SessionOptions) -> Session {
        let pattern = CustomPattern { name: "ticket".into(), label: "TICKET".into(), regex: "OPS-[0-9]{4}".into() };
        let config = DetectorConfig { custom_patterns: vec![pattern], ..DetectorConfig::default() };
        let detector = Arc::new(Detector::new(&config).unwrap());
        let key = TokenKey::new(secrets[0]).unwrap().scope(scope);
        let vaults = secrets.iter().map(|secret| VaultKey::new(secret).unwrap().scope(scope)).collect();
        Session::new(detector, key, options).with_vaults(vaults)
    }

    fn session(scope: &[u8]) -> Session {
        session_with(scope, &[SECRET], SessionOptions::default())
    }

    fn text(session: &mut Session, body: &str) -> String {
        let masked = session.mask(b"text/plain", body.as_bytes()).unwrap();
        masked.map_or_else(|| body.to_owned(), |masked| String::from_utf8(masked).unwrap())
    }

    fn unexplained(session: &Session) -> Vec<String> {
        let mut tokens: Vec<_> = session.unexplained().map(|t| String::from_utf8(t.to_vec()).unwrap()).collect();
        tokens.sort();
        tokens
    }

    fn refers(content_type: &[u8], body: &str) -> bool {
        let mut session = session(b"");
        session.mask(content_type, body.as_bytes()).unwrap();
        session.refers_to_state()
    }

    /// Everything that `session` would store: token and sealed value.
    fn stored(session: &Session) -> Vec<(Vec<u8>, Vec<u8>)> {
        let seal = |token: &[u8]| {
            let mut sealed = Vec::new();
            assert!(session.seal(token, &mut sealed));
            (token.to_vec(), sealed)
        };
        session.to_store().map(seal).collect()
    }

    #[test]
    fn tokens_of_the_request_are_listed_unless_the_session_made_them() {
        let mut first = session(b"a");
        let token = text(&mut first, INSTANCE);

        let mut second = session(b"a");
        text(&mut second, &format!("{token} and VPC_ABCDEFGH, {INSTANCE}"));
        assert_eq!(unexplained(&second), ["VPC_ABCDEFGH"]);
    }

    #[test]
    fn spellings_and_neighbours_of_tokens() {
        for (body, expected) in [
            ("EC2_ABCDEFGH", &["EC2_ABCDEFGH"][..]),
            ("`EC2\\_ABCDEFGH`", &["EC2_ABCDEFGH"]),
            ("는EC2_ABCDEFGH를", &["EC2_ABCDEFGH"]),
            ("xEC2_ABCDEFGHx", &["EC2_ABCDEFGH"]),
            ("my_EC2_ABCDEFGH_copy", &["EC2_ABCDEFGH"]),
            ("TICKET_ABCDEFGH", &["TICKET_ABCDEFGH"]),
            ("EC2_ABCDEFGHIJKLM", &["EC2_ABCDEFGH", "EC2_ABCDEFGHIJKLM"]),
            ("EC2_ABCDEFGH EC2_ABCDEFGH", &["EC2_ABCDEFGH"]),
            ("EC2_ABCDEFG EC2_ABCDEFGHI EC2_ABCDEFG1 EC2_ABCDEFGH8 EC2_abcdefgh", &[]),
            ("MAX_REQUESTS LOG_SETTINGS _ABCDEFGH ", &[]),
            ("EC2_ABCDEFG", &[]),
        ] {
            let mut session = session(b"a");
            text(&mut session, body);
            assert_eq!(unexplained(&session), expected, "{body}");
        }
    }

    #[test]
    fn what_one_session_stores_another_of_the_scope_learns() {
        let mut first = session(b"a");
        text(&mut first, &format!("{INSTANCE} OPS-1234"));
        let stored = stored(&first);
        assert_eq!(stored.len(), 2);

        let mut second = session(b"a");
        for (token, sealed) in &stored {
            assert_eq!(second.learn_sealed(0, token, sealed), Learned::Known);
        }
        assert!(second.open_answer(b"text/plain", b""));
        let mut answer = Vec::new();
        let tokens = [stored[0].0.as_slice(), b" ", &stored[1].0].concat();
        second.restore(&tokens, true, &mut answer).unwrap();
        assert_eq!(String::from_utf8(answer).unwrap(), format!("{INSTANCE} OPS-1234"));
    }

    #[test]
    fn what_was_learned_is_not_stored_again() {
        let mut first = session(b"a");
        text(&mut first, INSTANCE);
        let (token, sealed) = stored(&first).remove(0);

        let mut second = session(b"a");
        second.learn_sealed(0, &token, &sealed);
        assert_eq!(second.to_store().count(), 0);
        assert!(!second.seal(&token, &mut Vec::new()));
    }

    #[test]
    fn another_scope_learns_nothing() {
        let mut first = session(b"a");
        text(&mut first, INSTANCE);
        let (token, sealed) = stored(&first).remove(0);

        assert_eq!(session(b"b").learn_sealed(0, &token, &sealed), Learned::Unsealable);
        assert_ne!(session(b"a").vaults()[0].name(), session(b"b").vaults()[0].name());
    }

    #[test]
    fn former_secrets_read_and_do_not_write() {
        let mut old = session_with(b"a", &[FORMER], SessionOptions::default());
        text(&mut old, INSTANCE);
        let (token, sealed) = stored(&old).remove(0);

        let mut rotated = session_with(b"a", &[SECRET, FORMER], SessionOptions::default());
        assert_eq!(rotated.learn_sealed(0, &token, &sealed), Learned::Unsealable);
        assert_eq!(rotated.learn_sealed(1, &token, &sealed), Learned::Known);
        assert_eq!(rotated.learn_sealed(2, &token, &sealed), Learned::Unsealable);
        assert_eq!(rotated.vaults()[1].name(), old.vaults()[0].name());

        text(&mut rotated, "vpc-04d1c7e92ab86f035");
        let (token, sealed) = stored(&rotated).remove(0);
        let mut current = session(b"a");
        assert_eq!(current.learn_sealed(0, &token, &sealed), Learned::Known);
    }

    #[test]
    fn one_way_credentials_are_neither_stored_nor_learned() {
        let body = format!("AKIAQ3EGRZ5LXW7TPN4M {INSTANCE}");
        let one_way = || SessionOptions { restore_credentials: false, ..SessionOptions::default() };
        let mut restoring = session(b"a");
        text(&mut restoring, &body);
        let stored = stored(&restoring);
        assert_eq!(stored.len(), 2);

        let mut session = session_with(b"a", &[SECRET], one_way());
        text(&mut session, &body);
        let labels: Vec<_> = session.to_store().map(|token| token[..4].to_vec()).collect();
        assert_eq!(labels, [b"EC2_".to_vec()]);

        let mut reading = session_with(b"a", &[SECRET], one_way());
        for (token, sealed) in stored {
            let expected = if token.starts_with(b"EC2_") { Learned::Known } else { Learned::Refused };
            assert_eq!(reading.learn_sealed(0, &token, &sealed), expected);
        }
    }

    #[test]
    fn a_dry_run_stores_nothing() {
        let options = SessionOptions { dry_run: true, ..SessionOptions::default() };
        let mut session = session_with(b"a", &[SECRET], options);
        text(&mut session, INSTANCE);
        assert_eq!(session.to_store().count(), 0);
    }

    #[test]
    fn without_a_vault_nothing_is_noted_or_stored() {
        let mut session = session_with(b"a", &[SECRET], SessionOptions::default()).with_vaults(Vec::new());
        text(&mut session, &format!("EC2_ABCDEFGH {INSTANCE}"));
        assert_eq!(unexplained(&session), Vec::<String>::new());
        assert_eq!(session.to_store().count(), 0);
    }

    #[test]
    fn references_to_what_the_api_keeps() {
        assert!(refers(b"application/json", r#"{"previous_response_id":"resp_1","input":"x"}"#));
        assert!(refers(b"application/json", r#"{"conversation" : {"id":"conv_1"}}"#));
        assert!(refers(b"application/json", r#"{"container":"c_1"}"#));
        assert!(refers(b"application/json", r#"{"messages":[{"content":[{"source":{"file_id":"f_1"}}]}]}"#));
        assert!(refers(b"application/json", r#"{"tools":[{"type":"file_search","vector_store_ids":["vs_1"]}]}"#));
        assert!(refers(b"application/json", r#"{"tools":[{"container":{"type":"auto","file_ids":["f_1"]}}]}"#));
        assert!(refers(b"application/json", r#"{"input":[{"type":"item_reference","id":"msg_1"}]}"#));
        assert!(refers(b"application/json", r#"{"input":[{"type":"compaction","encrypted_content":"x"}]}"#));
        assert!(!refers(b"application/json", r#"{"input":[{"type":"compaction","encrypted_content":null}]}"#));
        assert!(!refers(b"application/json", r#"{"input":[{"type":"reasoning","encrypted_content":"x"}]}"#));
        assert!(!refers(b"application/json", r#"{"context_management":[{"type":"compaction"}],"input":"x"}"#));
        assert!(!refers(b"application/json", r#"{"previous_response_id": null,"container":null}"#));
        assert!(!refers(b"application/json", r#"{"input":"the \"file_id\": 1 and previous_response_id"}"#));
        assert!(!refers(b"text/plain", r#""file_id":"f_1""#));
    }
}
