//! What tells that bytes are those that were written under their name.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::storage::StorageKey;

/// Bytes of a seal.
const LENGTH: usize = 32;

/// Ends each value with a SHA-256 over its name and itself, or with a key, with an HMAC. The first finds accidents alone.
pub(super) struct Seal {
    key: Option<StorageKey>,
}

impl Seal {
    pub(super) fn new(key: Option<StorageKey>) -> Self {
        Self { key }
    }

    /// `value`, sealed under `name`.
    pub(super) fn close(&self, name: &str, mut value: Vec<u8>) -> Vec<u8> {
        let seal: [u8; LENGTH] = match self.mac(name, &value) {
            Some(mac) => mac.finalize().into_bytes().into(),
            None => checksum(name, &value),
        };
        value.extend_from_slice(&seal);
        value
    }

    /// The value that was sealed under `name`, if nothing of it was changed.
    pub(super) fn open<'a>(&self, name: &str, sealed: &'a [u8]) -> Option<&'a [u8]> {
        let (value, seal) = sealed.split_last_chunk::<LENGTH>()?;
        let is_genuine = match self.mac(name, value) {
            Some(mac) => mac.verify_slice(seal).is_ok(),
            None => checksum(name, value) == *seal,
        };
        is_genuine.then_some(value)
    }

    /// The value in `sealed`, unchecked.
    pub(super) fn without_seal(sealed: &[u8]) -> Option<&[u8]> {
        sealed.split_last_chunk::<LENGTH>().map(|(value, _)| value)
    }

    fn mac(&self, name: &str, value: &[u8]) -> Option<Hmac<Sha256>> {
        let key = self.key.as_ref()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.secret()).ok()?;
        for part in parts(name, value) {
            mac.update(part);
        }
        Some(mac)
    }
}

fn checksum(name: &str, value: &[u8]) -> [u8; LENGTH] {
    let mut digest = Sha256::new();
    for part in parts(name, value) {
        digest.update(part);
    }
    digest.finalize().into()
}

/// What is sealed. No name has a zero in it, so that none can be taken for part of a value.
fn parts<'a>(name: &'a str, value: &'a [u8]) -> [&'a [u8]; 3] {
    [name.as_bytes(), &[0], value]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_under_this_name_and_key_opens() {
        let key = |byte| Some(StorageKey::new([byte; 32]));
        let seals = [Seal::new(None), Seal::new(key(1)), Seal::new(key(2))];
        for (place, seal) in seals.iter().enumerate() {
            let sealed = seal.close("a", vec![1, 2, 3]);
            assert_eq!(seal.open("a", &sealed), Some(&[1, 2, 3][..]));
            assert_eq!(seal.open("b", &sealed), None);
            for (other, foreign) in seals.iter().enumerate() {
                assert_eq!(foreign.open("a", &sealed).is_some(), other == place);
            }
            for bit in 0..sealed.len() * 8 {
                let mut flipped = sealed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(seal.open("a", &flipped), None);
            }
            for length in 0..sealed.len() {
                assert_eq!(seal.open("a", &sealed[..length]), None);
            }
        }
    }
}
