//! What a password looks like, and how far one goes in a file of settings.

use crate::catalog::{Member, ValueShape};
use crate::detect::Scan;
use crate::detect::evidence::placeholder::is_placeholder;
use crate::detect::setting::value::{Setting, Value, is_code, is_common_word};
use crate::detect::text::boundary::{MAX_BACKSLASHES, ends_line, ends_string, is_alnum, run_end, run_start};
use crate::detect::text::line::break_before;
use crate::detect::text::word_list::WordList;
use crate::token::is_token_shaped;

/// How far from an option others of its command are looked at, bytes.
const MAX_OPTIONS: usize = 256;
/// Most blanks before a setting.
const MAX_INDENT: usize = 64;
/// Longest line of settings.
const MAX_LINE: usize = 1024;
/// Most of a word of a command behind the first part of a password.
const MAX_WORD: usize = 128;
/// Most that may stand behind the first closing bracket of a password.
const MAX_BRACKETED: usize = 64;
/// Most words of a phrase.
const MAX_WORDS: usize = 6;
/// Words of sentences, as they say what a password has to be or what is wrong with it.
static OF_SENTENCES: WordList = WordList::new(&[
    "a",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "between",
    "by",
    "can",
    "cannot",
    "characters",
    "chars",
    "does",
    "enter",
    "error",
    "failed",
    "field",
    "for",
    "from",
    "has",
    "have",
    "hash",
    "in",
    "incorrect",
    "invalid",
    "is",
    "it",
    "key",
    "least",
    "length",
    "long",
    "may",
    "min",
    "minimum",
    "must",
    "new",
    "no",
    "not",
    "of",
    "old",
    "on",
    "only",
    "or",
    "please",
    "protected",
    "required",
    "secret",
    "should",
    "step",
    "than",
    "the",
    "this",
    "to",
    "too",
    "type",
    "user",
    "username",
    "version",
    "with",
    "wrong",
    "you",
    "your",
]);
/// Fewest letters of a word with a digit inside: `i18n` and `k8s` have less.
const MIN_LETTERS: usize = 5;

/// Whether a value may be the password that its key announces.
pub(in crate::detect) fn is_password(body: &[u8], setting: Setting) -> bool {
    let enough = match setting {
        Setting::Told | Setting::Sure | Setting::Line => 4,
        Setting::Open => 8,
    };
    let varied =
        body.iter().any(|c| c.is_ascii_digit() || c.is_ascii_punctuation() && !matches!(c, b'.' | b'_' | b'-'));
    let is_phrase = setting == Setting::Sure && is_phrase_of_words(body);
    let is_one_word =
        is_phrase || body.iter().all(|c| c.is_ascii_graphic() || varied && setting.is_sure() && is_latin(*c));
    // `--password TEXT`, of a usage.
    let is_usage = setting == Setting::Told && body.iter().all(|c| c.is_ascii_uppercase() || *c == b'_');
    body.len() >= enough
        && !is_usage
        && is_one_word
        && (varied || setting.is_sure() || setting == Setting::Line && is_passphrase(body))
        && !is_stand_in(body)
        && !is_path_of_setting(body)
        && !is_common_word(body)
        && (!is_code(body, setting) || has_sign_of_password(body) || has_brackets_of_password(body))
}

/// What is written where a password belongs, `!Ref` and `%DB_PASSWORD%` among it. One that somebody, or Secrets Manager, drew
/// may begin with any sign: `!xK9#mQ2vLpw`, `%7Kd!qZ0rTna`.
fn is_stand_in(body: &[u8]) -> bool {
    let drawn = match body {
        [b'!' | b'%', rest @ ..] => Some(rest).filter(|rest| is_drawn(rest)),
        _ => None,
    };
    is_placeholder(drawn.unwrap_or(body))
}

/// True for what no tag of YAML and no variable of a shell is: letters, a digit, and one more sign or both cases.
fn is_drawn(body: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| body.iter().any(class);
    let is_variable = matches!(body, [b'(' | b'{', ..] | [.., b'%']);
    let is_mixed =
        has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) || body.iter().any(|c| b"!@#^*?~&+".contains(c));
    !is_variable && is_mixed && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && !body.contains(&b' ')
}

