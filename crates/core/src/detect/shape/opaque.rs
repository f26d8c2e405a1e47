//! Ids that say nothing to people, where a key or a command says that one stands there.

use crate::detect::setting::value::{is_algorithm, is_hex_number};
use crate::detect::shape::arn::is_region;
use crate::detect::text::boundary::is_alnum;

/// An id that says nothing to people.
pub(in crate::detect) fn is_opaque(body: &[u8]) -> bool {
    is_mixed(body) || is_long_opaque(body) || is_session(body)
}

/// Digits among letters.
fn is_mixed(body: &[u8]) -> bool {
    let is_version = body.first() == Some(&b'v') && body[1..].iter().all(|c| c.is_ascii_digit() || *c == b'.');
    (6..=64).contains(&body.len())
        && body.iter().any(u8::is_ascii_digit)
        && body.iter().any(u8::is_ascii_alphabetic)
        && (body.iter().all(|&c| is_alnum(c) || c == b'-') || has_short_prefix(body))
        && !is_version
        && !is_hex_number(body)
        && !is_algorithm(body)
        && !body.starts_with(b"rds-ca-")
        && !is_region(body)
}

/// An id of an archive or an upload: up to 160 characters of base64.
fn is_long_opaque(body: &[u8]) -> bool {
    (65..=160).contains(&body.len())
        && body.iter().all(|&c| is_alnum(c) || matches!(c, b'-' | b'_' | b'.'))
        && body.iter().any(u8::is_ascii_digit)
        && body.iter().any(u8::is_ascii_uppercase)
        && body.iter().any(u8::is_ascii_lowercase)
}

/// The id of a session of Session Manager, with who began it: `jane.doe-0a1b2c3d4e5f60718`, `jane-kx3mq…` of 26 letters.
fn is_session(body: &[u8]) -> bool {
    let Some(dash) = body.iter().rposition(|&c| c == b'-').filter(|&dash| dash > 0) else { return false };
    let (who, id) = (&body[..dash], &body[dash + 1..]);
    let is_hex = id.len() == 17 && id[0] == b'0' && id.iter().all(u8::is_ascii_hexdigit);
    let is_base = id.len() == 26 && id.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    (is_hex || is_base) && who.iter().all(|&c| is_alnum(c) || matches!(c, b'.' | b'_' | b'-' | b'@' | b'+' | b'='))
}

/// `aip_CCkW6gKrDiBD4n78123ABC`, `pcs_zdkp8ct49z`.
fn has_short_prefix(body: &[u8]) -> bool {
    let Some(sign) = body.iter().position(|&c| c == b'_') else { return false };
    let (prefix, id) = (&body[..sign], &body[sign + 1..]);
    (2..=4).contains(&sign)
        && prefix.iter().all(u8::is_ascii_lowercase)
        && id.len() >= 10
        && id.iter().all(|&c| is_alnum(c))
        && id.iter().any(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::is_opaque;

    #[test]
    fn sessions_have_the_name_of_who_began_them() {
        for id in ["jane.doe-0a1b2c3d4e5f60718", "jane@acme.io-0a1b2c3d4e5f60718", "jane-kx3mq7zl2p9r4w8t1y6b5n0c7d"] {
            assert!(is_opaque(id.as_bytes()), "{id}");
        }
        for other in ["jane.doe-1a1b2c3d4e5f60718", "jane.doe-report", "-0a1b2c3d4e5f60718.", "v1.2"] {
            assert!(!is_opaque(other.as_bytes()), "{other}");
        }
    }
}
