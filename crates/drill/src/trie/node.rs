//! The nodes of a trie and the three ways to change them. Nodes never change in place: a change makes new
//! nodes along one path and shares the rest.

use std::sync::{Arc, OnceLock};

use alloy_primitives::{B256, Bytes, keccak256};

use crate::rlp;

pub(super) type Link = Arc<Node>;
pub(super) type Children = [Option<Link>; 16];

/// A node, with its encoding kept once it was asked for.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    encoded: OnceLock<Bytes>,
    reference: OnceLock<Bytes>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Leaf {
        path: Vec<u8>,
        value: Bytes,
    },
    Extension {
        path: Vec<u8>,
        child: Link,
    },
    Branch {
        children: Box<Children>,
        value: Option<Bytes>,
    },
    /// A subtree of which only the hash is known.
    Opaque(B256),
}

impl Node {
    fn link(kind: Kind) -> Link {
        Arc::new(Self { kind, encoded: OnceLock::new(), reference: OnceLock::new() })
    }

    /// The node's RLP. An opaque node has none: its encoding here is empty and never used.
    pub(super) fn encoded(&self) -> &Bytes {
        self.encoded.get_or_init(|| match &self.kind {
            Kind::Leaf { path, value } => {
                rlp::list([rlp::string(&hex_prefix(path, true)).as_slice(), &rlp::string(value)]).into()
            }
            Kind::Extension { path, child } => {
                rlp::list([rlp::string(&hex_prefix(path, false)).as_slice(), child.reference()]).into()
            }
            Kind::Branch { children, value } => {
                let empty = rlp::empty();
                let value = value.as_ref().map_or_else(rlp::empty, |value| rlp::string(value));
                let children = children.iter().map(|child| match child {
                    Some(child) => child.reference().as_ref(),
                    None => empty.as_slice(),
                });
                rlp::list(children.chain([value.as_slice()])).into()
            }
            Kind::Opaque(_) => Bytes::new(),
        })
    }

    /// How a parent refers to the node: its RLP if that is shorter than 32 bytes, else the RLP of its hash.
    fn reference(&self) -> &Bytes {
        self.reference.get_or_init(|| match &self.kind {
            Kind::Opaque(hash) => rlp::string(hash.as_slice()).into(),
            _ if self.encoded().len() < 32 => self.encoded().clone(),
            _ => rlp::string(keccak256(self.encoded()).as_slice()).into(),
        })
    }
}

/// Nibbles as bytes, with the two flags (odd length, leaf) in front
/// ([Yellow Paper, appendix C](https://ethereum.github.io/yellowpaper/paper.pdf)).
fn hex_prefix(path: &[u8], leaf: bool) -> Vec<u8> {
    let flag = if leaf { 0x20 } else { 0 };
    let (first, rest) = match path.split_first() {
        Some((nibble, rest)) if path.len() % 2 == 1 => (flag | 0x10 | nibble, rest),
        _ => (flag, path),
    };
    let pairs = rest.chunks(2).map(|pair| pair.iter().fold(0, |byte, nibble| (byte << 4) | nibble));
    [first].into_iter().chain(pairs).collect()
}

fn leaf(path: &[u8], value: Bytes) -> Link {
    Node::link(Kind::Leaf { path: path.to_vec(), value })
}

fn branch(children: Children, value: Option<Bytes>) -> Link {
    Node::link(Kind::Branch { children: Box::new(children), value })
}

/// `node` with `prefix` put before its path: leaves and extensions grow, others get an extension.
fn extend(prefix: &[u8], node: Link) -> Link {
    if prefix.is_empty() {
        return node;
    }
    match &node.kind {
        Kind::Leaf { path, value } => leaf(&[prefix, path].concat(), value.clone()),
        Kind::Extension { path, child } => {
            Node::link(Kind::Extension { path: [prefix, path].concat(), child: Arc::clone(child) })
        }
        Kind::Branch { .. } | Kind::Opaque(_) => {
            Node::link(Kind::Extension { path: prefix.to_vec(), child: node })
        }
    }
}

/// A node as a branch at its very top: a leaf or an extension is moved one nibble down.
fn as_branch(node: Option<&Link>) -> (Children, Option<Bytes>) {
    let mut children = Children::default();
    match node.map(|node| &node.kind) {
        None | Some(Kind::Opaque(_)) => (children, None),
        Some(Kind::Branch { children, value }) => (children.as_ref().clone(), value.clone()),
        Some(Kind::Leaf { path, value }) => match path.split_first() {
            None => (children, Some(value.clone())),
            Some((nibble, rest)) => {
                put(&mut children, *nibble, Some(leaf(rest, value.clone())));
                (children, None)
            }
        },
        Some(Kind::Extension { path, child }) => {
            if let Some((nibble, rest)) = path.split_first() {
                put(&mut children, *nibble, Some(extend(rest, Arc::clone(child))));
            }
            (children, None)
        }
    }
}

