//! Fields that Solidity packs into one word of storage.

use alloy_primitives::{Address, U256};

/// A word of storage. Offsets count bytes from its least significant one, as compilers state them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(U256);

impl Word {
    pub(crate) const fn new(word: U256) -> Self {
        Self(word)
    }

    /// Returns the byte at `offset`.
    pub(crate) fn byte(self, offset: usize) -> u8 {
        if offset < 32 { self.0.byte(offset) } else { 0 }
    }

    /// Returns the 4 bytes at `offset` as a number.
    pub(crate) fn u32(self, offset: usize) -> u32 {
        u32::from_be_bytes(self.bytes(offset))
    }

    /// Returns the 8 bytes at `offset` as a number.
    pub(crate) fn u64(self, offset: usize) -> u64 {
        u64::from_be_bytes(self.bytes(offset))
    }

    /// Returns the 20 bytes at `offset` as an address.
    pub(crate) fn address(self, offset: usize) -> Address {
        Address::new(self.bytes(offset))
    }

    /// Returns whether no byte is set from `offset` on.
    pub(crate) fn ends_at(self, offset: usize) -> bool {
        (offset..32).all(|at| self.byte(at) == 0)
    }

    /// Returns whether it holds an address and nothing else.
    pub(crate) fn is_address(self) -> bool {
        !self.is_zero() && self.ends_at(20)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    fn bytes<const N: usize>(self, offset: usize) -> [u8; N] {
        let mut bytes = [0; N];
        for (at, byte) in bytes.iter_mut().rev().enumerate() {
            *byte = self.byte(offset.saturating_add(at));
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::uint;

    use super::*;

    /// Slot 6 of Base Sepolia's registry, and slot 0 of its newest game, on 30 September 2026.
    #[test]
    fn fields_are_counted_from_the_right() {
        let word = Word::new(uint!(0x69e19a680000026d_U256));
        assert_eq!((word.u32(0), word.u64(4)), (621, 1_776_392_808));
        assert!(word.ends_at(12) && word.ends_at(8) && !word.ends_at(7));
        let word = Word::new(uint!(0x0101000000000000000000000000006abd6a7c_U256));
        assert_eq!((word.u64(0), word.u64(8), word.byte(16)), (1_790_798_460, 0, 0));
        assert_eq!((word.byte(17), word.byte(18), word.byte(19), word.byte(32)), (1, 1, 0, 0));
        let word = Word::new(uint!(0x0000026d000000006abd6a7c2cde9e4bd2b9c1eee6bce795034d73c2484db118_U256));
        assert_eq!((word.u32(28), word.u64(20)), (621, 1_790_798_460));
        assert_eq!(word.address(0).to_string(), "0x2cdE9E4Bd2b9C1eEe6BCe795034d73C2484db118");
    }
}
