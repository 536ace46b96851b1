//! A block of a rollup that L1 vouches for.

use alloy_primitives::{B256, Keccak256};
use saldo_beacon::unit::UnixTime;
use saldo_proof::{Account, Slot, StateRoot, Verified};

use crate::anchor::{Anchor, Path, Source, Trusted};
use crate::assurance::Assurance;
use crate::header::ExecutionHeader;
use crate::history::{HistoryError, verify_record};
use crate::level::Level;
use crate::rollup::game::At;
use crate::rollup::verdict::Accepted;
use crate::rollup::vouched::Vouched;

/// A block of a rollup that L1 vouches for, with the level and the evidence.
///
/// A proof of an account under its state root says what the rollup holds for the account. The block is withdrawn when a later L1 block
/// no longer vouches for its [game](Vouched::game) ([`Refusal::takes_back`](crate::rollup::Refusal::takes_back)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollupAnchor {
    anchor: Anchor,
    vouched: Vouched,
    parent_hash: B256,
}

/// Why a header is not that of an accepted output root. The provider's fault: it sent another block's header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// L1 accepted no such output root in this game.
    #[error("the header gives the output root {got}, which the game does not claim")]
    OutputRoot {
        /// The root that follows from the header.
        got: B256,
    },
    /// The header has no root of the messages to L1, and the caller named none.
    #[error("the header has no withdrawals root")]
    NoMessages,
    /// The root is about a block with another number.
    #[error("the header has the number {got}, the root is about {expected}")]
    Number {
        /// The number in the header.
        got: u64,
        /// The number that the root is about.
        expected: u64,
    },
    /// The root is about another moment.
    #[error("the header has the time {}, the root is about {}", .got.as_secs(), .expected.as_secs())]
    Time {
        /// The time in the header.
        got: UnixTime,
        /// The moment that the root is about.
        expected: UnixTime,
    },
}

/// Why a header is not that of an ancestor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The header is not the parent's. The provider's fault.
    #[error("block {got} is not the parent, which is {expected}")]
    NotTheParent {
        /// The header's hash.
        got: B256,
        /// The parent's hash.
        expected: B256,
    },
    /// The parent's number is not one less. The rollup's fault.
    #[error("the parent has the number {got}, expected {expected}")]
    Number {
        /// The number in the header.
        got: u64,
        /// One less than the child's.
        expected: u64,
    },
    /// More headers than [`RollupAnchor::MAX_LINK`] were linked. The caller's fault.
    #[error("more than {} headers were linked", RollupAnchor::MAX_LINK)]
    TooDeep,
}

impl Accepted {
    /// Returns the block of an accepted output root by its `header`, which was hashed.
    ///
    /// An output root also commits to the root of the messages to L1. Since the upgrade Isthmus the header has it. For an older block
    /// it is `messages`: a claim, which the hash decides.
    ///
    /// Source: specs of the OP Stack, "L2 output root proposals", `isthmus/exec-engine.md`.
    ///
    /// # Errors
    /// [`OpenError`] if the game does not claim this block.
    pub fn open(&self, header: &ExecutionHeader, messages: Option<B256>) -> Result<RollupAnchor, OpenError> {
        let messages = messages.or_else(|| header.withdrawals_root()).ok_or(OpenError::NoMessages)?;
        let got = output_root(header, messages);
        let at = self.roots.iter().find(|(_, root)| *root == got).map(|(at, _)| *at);
        match at.ok_or(OpenError::OutputRoot { got })? {
            At::Number(expected) if header.number() != expected => {
                return Err(OpenError::Number { got: header.number(), expected });
            }
            At::Time(expected) if !self.is_newest_at(header.timestamp(), expected) => {
                return Err(OpenError::Time { got: header.timestamp(), expected });
            }
            At::Number(_) | At::Time(_) => {}
        }
        let trusted = Trusted {
            chain_id: self.chain_id,
            number: header.number(),
            hash: header.hash(),
            state_root: header.state_root(),
            timestamp: header.timestamp(),
            source: Source::Rlp(header.rlp().clone()),
            assurance: Assurance::Rollup(self.vouched),
            path: Path::Head,
            origin: self.origin.clone(),
        };
        let parent_hash = header.parent_hash();
        Ok(RollupAnchor { anchor: trusted.anchor(), vouched: self.vouched, parent_hash })
    }

    /// Whether a block of the time `of` is the newest one at the moment `at`. Where the block time is unknown, only the block of that
    /// moment is.
    fn is_newest_at(&self, of: UnixTime, at: UnixTime) -> bool {
        let behind = at.as_secs().checked_sub(of.as_secs());
        behind.is_some_and(|behind| behind < self.block_time.unwrap_or(1))
    }
}

