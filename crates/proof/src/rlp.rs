//! A reader of canonical RLP over borrowed bytes ([Yellow Paper, appendix B](https://ethereum.github.io/yellowpaper/paper.pdf)).
//!
//! There is one encoding for every value, and only that one is read: two byte strings that decode to the same
//! thing would be two nodes with two hashes, and clients that disagree on which are valid.

use alloy_primitives::{B256, U256};

use crate::error::RlpError;

/// One RLP item, without its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// A byte string.
    Bytes(&'a [u8]),
    /// The encoded items of a list, one after another.
    List(&'a [u8]),
}

/// The items of a list, read one by one. It never recurses: what is inside a list is read only when asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items<'a>(&'a [u8]);

impl<'a> Items<'a> {
    /// Reads the items of a list from its payload.
    pub(crate) const fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// True once every item was read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next item, or `None` at the end of the list.
    pub(crate) fn next(&mut self) -> Result<Option<Item<'a>>, RlpError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (item, rest) = split_item(self.0)?;
        self.0 = rest;
        Ok(Some(item))
    }
}

/// The one item that `input` must consist of.
pub(crate) fn only_item(input: &[u8]) -> Result<Item<'_>, RlpError> {
    match split_item(input)? {
        (item, []) => Ok(item),
        (_, rest) => Err(RlpError::TrailingBytes { got: rest.len() }),
    }
}

/// An unsigned integer: big-endian, at most 32 bytes, without leading zeros (zero is the empty string).
pub(crate) fn integer(item: Item<'_>) -> Result<U256, RlpError> {
    let bytes = byte_string(item)?;
    if bytes.first() == Some(&0) {
        return Err(RlpError::LeadingZero);
    }
    U256::try_from_be_slice(bytes).ok_or(RlpError::IntegerTooLong { got: bytes.len(), limit: 32 })
}

/// A string of exactly 32 bytes.
pub(crate) fn word(item: Item<'_>) -> Result<B256, RlpError> {
    let bytes = byte_string(item)?;
    B256::try_from(bytes).map_err(|_| RlpError::WordLength { got: bytes.len() })
}

/// The payload of a string, refusing a list.
pub(crate) const fn byte_string(item: Item<'_>) -> Result<&[u8], RlpError> {
    match item {
        Item::Bytes(bytes) => Ok(bytes),
        Item::List(_) => Err(RlpError::ListForString),
    }
}

/// The payload of a list, refusing a string.
pub(crate) const fn list(item: Item<'_>) -> Result<&[u8], RlpError> {
    match item {
        Item::List(payload) => Ok(payload),
        Item::Bytes(_) => Err(RlpError::StringForList),
    }
}

fn split_item(input: &[u8]) -> Result<(Item<'_>, &[u8]), RlpError> {
    let (&first, rest) = input.split_first().ok_or(RlpError::PastTheEnd)?;
    match first {
        0x00..=0x7f => input.split_at_checked(1).map(|(byte, rest)| (Item::Bytes(byte), rest)),
        0x80..=0xb7 => {
            let (payload, rest) = take(rest, usize::from(first.wrapping_sub(0x80)))?;
            if let [0x00..=0x7f] = payload {
                return Err(RlpError::LongForm);
            }
            Some((Item::Bytes(payload), rest))
        }
        0xb8..=0xbf => {
            let (payload, rest) = take_long(rest, usize::from(first.wrapping_sub(0xb7)))?;
            Some((Item::Bytes(payload), rest))
        }
        0xc0..=0xf7 => {
            let (payload, rest) = take(rest, usize::from(first.wrapping_sub(0xc0)))?;
            Some((Item::List(payload), rest))
        }
        0xf8..=0xff => {
            let (payload, rest) = take_long(rest, usize::from(first.wrapping_sub(0xf7)))?;
            Some((Item::List(payload), rest))
        }
    }
    .ok_or(RlpError::PastTheEnd)
}

/// Splits off a payload whose length is itself written in `length_bytes` (1 to 8) big-endian bytes.
fn take_long(input: &[u8], length_bytes: usize) -> Result<(&[u8], &[u8]), RlpError> {
    let (length, rest) = take(input, length_bytes)?;
    if length.first() == Some(&0) {
        return Err(RlpError::LeadingZero);
    }
    // A length that overflows is longer than any input.
    let length = length
        .iter()
        .try_fold(0_usize, |sum, &byte| sum.checked_mul(256)?.checked_add(usize::from(byte)))
        .ok_or(RlpError::PastTheEnd)?;
    if length <= 55 {
        return Err(RlpError::LongForm);
    }
    take(rest, length)
}

fn take(input: &[u8], length: usize) -> Result<(&[u8], &[u8]), RlpError> {
    input.split_at_checked(length).ok_or(RlpError::PastTheEnd)
}
