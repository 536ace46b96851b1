//! Where the virtual machine reads accounts, slots and codes from.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, b256};
use saldo_proof::{Account, HashedCode, ProvenState};

/// What code can ask about an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) balance: U256,
    pub(crate) nonce: u64,
    pub(crate) code_hash: B256,
    pub(crate) exists: bool,
}

/// Accounts, slots and codes. `None` is not known; it is neither zero nor empty.
pub(crate) trait Source {
    fn account(&self, address: Address) -> Option<Seen>;
    fn word(&self, address: Address, key: B256) -> Option<U256>;
    fn code(&self, hash: B256) -> Option<&HashedCode>;
    /// Whether an unknown slot is read as zero. The result of such a run is only a guess.
    fn guesses(&self) -> bool;
}

/// The root of an empty trie.
const EMPTY_TRIE: B256 = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");

impl Source for ProvenState {
    fn account(&self, address: Address) -> Option<Seen> {
        Self::account(self, address).map(|account| match account {
            Account::Present(state) => {
                Seen { balance: state.balance, nonce: state.nonce, code_hash: state.code_hash, exists: true }
            }
            Account::Absent => {
                Seen { balance: U256::ZERO, nonce: 0, code_hash: KECCAK256_EMPTY, exists: false }
            }
        })
    }

    /// An account without storage has zero in every slot: its own proof says so.
    fn word(&self, address: Address, key: B256) -> Option<U256> {
        let is_empty = match Self::account(self, address)? {
            Account::Present(state) => state.storage_root.get() == EMPTY_TRIE,
            Account::Absent => true,
        };
        if is_empty { Some(U256::ZERO) } else { Self::word(self, address, key) }
    }

    fn code(&self, hash: B256) -> Option<&HashedCode> {
        self.code_with_hash(hash)
    }

    fn guesses(&self) -> bool {
        false
    }
}

/// What is guessed about accounts, slots and codes, from earlier reads. It proves nothing.
pub trait Guess {
    /// The hash of the code of an account.
    fn code_hash(&self, address: Address) -> Option<B256>;
    /// The word in a slot.
    fn word(&self, address: Address, key: B256) -> Option<U256>;
    /// The code with that hash.
    fn code(&self, hash: B256) -> Option<&HashedCode>;
}

/// A guess, beside what is proven already.
pub(crate) struct Guessed<'a> {
    pub(crate) proven: Option<&'a ProvenState>,
    pub(crate) guess: &'a dyn Guess,
}

impl Source for Guessed<'_> {
    fn account(&self, address: Address) -> Option<Seen> {
        let proven = self.proven.and_then(|state| Source::account(state, address));
        proven.or_else(|| {
            let code_hash = self.guess.code_hash(address)?;
            Some(Seen { balance: U256::ZERO, nonce: 1, code_hash, exists: true })
        })
    }

    fn word(&self, address: Address, key: B256) -> Option<U256> {
        let proven = self.proven.and_then(|state| Source::word(state, address, key));
        proven.or_else(|| self.guess.word(address, key))
    }

    fn code(&self, hash: B256) -> Option<&HashedCode> {
        self.proven.and_then(|state| Source::code(state, hash)).or_else(|| self.guess.code(hash))
    }

    fn guesses(&self) -> bool {
        true
    }
}
