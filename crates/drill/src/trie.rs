//! A Merkle Patricia trie that can be written, read and proven
//! ([Yellow Paper, appendix D](https://ethereum.github.io/yellowpaper/paper.pdf)).
//!
//! Nodes are shared between versions: a clone is cheap, and writing to it leaves the original as it was. So every
//! block of a [`Chain`](crate::Chain) keeps its whole state and can prove it.
//!
//! Keys are used as given. For Ethereum's state and storage tries, hash them first.
//!
//! ```
//! use saldo_drill::trie::Trie;
//!
//! let mut trie = Trie::default();
//! trie.insert(b"dog", b"puppy");
//! trie.insert(b"doe", b"reindeer");
//! let proof = trie.prove(b"dog").unwrap();
//! assert_eq!(alloy_primitives::keccak256(&proof[0]), trie.root());
//! ```

mod node;

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, b256, keccak256};
use node::{Kind, Link, Node};

/// The root of a trie that holds nothing: keccak of the RLP of the empty string.
pub const EMPTY_ROOT: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

/// The path leads into a part of the trie of which only the hash is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingNode {
    /// The hash of the node that is not there.
    pub hash: B256,
}

/// A trie. The empty one is [`Trie::default`].
#[derive(Clone, Debug, Default)]
pub struct Trie {
    top: Option<Link>,
}

impl Trie {
    /// Writes `value` at `key`; an empty value removes the key, as in Ethereum's tries.
    pub fn insert(&mut self, key: &[u8], value: &[u8]) {
        let path = nibbles(key);
        self.top = if value.is_empty() {
            node::remove(self.top.as_ref(), &path)
        } else {
            Some(node::insert(self.top.as_ref(), &path, Bytes::copy_from_slice(value)))
        };
    }

    /// Removes `key` if it is there.
    pub fn remove(&mut self, key: &[u8]) {
        self.insert(key, &[]);
    }

    /// The value at `key`.
    pub fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.walk(key).value
    }

    /// The root hash.
    pub fn root(&self) -> B256 {
        self.top.as_ref().map_or(EMPTY_ROOT, |top| match &top.kind {
            Kind::Opaque(hash) => *hash,
            _ => keccak256(top.encoded()),
        })
    }

    /// The nodes from the root down to `key`, or to where it ends: a proof of presence or of absence. Nodes
    /// shorter than 32 bytes are not listed, they are inside their parents. Of an empty trie: no nodes.
    ///
    /// # Errors
    /// [`MissingNode`] if the path leads into an opaque part (see [`Trie::thicken`]).
    pub fn prove(&self, key: &[u8]) -> Result<Vec<Bytes>, MissingNode> {
        let walk = self.walk(key);
        match walk.missing {
            Some(hash) => Err(MissingNode { hash }),
            None => Ok(walk.nodes),
        }
    }

    /// Gives the path of `key` the shape it has in a large trie: in each of the first `depth` levels every
    /// other child is present, known only by a hash that `hash` makes up. Nothing in such a child can be
    /// proven; a later insert into one replaces it.
    pub fn thicken(&mut self, key: &[u8], depth: usize, hash: &mut dyn FnMut() -> B256) {
        self.top = node::thicken(self.top.as_ref(), &nibbles(key), depth, hash);
    }

    fn walk(&self, key: &[u8]) -> Walk {
        let mut walk = Walk::default();
        let path = nibbles(key);
        let mut path = path.as_slice();
        let mut next = self.top.clone();
        while let Some(node) = next.take() {
            if let Kind::Opaque(hash) = node.kind {
                walk.missing = Some(hash);
                break;
            }
            let encoded = node.encoded();
            if walk.nodes.is_empty() || encoded.len() >= 32 {
                walk.nodes.push(encoded.clone());
            }
            (next, path) = walk.step(&node, path);
        }
        walk
    }
}

/// What a descent has seen.
#[derive(Default)]
struct Walk {
    nodes: Vec<Bytes>,
    value: Option<Bytes>,
    missing: Option<B256>,
}

impl Walk {
    /// One level down: the next node, if the path goes on, and the rest of the path.
    fn step<'a>(&mut self, node: &Node, path: &'a [u8]) -> (Option<Link>, &'a [u8]) {
        match &node.kind {
            Kind::Leaf { path: own, value } => {
                if own == path {
                    self.value = Some(value.clone());
                }
                (None, path)
            }
            Kind::Extension { path: own, child } => {
                path.strip_prefix(own.as_slice()).map_or((None, path), |rest| (Some(Arc::clone(child)), rest))
            }
            Kind::Branch { children, value } => match path.split_first() {
                None => {
                    self.value.clone_from(value);
                    (None, path)
                }
                Some((nibble, rest)) => (children.get(usize::from(*nibble)).cloned().flatten(), rest),
            },
            Kind::Opaque(_) => (None, path),
        }
    }
}

/// The half-bytes of `key`, high one first.
pub fn nibbles(key: &[u8]) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]).collect()
}

#[cfg(test)]
mod tests;
