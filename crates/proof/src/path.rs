//! Paths through the trie: the nibbles of a key, and the hex-prefix encoding of a part of a key
//! ([Yellow Paper, appendix C](https://ethereum.github.io/yellowpaper/paper.pdf)).

use crate::error::NodeError;

/// The length of the longest path, in nibbles: keys are keccak256 hashes.
pub(crate) const MAX_NIBBLES: usize = 64;

/// A key, and how far the walk has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyPath<'a> {
    key: &'a [u8],
    depth: usize,
}

impl<'a> KeyPath<'a> {
    pub(crate) const fn new(key: &'a [u8]) -> Self {
        Self { key, depth: 0 }
    }

    /// Returns how many nibbles have been walked.
    pub(crate) const fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the next nibble, or `None` at the end of the key.
    pub(crate) fn first(&self) -> Option<u8> {
        nibble(self.key, self.depth)
    }

    /// Returns the path after `count` more nibbles.
    pub(crate) const fn skip(self, count: usize) -> Self {
        Self { key: self.key, depth: self.depth.saturating_add(count) }
    }

    fn nibbles(self) -> impl Iterator<Item = u8> + 'a {
        (self.depth..).map_while(move |index| nibble(self.key, index))
    }

    /// Whether the rest of the key begins with the nibbles of `path`.
    pub(crate) fn starts_with(self, path: &NodePath<'_>) -> bool {
        let mut nibbles = self.nibbles();
        path.nibbles().all(|expected| nibbles.next() == Some(expected))
    }

    /// Whether the rest of the key is exactly `path`.
    pub(crate) fn is(self, path: &NodePath<'_>) -> bool {
        let left = self.key.len().saturating_mul(2).saturating_sub(self.depth);
        // If both have the same length, the pairs of the path are whole bytes of the key.
        left == path.len()
            && path.odd.is_none_or(|nibble| self.first() == Some(nibble))
            && self.key.ends_with(path.pairs)
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
    /// Reads a hex-prefix string: a flag nibble (leaf, odd), a nibble that is zero or the first of the path, then pairs.
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

    /// Returns how many nibbles the path has.
    pub(crate) const fn len(&self) -> usize {
        self.pairs.len().saturating_mul(2).saturating_add(if self.odd.is_some() { 1 } else { 0 })
    }

    fn nibbles(&self) -> impl Iterator<Item = u8> {
        self.odd.into_iter().chain(self.pairs.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn reads_the_four_kinds_of_path() {
        for (bytes, is_leaf, nibbles) in [
            (&[0x00][..], false, &[][..]),
            (&[0x00, 0x12], false, &[1, 2]),
            (&[0x13], false, &[3]),
            (&[0x1a, 0xbc], false, &[10, 11, 12]),
            (&[0x20], true, &[]),
            (&[0x20, 0xff], true, &[15, 15]),
            (&[0x30], true, &[0]),
            (&[0x3f, 0x00], true, &[15, 0, 0]),
        ] {
            let path = NodePath::parse(bytes).unwrap();
            assert_eq!((path.is_leaf, path.len()), (is_leaf, nibbles.len()), "{bytes:?}");
            assert_eq!(path.nibbles().collect::<Vec<_>>(), nibbles, "{bytes:?}");
        }
    }

    /// Of the 256 first bytes, 2 begin an even path and 32 an odd one.
    #[test]
    fn refuses_every_other_first_byte() {
        let mut read = 0;
        for first in 0..=u8::MAX {
            let (flag, nibble) = (first >> 4, first & 0x0f);
            match NodePath::parse(&[first]) {
                Ok(_) => read += 1,
                Err(NodeError::PathFlag { got }) => assert!(got == flag && flag > 3),
                Err(NodeError::PathPadding { got }) => assert!(got == nibble && nibble != 0 && flag & 1 == 0),
                Err(other) => panic!("{first:#x}: {other}"),
            }
        }
        assert_eq!(read, 2 + 32);
        assert_eq!(NodePath::parse(&[]).unwrap_err(), NodeError::MissingPath);
    }

    #[test]
    fn paths_are_compared_from_the_current_depth() {
        let key = KeyPath::new(&[0x12, 0x34]);
        let path = |bytes| NodePath::parse(bytes).unwrap();
        assert_eq!(key.first(), Some(1));
        assert!(key.is(&path(&[0x20, 0x12, 0x34])));
        assert!(!key.is(&path(&[0x20, 0x12])), "the key goes on");
        assert!(!key.is(&path(&[0x20, 0x12, 0x34, 0x56])), "the path goes on");
        assert!(key.starts_with(&path(&[0x00, 0x12])));
        assert!(key.starts_with(&path(&[0x00, 0x12, 0x34])));
        assert!(!key.starts_with(&path(&[0x11, 0x34])));
        assert!(!key.starts_with(&path(&[0x00, 0x12, 0x34, 0x56])), "the key ends inside the path");

        let key = key.skip(3);
        assert_eq!((key.depth(), key.first()), (3, Some(4)));
        assert!(key.is(&path(&[0x34])));
        let key = key.skip(1);
        assert_eq!(key.first(), None);
        assert!(key.is(&path(&[0x20])));
        assert!(!key.is(&path(&[0x34])));
    }
}