/// `ssl.key.password`: where a secret is set.
fn is_path_of_setting(body: &[u8]) -> bool {
    let mut words = body.rsplit(|&c| c == b'.');
    words.next() == Some(b"password")
        && words.next().is_some()
        && body.iter().all(|&c| c.is_ascii_lowercase() || matches!(c, b'.' | b'-' | b'_'))
}

/// True for brackets that are signs of a password, `J9v!x(2)Lq*8`, and not those of a call: behind what reads like a
/// function, with nothing glued to the last one.
fn has_brackets_of_password(body: &[u8]) -> bool {
    let Some(open) = body.iter().position(|&c| c == b'(') else { return false };
    let is_name = |c: u8| is_alnum(c) || matches!(c, b'_' | b'.' | b':' | b'-' | b'>' | b'&');
    let is_called = body[..open].iter().all(|&c| is_name(c));
    let close = body.iter().rposition(|&c| c == b')');
    let goes_on = close.and_then(|close| body.get(close + 1)).is_some_and(|&c| is_alnum(c) || b"!@#%^*~".contains(&c));
    let is_plain = !body.iter().any(|c| b"[]{}$=\"'`/,".contains(c));
    // Of a pattern: `^(GET|POST)`.
    let is_mixed = body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_alphabetic);
    is_plain
        && is_mixed
        && !matches!(body[0], b'!' | b'^')
        && if is_called { goes_on && close > Some(open) } else { true }
}

/// Of the bytes of letters such as `ü`, in UTF-8.
pub(in crate::detect) fn is_latin(c: u8) -> bool {
    matches!(c, 0x80..=0xbf | 0xc3)
}

/// True for words with dashes between, none of which says where the password is: `walnut-desk`, not `db-password`.
fn is_passphrase(body: &[u8]) -> bool {
    const SAYING: &[&[u8]] = &[
        b"env", b"file", b"from", b"here", b"key", b"my", b"name", b"not", b"ref", b"secret", b"some", b"the", b"your",
    ];
    let says = |word: &[u8]| {
        let word = word.to_ascii_lowercase();
        SAYING.contains(&&word[..])
            || word.starts_with(b"pass")
            || word.starts_with(b"secret")
            || word.starts_with(b"cred")
    };
    let mut words = body.split(|&c| c == b'-');
    body.contains(&b'-') && words.all(|word| word.len() > 2 && word.iter().all(u8::is_ascii_alphabetic) && !says(word))
}

/// True for a few words with a digit among them, `correct horse 7 battery`, and none that a sentence about passwords has.
fn is_phrase_of_words(body: &[u8]) -> bool {
    let is_part = |c: u8| c.is_ascii_graphic() && !b"%{}<>$\"'`\\=(),:;/".contains(&c);
    let is_word = |word: &[u8]| {
        let letters = word.iter().filter(|c| c.is_ascii_alphanumeric()).count();
        // What an earlier turn masked in it was told by itself.
        let is_own = word.first() != Some(&b'-') && !is_token_shaped(word);
        letters > 0 && is_own && word.iter().all(|&c| is_part(c)) && !OF_SENTENCES.contains_in_any_case(word)
    };
    let words = body.split(|&c| c == b' ');
    let long = words.clone().filter(|word| word.iter().filter(|c| c.is_ascii_alphabetic()).count() >= MIN_LETTERS - 1);
    (2..=MAX_WORDS).contains(&words.clone().count())
        && body.len() <= MAX_BRACKETED
        && long.count() > 1
        && body.iter().any(u8::is_ascii_digit)
        && words.clone().all(is_word)
        && !body.windows(4).any(|four| four.eq_ignore_ascii_case(b"pass"))
}

/// True for what no path of a program has: a sign, `m0untain.Ash!`, or a digit inside a word, `Umbr3lla.Corp`.
fn has_sign_of_password(body: &[u8]) -> bool {
    let is_path = body.iter().all(|&c| !b"()[]{}$".contains(&c));
    is_path && (body.iter().any(|c| b"!@#%^?~".contains(c)) || body.split(|&c| c == b'.').any(has_digit_inside))
}

