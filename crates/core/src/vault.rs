//! Mappings as they lie in a store that others may read: sealed, and bound to who owns them and to their token.
//!
//! Each scope has a name and keys of its own, all made by HKDF-SHA-256 from the operator's secret. The name says nothing
//! without the secret. A sealed value is
//!
//! `version (1 byte), nonce (24), XChaCha20-Poly1305 of (flags, original, padding), tag (16)`
//!
//! with version and token as associated data: it opens in its own scope and under its own token only. The nonce is a
//! keyed digest of token and contents, so that sealing is a pure function: equal mappings give equal bytes, different
//! ones never meet in a nonce. Padding hides all of a length but its multiple of 32.

use std::fmt;

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::Result;
use crate::token::check_secret;

/// Version of format and key derivation; the first byte of every sealed value.
const VERSION: u8 = 1;
const KEY_LEN: usize = 32;
const NAME_LEN: usize = 16;
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const PADDED_TO: usize = 32;
const END_OF_TEXT: u8 = 0x80;

const CREDENTIAL: u8 = 1;

/// Makes the keys of every scope from one secret. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct VaultKey {
    root: Hkdf<Sha256>,
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(..)")
    }
}

impl VaultKey {
    /// Takes the operator's secret.
    ///
    /// # Errors
    /// [`crate::Error::Config`] when it is shorter than 16 bytes.
    pub fn new(secret: &[u8]) -> Result<Self> {
        check_secret(secret)?;
        Ok(Self { root: Hkdf::new(Some(b"aws-masker/vault"), secret) })
    }

    /// The part of the vault that belongs to `scope`, any text that names the owner. The text is not kept.
    pub fn scope(&self, scope: &[u8]) -> ScopeVault {
        let mut keys = Zeroizing::new([0u8; 2 * KEY_LEN + NAME_LEN]);
        if self.root.expand_multi_info(&[&[VERSION], scope], keys.as_mut_slice()).is_err() {
            // HKDF gives up to 8160 bytes.
            unreachable!("80 bytes are within the limit of HKDF");
        }
        let (seal_key, rest) = keys.split_at(KEY_LEN);
        let (nonce_key, name) = rest.split_at(KEY_LEN);
        ScopeVault {
            name: hex(name),
            aead: XChaCha20Poly1305::new(seal_key.into()),
            nonce: crate::token::mac(nonce_key),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| DIGITS[usize::from(half)]).collect()
}

/// What a sealed value holds. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// What the token stands for.
    pub original: Zeroizing<Vec<u8>>,
    /// It was found as a credential.
    pub is_credential: bool,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({} bytes)", self.original.len())
    }
}

/// One scope's part of the vault, under one secret.
#[derive(Clone)]
pub struct ScopeVault {
    name: String,
    aead: XChaCha20Poly1305,
    nonce: Hmac<Sha256>,
}

impl fmt::Debug for ScopeVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScopeVault({})", self.name)
    }
}

impl ScopeVault {
    /// Where the scope's mappings are kept: 32 characters of hex that say nothing without the secret.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Appends the sealed form of `original` under `token` to `out`.
    pub fn seal(&self, token: &[u8], original: &[u8], is_credential: bool, out: &mut Vec<u8>) {
        let start = out.len();
        out.push(VERSION);
        out.extend_from_slice(&[0; NONCE_LEN]);
        let text = out.len();
        out.push(if is_credential { CREDENTIAL } else { 0 });
        out.extend_from_slice(original);
        out.push(END_OF_TEXT);
        let padded = (out.len() - text).next_multiple_of(PADDED_TO);
        out.resize(text + padded, 0);

        let mut mac = self.nonce.clone();
        mac.update(token);
        // no token holds this byte, so that the border is clear
        mac.update(&[0]);
        mac.update(&out[text..]);
        let digest = mac.finalize().into_bytes();
        let (head, sealed) = out[start..].split_at_mut(1 + NONCE_LEN);
        head[1..].copy_from_slice(&digest[..NONCE_LEN]);
        let nonce = XNonce::from_slice(&head[1..]);
        match self.aead.encrypt_in_place_detached(nonce, &associated(token), sealed) {
            Ok(tag) => out.extend_from_slice(&tag),
            // The cipher takes 256 GiB.
            Err(_) => unreachable!("an original is shorter than the limit of ChaCha20"),
        }
    }

    /// Opens what [`Self::seal`] made for the same scope, secret and token; `None` for anything else.
    pub fn open(&self, token: &[u8], sealed: &[u8]) -> Option<Opened> {
        let (&VERSION, rest) = sealed.split_first()? else { return None };
        let text_len = rest.len().checked_sub(NONCE_LEN + TAG_LEN)?;
        let (nonce, rest) = rest.split_at(NONCE_LEN);
        let (text, tag) = rest.split_at(text_len);
        let mut text = Zeroizing::new(text.to_vec());
        self.aead
            .decrypt_in_place_detached(XNonce::from_slice(nonce), &associated(token), &mut text, tag.into())
            .ok()?;
        let end = text.iter().rposition(|&c| c != 0).filter(|&end| text[end] == END_OF_TEXT)?;
        let flags = *text.first().filter(|_| end > 0)?;
        text[end..].zeroize();
        text.truncate(end);
        text.remove(0);
        Some(Opened { original: text, is_credential: flags & CREDENTIAL != 0 })
    }
}

