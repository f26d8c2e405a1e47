//! What a program says is going to change, in a tree: `cdk diff`.
//!
//! ```text
//! [~] AWS::S3::Bucket Logs LogsD1A2B3C4
//!  └─ [~] BucketName (requires replacement)
//!      ├─ [-] acme-logs
//!      └─ [+] acme-logs-2
//! ```

use crate::detect::Scan;
use crate::detect::setting::key::key_start;
use crate::detect::setting::value::Setting;
use crate::detect::text::boundary::{is_alnum, run_end};
use crate::detect::text::line::{Line, following, line_start, whole_break_at};

/// Before the type of a resource that changes.
pub(in crate::detect) const DIFFERS: &[u8] = b"[~] ";
/// Most lines of one resource.
const MAX_LINES: usize = 100;
/// Longest line of a type, and longest branch before what changes.
const MAX_LINE: usize = 256;
const MAX_BRANCH: usize = 64;
/// Longest key.
const MAX_KEY: usize = 64;

impl Scan<'_, '_> {
    /// Looks through the properties of the resource whose type is at `start`.
    pub(in crate::detect) fn differences(&mut self, start: usize) {
        let text = self.text;
        let end = run_end(text, start, MAX_LINE, |c| c.is_ascii_graphic() && c != b'\\' || c == b' ');
        let Some((depth, next)) = whole_break_at(text, end) else { return };
        let mut line = Line { start: line_start(text, start), end, next, depth };
        let mut members = Vec::new();
        for _ in 0..MAX_LINES {
            let Some(found) = following(text, line) else { return };
            // `│`, `├`, `└` and `─` are no ASCII.
            let at = run_end(text, found.start, MAX_BRANCH, |c| c == b' ' || !c.is_ascii());
            let body = &text[at..found.end.max(at)];
            if at == found.start || body.len() <= DIFFERS.len() {
                return;
            }
            let value = at + DIFFERS.len();
            match &body[..DIFFERS.len()] {
                b"[~] " => {
                    let end = run_end(text, value, MAX_KEY, |c| is_alnum(c) || matches!(c, b'_' | b'.'));
                    members = self.meanings(key_start(text, end).max(value), end);
                }
                b"[-] " | b"[+] " if !members.is_empty() => {
                    self.announced(&members, value, Setting::Line);
                }
                b"[-] " | b"[+] " => {}
                _ => return,
            }
            line = found;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn what_properties_are_changed_from_and_to() {
        let tree = "Resources\n[~] AWS::S3::Bucket Logs LogsD1A2B3C4\n └─ [~] BucketName (requires replacement)\n     \
            ├─ [-] acme-drop\n     └─ [+] acme-drop-2\n[~] AWS::Lambda::Function F FC0D6B5F4\n └─ [~] Environment\n     \
            └─ [~] .Variables:\n         └─ [~] .BUCKET:\n             ├─ [-] acme-raw\n             └─ [+] acme-raw-2\n";
        assert_eq!(parts(tree), ["acme-drop", "acme-drop-2", "acme-raw", "acme-raw-2"]);
        for text in [
            "[~] AWS::S3::Bucket Logs X\n └─ [~] Tags\n     ├─ [-] acme-drop\n     └─ [+] acme-drop-2\n",
            "[~] AWS::S3::Bucket Logs X\n\n └─ [~] BucketName\n     ├─ [-] acme-drop\n",
        ] {
            assert_eq!(parts(text), [""; 0], "{text}");
        }
    }
}
