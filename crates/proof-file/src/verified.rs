//! What a verified file says.

use alloy_primitives::B256;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_proof::StateRoot;

use crate::amount::VerifiedHolding;
use crate::block::Block;
use crate::committee::Form;
use crate::file::BalanceProof;
use crate::trust::RestsOn;

/// What a verified file says: these holdings had these amounts at that block.
///
/// It is not a reading of a wallet, and no wallet stores it: it can be of any age, and it rests on what the reader named
/// ([`VerifiedProofFile::rests_on`]). [`verify`](crate::verify()) alone makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProofFile {
    form: Form,
    chain_id: u64,
    holdings: Vec<VerifiedHolding>,
    number: u64,
    hash: B256,
    state_root: StateRoot,
    time: UnixTime,
    depth: usize,
    is_finalized: bool,
    signers: usize,
    committee_size: usize,
    signed_slot: Slot,
    rests_on: RestsOn,
}

impl VerifiedProofFile {
    /// Makes it of a file whose head was verified. `depth` is the number of blocks from the head's block down.
    pub(crate) fn new(
        file: &BalanceProof,
        rests_on: RestsOn,
        block: &Block,
        depth: usize,
        holdings: Vec<VerifiedHolding>,
    ) -> Self {
        let aggregate = &file.head().sync_aggregate;
        Self {
            form: file.form(),
            chain_id: file.chain_id(),
            holdings,
            number: block.number(),
            hash: block.hash(),
            state_root: block.state_root(),
            time: block.time(),
            depth,
            is_finalized: file.head().finality.is_some(),
            signers: aggregate.signers(),
            committee_size: aggregate.size,
            signed_slot: file.head().attested_slot(),
            rests_on,
        }
    }

    /// Returns the form of the file.
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Returns the chain id (EIP-155).
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns the holdings and their amounts, at least one, in the order of owners and assets.
    pub fn holdings(&self) -> &[VerifiedHolding] {
        &self.holdings
    }

    /// Returns the number of the block.
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Returns the hash of the block.
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Returns the root of the state after the block.
    pub const fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// Returns the block's own time. The amounts can have changed in any later block: the reader judges the age.
    pub const fn time(&self) -> UnixTime {
        self.time
    }

    /// Returns how many blocks it is below the block that the head names.
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Whether the block is final by the signed head: itself, or as an ancestor. Else a reorganisation could still remove it after
    /// the file was made.
    pub const fn is_finalized(&self) -> bool {
        self.is_finalized
    }

    /// Returns how many members of the sync committee signed the head: at least two thirds.
    pub const fn signers(&self) -> usize {
        self.signers
    }

    /// Returns how many members the committee has.
    pub const fn committee_size(&self) -> usize {
        self.committee_size
    }

    /// Returns the slot of the head that they signed.
    pub const fn signed_slot(&self) -> Slot {
        self.signed_slot
    }

    /// Returns what all of this still rests on.
    pub const fn rests_on(&self) -> &RestsOn {
        &self.rests_on
    }
}
