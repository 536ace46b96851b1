//! The request for a proof, and the result of judging it.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use saldo_chain::{ExecutionHeader, Level};
use saldo_proof::{Account, StateRoot, Verified};
use saldo_reading::{Candidate, Holding, ProviderId};
use saldo_source::{Deadline, FINAL_PROOFS, MaybeSend, MaybeSync};

use crate::head::BlockRef;

/// The proof target: the block of a request, and the assurance it needs.
#[derive(Clone, Debug)]
pub(crate) struct ProofTarget {
    pub(crate) block: BlockRef,
    /// The assurance that the block must have.
    pub(crate) level: Level,
}

/// A request for a proof of one holding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProofRequest {
    pub(super) holding: Holding,
    /// Whether it is over policy: more operators see the address than the policy names.
    pub(super) over_policy: bool,
}

impl ProofRequest {
    /// Makes a request that only goes to operators within the policy.
    pub(crate) fn within_policy(holding: Holding) -> Self {
        Self { holding, over_policy: false }
    }
}

/// A verified account, and the nodes that prove it.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) account: Verified<Account>,
    /// `None` if the nodes are not needed, because nothing is stored, or if there are too many.
    pub(crate) nodes: Option<Arc<[Bytes]>>,
}

impl Checked {
    /// The memory that the nodes take, in bytes.
    pub(super) fn size(&self) -> usize {
        self.nodes.iter().flat_map(|nodes| nodes.iter()).map(|node| node.len()).sum()
    }
}

/// The block at which a proof was requested.
#[derive(Clone, Copy)]
pub(super) struct PinnedBlock {
    pub(super) hash: B256,
    pub(super) number: u64,
    pub(super) state_root: StateRoot,
}

impl PinnedBlock {
    pub(super) fn of(header: &ExecutionHeader) -> Self {
        Self { hash: header.hash(), number: header.number(), state_root: header.state_root() }
    }
}

/// The result of joining a checked proof with the chain.
pub(crate) enum Judged {
    /// The proof joined a trusted block.
    Joined(Box<Candidate>),
    /// The proof is genuine, but its block is older than the recorded one, or than the policy allows.
    Old {
        /// The number of its block.
        number: u64,
    },
    /// The root of the proof belongs to no block of enough assurance yet.
    NotYet,
}

/// Joins checked proofs with trusted blocks.
pub(crate) trait Judge: MaybeSend + MaybeSync {
    /// Joins a checked proof with a trusted block of at least `level`, if there is one.
    fn join(&self, holding: Holding, checked: &Checked, provider: &ProviderId, level: Level) -> Judged;
}

/// The target of a request, the judge of its answers, and its deadline.
#[derive(Clone, Copy)]
pub(crate) struct Inquiry<'a> {
    pub(crate) target: &'a ProofTarget,
    pub(crate) judge: &'a dyn Judge,
    pub(crate) deadline: Deadline,
}

/// The name under which the dispatcher ranks providers of proofs at blocks of the assurance `level`. A provider
/// that proves at signed blocks may not have the state of finalized ones.
pub(crate) fn proofs_at(level: Level) -> &'static str {
    if level > Level::Signed { FINAL_PROOFS } else { "eth_getProof" }
}
