//! An execution header that is trusted, with the reason why.

use alloy_primitives::B256;
use saldo_beacon::unit::UnixTime;
use saldo_beacon::{Finality, FinalizedHead, Origin, SignedHead};
use saldo_proof::StateRoot;

use crate::header::ExecutionHeader;

/// How sure it is that a header belongs to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assurance {
    /// `signers` of the `size` members of the sync committee signed it: at least two thirds. They were drawn at
    /// random from all validators, but a false signature costs them no stake.
    Signed {
        /// How many members signed.
        signers: usize,
        /// How many members the committee has.
        size: usize,
    },
    /// It counts as final, for the reason that [`Finality`] tells: finalized by the chain's validators, who would lose a
    /// third of all stake by reverting it; the checkpoint itself; or taken as final by force.
    Finalized(Finality),
}

impl Assurance {
    /// The place of this assurance in the order of strength.
    pub fn level(&self) -> Level {
        match self {
            Self::Signed { .. } => Level::Signed,
            Self::Finalized(_) => Level::Finalized,
        }
    }
}

/// The order of strength of an [`Assurance`]: `Signed < Finalized`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Signed by at least two thirds of the sync committee.
    Signed,
    /// Finalized.
    Finalized,
}

/// How a header follows from the head that was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Path {
    /// It is that head's own execution header.
    Head,
    /// It is an ancestor of that head, found by parent hashes.
    Ancestor {
        /// How many blocks below the head.
        depth: u64,
    },
}

/// An execution header that is trusted, with the reason why. Built by [`Chain`](crate::Chain) alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    chain_id: u64,
    number: u64,
    hash: B256,
    state_root: StateRoot,
    timestamp: UnixTime,
    assurance: Assurance,
    path: Path,
    origin: Origin,
}

impl Anchor {
    /// `None` for a signed head that has no execution header to prove under.
    pub(crate) fn from_signed(head: &SignedHead, chain_id: u64, origin: Origin) -> Option<Self> {
        let execution = head.execution().header()?;
        Some(Self {
            chain_id,
            number: execution.block_number,
            hash: execution.block_hash,
            state_root: StateRoot::new(execution.state_root),
            timestamp: UnixTime::from_secs(execution.timestamp),
            assurance: Assurance::Signed { signers: head.signers(), size: head.committee_size() },
            path: Path::Head,
            origin,
        })
    }

    /// `None` for a finalized head that has no execution header to prove under.
    pub(crate) fn from_finalized(head: &FinalizedHead, chain_id: u64, origin: Origin) -> Option<Self> {
        let execution = head.execution().header()?;
        Some(Self {
            chain_id,
            number: execution.block_number,
            hash: execution.block_hash,
            state_root: StateRoot::new(execution.state_root),
            timestamp: UnixTime::from_secs(execution.timestamp),
            assurance: Assurance::Finalized(head.finality()),
            path: Path::Head,
            origin,
        })
    }

    /// The parent of `child`: as sure as the child is, because the child's hash commits to it.
    pub(crate) fn parent_of(child: &Self, header: &ExecutionHeader) -> Self {
        let depth = match child.path {
            Path::Head => 1,
            Path::Ancestor { depth } => depth.saturating_add(1),
        };
        Self {
            number: header.number(),
            hash: header.hash(),
            state_root: header.state_root(),
            timestamp: header.timestamp(),
            path: Path::Ancestor { depth },
            ..child.clone()
        }
    }

    pub(crate) fn with_assurance(&self, assurance: Assurance) -> Self {
        Self { assurance, ..self.clone() }
    }

    /// The chain id (EIP-155) of the chain the header belongs to.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The block number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The block hash: keccak256 of the header's RLP.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// The root of the state after this block.
    pub fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// The block's own time.
    pub fn timestamp(&self) -> UnixTime {
        self.timestamp
    }

    /// How sure it is that the block belongs to the chain.
    pub fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// How the header follows from the head that was signed.
    pub fn path(&self) -> Path {
        self.path
    }

    /// What the trust started from, and on whose word.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }
}