fn put(children: &mut Children, nibble: u8, node: Option<Link>) {
    if let Some(place) = children.get_mut(usize::from(nibble)) {
        *place = node;
    }
}

fn child(children: &Children, nibble: u8) -> Option<&Link> {
    children.get(usize::from(nibble)).and_then(Option::as_ref)
}

/// The part that both paths begin with, and what is left of each.
fn split<'a>(one: &'a [u8], other: &'a [u8]) -> (&'a [u8], &'a [u8], &'a [u8]) {
    let common = one.iter().zip(other).take_while(|(left, right)| left == right).count();
    let (shared, one) = one.split_at_checked(common).unwrap_or((one, &[]));
    let (_, other) = other.split_at_checked(common).unwrap_or((other, &[]));
    (shared, one, other)
}

/// `node` with `value` at `path`.
pub(super) fn insert(node: Option<&Link>, path: &[u8], value: Bytes) -> Link {
    let own = match node.map(|node| &node.kind) {
        None | Some(Kind::Opaque(_)) => return leaf(path, value),
        Some(Kind::Leaf { path: own, .. }) if own == path => return leaf(path, value),
        Some(Kind::Extension { path: own, child }) if path.starts_with(own) => {
            let (_, _, rest) = split(own, path);
            return extend(own, insert(Some(child), rest, value));
        }
        Some(Kind::Branch { .. }) => &[],
        Some(Kind::Leaf { path: own, .. } | Kind::Extension { path: own, .. }) => own.as_slice(),
    };
    // The paths part here: a branch below what they share.
    let (shared, _, rest) = split(own, path);
    let (mut children, mut held) = as_branch(drop_prefix(node, shared).as_ref());
    match rest.split_first() {
        None => held = Some(value),
        Some((nibble, rest)) => {
            let below = insert(child(&children, *nibble), rest, value);
            put(&mut children, *nibble, Some(below));
        }
    }
    extend(shared, branch(children, held))
}

/// A leaf or extension without the beginning of its path.
fn drop_prefix(node: Option<&Link>, prefix: &[u8]) -> Option<Link> {
    match node.map(|node| &node.kind) {
        Some(Kind::Leaf { path, value }) => path.strip_prefix(prefix).map(|rest| leaf(rest, value.clone())),
        Some(Kind::Extension { path, child }) => {
            path.strip_prefix(prefix).map(|rest| extend(rest, Arc::clone(child)))
        }
        _ => node.cloned(),
    }
}

/// `node` without what is at `path`; `None` if nothing is left.
pub(super) fn remove(node: Option<&Link>, path: &[u8]) -> Option<Link> {
    let node = node?;
    match &node.kind {
        Kind::Opaque(_) => Some(Arc::clone(node)),
        Kind::Leaf { path: own, .. } => (own != path).then(|| Arc::clone(node)),
        Kind::Extension { path: own, child } => match path.strip_prefix(own.as_slice()) {
            None => Some(Arc::clone(node)),
            Some(rest) => remove(Some(child), rest).map(|child| extend(own, child)),
        },
        Kind::Branch { children, value } => {
            let (mut children, mut value) = (children.as_ref().clone(), value.clone());
            match path.split_first() {
                None => value = None,
                Some((nibble, rest)) => {
                    let below = remove(child(&children, *nibble), rest);
                    put(&mut children, *nibble, below);
                }
            }
            collapse(children, value)
        }
    }
}

/// A branch, or what takes its place when fewer than two things are left in it.
fn collapse(children: Children, value: Option<Bytes>) -> Option<Link> {
    let mut left = (0_u8..).zip(&children).filter_map(|(nibble, child)| Some((nibble, child.as_ref()?)));
    match (left.next(), left.next(), &value) {
        (None, _, None) => None,
        (None, _, Some(value)) => Some(leaf(&[], value.clone())),
        (Some((nibble, only)), None, None) => Some(extend(&[nibble], Arc::clone(only))),
        _ => Some(branch(children, value)),
    }
}

/// See [`Trie::thicken`](super::Trie::thicken).
pub(super) fn thicken(
    node: Option<&Link>,
    path: &[u8],
    depth: usize,
    hash: &mut dyn FnMut() -> B256,
) -> Option<Link> {
    let (Some(depth), Some((nibble, rest))) = (depth.checked_sub(1), path.split_first()) else {
        return node.filter(|node| !matches!(node.kind, Kind::Opaque(_))).cloned();
    };
    let (mut children, value) = as_branch(node);
    let below = thicken(child(&children, *nibble), rest, depth, hash);
    for place in children.iter_mut().filter(|place| place.is_none()) {
        *place = Some(Node::link(Kind::Opaque(hash())));
    }
    put(&mut children, *nibble, below);
    Some(branch(children, value))
}
