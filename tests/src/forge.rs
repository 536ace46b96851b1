//! Tries and nodes built by hand: valid ones, and ones that no client would build.
//!
//! It shares no code with the verifier or with the drill's trie.

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256, keccak256};

/// An encoded node or RLP item.
pub type Encoded = Vec<u8>;

/// An RLP string.
pub fn string(payload: &[u8]) -> Encoded {
    match payload {
        [byte @ 0x00..=0x7f] => vec![*byte],
        _ => with_header(0x80, payload),
    }
}

/// An RLP list of encoded items.
pub fn list(items: &[Encoded]) -> Encoded {
    with_header(0xc0, &items.concat())
}

fn with_header(offset: u8, payload: &[u8]) -> Encoded {
    let length = payload.len().to_be_bytes();
    let length = &length[length.iter().position(|byte| *byte != 0).unwrap_or(length.len())..];
    let header = match payload.len() {
        short @ 0..=55 => vec![offset + u8::try_from(short).unwrap()],
        _ => [&[offset + 55 + u8::try_from(length.len()).unwrap()], length].concat(),
    };
    [&header, payload].concat()
}

/// The nibbles of a key.
pub fn nibbles(key: &[u8]) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect()
}

/// The hex-prefix encoding of a path.
pub fn hex_prefix(path: &[u8], is_leaf: bool) -> Vec<u8> {
    let flag = if is_leaf { 0x20 } else { 0x00 };
    let (first, pairs) = match path.len() % 2 {
        0 => (flag, path),
        _ => (flag | 0x10 | path[0], &path[1..]),
    };
    [first].into_iter().chain(pairs.chunks(2).map(|pair| pair[0] << 4 | pair[1])).collect()
}

/// A leaf node.
pub fn leaf(path: &[u8], value: &[u8]) -> Encoded {
    list(&[string(&hex_prefix(path, true)), string(value)])
}

/// An extension to a child, given as an encoded node.
pub fn extension(path: &[u8], child: &[u8]) -> Encoded {
    list(&[string(&hex_prefix(path, false)), reference(child)])
}

/// A branch with children, given as encoded nodes, at some of its nibbles.
pub fn branch(children: &[(u8, Encoded)], value: &[u8]) -> Encoded {
    let mut items = vec![string(&[]); 17];
    for (nibble, child) in children {
        items[usize::from(*nibble)] = reference(child);
    }
    items[16] = string(value);
    list(&items)
}

/// How a parent refers to a node: the node itself if it is short, else its hash.
pub fn reference(node: &[u8]) -> Encoded {
    if node.len() < 32 { node.to_vec() } else { string(keccak256(node).as_slice()) }
}

/// An account as a value of the state trie.
pub fn account(nonce: u64, balance: U256, storage_root: B256, code_hash: B256) -> Encoded {
    list(&[
        word(U256::from(nonce)),
        word(balance),
        string(storage_root.as_slice()),
        string(code_hash.as_slice()),
    ])
}

/// A word as a value of the storage trie.
pub fn word(word: U256) -> Encoded {
    string(&word.to_be_bytes_trimmed_vec())
}

/// A trie whose keys are used without hashing.
#[derive(Clone, Debug, Default)]
pub struct Trie(BTreeMap<Vec<u8>, Vec<u8>>);

impl<K: AsRef<[u8]>, V: Into<Vec<u8>>> FromIterator<(K, V)> for Trie {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(key, value)| (nibbles(key.as_ref()), value.into())).collect())
    }
}

impl Trie {
    /// The root hash.
    pub fn root(&self) -> B256 {
        keccak256(self.build(&[], &mut Vec::new()))
    }

    /// The nodes on the path to a key, root first. For the empty trie: the one node 0x80.
    pub fn prove(&self, key: &[u8]) -> Vec<Encoded> {
        let mut proof = Vec::new();
        let root = self.build(&nibbles(key), &mut proof);
        proof.push(root);
        proof.reverse();
        proof
    }

    fn build(&self, target: &[u8], proof: &mut Vec<Encoded>) -> Encoded {
        let entries: Vec<_> =
            self.0.iter().map(|(path, value)| (path.as_slice(), value.as_slice())).collect();
        if entries.is_empty() { string(&[]) } else { build(&entries, Some(target), proof) }
    }
}

/// The node over `entries` (sorted, distinct). The nodes below it on the path to `target` go to `proof`, deepest
/// first.
fn build(entries: &[(&[u8], &[u8])], target: Option<&[u8]>, proof: &mut Vec<Encoded>) -> Encoded {
    if let [(path, value)] = entries {
        return leaf(path, value);
    }
    let (first, last) = (entries[0].0, entries[entries.len() - 1].0);
    let shared = first.iter().zip(last).take_while(|(one, other)| one == other).count();
    if shared > 0 {
        let below: Vec<_> = entries.iter().map(|(path, value)| (&path[shared..], *value)).collect();
        let child = build(&below, target.and_then(|target| target.strip_prefix(&first[..shared])), proof);
        if target.is_some_and(|target| target.starts_with(&first[..shared])) {
            keep(&child, proof);
        }
        return extension(&first[..shared], &child);
    }
    let (value, entries) = match entries {
        [([], value), rest @ ..] => (*value, rest),
        _ => (&[][..], entries),
    };
    let mut children = Vec::new();
    for group in entries.chunk_by(|one, other| one.0[0] == other.0[0]) {
        let nibble = group[0].0[0];
        let below: Vec<_> = group.iter().map(|(path, value)| (&path[1..], *value)).collect();
        let rest = target.and_then(|target| target.strip_prefix(&[nibble]));
        let child = build(&below, rest, proof);
        if rest.is_some() {
            keep(&child, proof);
        }
        children.push((nibble, child));
    }
    branch(&children, value)
}

/// An embedded node is not sent separately.
fn keep(node: &[u8], proof: &mut Vec<Encoded>) {
    if node.len() >= 32 {
        proof.push(node.to_vec());
    }
}
