//! The contracts of a scenario.

use alloy_primitives::{Address, B256, U256};
use saldo_token::Pointer;

use crate::scenario::Contract;
use crate::{ChainBuilder, ContractCode};

/// The token that wallets read, and all contracts.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) address: Address,
    pub(super) contracts: Vec<Contract>,
    pub(super) units: U256,
    pub(super) is_frozen: bool,
}

impl Token {
    fn contract(&self, address: Address) -> Option<&Contract> {
        self.contracts.iter().find(|contract| contract.address == address)
    }

    /// The proxy points to another contract. Returns the slot that says so.
    pub(super) fn upgraded(&mut self, proxy: Address, to: Address) -> Option<B256> {
        let contract = self.contracts.iter_mut().find(|contract| contract.address == proxy)?;
        contract.points_to = Some(to);
        pointer(contract)
    }

    /// There is code at an address.
    pub(super) fn deployed(&mut self, address: Address, code: ContractCode) {
        for contract in self.contracts.iter_mut().filter(|contract| contract.address == address) {
            contract.code = code;
            if let ContractCode::MinimalProxy(target) = code {
                contract.points_to = Some(target);
            }
        }
    }

    /// Where the code that runs for the token keeps the word of `owner`, and that word.
    pub(super) fn word(&self, owner: Address, units: U256, is_frozen: bool) -> Option<(B256, U256)> {
        let mut contract = self.contract(self.address)?;
        if let Some(target) = contract.points_to {
            contract = self.contract(target)?;
        }
        contract.code.word(owner, units, is_frozen)
    }

    /// Adds the contracts to a chain. The token has other holders too: in a trie of one slot, the proof of any other slot is the
    /// same.
    pub(super) fn deploy(&self, builder: ChainBuilder, owner: Address) -> ChainBuilder {
        let mut builder = builder;
        for contract in &self.contracts {
            builder = builder.deploy(contract.address, &contract.code);
            let pointer = pointer(contract).zip(contract.points_to);
            let pointer = pointer.map(|(key, to)| (key, U256::from_be_bytes(to.into_word().0)));
            for (key, word) in contract.slots.iter().copied().chain(pointer) {
                builder = builder.storage(contract.address, key, word);
            }
        }
        let others = (1..=9).map(|number| (Address::repeat_byte(number), U256::from(1_000_000)));
        for (owner, units) in others.chain([(owner, self.units)]) {
            if let Some((key, word)) = self.word(owner, units, false) {
                builder = builder.storage(self.address, key, word);
            }
        }
        builder
    }
}

/// The slot in which a proxy names the contract that it passes its calls to.
fn pointer(contract: &Contract) -> Option<B256> {
    match contract.code {
        ContractCode::Proxy(proxy) => match proxy.pointer {
            Pointer::Slot(key) => Some(key),
            _ => None,
        },
        _ => None,
    }
}
