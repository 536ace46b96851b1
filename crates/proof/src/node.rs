//! One trie node, and where it leads ([Yellow Paper, appendix D](https://ethereum.github.io/yellowpaper/paper.pdf)).

use alloy_primitives::B256;

use crate::error::{NodeError, ProofError};
use crate::path::{KeyPath, MAX_NIBBLES, NodePath};
use crate::rlp::{self, Item, Items};

/// An embedded node has at most 31 bytes, of which one is the list header.
const MAX_EMBEDDED_PAYLOAD: usize = 30;

/// Where a node leads on the way to a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// To a child, this many nibbles further down.
    Down(Child<'a>, usize),
    /// To the value.
    Value(&'a [u8]),
    /// The path ends here: the trie does not hold the key.
    Nowhere,
}

/// A child of a branch or an extension.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Child<'a> {
    /// The hash of the next node of the proof.
    Hash(&'a B256),
    /// The list payload of a node of fewer than 32 bytes.
    Embedded(&'a [u8]),
}

/// Takes one step along `path` through the node with this list payload. `node` is its place in the proof.
///
/// Checks all items of the node, not only the one that the path needs, and every embedded child. The embedded child on
/// the path is checked when the walk enters it, the others here.
pub(crate) fn step<'a>(payload: &'a [u8], path: KeyPath<'_>, node: usize) -> Result<Step<'a>, ProofError> {
    let malformed = malformed(path, node);
    let too_long = |got| ProofError::PathTooLong { node, got, limit: MAX_NIBBLES };

    if let Some(children) = full_branch(payload)
        && path.depth() < MAX_NIBBLES
    {
        return Ok(step_full_branch(children, path.first()));
    }
    let mut items = Items::new(payload);
    let first = item(&mut items, 0).map_err(malformed)?;
    let second = item(&mut items, 1).map_err(malformed)?;
    if !items.is_empty() {
        // The children would be at depth 65.
        if path.depth() >= MAX_NIBBLES {
            return Err(too_long(path.depth().saturating_add(1)));
        }
        return step_branch(first, second, items, path, node);
    }

    let node_path =
        rlp::byte_string(first).map_err(NodeError::from).and_then(NodePath::parse).map_err(malformed)?;
    let end = path.depth().saturating_add(node_path.len());
    if end > MAX_NIBBLES {
        return Err(too_long(end));
    }
    if node_path.is_leaf {
        step_leaf(second, node_path, path).map_err(malformed)
    } else {
        step_extension(second, node_path, path, node)
    }
}

/// Checks an embedded child off the path, and the nodes embedded in it. The recursion is shallow: a child has at most 30
/// bytes.
#[cold]
fn check_embedded(payload: &[u8], path: KeyPath<'_>, node: usize) -> Result<(), ProofError> {
    match step(payload, path, node)? {
        Step::Down(Child::Embedded(below), nibbles) => check_embedded(below, path.skip(nibbles), node),
        Step::Down(Child::Hash(_), _) | Step::Value(_) | Step::Nowhere => Ok(()),
    }
}

fn malformed(path: KeyPath<'_>, node: usize) -> impl Fn(NodeError) -> ProofError + Copy {
    let depth = path.depth();
    move |cause| ProofError::MalformedNode { node, depth, cause }
}

/// Returns the children of a branch that names all 16 by their hashes and has no value. Most nodes of a large trie are
/// such branches, so this fast path spares reading item by item. All other nodes are read item by item.
fn full_branch(payload: &[u8]) -> Option<&[[u8; 33]]> {
    let (children, value) = payload.as_chunks::<33>();
    let is_full =
        children.len() == 16 && value == [0x80] && children.iter().all(|child| matches!(child, [0xa0, ..]));
    is_full.then_some(children)
}

fn step_full_branch<'a>(children: &'a [[u8; 33]], next: Option<u8>) -> Step<'a> {
    match next.and_then(|nibble| children.get(usize::from(nibble))) {
        Some([_, hash @ ..]) => Step::Down(Child::Hash(hash.into()), 1),
        None => Step::Nowhere,
    }
}

