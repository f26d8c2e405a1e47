//! Values that calls set by a name in quotes: `os.Setenv("DB_PASSWORD", "…")`, `conf.set("fs.s3a.secret.key", "…")`.

use crate::catalog::{MAX_KEY_LEN, ValueShape};
use crate::detect::Scan;
use crate::detect::setting::key::is_asked_last;
use crate::detect::setting::value::{BareRun, Setting, Value, is_believable, value};
use crate::detect::setting::words::Words;
use crate::detect::text::boundary::{is_alnum, run_end, run_start};

/// The last bytes of the names of functions that set something, before the bracket.
const ENDS: [[u8; 3]; 14] = [
    *b"Add", *b"Env", *b"Set", *b"add", *b"ble", *b"env", *b"fig", *b"get", *b"ine", *b"ion", *b"put", *b"rty",
    *b"set", *b"ult",
];
/// Of `std::env::set_var`.
const SET_VAR: &[u8] = b"_var";
/// Of functions that set nothing, but say what holds where nothing is set.
const GETS: &[u8] = b"get";
const GETENV: &[u8] = b"getenv";
/// Longest name of a function.
const MAX_FUNCTION: usize = 32;

/// False before most brackets: no function ends there that sets something by its name.
#[inline]
pub(in crate::detect) fn may_end_setter(text: &[u8], at: usize) -> bool {
    text[..at].last_chunk().is_some_and(|end| ENDS.contains(end)) || text[..at].ends_with(SET_VAR)
}

impl Scan<'_, '_> {
    /// Looks at the call whose bracket is at `open`, with a quote behind it or behind a blank.
    #[inline(never)]
    pub(in crate::detect) fn set_in_call(&mut self, open: usize) {
        let text = self.text;
        let Some((name, found)) = arguments(text, open) else { return };
        let (start, end) = (name.start, name.end);
        let members = &self.detector.catalog.members;
        if end - start > MAX_KEY_LEN || !members.may_mean_something(&text[start..end]) {
            return;
        }
        let words = Words::split(&text[start..end]);
        let mut members = self.meanings_of_words(&words);
        // Programs keep all sorts of things by name; what is set for others to read is spelled so.
        let is_constant = text[start..end].iter().all(|&c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_');
        members.retain(|m| self.wants(m.kind) && (is_constant || self.detector.is_credential(m.kind)));
        members.retain(|m| is_asked_last(m) || self.has_hint(m, start));
        if members.is_empty() {
            return;
        }
        let function = &text[run_start(text, open, MAX_FUNCTION, |c| is_alnum(c) || c == b'_')..open];
        let lower = function.to_ascii_lowercase();
        let is_default = lower.ends_with(GETS) || lower.ends_with(GETENV);
        // `get("password", "x", 1)` asks for something else.
        let is_last = text.get(run_end(text, found.next, 2, |c| c == b' ')) == Some(&b')');
        let is_password = members.iter().all(|member| member.value == ValueShape::Password);
        let body = &text[found.start..found.end];
        // What stands for nothing is a word, and so is what is wrong: `errors.add("password", "invalid")`.
        let is_word = |c: &u8| c.is_ascii_alphabetic() || matches!(c, b' ' | b'.' | b'_' | b'-');
        let is_doubtful = is_password && (is_default || !is_constant) && body.iter().all(is_word);
        let is_sure = !is_password || is_believable(ValueShape::Password, body, Setting::Sure);
        if is_default && !is_last || is_doubtful || !is_sure {
            return;
        }
        self.key = start..end;
        self.believe(&members, found, Setting::Sure);
    }
}

/// The first two arguments of the call whose bracket is at `open`, both in quotes.
fn arguments(text: &[u8], open: usize) -> Option<(Value, Value)> {
    let quoted = |at: usize| {
        let at = run_end(text, at, 2, |c| c == b' ');
        value(text, at, &mut BareRun::default()).filter(|found| found.quoted)
    };
    let name = quoted(open + 1)?;
    let comma = text.get(name.next).filter(|&&c| c == b',').map(|_| name.next + 1)?;
    Some((name, quoted(comma)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::testing::found;

    const KEY: &str = "kD8v/Wq2LmXp+4RtYz9sBnH7cFjQ0aGeUiTo3KvZ";

    #[test]
    fn functions_that_set_something() {
        for function in [
            "os.Setenv",
            "SetVariable",
            "dict.Add",
            "set_var",
            "setProperty",
            "config",
            "define",
            "setdefault",
            "option",
            "put",
            "set",
        ] {
            assert!(may_end_setter(function.as_bytes(), function.len()), "{function}");
        }
    }

    #[test]
    fn passwords_set_by_name() {
        for text in [
            "os.Setenv(\"DB_PASSWORD\", \"jackdaw9\")",
            "std::env::set_var(\"DB_PASSWORD\", \"jackdaw9\");",
            "System.setProperty(\"db.password\", \"jackdaw9\");",
            "monkeypatch.setenv('DB_PASSWORD', 'jackdaw9')",
            "setenv(\"DB_PASSWORD\", \"jackdaw9\", 1);",
            "define( 'DB_PASSWORD', 'jackdaw9' );",
            "define('DB_PASSWORD', 'jackdaw9');",
            "os.environ.setdefault(\"DB_PASSWORD\", \"jackdaw9\")",
            "os.environ.get(\"DB_PASSWORD\", \"jackdaw9\")",
            "reader.option(\"password\", \"jackdaw9\").load()",
            "props.put(\"password\", \"jackdaw9\");",
            "viper.Set(\"db.password\", \"jackdaw9\")",
            "Environment.SetEnvironmentVariable(\"DB_PASSWORD\", \"jackdaw9\");",
            "ENV[\"DB_PASSWORD\"] ||= \"jackdaw9\"",
            "ENV['DB_PASSWORD'] = 'jackdaw9'",
            "DB_PASSWORD ?= jackdaw9\n",
            "DB_PASSWORD?=jackdaw9\n",
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), "jackdaw9")], "{text}");
        }
        for function in ["builder.config(\"spark.hadoop.fs.s3a.secret.key\"", "conf.set(\"fs.s3a.secret.key\""] {
            let text = format!("{function}, \"{KEY}\")");
            assert_eq!(found(&text), [("cred:secret-access-key".to_owned(), KEY)], "{text}");
        }
    }

    #[test]
    fn names_set_by_name() {
        let text = "os.Setenv(\"S3_BUCKET\", \"acme-billing-logs\")";
        assert_eq!(found(text), [("name:s3-bucket".to_owned(), "acme-billing-logs")]);
    }

    #[test]
    fn what_is_set_to_nothing_of_ones_own() {
        for text in [
            "get(\"password\", \"x9876\", 1)",
            "form.get(\"password\", \"none given\")",
            "os.Setenv(\"DB_PASSWORD\", password)",
            "os.Setenv(\"DB_PASSWORD\", \"\")",
            "os.Setenv(\"DB_PASSWORD\", \"$PASSWORD\")",
            "map.put(\"bucket\", \"acme\")",
            "errors.add(\"db_password\", \"invalid\")",
            "define( 'ABSPATH', 'jackdaw9' );",
            "password?: string",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
