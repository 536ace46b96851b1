//! A reader of canonical RLP over borrowed bytes ([Yellow Paper, appendix B](https://ethereum.github.io/yellowpaper/paper.pdf)).
//!
//! Every value has one canonical encoding, and this reader accepts no other. Two encodings of one value would be two
//! nodes with two hashes, and clients could disagree on which of them is valid.

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

/// The items of a list, read one by one. It never recurses: the items of an inner list are read only on request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Items<'a>(&'a [u8]);

impl<'a> Items<'a> {
    /// Reads the items of a list from its payload.
    pub(crate) const fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// Whether every item has been read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the next item if it is a string of 32 bytes or the empty string; the empty string is the inner `None`.
    #[inline]
    pub(crate) fn next_word_or_nothing(&mut self) -> Option<Option<&'a B256>> {
        let (word, rest) = match self.0.split_first()? {
            (0x80, rest) => (None, rest),
            (0xa0, rest) => rest.split_first_chunk::<32>().map(|(word, rest)| (Some(word.into()), rest))?,
            _ => return None,
        };
        self.0 = rest;
        Some(word)
    }

    /// Reads the next item, or returns `None` at the end of the list.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Item<'a>>, RlpError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let (item, rest) = split_item(self.0)?;
        self.0 = rest;
        Ok(Some(item))
    }
}

/// Reads the one item that `input` must consist of.
pub(crate) fn only_item(input: &[u8]) -> Result<Item<'_>, RlpError> {
    match split_item(input)? {
        (item, []) => Ok(item),
        (_, rest) => Err(RlpError::TrailingBytes { got: rest.len() }),
    }
}

/// Reads an unsigned integer: big-endian, at most 32 bytes, without leading zeros (zero is the empty string).
pub(crate) fn integer(item: Item<'_>) -> Result<U256, RlpError> {
    let bytes = byte_string(item)?;
    if bytes.first() == Some(&0) {
        return Err(RlpError::LeadingZero);
    }
    U256::try_from_be_slice(bytes).ok_or(RlpError::IntegerTooLong { got: bytes.len(), limit: 32 })
}

/// Reads a string of exactly 32 bytes.
pub(crate) fn word(item: Item<'_>) -> Result<B256, RlpError> {
    let bytes = byte_string(item)?;
    B256::try_from(bytes).map_err(|_| RlpError::WordLength { got: bytes.len() })
}

/// Returns the payload of a string, and refuses a list.
pub(crate) const fn byte_string(item: Item<'_>) -> Result<&[u8], RlpError> {
    match item {
        Item::Bytes(bytes) => Ok(bytes),
        Item::List(_) => Err(RlpError::ListForString),
    }
}

/// Returns the payload of a list, and refuses a string.
pub(crate) const fn list(item: Item<'_>) -> Result<&[u8], RlpError> {
    match item {
        Item::List(payload) => Ok(payload),
        Item::Bytes(_) => Err(RlpError::StringForList),
    }
}

#[inline]
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

