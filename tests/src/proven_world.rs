//! Contracts in a state trie, of which a test proves exactly what it wants.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use rlp::RlpStream;
use saldo_beacon::Network;
use saldo_beacon::unit::Slot;
use saldo_chain::{Environment, ExecutionHeader};
use saldo_execute::{Call, Executed, Refusal, execute};
use saldo_proof::{ProvenState, Query, StateRoot, verify_account};

use crate::forge::{self, Trie};

/// An account of a [`ProvenWorld`].
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// The code.
    pub code: Bytes,
    /// The words of the storage that are not zero.
    pub storage: BTreeMap<B256, U256>,
    /// The balance in wei.
    pub balance: U256,
}

/// Accounts in a block of mainnet.
#[derive(Clone, Debug)]
pub struct ProvenWorld {
    /// The accounts.
    pub accounts: BTreeMap<Address, Contract>,
    /// The block's number.
    pub number: u64,
    /// The epoch in which the block is, which decides its fork.
    pub epoch: u64,
    /// How much gas the block may use.
    pub gas_limit: u64,
}

impl Default for ProvenWorld {
    fn default() -> Self {
        let accounts = BTreeMap::from([(Address::repeat_byte(0xaa), Contract::default())]);
        // Osaka.
        Self { accounts, number: 1_000, epoch: 420_000, gas_limit: 60_000_000 }
    }
}

impl ProvenWorld {
    /// The world in which `address` has this code, among others.
    #[must_use]
    pub fn with(mut self, address: Address, code: Bytes) -> Self {
        self.accounts.entry(address).or_default().code = code;
        self
    }

    /// The world in which this slot of `address` has this word.
    #[must_use]
    pub fn storing(mut self, address: Address, key: B256, word: U256) -> Self {
        self.accounts.entry(address).or_default().storage.insert(key, word);
        self
    }

    fn storage(contract: &Contract) -> Trie {
        let words = contract.storage.iter().filter(|(_, word)| !word.is_zero());
        words.map(|(key, word)| (keccak256(key), forge::word(*word))).collect()
    }

    fn state_trie(&self) -> Trie {
        let value = |contract: &Contract| {
            let code_hash =
                if contract.code.is_empty() { KECCAK256_EMPTY } else { keccak256(&contract.code) };
            forge::account(1, contract.balance, Self::storage(contract).root(), code_hash)
        };
        self.accounts.iter().map(|(address, contract)| (keccak256(address), value(contract))).collect()
    }

    /// The block's header.
    pub fn header(&self) -> ExecutionHeader {
        self.header_over(self.state_trie().root())
    }

    /// The block's header, if its state had this root.
    fn header_over(&self, state_root: B256) -> ExecutionHeader {
        let time = Network::mainnet().slot_start(Slot::new(self.epoch * 32)).as_secs();
        let mut stream = RlpStream::new_list(21);
        for field in 0..21 {
            match field {
                0 | 13 => stream.append(&[field; 32].as_slice()),
                2 => stream.append(&[0xc0; 20].as_slice()),
                3 => stream.append(&state_root.as_slice()),
                8 => stream.append(&self.number),
                9 => stream.append(&self.gas_limit),
                11 => stream.append(&time),
                15 => stream.append(&7_u8),
                _ => stream.append(&&[][..]),
            };
        }
        let rlp = stream.out();
        ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)).unwrap()
    }

    /// The environment of the block.
    pub fn environment(&self) -> Environment {
        self.environment_over(StateRoot::new(self.state_trie().root()))
    }

    /// The environment of the block, if its state had this root.
    pub fn environment_over(&self, state_root: StateRoot) -> Environment {
        Environment::of_header(&self.header_over(state_root.get()), &Network::mainnet()).unwrap()
    }

    /// A state in which nothing is proven.
    pub fn nothing(&self) -> ProvenState {
        ProvenState::new(StateRoot::new(self.state_trie().root()))
    }

    /// Proves what `query` asks for, in `state`.
    pub fn prove(&self, state: &mut ProvenState, query: &Query) {
        let trie = self.state_trie();
        let codes = query.codes().iter().map(|address| (address, None));
        let slots = query.slots().iter().map(|(address, keys)| (address, Some(keys)));
        for (address, keys) in codes.chain(slots) {
            let proof = trie.prove(keccak256(address).as_slice());
            let account = verify_account(state.root(), *address, &proof).unwrap();
            state.add_account(&account).unwrap();
            let contract = self.accounts.get(address).cloned().unwrap_or_default();
            let Some(keys) = keys else {
                state.add_code(contract.code);
                continue;
            };
            let storage = Self::storage(&contract);
            for key in keys.iter().filter(|_| self.accounts.contains_key(address)) {
                let slot = account.slot(*key, &storage.prove(keccak256(key).as_slice())).unwrap();
                state.add_slot(&slot).unwrap();
            }
        }
    }

    /// Runs `call`, and proves what is missing until there is nothing left to prove. Returns also how often something was proven.
    pub fn run(&self, call: &Call) -> (Result<Executed, Refusal>, usize) {
        self.run_but(call, |query| Some(query.clone()))
    }

    /// The same, but of each query only what `proves` leaves of it.
    pub fn run_but(
        &self,
        call: &Call,
        proves: impl Fn(&Query) -> Option<Query>,
    ) -> (Result<Executed, Refusal>, usize) {
        let (mut state, environment) = (self.nothing(), self.environment());
        for round in 0..1_000 {
            match execute(&state, &environment, call) {
                Err(Refusal::Missing(query)) => match proves(&query) {
                    Some(query) => self.prove(&mut state, &query),
                    None => return (Err(Refusal::Missing(query)), round),
                },
                outcome => return (outcome, round),
            }
        }
        panic!("it never ends");
    }
}
