//! The request for a proof, and the result of judging it.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use saldo_chain::{Anchor, ExecutionHeader, Level};
use saldo_proof::{Account, StateRoot, Verified};
use saldo_reading::gate::Found;
use saldo_reading::{Candidate, Claim, Holding, ProviderId, Why};
use saldo_source::{Deadline, FINAL_PROOFS, MaybeSend, MaybeSync};
use saldo_token::{ProvenState, VerifiedBalance};

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

/// What complete proofs of a holding show under one state root.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    Account(Verified<Account>),
    Token(Arc<VerifiedBalance>),
    /// The token's code has to be run over this state. It is not known yet which block has this root.
    Later {
        state: Arc<ProvenState>,
    },
    /// Under this root the token has no balance that can be proven, whatever else is proven.
    NoBalance {
        root: StateRoot,
        why: Why,
    },
}

/// What verified proofs show, and the nodes that prove it.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) shown: Shown,
    /// `None` if the nodes are not needed, because nothing is stored, or if there are too many. For a token it is one item:
    /// the encoded [`TokenProof`](crate::token_proof::TokenProof).
    pub(crate) nodes: Option<Arc<[Bytes]>>,
}

impl Checked {
    /// The root that it was verified under.
    pub(crate) fn state_root(&self) -> StateRoot {
        match &self.shown {
            Shown::Account(account) => account.state_root(),
            Shown::Token(balance) => balance.state_root(),
            Shown::Later { state } => state.root(),
            Shown::NoBalance { root, .. } => *root,
        }
    }

    /// What it claims, if its root is not trusted.
    pub(crate) fn claim(&self) -> Claim {
        match &self.shown {
            Shown::Account(account) => account.into(),
            Shown::Token(balance) => (&**balance).into(),
            Shown::Later { .. } | Shown::NoBalance { .. } => Claim::without_amount(self.state_root()),
        }
    }

    /// The memory that the nodes and the state take, in bytes.
    pub(super) fn size(&self) -> usize {
        let nodes: usize = self.nodes.iter().flat_map(|nodes| nodes.iter()).map(|node| node.len()).sum();
        match &self.shown {
            Shown::Later { state } => nodes.saturating_add(state.size()),
            Shown::Account(_) | Shown::Token(_) | Shown::NoBalance { .. } => nodes,
        }
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

/// What a checked proof says at a trusted block. No other provider can say otherwise about that block.
#[derive(Clone, Debug)]
pub(crate) enum Settled {
    /// It joined.
    Proven(Box<Candidate>),
    /// The holding has no amount that can be proven.
    NoBalance { why: Why, anchor: Box<Anchor> },
}

impl Settled {
    /// The finding of a call.
    pub(crate) fn found(self) -> Found {
        match self {
            Self::Proven(candidate) => Found::Candidate(candidate),
            Self::NoBalance { why, anchor } => Found::NoBalance { why, number: anchor.number() },
        }
    }

    /// The trusted block.
    pub(crate) fn anchor(&self) -> &Anchor {
        match self {
            Self::Proven(candidate) => candidate.anchor(),
            Self::NoBalance { anchor, .. } => anchor,
        }
    }
}

/// The result of joining a checked proof with the chain.
pub(crate) enum Judged {
    /// The proof is of a trusted block.
    Settled(Settled),
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
