//! What a token was the last time: a guess that saves round trips, and proves nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, U256, address, b256, keccak256};

use crate::proxy::ZEPPELINOS_IMPLEMENTATION;
use crate::query::Query;
use crate::route::{self, Obstacle, View};

/// Code hashes, pointers and codes that tokens had when they were read before. They only decide what is asked for in the first
/// request: a balance is made from proofs alone, so a wrong hint costs a round trip and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Hint {
    code_hashes: BTreeMap<Address, B256>,
    slots: BTreeMap<(Address, B256), U256>,
    codes: BTreeMap<B256, Bytes>,
}

/// Where well-known tokens pass their calls to: chain id, token, hash of its code, slot of the pointer, implementation, hash of the
/// implementation's code.
const WELL_KNOWN: &[(u64, Address, B256, Option<(B256, Address, B256)>)] = &[
    (
        1,
        address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
        b256!("d80d4b7c890cb9d6a4893e6b52bc34b56b25335cb13716e0d1d31383e6b41505"),
        Some((
            ZEPPELINOS_IMPLEMENTATION,
            address!("43506849D7C04F9138D1A2050bbF3A0c054402dd"),
            b256!("cdfb7d322961af3acae7a8f7ee8b69c205b36f576cc5b077f170c7eb8ecbe3ea"),
        )),
    ),
    (
        1,
        address!("dAC17F958D2ee523a2206206994597C13D831ec7"),
        b256!("b44fb4e949d0f78f87f79ee46428f23a2a5713ce6fc6e0beb3dda78c2ac1ea55"),
        None,
    ),
    (
        1,
        address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"),
        b256!("d0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23"),
        None,
    ),
];

impl Hint {
    /// Returns what is known of well-known tokens of the network with this chain id.
    pub fn well_known(chain_id: u64) -> Self {
        let mut hint = Self::default();
        for (chain, token, code_hash, pointer) in WELL_KNOWN {
            if *chain != chain_id {
                continue;
            }
            hint.note_code_hash(*token, *code_hash);
            if let Some((slot, implementation, its_code)) = pointer {
                hint.note_slot(*token, *slot, U256::from_be_bytes(implementation.into_word().0));
                hint.note_code_hash(*implementation, *its_code);
            }
        }
        hint
    }

    /// Notes the hash of a contract's code.
    pub fn note_code_hash(&mut self, address: Address, code_hash: B256) {
        self.code_hashes.insert(address, code_hash);
    }

    /// Notes the word in a slot that points to another contract.
    pub fn note_slot(&mut self, address: Address, key: B256, word: U256) {
        self.slots.insert((address, key), word);
    }

    /// Notes a code. Give it to [`ProvenState::add_code`](crate::ProvenState::add_code) too: there it counts only for an account
    /// with its hash.
    pub fn note_code(&mut self, code: Bytes) {
        self.codes.insert(keccak256(&code), code);
    }

    /// Returns everything that a balance of `owner` needs, as far as the hint reaches.
    pub fn query(&self, token: Address, owner: Address) -> Query {
        let recorder = Recorder { hint: self, query: RefCell::default() };
        let missing =
            match route::find(&recorder, token).and_then(|route| route.word(&recorder, token, owner)) {
                Err(Obstacle::Missing(missing)) => missing,
                _ => Query::default(),
            };
        let mut query = recorder.query.into_inner();
        query.merge(missing);
        query
    }
}

/// Notes what is read from a hint.
struct Recorder<'a> {
    hint: &'a Hint,
    query: RefCell<Query>,
}

impl View for Recorder<'_> {
    fn code_hash(&self, address: Address) -> Option<B256> {
        self.query.borrow_mut().add_account(address);
        self.hint.code_hashes.get(&address).copied()
    }

    fn slot(&self, address: Address, key: B256) -> Option<U256> {
        self.query.borrow_mut().add_slot(address, key);
        self.hint.slots.get(&(address, key)).copied()
    }

    fn code(&self, hash: B256) -> Option<&[u8]> {
        self.hint.codes.get(&hash).map(AsRef::as_ref)
    }
}
