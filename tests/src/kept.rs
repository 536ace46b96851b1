//! What a client keeps, written by somebody else.

use sha2::{Digest, Sha256};

/// `value` with the checksum that belongs to it under `name`.
pub fn sealed(name: &str, mut value: Vec<u8>) -> Vec<u8> {
    let mut digest = Sha256::new();
    digest.update(name.as_bytes());
    digest.update([0]);
    digest.update(&value);
    value.extend_from_slice(&digest.finalize());
    value
}
