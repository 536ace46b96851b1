//! What a token was the last time: a guess that saves round trips, and proves nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;

#[cfg(feature = "execute")]
use alloy_primitives::KECCAK256_EMPTY;
use alloy_primitives::{Address, B256, Bytes, U256, address, b256};
use saldo_proof::{HashedCode, ProvenState, Query};

use crate::proxy::ZEPPELINOS_IMPLEMENTATION;
use crate::route::{self, Obstacle, View};

/// Code hashes, pointers and codes that tokens had when they were read before. They only decide what is asked for in the first
/// request: a balance is made from proofs alone, so a wrong hint costs a round trip and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Hint {
    code_hashes: BTreeMap<Address, B256>,
    slots: BTreeMap<(Address, B256), U256>,
    codes: BTreeMap<B256, HashedCode>,
}

/// A well-known token of one network.
struct WellKnown {
    chain_id: u64,
    token: Address,
    code_hash: B256,
    pointer: Option<KnownPointer>,
}

/// Where a well-known token passes its calls to.
struct KnownPointer {
    slot: B256,
    implementation: Address,
    code_hash: B256,
}

const WELL_KNOWN: &[WellKnown] = &[
    WellKnown {
        chain_id: 1,
        token: address!("A0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
        code_hash: b256!("d80d4b7c890cb9d6a4893e6b52bc34b56b25335cb13716e0d1d31383e6b41505"),
        pointer: Some(KnownPointer {
            slot: ZEPPELINOS_IMPLEMENTATION,
            implementation: address!("43506849D7C04F9138D1A2050bbF3A0c054402dd"),
            code_hash: b256!("cdfb7d322961af3acae7a8f7ee8b69c205b36f576cc5b077f170c7eb8ecbe3ea"),
        }),
    },
    WellKnown {
        chain_id: 1,
        token: address!("dAC17F958D2ee523a2206206994597C13D831ec7"),
        code_hash: b256!("b44fb4e949d0f78f87f79ee46428f23a2a5713ce6fc6e0beb3dda78c2ac1ea55"),
        pointer: None,
    },
    WellKnown {
        chain_id: 1,
        token: address!("C02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"),
        code_hash: b256!("d0a06b12ac47863b5c7be4185c2deaad1c61557033f56c7d4ea74429cbb25e23"),
        pointer: None,
    },
];

impl Hint {
    /// The most contracts, and the most slots, of which something is noted. Beyond it, everything is dropped and learned again.
    pub const CAPACITY: usize = 4_096;
    /// The most bytes that the noted codes take. Beyond it, all codes are dropped.
    pub const CODE_BYTES: usize = 1 << 20;

    /// Returns what is known of well-known tokens of the network with this chain id.
    pub fn well_known(chain_id: u64) -> Self {
        let mut hint = Self::default();
        for known in WELL_KNOWN.iter().filter(|known| known.chain_id == chain_id) {
            hint.note_code_hash(known.token, known.code_hash);
            if let Some(KnownPointer { slot, implementation, code_hash }) = &known.pointer {
                hint.note_slot(known.token, *slot, U256::from_be_bytes(implementation.into_word().0));
                hint.note_code_hash(*implementation, *code_hash);
            }
        }
        hint
    }

    /// Notes the hash of a contract's code.
    pub fn note_code_hash(&mut self, address: Address, code_hash: B256) {
        if self.code_hashes.len() >= Self::CAPACITY {
            self.code_hashes.clear();
        }
        self.code_hashes.insert(address, code_hash);
    }

    /// Notes the word in a slot that points to another contract.
    pub fn note_slot(&mut self, address: Address, key: B256, word: U256) {
        if self.slots.len() >= Self::CAPACITY {
            self.slots.clear();
        }
        self.slots.insert((address, key), word);
    }

    /// Notes a code. [`lend_codes`](Self::lend_codes) gives it to a state, where it counts only for an account with its hash.
    pub fn note_code(&mut self, code: Bytes) {
        self.note_hashed(hashed(code));
    }

    /// Notes a code of a state, unless it is noted already.
    fn note_known(&mut self, code: &HashedCode) {
        if !self.codes.contains_key(&code.hash()) {
            self.note_code(code.code().clone());
        }
    }

    fn note_hashed(&mut self, code: HashedCode) {
        let bytes: usize = self.codes.values().map(|code| code.code().len()).sum();
        if bytes.saturating_add(code.code().len()) > Self::CODE_BYTES {
            self.codes.clear();
        }
        self.codes.insert(code.hash(), code);
    }

    /// Returns the noted code with this hash.
    pub fn code(&self, hash: B256) -> Option<&Bytes> {
        self.codes.get(&hash).map(HashedCode::code)
    }

    /// Adds the noted codes to `state`, so that they are not asked for again.
    pub fn lend_codes(&self, state: &mut ProvenState) {
        self.codes.values().for_each(|code| state.add_hashed_code(code.clone()));
    }

    /// Notes what `state` proves of the way from `token` to its layout: code hashes, pointers and codes. The state may be
    /// proven under any root.
    pub fn learn(&mut self, state: &ProvenState, token: Address) {
        let learner = Learner { state, hint: RefCell::new(self) };
        let _ = route::find(&learner, token);
    }

    /// Adds what `older` notes of contracts, slots and codes of which nothing is noted here.
    pub fn add_older(&mut self, older: Self) {
        let newer = std::mem::replace(self, older);
        newer.code_hashes.into_iter().for_each(|(address, hash)| self.note_code_hash(address, hash));
        newer.slots.into_iter().for_each(|((address, key), word)| self.note_slot(address, key, word));
        newer.codes.into_values().for_each(|code| self.note_hashed(code));
    }

    /// Returns everything that a balance of `owner` needs, as far as the hint reaches.
    pub fn query(&self, token: Address, owner: Address) -> Query {
        self.by_slot(token, owner).0
    }

    /// Returns the query, and whether the hint says that no slot gives the balance.
    fn by_slot(&self, token: Address, owner: Address) -> (Query, bool) {
        let recorder = Recorder { hint: self, query: RefCell::default() };
        let found = route::find(&recorder, token).and_then(|route| route.word(&recorder, token, owner));
        let mut query = recorder.query.into_inner();
        match found {
            Err(Obstacle::Missing(missing)) => query.merge(missing),
            Err(Obstacle::LayoutUnknown { .. } | Obstacle::GuardFailed { .. }) => return (query, true),
            _ => {}
        }
        (query, false)
    }
}

/// Hints about tokens whose code is run.
#[cfg(feature = "execute")]
impl Hint {
    /// Notes all that `state` proves, whatever its root: code hashes, words and the codes of the accounts.
    pub fn learn_all(&mut self, state: &ProvenState) {
        state.accounts().for_each(|(address, _)| self.learn_account(state, address));
        state.words().for_each(|(address, key, word)| self.note_slot(address, key, word));
    }

    /// Notes what `state` proves of the accounts and slots that `query` names.
    pub fn learn_of(&mut self, state: &ProvenState, query: &Query) {
        for (address, keys) in query.slots() {
            self.learn_account(state, *address);
            for key in keys {
                if let Some(word) = state.word(*address, *key) {
                    self.note_slot(*address, *key, word);
                }
            }
        }
    }

    fn learn_account(&mut self, state: &ProvenState, address: Address) {
        let Some(hash) = state.code_hash_of(address) else { return };
        self.note_code_hash(address, hash);
        if let Some(code) = state.code_with_hash(hash) {
            self.note_known(code);
        }
    }

    /// Returns everything that a balance of `owner` needs, as far as the hint and what is `proven` already reach. Where no slot
    /// gives the balance, the token's code is run over them in a block like that of `environment`.
    pub fn query_by_running(
        &self,
        token: Address,
        owner: Address,
        environment: &saldo_execute::Environment,
        proven: Option<&ProvenState>,
    ) -> Query {
        self.query_within(token, owner, environment, proven, &mut saldo_execute::Meter::default())
    }

    /// The same with what `meter` has left, as one of several runs for one balance.
    pub fn query_within(
        &self,
        token: Address,
        owner: Address,
        environment: &saldo_execute::Environment,
        proven: Option<&ProvenState>,
        meter: &mut saldo_execute::Meter,
    ) -> Query {
        let (mut query, must_run) = self.by_slot(token, owner);
        if must_run {
            let call = crate::execution::balance_of(token, owner);
            query.merge(saldo_execute::foresee_within(proven, self, environment, &call, meter));
        }
        query
    }

    /// Returns the call of the token's code that gives the balance of `owner`, unless a slot gives it as far as the hint reaches.
    pub fn call_of(&self, token: Address, owner: Address) -> Option<saldo_execute::Call> {
        let recorder = Recorder { hint: self, query: RefCell::default() };
        let must_run = match route::find(&recorder, token) {
            Ok(route) => matches!(route.word(&recorder, token, owner), Err(Obstacle::GuardFailed { .. })),
            Err(obstacle) => matches!(obstacle, Obstacle::Missing(_) | Obstacle::LayoutUnknown { .. }),
        };
        must_run.then(|| crate::execution::balance_of(token, owner))
    }

    /// Returns what has to be proven of the accounts and slots that a provider says a call reads (`eth_createAccessList`): the first of
    /// them, as many as a run may read. A wrong list costs that provider's own time and nothing else.
    pub fn query_of_list(&self, list: Vec<(Address, Vec<B256>)>) -> Query {
        let mut query = Query::default();
        let mut slots = 0;
        for (address, keys) in list {
            if !query.slots().contains_key(&address) {
                if query.slots().len() == saldo_execute::ACCOUNTS {
                    break;
                }
                query.add_account(address);
            }
            let is_known = |hash: &B256| *hash == KECCAK256_EMPTY || self.codes.contains_key(hash);
            if !self.code_hashes.get(&address).is_some_and(is_known) {
                query.add_code(address);
            }
            for key in keys.into_iter().take(saldo_execute::SLOTS.saturating_sub(slots)) {
                query.add_slot(address, key);
                slots = slots.saturating_add(1);
            }
        }
        query
    }
}

#[cfg(feature = "execute")]
impl saldo_execute::Guess for Hint {
    fn code_hash(&self, address: Address) -> Option<B256> {
        self.code_hashes.get(&address).copied()
    }

    fn word(&self, address: Address, key: B256) -> Option<U256> {
        self.slots.get(&(address, key)).copied()
    }

    fn code(&self, hash: B256) -> Option<&HashedCode> {
        self.codes.get(&hash)
    }
}

/// The code with its hash, ready to run.
#[cfg(feature = "execute")]
fn hashed(code: Bytes) -> HashedCode {
    saldo_execute::prepare(code)
}

/// The code with its hash. This build runs no code.
#[cfg(not(feature = "execute"))]
fn hashed(code: Bytes) -> HashedCode {
    HashedCode::new(code)
}

/// Notes in a hint what is read from a state.
struct Learner<'a> {
    state: &'a ProvenState,
    hint: RefCell<&'a mut Hint>,
}

impl View for Learner<'_> {
    fn code_hash(&self, address: Address) -> Option<B256> {
        let known = self.state.code_hash(address);
        known.inspect(|hash| self.hint.borrow_mut().note_code_hash(address, *hash))
    }

    fn slot(&self, address: Address, key: B256) -> Option<U256> {
        let known = self.state.slot(address, key);
        known.inspect(|word| self.hint.borrow_mut().note_slot(address, key, *word))
    }

    fn code(&self, hash: B256) -> Option<&[u8]> {
        let code = self.state.code_with_hash(hash)?;
        self.hint.borrow_mut().note_known(code);
        Some(code.code())
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
        self.hint.code(hash).map(AsRef::as_ref)
    }
}

#[cfg(test)]
#[path = "hint_tests.rs"]
mod tests;
