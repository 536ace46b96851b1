//! Just enough RLP to write tries and headers.

use alloy_primitives::U256;
use alloy_rlp::{EMPTY_STRING_CODE, Encodable, Header};

/// The encoding of a byte string.
pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(bytes.len().saturating_add(9));
    bytes.encode(&mut encoded);
    encoded
}

/// The encoding of the empty string.
pub(crate) fn empty() -> Vec<u8> {
    vec![EMPTY_STRING_CODE]
}

/// The encoding of an unsigned integer: big-endian, no leading zeros.
pub(crate) fn integer(value: impl TryInto<U256>) -> Vec<u8> {
    let value: U256 = value.try_into().unwrap_or(U256::MAX);
    string(&value.to_be_bytes_trimmed_vec())
}

/// The encoding of a list of items that are already encoded.
pub(crate) fn list<'a>(items: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let payload: Vec<u8> = items.into_iter().flatten().copied().collect();
    let mut encoded = Vec::with_capacity(payload.len().saturating_add(9));
    Header { list: true, payload_length: payload.len() }.encode(&mut encoded);
    encoded.extend_from_slice(&payload);
    encoded
}
