//! A reader of SSZ. It never reads past its bytes, and accepts no unread bytes at the end.
//!
//! Source: consensus-specs `ssz/simple-serialize.md`.

use alloy_primitives::{B256, FixedBytes, U256};

use super::error::SszError;

/// Bytes of an offset.
pub(super) const OFFSET: usize = 4;

/// Reads one container: its fixed part in order, then its variable parts.
pub(super) struct Reader<'a> {
    whole: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(whole: &'a [u8]) -> Self {
        Self { whole, position: 0 }
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], SszError> {
        let end = self.position.saturating_add(length);
        let got = self.whole.len();
        let bytes = self.whole.get(self.position..end).ok_or(SszError::Truncated { needed: end, got })?;
        self.position = end;
        Ok(bytes)
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<FixedBytes<N>, SszError> {
        self.bytes(N).map(FixedBytes::from_slice)
    }

    pub(super) fn uint64(&mut self) -> Result<u64, SszError> {
        Ok(u64::from_le_bytes(self.fixed::<8>()?.0))
    }

    pub(super) fn uint256(&mut self) -> Result<U256, SszError> {
        Ok(U256::from_le_bytes(self.fixed::<32>()?.0))
    }

    pub(super) fn roots(&mut self, count: usize) -> Result<Vec<B256>, SszError> {
        (0..count).map(|_| self.fixed()).collect()
    }

    pub(super) fn offset(&mut self) -> Result<usize, SszError> {
        let offset = u32::from_le_bytes(self.fixed::<OFFSET>()?.0);
        Ok(usize::try_from(offset).unwrap_or(usize::MAX))
    }

    /// Returns the unread bytes.
    pub(super) fn rest(self) -> &'a [u8] {
        self.whole.get(self.position..).unwrap_or_default()
    }

    /// Ends a container that has no variable part.
    pub(super) fn end(self) -> Result<(), SszError> {
        match self.rest() {
            [] => Ok(()),
            rest => Err(SszError::TooLong { got: rest.len(), limit: 0 }),
        }
    }

    /// Ends a container whose only variable part is at `offset`, and returns that part.
    pub(super) fn one_part(self, offset: usize) -> Result<&'a [u8], SszError> {
        if offset != self.position {
            return Err(SszError::Offset { got: offset, expected: self.position });
        }
        self.whole.get(offset..).ok_or(SszError::Truncated { needed: offset, got: self.whole.len() })
    }

    /// Ends a container whose two variable parts are at `first` and `second`, and returns them.
    pub(super) fn two_parts(self, first: usize, second: usize) -> Result<(&'a [u8], &'a [u8]), SszError> {
        let rest = self.one_part(first)?;
        let length = second.checked_sub(first).ok_or(SszError::Offset { got: second, expected: first })?;
        let expected = first.saturating_add(rest.len());
        rest.split_at_checked(length).ok_or(SszError::Offset { got: second, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_past_the_end_is_an_error() {
        let mut reader = Reader::new(&[1, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(reader.uint64(), Ok(1));
        assert_eq!(reader.uint64(), Err(SszError::Truncated { needed: 16, got: 9 }));
        assert_eq!(reader.rest(), [9]);
    }

    #[test]
    fn unread_bytes_at_the_end_are_an_error() {
        let mut reader = Reader::new(&[1, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(reader.uint64(), Ok(1));
        assert_eq!(reader.end(), Err(SszError::TooLong { got: 1, limit: 0 }));
        assert_eq!(Reader::new(&[]).end(), Ok(()));
    }

    #[test]
    fn offsets_point_to_the_end_of_the_fixed_part() {
        let parts = |first: u32, second: u32| {
            let bytes = [&first.to_le_bytes()[..], &second.to_le_bytes(), &[7, 8, 9]].concat();
            let mut reader = Reader::new(&bytes);
            let (first, second) = (reader.offset().unwrap(), reader.offset().unwrap());
            reader.two_parts(first, second).map(|(first, second)| (first.to_vec(), second.to_vec()))
        };
        assert_eq!(parts(8, 10), Ok((vec![7, 8], vec![9])));
        assert_eq!(parts(8, 8), Ok((vec![], vec![7, 8, 9])));
        assert_eq!(parts(7, 10), Err(SszError::Offset { got: 7, expected: 8 }));
        assert_eq!(parts(9, 10), Err(SszError::Offset { got: 9, expected: 8 }));
        assert_eq!(parts(8, 7), Err(SszError::Offset { got: 7, expected: 8 }));
        assert_eq!(parts(8, 12), Err(SszError::Offset { got: 12, expected: 11 }));
        assert_eq!(parts(8, u32::MAX), Err(SszError::Offset { got: 0xffff_ffff, expected: 11 }));
    }
}
