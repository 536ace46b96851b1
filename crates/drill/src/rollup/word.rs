//! Words of storage, and where Solidity keeps them
//! ([layout](https://docs.soliditylang.org/en/latest/internals/layout_in_storage.html)).

use alloy_primitives::{Address, B256, U256, keccak256};

/// The key of the slot with that number.
pub(crate) fn slot(number: u64) -> B256 {
    B256::from(U256::from(number))
}

/// The key of an entry of the mapping in the slot `place`.
pub(crate) fn mapped(key: B256, place: u64) -> B256 {
    keccak256([key, slot(place)].concat())
}

/// The word that holds an address.
pub(crate) fn of_address(address: Address) -> U256 {
    address.into_word().into()
}

/// The word with `bytes` at `offset`. Offsets count bytes from the least significant one.
pub(crate) fn replaced<const N: usize>(word: U256, offset: usize, bytes: [u8; N]) -> U256 {
    let mut all = word.to_be_bytes::<32>();
    for (to, from) in all.iter_mut().rev().skip(offset).zip(bytes.iter().rev()) {
        *to = *from;
    }
    U256::from_be_bytes(all)
}

/// The number in the last 8 bytes of the word.
pub(crate) fn last_u64(word: U256) -> u64 {
    (word & U256::from(u64::MAX)).saturating_to()
}

/// The number in `bytes` bytes (at most 8) at `offset`.
pub(crate) fn field(word: U256, offset: usize, bytes: usize) -> u64 {
    let mut number = [0; 8];
    for (to, from) in number.iter_mut().zip(word.to_le_bytes::<32>().iter().skip(offset).take(bytes)) {
        *to = *from;
    }
    u64::from_le_bytes(number)
}
