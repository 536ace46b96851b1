//! Paths through the trie: the nibbles of a key, and the hex-prefix encoding of part of one
//! ([Yellow Paper, appendix C](https://ethereum.github.io/yellowpaper/paper.pdf)).

use crate::error::NodeError;

/// The longest path there is, in nibbles: keys are keccak256 hashes.
pub(crate) const MAX_NIBBLES: usize = 64;

/// The part of a key that is still to be walked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyPath<'a> {
    key: &'a [u8],
    depth: usize,
}

impl<'a> KeyPath<'a> {
    pub(crate) const fn new(key: &'a [u8]) -> Self {
        Self { key, depth: 0 }
    }

    /// How many nibbles have been walked.
    pub(crate) const fn depth(&self) -> usize {
        self.depth
    }

    /// The next nibble, or `None` when the key is used up.
    pub(crate) fn first(&self) -> Option<u8> {
        nibble(self.key, self.depth)
    }

    /// The path after `count` more nibbles.
    pub(crate) const fn skip(self, count: usize) -> Self {
        Self { key: self.key, depth: self.depth.saturating_add(count) }
    }

    fn nibbles(self) -> impl Iterator<Item = u8> + 'a {
        (self.depth..).map_while(move |index| nibble(self.key, index))
    }

    /// True if the key goes on with exactly the nibbles of `path`, and possibly more.
    pub(crate) fn starts_with(self, path: &NodePath<'_>) -> bool {
        let mut nibbles = self.nibbles();
        path.nibbles().all(|expected| nibbles.next() == Some(expected))
    }

    /// True if what is left of the key is exactly `path`.
    pub(crate) fn is(self, path: &NodePath<'_>) -> bool {
        self.nibbles().eq(path.nibbles())
    }
}

fn nibble(bytes: &[u8], index: usize) -> Option<u8> {
    let byte = bytes.get(index / 2)?;
    Some(if index.is_multiple_of(2) { byte >> 4 } else { byte & 0x0f })
}

/// The path written in a leaf or an extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodePath<'a> {
    /// True in a leaf, false in an extension.
    pub(crate) is_leaf: bool,
    odd: Option<u8>,
    pairs: &'a [u8],
}

impl<'a> NodePath<'a> {
    /// Reads a hex-prefix string: a flag nibble (leaf, odd), a nibble that is zero or the first of the path, pairs.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, NodeError> {
        let (&first, pairs) = bytes.split_first().ok_or(NodeError::MissingPath)?;
        let (flag, nibble) = (first >> 4, first & 0x0f);
        let (is_leaf, is_odd) = match flag {
            0 => (false, false),
            1 => (false, true),
            2 => (true, false),
            3 => (true, true),
            got => return Err(NodeError::PathFlag { got }),
        };
        if !is_odd && nibble != 0 {
            return Err(NodeError::PathPadding { got: nibble });
        }
        Ok(Self { is_leaf, odd: is_odd.then_some(nibble), pairs })
    }

    /// How many nibbles the path has.
    pub(crate) const fn len(&self) -> usize {
        self.pairs.len().saturating_mul(2).saturating_add(if self.odd.is_some() { 1 } else { 0 })
    }

    fn nibbles(&self) -> impl Iterator<Item = u8> {
        self.odd.into_iter().chain(self.pairs.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]))
    }
}
