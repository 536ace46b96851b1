//! What the word of an owner means, and what else must hold.

use alloy_primitives::{Address, B256, U256};

use crate::key::Mapping;

/// How the code with the hash [`code_hash`](Self::code_hash) keeps balances. It was established for exactly this code.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The keccak256 hash of the deployed code, which runs in the token's own storage.
    pub code_hash: B256,
    /// The name of the code, for people.
    pub name: &'static str,
    /// Where the word of an owner is.
    pub mapping: Mapping,
    /// What the word means.
    pub word: Word,
    /// What must hold, so that `balanceOf` reads that slot.
    pub guards: &'static [Guard],
    /// Where the source of the code is.
    pub source: &'static str,
    /// Why `balanceOf` returns the amount of that word on every path.
    pub argument: &'static str,
    /// The test vector with a proof of the word of a real holder, by its path; `None` where there is none.
    pub real_proof: Option<&'static str>,
}

/// What a word of storage means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The whole word is the amount.
    Amount,
    /// The highest bit says that the owner is blocked, the lower 255 bits are the amount.
    BlockedBitAndAmount,
}

impl Word {
    /// Returns the amount in base units, and whether the token's issuer has blocked the owner.
    pub fn read(self, word: U256) -> (U256, bool) {
        match self {
            Self::Amount => (word, false),
            Self::BlockedBitAndAmount => {
                let highest = U256::ONE.wrapping_shl(255);
                (word & !highest, word & highest != U256::ZERO)
            }
        }
    }
}

/// A slot that must have a certain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Whose storage has the slot.
    pub place: Place,
    /// The slot.
    pub slot: B256,
    /// The bits that count.
    pub mask: U256,
    /// What these bits must be.
    pub expected: U256,
    /// What it means, for people.
    pub meaning: &'static str,
}

/// Whose storage has the slot of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The token itself.
    Token,
    /// Another contract.
    At(Address),
}

impl Place {
    /// Returns the address, for the token `token`.
    pub(crate) const fn of(self, token: Address) -> Address {
        match self {
            Self::Token => token,
            Self::At(address) => address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_in_the_token_or_in_the_contract_that_it_names() {
        let (token, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        assert_eq!((Place::Token.of(token), Place::At(other).of(token)), (token, other));
    }

    #[test]
    fn the_highest_bit_is_no_part_of_the_amount() {
        let highest = U256::ONE << 255;
        let most = highest - U256::ONE;
        assert_eq!(Word::BlockedBitAndAmount.read(U256::MAX), (most, true));
        assert_eq!(Word::BlockedBitAndAmount.read(highest), (U256::ZERO, true));
        assert_eq!(Word::BlockedBitAndAmount.read(most), (most, false));
        assert_eq!(Word::Amount.read(U256::MAX), (U256::MAX, false));
    }
}