/// Steps through a branch: 16 children, one for each next nibble, and the value of the key that ends here.
fn step_branch<'a>(
    first: Item<'a>,
    second: Item<'a>,
    mut rest: Items<'a>,
    path: KeyPath<'_>,
    node: usize,
) -> Result<Step<'a>, ProofError> {
    let malformed = malformed(path, node);
    let next = path.first();
    let mut chosen = None;
    for index in 0..16 {
        let child = match index {
            0 => child(first),
            1 => child(second),
            _ => next_child(&mut rest, usize::from(index)),
        }
        .map_err(malformed)?;
        if next == Some(index) {
            chosen = child;
        } else if let Some(Child::Embedded(payload)) = child {
            check_embedded(payload, path.skip(1), node)?;
        }
    }
    let value = item(&mut rest, 16).and_then(|item| Ok(rlp::byte_string(item)?)).map_err(malformed)?;
    if !rest.is_empty() {
        return Err(malformed(NodeError::ItemCount { got: 18 }));
    }
    Ok(match (next, chosen) {
        (Some(_), Some(child)) => Step::Down(child, 1),
        (None, _) if !value.is_empty() => Step::Value(value),
        (Some(_), None) | (None, _) => Step::Nowhere,
    })
}

/// Steps into a leaf: the rest of one key, and its value.
fn step_leaf<'a>(value: Item<'a>, node_path: NodePath<'_>, path: KeyPath<'_>) -> Result<Step<'a>, NodeError> {
    let value = rlp::byte_string(value)?;
    if value.is_empty() {
        return Err(NodeError::EmptyValue);
    }
    // Another key's leaf is where this key's leaf would be, so this key is not in the trie.
    Ok(if path.is(&node_path) { Step::Value(value) } else { Step::Nowhere })
}

/// Steps through an extension: nibbles that all keys below share, and one child.
fn step_extension<'a>(
    below: Item<'a>,
    node_path: NodePath<'_>,
    path: KeyPath<'_>,
    node: usize,
) -> Result<Step<'a>, ProofError> {
    let malformed = malformed(path, node);
    // The walk would stay at the same depth, so it might not end.
    if node_path.len() == 0 {
        return Err(malformed(NodeError::EmptyExtension));
    }
    let child = child(below).and_then(|child| child.ok_or(NodeError::MissingChild)).map_err(malformed)?;
    if path.starts_with(&node_path) {
        return Ok(Step::Down(child, node_path.len()));
    }
    if let Child::Embedded(payload) = child {
        check_embedded(payload, path.skip(node_path.len()), node)?;
    }
    Ok(Step::Nowhere)
}

fn item<'a>(items: &mut Items<'a>, index: usize) -> Result<Item<'a>, NodeError> {
    items.next()?.ok_or(NodeError::ItemCount { got: index })
}

/// Reads the next child of a branch. Nearly all are a hash or empty; these two take a fast path with the same result.
#[inline]
fn next_child<'a>(items: &mut Items<'a>, index: usize) -> Result<Option<Child<'a>>, NodeError> {
    match items.next_word_or_nothing() {
        Some(word) => Ok(word.map(Child::Hash)),
        None => child(item(items, index)?),
    }
}

fn child(item: Item<'_>) -> Result<Option<Child<'_>>, NodeError> {
    match item {
        Item::Bytes([]) => Ok(None),
        Item::Bytes(hash) => match <&B256>::try_from(hash) {
            Ok(hash) => Ok(Some(Child::Hash(hash))),
            Err(_) => Err(NodeError::ChildLength { got: hash.len() }),
        },
        Item::List(payload) if payload.len() > MAX_EMBEDDED_PAYLOAD => {
            Err(NodeError::ChildTooLarge { got: payload.len() })
        }
        Item::List(payload) => Ok(Some(Child::Embedded(payload))),
    }
}
