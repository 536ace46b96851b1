//! What a proof is asked for, and what becomes of it.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use saldo_chain::{ExecutionHeader, Level};
use saldo_proof::{Account, StateRoot, Verified};
use saldo_reading::{Candidate, Holding, ProviderId};
use saldo_source::{Deadline, FINAL_PROOFS};

use crate::head::BlockRef;

/// Which proofs are asked for.
#[derive(Clone, Debug)]
pub(crate) struct ProofTarget {
    pub(crate) block: BlockRef,
    /// How sure the block must be.
    pub(crate) level: Level,
}

/// A proof that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProofRequest {
    pub(super) holding: Holding,
    /// Whether it is asked of more operators than the policy names.
    pub(super) over_policy: bool,
}

impl ProofRequest {
    /// Asked of those operators alone that the policy names.
    pub(crate) fn within_policy(holding: Holding) -> Self {
        Self { holding, over_policy: false }
    }
}

/// A verified account, and the nodes that prove it.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) account: Verified<Account>,
    /// `None` where they are not needed any more, because nothing is stored or there are too many.
    pub(crate) nodes: Option<Arc<[Bytes]>>,
}

impl Checked {
    /// How much memory the nodes take, in bytes.
    pub(super) fn size(&self) -> usize {
        self.nodes.iter().flat_map(|nodes| nodes.iter()).map(|node| node.len()).sum()
    }
}

/// The block that a proof was asked for at.
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

/// What became of joining a checked proof with the chain as it is known.
pub(crate) enum Judged {
    /// It joined.
    Joined(Box<Candidate>),
    /// It is genuine, but older than what is recorded already, or than the policy allows.
    Old {
        /// Its block's number.
        number: u64,
    },
    /// Its root belongs to no block that is trusted enough yet.
    NotYet,
}

/// Joins a checked proof with a trusted block of at least this level, if there is one.
pub(crate) type Judge<'a> = dyn Fn(Holding, &Checked, &ProviderId, Level) -> Judged + Send + Sync + 'a;

/// What is asked for, who judges the answers, and until when.
#[derive(Clone, Copy)]
pub(crate) struct Inquiry<'a> {
    pub(crate) target: &'a ProofTarget,
    pub(crate) judge: &'a Judge<'a>,
    pub(crate) deadline: Deadline,
}

/// The name under which the dispatcher ranks providers of proofs at blocks of the assurance `level`: a provider that proves
/// at signed blocks need not have the state of finalized ones.
pub(crate) fn proofs_at(level: Level) -> &'static str {
    if level > Level::Signed { FINAL_PROOFS } else { "eth_getProof" }
}
