//! The root of a trie whose keys are places in a list: of transactions, or of withdrawals.
//!
//! Source: yellow paper, appendix D, and equation (33): the key is the RLP of the place.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{EMPTY_STRING_CODE, Encodable, Header};

/// A value of the trie, with the nibbles of its key.
struct Entry<'a> {
    nibbles: Vec<u8>,
    value: &'a [u8],
}

impl Entry<'_> {
    fn nibble(&self, depth: usize) -> Option<u8> {
        self.nibbles.get(depth).copied()
    }

    fn rest(&self, depth: usize) -> &[u8] {
        self.nibbles.get(depth..).unwrap_or_default()
    }
}

/// Returns the root of the trie of `items`, each under its place.
pub(crate) fn ordered_root<T: AsRef<[u8]>>(items: &[T]) -> B256 {
    let mut entries: Vec<Entry<'_>> = items
        .iter()
        .zip(0_u64..)
        .map(|(item, place)| Entry { nibbles: nibbles(&alloy_rlp::encode(place)), value: item.as_ref() })
        .collect();
    entries.sort_by(|one, other| one.nibbles.cmp(&other.nibbles));
    keccak256(node(&entries, 0))
}

fn nibbles(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect()
}

/// The node over `entries`, which are sorted, and agree in their first `depth` nibbles. An RLP string is never the beginning of
/// another one, so no value is at a branch.
fn node(entries: &[Entry<'_>], depth: usize) -> Vec<u8> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return vec![EMPTY_STRING_CODE];
    };
    let mut payload = Vec::new();
    if entries.len() == 1 {
        path(first.rest(depth), true).encode(&mut payload);
        first.value.encode(&mut payload);
        return list(&payload);
    }
    let pairs = first.rest(depth).iter().zip(last.rest(depth));
    let shared = pairs.take_while(|(one, other)| one == other).count();
    if shared > 0 {
        path(first.rest(depth).get(..shared).unwrap_or_default(), false).encode(&mut payload);
        payload.extend(reference(&node(entries, depth.saturating_add(shared))));
        return list(&payload);
    }
    for nibble in 0..16 {
        let below = |at: u8| entries.partition_point(|entry| entry.nibble(depth).is_some_and(|own| own < at));
        let child = entries.get(below(nibble)..below(nibble.saturating_add(1))).unwrap_or_default();
        match child {
            [] => payload.push(EMPTY_STRING_CODE),
            child => payload.extend(reference(&node(child, depth.saturating_add(1)))),
        }
    }
    payload.push(EMPTY_STRING_CODE);
    list(&payload)
}

/// How a parent names a node: a short one by itself, a longer one by its hash.
fn reference(node: &[u8]) -> Vec<u8> {
    if node.len() < 32 { node.to_vec() } else { alloy_rlp::encode(keccak256(node)) }
}

/// The nibbles of a leaf or an extension as bytes (appendix C, hex prefix).
fn path(nibbles: &[u8], is_leaf: bool) -> Bytes {
    let flag = if is_leaf { 0x20 } else { 0x00 };
    let (first, rest) = match nibbles.split_first() {
        Some((odd, rest)) if nibbles.len() % 2 == 1 => (flag | 0x10 | odd, rest),
        _ => (flag, nibbles),
    };
    let pairs = rest.chunks(2).map(|pair| pair.iter().fold(0, |byte: u8, nibble| byte << 4 | nibble));
    Bytes(std::iter::once(first).chain(pairs).collect())
}

/// Bytes that are encoded as a string. A vector of bytes would be a list.
struct Bytes(Vec<u8>);

impl Bytes {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.as_slice().encode(out);
    }
}

/// An RLP list of encoded items.
pub(crate) fn list(payload: &[u8]) -> Vec<u8> {
    let mut list = Vec::with_capacity(payload.len().saturating_add(9));
    Header { list: true, payload_length: payload.len() }.encode(&mut list);
    list.extend_from_slice(payload);
    list
}

#[cfg(test)]
mod tests {
    use alloy_primitives::b256;

    use super::*;

    #[test]
    fn no_items_have_the_root_of_the_empty_trie() {
        let empty = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
        assert_eq!(ordered_root::<Vec<u8>>(&[]), empty);
    }

    #[test]
    fn every_place_counts() {
        let items: Vec<Vec<u8>> = (0..300_u16).map(|place| place.to_be_bytes().repeat(20)).collect();
        let root = ordered_root(&items);
        for place in [0, 1, 127, 128, 255, 256, 299] {
            let mut other = items.clone();
            other.swap(place, 64);
            assert!(ordered_root(&other) != root, "{place}");
        }
        assert!(ordered_root(&items[..299]) != root);
    }
}