/// Splits off a payload whose length is written in the first `length_bytes` (1 to 8) bytes, big-endian.
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

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    /// The one canonical encoding of a payload.
    fn encode(short: u8, payload: &[u8]) -> Vec<u8> {
        match (short, payload) {
            (0x80, [byte @ 0x00..=0x7f]) => vec![*byte],
            (_, payload) if payload.len() <= 55 => {
                [&[short | u8::try_from(payload.len()).unwrap()], payload].concat()
            }
            (_, payload) => {
                let length = payload.len().to_be_bytes();
                let length = &length[length.iter().position(|byte| *byte != 0).unwrap()..];
                [&[(short | 55).strict_add(u8::try_from(length.len()).unwrap())], length, payload].concat()
            }
        }
    }

    fn encode_item(item: Item<'_>) -> Vec<u8> {
        match item {
            Item::Bytes(payload) => encode(0x80, payload),
            Item::List(payload) => encode(0xc0, payload),
        }
    }

    #[test]
    fn reads_every_length_form() {
        for length in [0, 1, 2, 31, 32, 33, 54, 55, 56, 57, 255, 256, 257, 65_535, 65_536, 70_000] {
            let payload = vec![0x80; length];
            assert_eq!(only_item(&encode(0x80, &payload)), Ok(Item::Bytes(&payload)));
            assert_eq!(only_item(&encode(0xc0, &payload)), Ok(Item::List(&payload)));
        }
    }

    /// If an item is read, its bytes are the canonical encoding of that item.
    #[test]
    fn every_item_that_is_read_is_canonical() {
        let mut read = 0;
        for header in 0..=u16::MAX {
            let [first, second] = header.to_be_bytes();
            for (length, fill) in
                [(0, 0), (1, 0), (1, 0x7f), (2, 0x80), (54, 1), (55, 1), (56, 1), (254, 1), (300, 1)]
            {
                let input = [vec![first, second], vec![fill; length]].concat();
                let Ok((item, rest)) = split_item(&input) else { continue };
                assert_eq!(
                    encode_item(item),
                    input[..input.len() - rest.len()],
                    "{first:#x} {second:#x} {length}"
                );
                read += 1;
            }
        }
        assert!(read > 65_536, "only {read} inputs were read");
    }

    #[test]
    fn refuses_other_encodings() {
        let refused: [(&[u8], RlpError); 15] = [
            (&[], RlpError::PastTheEnd),
            (&[0x81], RlpError::PastTheEnd),
            (&[0x82, 1], RlpError::PastTheEnd),
            (&[0xc1], RlpError::PastTheEnd),
            (&[0xb8], RlpError::PastTheEnd),
            (&[0xb9, 1], RlpError::PastTheEnd),
            (&[0xbf, 255, 255, 255, 255, 255, 255, 255, 255], RlpError::PastTheEnd),
            (&[0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0], RlpError::PastTheEnd),
            (&[0x81, 0x00], RlpError::LongForm),
            (&[0x81, 0x7f], RlpError::LongForm),
            (&[0xb8, 1, 0x80], RlpError::LongForm),
            (&[0xf8, 0x37], RlpError::LongForm),
            (&[0xb9, 0, 56], RlpError::LeadingZero),
            (&[0xf9, 0, 0], RlpError::LeadingZero),
            (&[0x80, 0x80], RlpError::TrailingBytes { got: 1 }),
        ];
        for (input, expected) in refused {
            assert_eq!(only_item(input), Err(expected), "{input:?}");
        }
    }

    #[test]
    fn reads_items_one_by_one() {
        let mut items = Items::new(&[0x05, 0xc1, 0x80, 0x82, 1, 2]);
        assert_eq!(items.next(), Ok(Some(Item::Bytes(&[5]))));
        assert_eq!(items.next(), Ok(Some(Item::List(&[0x80]))));
        assert!(!items.is_empty());
        assert_eq!(items.next(), Ok(Some(Item::Bytes(&[1, 2]))));
        assert!(items.is_empty());
        assert_eq!(items.next(), Ok(None));
    }

    #[test]
    fn integers_have_no_leading_zeros_and_fit() {
        assert_eq!(integer(Item::Bytes(&[])), Ok(U256::ZERO));
        assert_eq!(integer(Item::Bytes(&[0x01, 0x00])), Ok(U256::from(256)));
        assert_eq!(integer(Item::Bytes(&[0xff; 32])), Ok(U256::MAX));
        assert_eq!(integer(Item::Bytes(&[0])), Err(RlpError::LeadingZero));
        assert_eq!(integer(Item::Bytes(&[0, 1])), Err(RlpError::LeadingZero));
        assert_eq!(integer(Item::Bytes(&[1; 33])), Err(RlpError::IntegerTooLong { got: 33, limit: 32 }));
        assert_eq!(integer(Item::List(&[])), Err(RlpError::ListForString));
    }

    #[test]
    fn words_have_32_bytes() {
        assert_eq!(word(Item::Bytes(&[7; 32])), Ok(B256::repeat_byte(7)));
        assert_eq!(word(Item::Bytes(&[7; 31])), Err(RlpError::WordLength { got: 31 }));
        assert_eq!(word(Item::Bytes(&[7; 33])), Err(RlpError::WordLength { got: 33 }));
        assert_eq!(word(Item::List(&[7; 32])), Err(RlpError::ListForString));
    }
}
