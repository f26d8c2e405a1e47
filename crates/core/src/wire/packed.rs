//! Bytes that a body has as text: images, documents.

/// Fewest characters of base64 that are bytes of something, and not a word or an id.
const MIN_PACKED: usize = 64;

/// What credentials begin with that are base64 as bytes are: session tokens, and keys of Bedrock.
const CREDENTIALS: [&[u8]; 4] = [b"IQo", b"FwoG", b"FQo", b"ABSK"];

/// Shortest line that encoders break base64 into: PEM has 64 characters, MIME 76.
const MIN_LINE: usize = 60;

/// How much is looked at in one go, so that a compiler can compare many characters at a time.
const STEP: usize = 64;

/// True for base64, by itself or in a URL of data. Identifiers are shorter, or have other characters in them.
///
/// All of it is looked at: text may stand behind any amount of it.
pub(super) fn is_packed(value: &[u8]) -> bool {
    if value.starts_with(b"data:") {
        let marker = b";base64,";
        let head = &value[..value.len().min(MIN_PACKED)];
        let Some(at) = head.windows(marker.len()).position(|part| part == marker) else { return false };
        return value[at + marker.len()..].split(|&c| c == b'%').all(is_base64);
    }
    value.len() >= MIN_PACKED && !CREDENTIALS.iter().any(|begin| value.starts_with(begin)) && is_base64(value)
}

/// True for base64 as a JSON string may have it, also broken into lines there: all as long as encoders make them, for keys
/// below each other are of such characters, too; and padded at the end only, unlike `secret=…`.
fn is_base64(value: &[u8]) -> bool {
    let is_of_it = |c: u8| c.is_ascii_alphanumeric() | (c == b'+') | (c == b'/') | (c == b'=') | (c == b'\\');
    if !value.chunks(STEP).all(|step| step.iter().fold(true, |all, &c| all & is_of_it(c))) {
        return false;
    }
    let value = value.strip_suffix(b"\\n").unwrap_or(value);
    let digits = value.iter().rposition(|&c| c != b'=').map_or(0, |at| at + 1);
    if memchr::memchr(b'=', &value[..digits]).is_some() {
        return false;
    }
    let mut start = 0;
    let mut length = None;
    for end in memchr::memmem::find_iter(value, b"\\n") {
        let line = &value[start..end];
        let len = line.strip_suffix(b"\\r").unwrap_or(line).iter().filter(|&&c| c != b'\\').count();
        if len < MIN_LINE || length.is_some_and(|length| length != len) {
            return false;
        }
        length = Some(len);
        start = end + 2;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_base64_to_its_end() {
        let image = "iVBORw0KGgo".repeat(1000);
        let line = "iVBORw0KGgo".repeat(7);
        let escaped = format!("{line}\\n{line}\\/==");
        for packed in
            [image.as_str(), &escaped, &format!("data:image/png;base64,{image}"), "data:text/plain;base64,QQ%3D%3D"]
        {
            assert!(is_packed(packed.as_bytes()), "{packed}");
            for behind in [" i-0f3a9c27be41d8056", "-i", "10.24.7.31"] {
                let text = format!("{packed}{behind}");
                assert!(!is_packed(text.as_bytes()), "{text}");
            }
        }
        let (key, secret) = ("AKIAZ4EXKMQ7WTPLN3RB", "wJbkrXUtnFEMIK7MDENGbPxRfiCYqT3vN8sLdGhZ");
        for text in [
            format!("{key}\\n{secret}\\n{key}\\n{secret}"),
            format!("accesskey={key}\\nsecretkey={secret}"),
            format!("{line}\\n{key}\\n{secret}"),
        ] {
            assert!(!is_packed(text.as_bytes()), "{text}");
        }
        assert!(is_packed(format!("{line}\\r\\n{line}\\r\\niVBO==\\n").as_bytes()));
        for credential in ["IQoJb3JpZ2luX2VjEJv", "FwoGZXIvYXdzE", "ABSKQmVkcm9ja0FQSUtleS"] {
            let credential = credential.replace('_', "/") + &"a1B2".repeat(40);
            assert!(!is_packed(credential.as_bytes()), "{credential}");
        }
    }
}