fn has_digit_inside(word: &[u8]) -> bool {
    let letters = word.iter().filter(|c| c.is_ascii_alphabetic()).count();
    let is_inside =
        |three: &[u8]| three[0].is_ascii_alphabetic() && three[1].is_ascii_digit() && three[2].is_ascii_alphabetic();
    letters >= MIN_LETTERS && word.windows(3).any(is_inside)
}

impl Scan<'_, '_> {
    /// All of a password with signs in it that end other values: to the end of its line in a file of settings,
    /// `spring.datasource.password=Wren&Falcon`, past a reference in XML, `Password=Wren&amp;Falcon;`, to the end of its
    /// word in a command, and past quotes that are written twice.
    pub(in crate::detect) fn whole_password(&self, members: &[Member], value: Value) -> Value {
        let text = self.text;
        let is_cut = |&c: &u8| matches!(c, b'&' | b')' | b',' | b';' | b'}' | b']' | b'|' | b'\\' | b'\'' | b'"');
        let Some(&sign) = text.get(value.next).filter(|c| is_cut(c)) else { return value };
        if !members.iter().all(|member| member.value == ValueShape::Password) {
            return value;
        }
        if value.quoted {
            return past_quotes(text, value).unwrap_or(value);
        }
        if text[..self.key.start].ends_with(b"-") && matches!(sign, b',' | b'\\') {
            return to_end_of_word(text, value);
        }
        match sign {
            b')' => past_brackets(text, value).unwrap_or(value),
            b'&' if REFERENCES.iter().any(|name| text[value.next..].starts_with(name)) => {
                let is_part = |c: u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'<' | b'\\');
                let end = past_references(text, value.end, run_end(text, value.end, MAX_LINE, is_part));
                Value { end, next: end, ..value }
            }
            b'\\' | b'\'' | b'"' => value,
            _ if !begins_setting(text, self.key.start) => value,
            _ => to_end_of_line(text, value, sign).unwrap_or(value),
        }
    }
}

/// How XML spells signs that are its own.
const REFERENCES: [&[u8]; 4] = [b"&amp;", b"&lt;", b"&gt;", b"&apos;"];

/// To the end of the line of settings. A sign that also stands between settings, or behind them, has to be inside a word
/// that is no other setting: `Wren,F4lcon`, not `wren,user=x` or `wren},`.
fn to_end_of_line(text: &[u8], value: Value, sign: u8) -> Option<Value> {
    let end = run_end(text, value.end, MAX_LINE, |c| c.is_ascii_graphic() && !matches!(c, b'"' | b'\\'));
    if !ends_line(text, end) && !ends_string(text, end) {
        return None;
    }
    let end = if sign == b'&' { end } else { end - usize::from(matches!(text[end - 1], b',' | b';')) };
    let (body, rest) = (&text[value.start..end], &text[value.end..end]);
    let is_inside = rest.iter().any(|&c| is_alnum(c))
        && body.iter().any(u8::is_ascii_digit)
        && !rest.iter().any(|c| b"=:'`<>".contains(c));
    let is_whole = sign == b'&' || is_inside && is_password(body, Setting::Line);
    is_whole.then_some(Value { end, next: end, ..value })
}

/// To the end of the word that a shell makes of it: `Wren,F4lcon`, `Wren\&Falcon`.
fn to_end_of_word(text: &[u8], value: Value) -> Value {
    let is_part = |c: u8| c.is_ascii_graphic() && !b"\"'`\\;&|<>()".contains(&c);
    let is_escaped = |c: u8| c.is_ascii_punctuation() && !matches!(c, b'"' | b'\'' | b'\\');
    // Behind its comma another option may stand: `--password=Wren,--user=x`.
    let limit = text.len().min(value.end + MAX_WORD);
    let limit = memchr::memmem::find(&text[value.end..limit], b",-").map_or(limit, |comma| value.end + comma);
    let mut end = value.end;
    while end < limit {
        end = run_end(text, end, limit - end, is_part);
        let sign = run_end(text, end, MAX_BACKSLASHES, |c| c == b'\\');
        match text.get(sign) {
            Some(&c) if sign > end && is_escaped(c) => end = sign + 1,
            _ => break,
        }
    }
    // The comma of a sentence, or of a list.
    let end = end - usize::from(end > value.end && text[end - 1] == b',');
    if is_password(&text[value.start..end], Setting::Told) { Value { end, next: end, ..value } } else { value }
}

