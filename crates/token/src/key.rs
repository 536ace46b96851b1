//! In which slot a mapping keeps the word of an owner.

use alloy_primitives::{Address, B256, keccak256};

/// A mapping from owners to words of storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// Solidity's `mapping(address => …)` whose own slot is `base`: keccak256(owner · base), each 32 bytes
    /// ([storage layout](https://docs.soliditylang.org/en/latest/internals/layout_in_storage.html#mappings-and-dynamic-arrays)).
    /// With an [ERC-7201](https://eips.ethereum.org/EIPS/eip-7201) namespace `base` is the slot within the namespace.
    Solidity {
        /// The slot of the mapping.
        base: B256,
    },
    /// Vyper's `HashMap[address, …]` whose own slot is `base`: keccak256(base · owner), each 32 bytes.
    Vyper {
        /// The slot of the mapping.
        base: B256,
    },
    /// Solady's balances: keccak256 of the owner's 20 bytes, 8 zero bytes and the seed.
    Solady {
        /// The seed of the balances in the token's code.
        seed: u32,
    },
}

impl Mapping {
    /// Returns the slot that keeps the word of `owner`.
    pub fn slot(&self, owner: Address) -> B256 {
        match *self {
            Self::Solidity { base } => hash(&owner.into_word().0, &base.0),
            Self::Vyper { base } => hash(&base.0, &owner.into_word().0),
            Self::Solady { seed } => {
                let mut bytes = owner.as_slice().to_vec();
                bytes.extend([0; 8]);
                bytes.extend(seed.to_be_bytes());
                keccak256(bytes)
            }
        }
    }
}

fn hash(first: &[u8; 32], second: &[u8; 32]) -> B256 {
    keccak256([*first, *second].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, b256};

    #[test]
    fn a_solidity_mapping_hashes_the_owner_before_the_slot() {
        let base = B256::with_last_byte(3);
        let owner = address!("De5ae63A348C4d63343C8E20Fb6286909418c8A4");
        // A real proof of WETH9 has this key.
        let expected = b256!("4de9be9d9a5197eea999984bec8d41aac923403f95449eaf16641fbc3a942711");
        assert_eq!(Mapping::Solidity { base }.slot(owner), expected);
    }

    #[test]
    fn a_vyper_mapping_hashes_the_slot_before_the_owner() {
        let (base, owner) = (B256::with_last_byte(3), Address::repeat_byte(0xaa));
        let bytes = [base.as_slice(), owner.into_word().as_slice()].concat();
        assert_eq!(Mapping::Vyper { base }.slot(owner), keccak256(bytes));
        assert_ne!(Mapping::Vyper { base }.slot(owner), Mapping::Solidity { base }.slot(owner));
    }

    #[test]
    fn a_solady_balance_hashes_the_memory_that_its_code_writes() {
        // mstore(0x0c, seed), mstore(0x00, owner), keccak256(0x0c, 0x20)
        let (seed, owner) = (0x87a2_11a2_u32, Address::repeat_byte(0xbb));
        let mut memory = [0_u8; 0x2c];
        memory[0x28..0x2c].copy_from_slice(&seed.to_be_bytes());
        memory[0x00..0x20].copy_from_slice(owner.into_word().as_slice());
        assert_eq!(Mapping::Solady { seed }.slot(owner), keccak256(&memory[0x0c..0x2c]));
    }
}
