//! What manuals write where a value belongs.

/// `${bucket}`, `<name>`, `xxxx`, `your-bucket`, `...`.
pub(in crate::detect) fn is_placeholder(body: &[u8]) -> bool {
    // Most names have none of these, and six searches take longer than one look.
    let odd = body.iter().any(|&c| matches!(c, b'$' | b'{' | b'.' | b':' | b'x'));
    let has = |part: &[u8]| odd && memchr::memmem::find(body, part).is_some();
    body.iter().all(|&c| matches!(c, b'x' | b'X' | b'*' | b'.' | b'-' | b'_'))
        || matches!(body[0], b'$' | b'<' | b'{' | b'%' | b'!')
        || body[0] == b'&' && is_angle(body)
        || matches!(body[0], b'[' | b'(') && is_struck(body)
        || body.starts_with(b"#{") && body.ends_with(b"}")
        || has(b"${")
        || has(b"{{")
        || has(b"$(")
        || has(b"...")
        || has(b"://")
        || has(b"xxxx")
        || body.starts_with(b"your-")
        || body.starts_with(b"YOUR_")
        || body.starts_with(b"REPLACE")
        || body.starts_with(b"example.com")
        || body[0].is_ascii_uppercase() && is_capital_placeholder(body)
}

/// `BACKEND_BUCKET_NAME`, `SECRET_VERSION`: what manuals write where a value belongs.
fn is_capital_placeholder(body: &[u8]) -> bool {
    const LAST: &[&[u8]] = &[b"ARN", b"HERE", b"ID", b"IDS", b"NAME", b"NAMES", b"VERSION"];
    let body = body.strip_suffix(b".").unwrap_or(body);
    let last = body.iter().rposition(|&c| c == b'_').map_or(body, |sign| &body[sign + 1..]);
    last.len() < body.len() && LAST.contains(&last) && body.iter().all(|c| c.is_ascii_uppercase() || *c == b'_')
}

/// `&lt;string&gt;`, as HTML spells it; a secret has more than letters in it.
fn is_angle(body: &[u8]) -> bool {
    let behind = |sign: &[u8]| {
        let (start, rest) = body.split_at_checked(sign.len())?;
        let word = rest.split(|&c| c == b'&').next()?;
        let is_word = word.iter().all(|&c| c.is_ascii_alphabetic() || matches!(c, b'|' | b'_' | b'-'));
        (start.eq_ignore_ascii_case(sign) && is_word).then_some(())
    };
    [&b"&lt;"[..], b"&#x3c;", b"&#60;"].into_iter().any(|sign| behind(sign).is_some())
}

/// `[FILTERED]`, `(redacted)`: what logs have in place of secrets.
fn is_struck(body: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [b"filtered", b"hidden", b"masked", b"omitted", b"redacted", b"removed"];
    let word = body[1..].split(|c| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    WORDS.iter().any(|struck| word.eq_ignore_ascii_case(struck))
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::parts;

    #[test]
    fn what_html_spells_as_a_placeholder_is_one() {
        for text in ["passphrase: &lt;string&gt;", "{pem: &#x3C;string|buffer>[, passphrase: &#x3C;string>]}"] {
            assert_eq!(parts(text), Vec::<&str>::new(), "{text}");
        }
        assert_eq!(parts("passphrase: Tr0ub&lt;4dor"), ["Tr0ub&lt;4dor"]);
        assert_eq!(parts("<add password=\"&lt;Tr0ub4dor9xK\"/>"), ["&lt;Tr0ub4dor9xK"]);
    }

    #[test]
    fn what_was_struck_out_is_no_secret() {
        for text in ["password: \"[FILTERED]\"", "PGPASSWORD=(redacted) psql", "password = '#{password}'"] {
            assert_eq!(parts(text), Vec::<&str>::new(), "{text}");
        }
        assert_eq!(parts("password: \"[Filter3d]x\""), ["[Filter3d]x"]);
    }
}