fn associated(token: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(1 + token.len());
    data.push(VERSION);
    data.extend_from_slice(token);
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &[u8] = b"a secret of thirty-two bytes ...";
    const TOKEN: &[u8] = b"EC2_ABCDEFGH";

    fn vault(scope: &[u8]) -> ScopeVault {
        VaultKey::new(SECRET).unwrap().scope(scope)
    }

    fn seal(vault: &ScopeVault, token: &[u8], original: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::new();
        vault.seal(token, original, false, &mut sealed);
        sealed
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(original in prop::collection::vec(any::<u8>(), 0..200), is_credential: bool) {
            let vault = vault(b"consumer:1");
            let mut sealed = b"before".to_vec();
            vault.seal(TOKEN, &original, is_credential, &mut sealed);
            let opened = vault.open(TOKEN, &sealed[6..]).unwrap();
            prop_assert_eq!(opened.original.as_slice(), original.as_slice());
            prop_assert_eq!(opened.is_credential, is_credential);
        }

        #[test]
        fn no_changed_value_opens(
            original in prop::collection::vec(any::<u8>(), 0..80),
            at: prop::sample::Index,
            bit in 0..8u8,
            cut: prop::sample::Index,
        ) {
            let vault = vault(b"consumer:1");
            let sealed = seal(&vault, TOKEN, &original);
            let mut flipped = sealed.clone();
            flipped[at.index(sealed.len())] ^= 1 << bit;
            prop_assert_eq!(vault.open(TOKEN, &flipped), None);
            prop_assert_eq!(vault.open(TOKEN, &sealed[..cut.index(sealed.len())]), None);
            let longer = [sealed.as_slice(), b"x"].concat();
            prop_assert_eq!(vault.open(TOKEN, &longer), None);
        }

        #[test]
        fn a_value_opens_in_its_place_only(original in prop::collection::vec(any::<u8>(), 0..80)) {
            let sealed = seal(&vault(b"consumer:1"), TOKEN, &original);
            prop_assert_eq!(vault(b"consumer:1").open(b"EC2_ABCDEFGI", &sealed), None);
            prop_assert_eq!(vault(b"consumer:2").open(TOKEN, &sealed), None);
            let other = VaultKey::new(b"another secret of 32 bytes .....").unwrap().scope(b"consumer:1");
            prop_assert_eq!(other.open(TOKEN, &sealed), None);
        }

        #[test]
        fn garbage_does_not_open(garbage in prop::collection::vec(any::<u8>(), 0..120)) {
            prop_assert_eq!(vault(b"").open(TOKEN, &garbage), None);
            let versioned = [&[VERSION], garbage.as_slice()].concat();
            prop_assert_eq!(vault(b"").open(TOKEN, &versioned), None);
        }

        #[test]
        fn nothing_of_the_original_shows(original in prop::collection::vec(any::<u8>(), 6..80)) {
            let sealed = seal(&vault(b"consumer:1"), TOKEN, &original);
            prop_assert!(!sealed.windows(6).any(|part| original.windows(6).any(|o| o == part)));
        }
    }

    #[test]
    fn sealing_is_a_function_of_its_inputs() {
        assert_eq!(seal(&vault(b"a"), TOKEN, b"i-1"), seal(&vault(b"a"), TOKEN, b"i-1"));
    }

    #[test]
    fn different_contents_never_share_a_nonce() {
        let vault = vault(b"a");
        let nonce = |token: &[u8], original: &[u8]| seal(&vault, token, original)[1..=NONCE_LEN].to_vec();
        assert_ne!(nonce(TOKEN, b"i-1"), nonce(TOKEN, b"i-2"));
        assert_ne!(nonce(TOKEN, b"i-1"), nonce(b"EC2_ABCDEFGI", b"i-1"));
        assert_ne!(nonce(b"A", b"BC"), nonce(b"AB", b"C"));
    }

    #[test]
    fn lengths_show_in_steps_only() {
        let vault = vault(b"a");
        assert_eq!(seal(&vault, TOKEN, b"").len(), seal(&vault, TOKEN, &[7; 30]).len());
        assert_eq!(seal(&vault, TOKEN, &[7; 30]).len() + PADDED_TO, seal(&vault, TOKEN, &[7; 31]).len());
    }

    #[test]
    fn a_name_is_stable_and_shows_nothing() {
        let name = vault(b"credential:sk-ant-key").name().to_owned();
        assert_eq!(name, vault(b"credential:sk-ant-key").name());
        assert_ne!(name, vault(b"credential:sk-ant-kez").name());
        assert_ne!(name, VaultKey::new(&[1; 16]).unwrap().scope(b"credential:sk-ant-key").name());
        assert_eq!(name.len(), 32);
        assert!(name.bytes().all(|c| c.is_ascii_hexdigit()));
    }

    #[test]
    fn debug_output_shows_no_key_and_no_original() {
        let vault = vault(b"a");
        let opened = vault.open(TOKEN, &seal(&vault, TOKEN, b"i-0f3a9c27be41d8056")).unwrap();
        assert_eq!(format!("{opened:?}"), "Opened(19 bytes)");
        assert_eq!(format!("{:?}", VaultKey::new(SECRET).unwrap()), "VaultKey(..)");
        assert_eq!(format!("{vault:?}"), format!("ScopeVault({})", vault.name()));
    }

    #[test]
    fn short_secrets_are_refused() {
        assert!(VaultKey::new(b"short").is_err());
    }

    /// Values that other releases wrote have to open in this one. Computed from the description above by another
    /// implementation.
    #[test]
    fn format_and_derivation_are_fixed() {
        let vault = vault(b"global");
        assert_eq!(vault.name(), "d8f8c8ded0ab8eaf2d5a62c2d169f36a");
        let sealed = concat!(
            "01db24de9f5aa784c6a68d47b3d66a4d6a2fe2feee1d140ac91f51e4d3915f35027c04ff5da08594ff2a73795799275c8bb8",
            "dd93fe5526d9262c9a0b12d7155acf52a6316a11f2cfc2",
        );
        assert_eq!(hex(&seal(&vault, TOKEN, b"i-0f3a9c27be41d8056")), sealed);
    }
}
