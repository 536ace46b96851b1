//! Accounts, slots and codes for the tests, without proofs.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256};

use crate::route::View;

/// What a test says is known.
#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) code_hashes: BTreeMap<Address, B256>,
    pub(crate) slots: BTreeMap<(Address, B256), U256>,
    pub(crate) codes: BTreeMap<B256, Bytes>,
}

impl View for Known {
    fn code_hash(&self, address: Address) -> Option<B256> {
        self.code_hashes.get(&address).copied()
    }

    fn slot(&self, address: Address, key: B256) -> Option<U256> {
        self.slots.get(&(address, key)).copied()
    }

    fn code(&self, hash: B256) -> Option<&[u8]> {
        self.codes.get(&hash).map(AsRef::as_ref)
    }
}