/// Past quotes in the middle: `'Wren''s-Falcon'` of YAML and SQL, `'Wren'\''s-Falcon'` and `'Wren'"'"'s-Falcon'` of shells.
fn past_quotes(text: &[u8], value: Value) -> Option<Value> {
    if text[value.end] != b'\'' {
        return None;
    }
    let limit = text.len().min(value.start + MAX_LINE);
    let (mut whole, mut end) = (value.end, value.end);
    while let Some(from) = reopened(text, end + 1).filter(|&from| from < limit) {
        end = run_end(text, from, limit - from, |c| c.is_ascii_graphic() && c != b'\'' && c != b'\\');
        if text.get(end) != Some(&b'\'') {
            break;
        }
        whole = end;
    }
    let is_whole = whole > value.end && is_password(&text[value.start..whole], Setting::Sure);
    is_whole.then_some(Value { end: whole, next: whole + 1, ..value })
}

/// Where a string in single quotes goes on that one at `at` has just ended; in JSON with more backslashes.
fn reopened(text: &[u8], at: usize) -> Option<usize> {
    let quote = run_end(text, at, MAX_BACKSLASHES, |c| c == b'\\');
    match text[quote..] {
        [b'\'', b'\'', ..] if quote > at => Some(quote + 2),
        [b'\'', ..] if quote == at => Some(quote + 1),
        [b'"', b'\'', ..] => {
            let close = run_end(text, quote + 2, quote - at, |c| c == b'\\');
            text[close..].starts_with(b"\"'").then_some(close + 2)
        }
        _ => None,
    }
}

/// A password with brackets inside, `J9v!x(2)Lq*8`, whose first part was taken for all of it.
fn past_brackets(text: &[u8], value: Value) -> Option<Value> {
    let is_part = |c: u8| c.is_ascii_graphic() && !b"\"'`\\;,<>|}]".contains(&c);
    let end = run_end(text, value.next, MAX_BRACKETED, is_part);
    let body = &text[value.start..end];
    let count = |bracket: u8| body.iter().filter(|&&c| c == bracket).count();
    // The last one may be that of a sentence, or of a call around: `f(password=J9v!x)`.
    let is_whole = count(b'(') == count(b')') && has_brackets_of_password(body);
    is_whole.then_some(Value { end, next: end, ..value })
}

/// True where a command with this option makes a parameter that is a secret.
pub(in crate::detect) fn is_secure(text: &[u8], option: usize) -> bool {
    let around = &text[option.saturating_sub(MAX_OPTIONS)..text.len().min(option + MAX_OPTIONS)];
    memchr::memmem::find(around, b"SecureString").is_some()
}

/// Where a value ends that has references in it, each with a `;` behind: `Wren&amp;Falcon;Encrypt=yes`.
fn past_references(text: &[u8], start: usize, limit: usize) -> usize {
    let mut at = start;
    while let Some(i) = text[at..limit].iter().position(|c| matches!(c, b';' | b'&')) {
        let sign = at + i;
        let name = run_end(text, sign + 1, 4, |c| c.is_ascii_lowercase());
        if text[sign] == b';' || text.get(name) != Some(&b';') {
            return sign;
        }
        at = name + 1;
    }
    limit
}

/// True where a setting begins its line, or a string: `PASSWORD=`, `export PASSWORD=`, `- PASSWORD=`, `[password] =>`.
fn begins_setting(text: &[u8], key: usize) -> bool {
    const BEFORE: [&[u8]; 6] = [b"export ", b"set ", b"ENV ", b"- ", b"Environment=", b"["];
    let before = &text[..key];
    let start = BEFORE.iter().find(|word| before.ends_with(word)).map_or(key, |word| key - word.len());
    begins_line(text, run_start(text, start, MAX_INDENT, |c| c == b' '))
}

