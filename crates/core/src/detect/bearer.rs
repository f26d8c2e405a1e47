//! Credentials that announce themselves: bearer keys, web tokens, passwords in URLs.

use super::Scan;
use super::boundary::{is_alnum, run_end, run_start, word_start};

/// Fewest characters of base64 after the prefix of a Bedrock key.
const MIN_KEY: usize = 40;
/// Longest token looked at.
const MAX_TOKEN: usize = 4096;
/// Longest user, and longest password, in a URL.
const MAX_USERINFO: usize = 128;

fn is_base64(c: u8) -> bool {
    is_alnum(c) || matches!(c, b'+' | b'/' | b'=')
}

fn is_base64_url(c: u8) -> bool {
    is_alnum(c) || matches!(c, b'-' | b'_')
}

impl Scan<'_, '_> {
    /// Looks at the `ABSK` at `start`; gives where to go on.
    pub(super) fn bedrock_key(&mut self, start: usize) -> usize {
        let text = self.text;
        let end = run_end(text, start, MAX_TOKEN, is_base64);
        let run = run_start(text, start, 8, is_alnum);
        if end - start >= MIN_KEY && (run == start || word_start(text, run) == start) {
            self.whole(self.detector.catalog.known.bedrock_key, start, end);
            return end;
        }
        start + 4
    }

    /// Looks at the last dash of `bedrock-api-key-` at `dash`; gives where to go on.
    pub(super) fn bedrock_short_key(&mut self, dash: usize) -> usize {
        let end = run_end(self.text, dash + 1, MAX_TOKEN, |c| is_base64(c) || is_base64_url(c));
        if end - dash > MIN_KEY {
            self.whole(self.detector.catalog.known.bedrock_short_key, dash - "bedrock-api-key".len(), end);
            return end;
        }
        dash + 1
    }

    /// Looks at the dot of `k8s-aws-v1.` at `dot`; gives where to go on.
    pub(super) fn eks_token(&mut self, dot: usize) -> usize {
        let end = run_end(self.text, dot + 1, MAX_TOKEN, is_base64_url);
        if end - dot > MIN_KEY {
            self.whole(self.detector.catalog.known.eks_token, dot - "k8s-aws-v1".len(), end);
            return end;
        }
        dot + 1
    }

    /// Looks at the first dot of `eyJ….eyJ….…` at `dot`; gives where to go on.
    pub(super) fn web_token(&mut self, dot: usize) -> usize {
        let text = self.text;
        let run = run_start(text, dot, 1024, is_base64_url);
        let start = word_start(text, run).min(dot);
        let second = run_end(text, dot + 1, MAX_TOKEN, is_base64_url);
        let end = run_end(text, second + 1, MAX_TOKEN, is_base64_url);
        let is_token = text[start..dot].starts_with(b"eyJ") && text.get(second) == Some(&b'.') && end > second + 8;
        if !is_token {
            return dot + 1;
        }
        self.whole(self.detector.catalog.known.jwt, start, end);
        end
    }

    /// Looks at the `://` at `colon`, for `user:password@`.
    pub(super) fn url_password(&mut self, colon: usize) {
        let text = self.text;
        let user = colon + 3;
        let is_part =
            |c: u8| c.is_ascii_graphic() && !matches!(c, b'/' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b'@');
        let user_end = run_end(text, user, MAX_USERINFO, |c| is_part(c) && c != b':');
        let start = user_end + 1;
        if text.get(user_end) != Some(&b':') {
            return;
        }
        let end = run_end(text, start, MAX_USERINFO, is_part);
        let password = &text[start.min(end)..end];
        let is_random = password.iter().any(u8::is_ascii_digit) && password.iter().any(u8::is_ascii_alphabetic);
        let is_variable = password.iter().any(|c| matches!(c, b'{' | b'(')) || password.first() == Some(&b'$');
        if text.get(end) == Some(&b'@') && password.len() >= 6 && is_random && !is_variable {
            self.whole(self.detector.catalog.known.url_password, start, end);
        }
    }
}