/// Returns the output root of version 0.
fn output_root(header: &ExecutionHeader, messages: B256) -> B256 {
    let mut hasher = Keccak256::new();
    for word in [B256::ZERO, header.state_root().get(), messages, header.hash()] {
        hasher.update(word);
    }
    hasher.finalize()
}

impl RollupAnchor {
    /// How many headers can be linked below an accepted block: an hour of 2 s blocks, about 1 MB.
    pub const MAX_LINK: u64 = 1_800;

    /// Returns the parent by its header.
    ///
    /// # Errors
    /// [`LinkError`] if the header is another block's, or too many were linked.
    pub fn parent(&self, header: &ExecutionHeader) -> Result<Self, LinkError> {
        let depth = match self.anchor.path() {
            Path::Ancestor { depth } => depth.saturating_add(1),
            Path::Head | Path::History { .. } => 1,
        };
        if depth > Self::MAX_LINK {
            return Err(LinkError::TooDeep);
        }
        let (got, expected) = (header.hash(), self.parent_hash);
        if got != expected {
            return Err(LinkError::NotTheParent { got, expected });
        }
        let (got, expected) = (header.number(), self.number().saturating_sub(1));
        if got != expected || self.number() == 0 {
            return Err(LinkError::Number { got, expected });
        }
        Ok(self.at(header, Path::Ancestor { depth }))
    }

    /// Returns the ancestor that `headers` lead to, which begin with the parent's.
    ///
    /// # Errors
    /// [`LinkError`] for the first header that does not follow.
    pub fn ancestor<'a>(
        &self,
        headers: impl IntoIterator<Item = &'a ExecutionHeader>,
    ) -> Result<Self, LinkError> {
        headers.into_iter().try_fold(self.clone(), |at, header| at.parent(header))
    }

    /// Returns an older block whose hash the state of this one records. `account` is the history contract under that state, `slot` its
    /// slot of the block's number.
    ///
    /// # Errors
    /// [`HistoryError`] if the state does not record the block.
    pub fn recorded(
        &self,
        account: &Verified<Account>,
        slot: &Verified<Slot>,
        header: &ExecutionHeader,
    ) -> Result<Self, HistoryError> {
        verify_record((self.number(), self.state_root()), account, slot, (header.number(), header.hash()))?;
        Ok(self.at(header, Path::History { under: self.number() }))
    }

    /// Returns the same block by a later verdict about the same game: it may have a higher level by now. `None` if the verdict is about
    /// another game. A game's claim never changes, so the block still follows from it.
    #[must_use]
    pub fn vouched_by(&self, accepted: &Accepted) -> Option<Self> {
        let is_same = self.vouched.game == accepted.vouched.game && self.chain_id() == accepted.chain_id;
        is_same.then(|| Self {
            anchor: self.anchor.with_assurance(Assurance::Rollup(accepted.vouched)),
            vouched: accepted.vouched,
            ..self.clone()
        })
    }

    fn at(&self, header: &ExecutionHeader, path: Path) -> Self {
        let trusted = Trusted {
            number: header.number(),
            hash: header.hash(),
            state_root: header.state_root(),
            timestamp: header.timestamp(),
            source: Source::Rlp(header.rlp().clone()),
            path,
            ..(*self.anchor.0).clone()
        };
        Self { anchor: trusted.anchor(), parent_hash: header.parent_hash(), ..self.clone() }
    }

    /// Returns it as a trusted block, which proofs are joined with.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns the rollup's chain id.
    pub fn chain_id(&self) -> u64 {
        self.anchor.chain_id()
    }

    /// Returns the block number.
    pub fn number(&self) -> u64 {
        self.anchor.number()
    }

    /// Returns the block hash.
    pub fn hash(&self) -> B256 {
        self.anchor.hash()
    }

    /// Returns the hash of the parent: that of the next header to link.
    pub fn parent_hash(&self) -> B256 {
        self.parent_hash
    }

    /// Returns the root of the state after this block.
    pub fn state_root(&self) -> StateRoot {
        self.anchor.state_root()
    }

    /// Returns the block's own time. The age of what is proven under it is counted from here.
    pub fn timestamp(&self) -> UnixTime {
        self.anchor.timestamp()
    }

    /// Returns how far L1 stands behind it.
    pub fn level(&self) -> Level {
        self.vouched.level()
    }

    /// Returns how far L1 stands behind it, and by which game.
    pub fn vouched(&self) -> Vouched {
        self.vouched
    }

    /// Returns how it follows from an accepted root: it has the root itself, is an ancestor of such a block, or is recorded by one.
    pub fn path(&self) -> Path {
        self.anchor.path()
    }
}
