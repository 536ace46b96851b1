//! Blocks whose hashes the chain itself records: the history contract of
//! [EIP-2935](https://eips.ethereum.org/EIPS/eip-2935).
//!
//! The state of block N holds the hashes of the blocks N-8191 to N-1; that of block K is at the storage key `K mod 8191`.
//! One proof under a trusted N replaces a chain of headers down to K. The contract is read only if its code is exactly
//! this code. Arbitrum has another contract at that address, with a longer window; its code hash is refused.

use alloy_primitives::{Address, B256, U256, address, b256};
use saldo_proof::{Account, Slot, StateRoot, Verified};

use crate::anchor::Anchor;
use crate::chain::ChainError;
use crate::level::Level;

/// The contract's address.
pub const HISTORY_CONTRACT: Address = address!("0000F90827F1C53a10cb7A02335B175320002935");
/// keccak256 of the contract's code.
pub const HISTORY_CODE_HASH: B256 = b256!("6e49e66782037c0555897870e29fa5e552daf4719552131a0abce779daec0a5d");
/// The number of blocks before its own for which a state holds the hashes.
pub const HISTORY_WINDOW: u64 = 8_191;

/// Returns the storage key of the hash of the block `number`.
pub fn history_key(number: u64) -> B256 {
    B256::from(U256::from(number.checked_rem(HISTORY_WINDOW).unwrap_or(0)))
}

/// Why the history contract does not vouch for a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The block whose state was read is not trusted, or no longer trusted. The caller's fault, or a reorganisation.
    #[error("block {number} with hash {hash}, whose state was read, is not trusted")]
    Untrusted {
        /// Its number.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// A proof is under another root than that block's. The caller's fault.
    #[error("the proof is under state root {got}, the block has {expected}")]
    StateRoot {
        /// The root that the proof was checked under.
        got: StateRoot,
        /// The root of the trusted block.
        expected: StateRoot,
    },
    /// A proof is about another account. The caller's fault.
    #[error("the proof is about {got}, not about the history contract")]
    Contract {
        /// The account that was proven.
        got: Address,
    },
    /// The contract's address has other code or none: the chain does not have EIP-2935, or not yet.
    #[error("the account at the history contract's address has other code, or none")]
    Code {
        /// The code hash that is proven; `None` if there is no account.
        got: Option<B256>,
    },
    /// The proven slot is not the slot of the block's hash. The caller's fault, or the provider sent the header of
    /// another number.
    #[error("the proof is about slot {got}, the hash of block {number} is at {expected}")]
    Slot {
        /// The block's number.
        number: u64,
        /// The key that was proven.
        got: B256,
        /// The key of the block's hash.
        expected: B256,
    },
    /// The state does not hold the hash of that block: the block is too old, or not older than the state's own block. The
    /// slot then holds the hash of another block. The caller's fault.
    #[error("the state holds the hashes of the blocks {oldest} to {newest}, not of block {number}")]
    OutsideWindow {
        /// The block's number.
        number: u64,
        /// The oldest block whose hash the state holds.
        oldest: u64,
        /// The newest block whose hash the state holds.
        newest: u64,
    },
    /// The slot is empty: the contract did not exist yet at that block. No party is at fault.
    #[error("the state holds no hash for block {number}")]
    NotAvailable {
        /// The block's number.
        number: u64,
    },
    /// The chain has another block of that number. The provider's fault, or a reorganisation.
    #[error("block {number} has the hash {expected}, not {got}")]
    OtherBlock {
        /// The block's number.
        number: u64,
        /// The hash of the header.
        got: B256,
        /// The hash that the state holds.
        expected: B256,
    },
    /// A newer head has another block of that number as its ancestor: the state that was read is on an abandoned
    /// branch. No party is at fault.
    #[error("block {number} is not on the branch of the newest head")]
    OtherBranch {
        /// The block's number.
        number: u64,
    },
    /// The block contradicts a block that validators signed.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// A block whose hash the state of another block records.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) anchor: Anchor,
    /// The parent's hash, if the block's own header is known.
    pub(crate) parent_hash: Option<B256>,
    /// Number and hash of the block whose state has the record.
    pub(crate) under: (u64, B256),
}

impl Recorded {
    pub(crate) fn is_final(&self) -> bool {
        self.anchor.assurance().level() == Level::Finalized
    }
}

/// Checks that the state of `under` records `hash` for the block `number`.
pub(crate) fn check(
    under: &Anchor,
    account: &Verified<Account>,
    slot: &Verified<Slot>,
    number: u64,
    hash: B256,
) -> Result<(), HistoryError> {
    verify_record((under.number(), under.state_root()), account, slot, (number, hash))
}

/// Checks that a state records the hash of an older block. `under` is the number of the state's own block, and its root; `block` is the
/// number and the hash of the older one. `account` is the history contract under that root, and `slot` its slot of that number.
///
/// Whether the state itself is trusted is for the caller to know; [`Chain::attach_history`](crate::Chain::attach_history) checks both.
///
/// # Errors
/// [`HistoryError`] if the state does not record the block.
pub fn verify_record(
    (under, expected): (u64, StateRoot),
    account: &Verified<Account>,
    slot: &Verified<Slot>,
    (number, hash): (u64, B256),
) -> Result<(), HistoryError> {
    for got in [account.state_root(), slot.state_root()] {
        if got != expected {
            return Err(HistoryError::StateRoot { got, expected });
        }
    }
    for got in [*account.subject(), slot.subject().address] {
        if got != HISTORY_CONTRACT {
            return Err(HistoryError::Contract { got });
        }
    }
    let code = match account.leaf() {
        Account::Present(state) => Some(state.code_hash),
        Account::Absent => None,
    };
    if code != Some(HISTORY_CODE_HASH) {
        return Err(HistoryError::Code { got: code });
    }
    let oldest = under.saturating_sub(HISTORY_WINDOW);
    if number < oldest || number >= under {
        let newest = under.saturating_sub(1);
        return Err(HistoryError::OutsideWindow { number, oldest, newest });
    }
    let (got, expected) = (slot.subject().key, history_key(number));
    if got != expected {
        return Err(HistoryError::Slot { number, got, expected });
    }
    match slot.leaf() {
        Slot::Absent => Err(HistoryError::NotAvailable { number }),
        Slot::Present(word) if B256::from(*word) == hash => Ok(()),
        Slot::Present(word) => {
            Err(HistoryError::OtherBlock { number, got: hash, expected: B256::from(*word) })
        }
    }
}