/// True where a line or a string begins.
fn begins_line(text: &[u8], at: usize) -> bool {
    at == 0 || text[at - 1] == b'"' || break_before(text, at).is_some()
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn passwords_that_begin_with_a_sign() {
        for secret in ["!xK9#mQ2vLpw", "!Vq7ZrT2nMa", "%7Kd!qZ0rTna", "%9hTq2LmWz"] {
            for text in [
                format!("{{\"MasterUserPassword\": \"{secret}\"}}"),
                format!("aws rds modify-db-cluster --master-user-password '{secret}'"),
                format!("DB_PASSWORD={secret}\n"),
            ] {
                assert_eq!(found(&text), [("cred:password".to_owned(), secret)], "{text}");
            }
        }
        for text in [
            "MasterUserPassword: !Ref DbPassword1\n",
            "MasterUserPassword: '!GetAtt Db1.Password'\n",
            "password: !vault |\n",
            "set PASSWORD=%DB_PASSWORD1%\n",
            "\"password\": \"%(dbPassword1)s\"",
            "\"password\": \"%{dbPassword1}\"",
            "\"password\": \"!password1\"",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn passwords_with_signs_that_end_other_values() {
        for (text, secret) in [
            ("DB_PASSWORD=Wr3n,Falc;on\n", "Wr3n,Falc;on"),
            ("export DB_PASSWORD=Wr3n}Fal|con", "Wr3n}Fal|con"),
            ("  - DB_PASSWORD=Wr3n]Falcon\n", "Wr3n]Falcon"),
            ("    [MasterUserPassword] => Wr3n&Fal#con\n", "Wr3n&Fal#con"),
            ("password: Wr3n,Falcon,\n", "Wr3n,Falcon"),
            ("MasterUserPassword: 'Wr3n''s-Fal-con'\n", "Wr3n''s-Fal-con"),
            ("export DB_PASSWORD='Wr3n'\"'\"'s-Falcon!'\n", "Wr3n'\"'\"'s-Falcon!"),
            ("export DB_PASSWORD='Wr3n'\\''s-Falcon!'\n", "Wr3n'\\''s-Falcon!"),
            ("aws rds modify-db-cluster --master-user-password Wr3n,Falcon\\&x --apply", "Wr3n,Falcon\\&x"),
            ("psql --password Wr3nFalcon, then", "Wr3nFalcon"),
            ("psql --password=Wr3nFalcon,--port=5432", "Wr3nFalcon"),
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), secret)], "{text}");
        }
        for (text, secret) in [
            ("password: Wr3nFalcon,user: x\n", "Wr3nFalcon"),
            ("DB_PASSWORD=Wr3nFalcon;charset=utf8\n", "Wr3nFalcon"),
            ("f('Wr3nFalcon', password='Wr3nFalcon', '')", "Wr3nFalcon"),
        ] {
            let found = found(text);
            assert!(found.contains(&("cred:password".to_owned(), secret)), "{text} {found:?}");
        }
    }

    #[test]
    fn passwords_with_brackets() {
        for (text, secret) in [
            ("DB_PASSWORD=J9v!x(2)Lq*8\n", "J9v!x(2)Lq*8"),
            ("export DB_PASSWORD=J9v!x(2)Lq*8", "J9v!x(2)Lq*8"),
            ("password: J9v!x(2)Lq*8\n", "J9v!x(2)Lq*8"),
            ("password: Zx81(qP04)mNc\nuser: x\n", "Zx81(qP04)mNc"),
            ("DB_PASSWORD=(x8!kq)Lq*8\n", "(x8!kq)Lq*8"),
        ] {
            assert_eq!(found(text), [("cred:password".to_owned(), secret)], "{text}");
        }
        for text in [
            "password = getenv(\"DB_PASSWORD1\")",
            "DB_PASSWORD=$(cat /run/x1)\n",
            "password: os.environ.get('DB_PASSWORD1')\n",
            "password=hash256(user1)\n",
            "password: generate_password(16)\n",
            "password=decode(x1).trim()\n",
            "password: (a1 or b2)\n",
            "f(password=load(x1))\n",
            "DB_PASSWORD=base64decode(var.x1)\n",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
