//! A block of a rollup that L1 vouches for.

use crate::{ExecutionHeader, HistoryError, verify_record};
use alloy_primitives::{Address, B256, Keccak256};
use saldo_beacon::unit::UnixTime;
use saldo_proof::{Account, Slot, StateRoot, Verified};

use crate::rollup::game::{At, Provers};
use crate::rollup::registry::Pause;
use crate::rollup::verdict::{Accepted, Level};

/// How a block follows from an accepted output root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// The root is its own.
    Root,
    /// It is an ancestor of such a block, or of one that such a block records, by parent hashes.
    Ancestor {
        /// How many blocks below.
        depth: u64,
    },
    /// The state of such a block has its hash ([EIP-2935](https://eips.ethereum.org/EIPS/eip-2935)).
    History {
        /// The number of the block with that state.
        under: u64,
    },
}

/// A block of a rollup that L1 vouches for, with the level and the evidence.
///
/// A proof of an account under its state root says what the rollup holds for the account. The block is withdrawn when a later L1 block
/// no longer vouches for its [game](Self::game) ([`Refusal::takes_back`](crate::rollup::Refusal::takes_back)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollupAnchor {
    chain_id: u64,
    number: u64,
    hash: B256,
    parent_hash: B256,
    state_root: StateRoot,
    timestamp: UnixTime,
    level: Level,
    way: Way,
    game: Address,
    game_type: u32,
    provers: Provers,
    pause: Pause,
    l1: (u64, B256, UnixTime),
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
        Ok(RollupAnchor {
            chain_id: self.chain_id,
            number: header.number(),
            hash: header.hash(),
            parent_hash: header.parent_hash(),
            state_root: header.state_root(),
            timestamp: header.timestamp(),
            level: self.level,
            way: Way::Root,
            game: self.game,
            game_type: self.game_type,
            provers: self.provers,
            pause: self.pause,
            l1: self.l1,
        })
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
        let depth = match self.way {
            Way::Ancestor { depth } => depth.saturating_add(1),
            Way::Root | Way::History { .. } => 1,
        };
        if depth > Self::MAX_LINK {
            return Err(LinkError::TooDeep);
        }
        let (got, expected) = (header.hash(), self.parent_hash);
        if got != expected {
            return Err(LinkError::NotTheParent { got, expected });
        }
        let (got, expected) = (header.number(), self.number.saturating_sub(1));
        if got != expected || self.number == 0 {
            return Err(LinkError::Number { got, expected });
        }
        Ok(self.at(header, Way::Ancestor { depth }))
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
        verify_record((self.number, self.state_root), account, slot, (header.number(), header.hash()))?;
        Ok(self.at(header, Way::History { under: self.number }))
    }

    /// Returns the same block by a later verdict about the same game: it may have a higher level by now. `None` if the verdict is about
    /// another game. A game's claim never changes, so the block still follows from it.
    #[must_use]
    pub fn vouched_by(&self, accepted: &Accepted) -> Option<Self> {
        let is_same = self.game == accepted.game && self.chain_id == accepted.chain_id;
        is_same.then(|| Self {
            level: accepted.level,
            provers: accepted.provers,
            pause: accepted.pause,
            l1: accepted.l1,
            ..self.clone()
        })
    }

    fn at(&self, header: &ExecutionHeader, way: Way) -> Self {
        Self {
            number: header.number(),
            hash: header.hash(),
            parent_hash: header.parent_hash(),
            state_root: header.state_root(),
            timestamp: header.timestamp(),
            way,
            ..self.clone()
        }
    }

    /// Returns the rollup's chain id.
    pub fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// Returns the block number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the block hash.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// Returns the hash of the parent: that of the next header to link.
    pub fn parent_hash(&self) -> B256 {
        self.parent_hash
    }

    /// Returns the root of the state after this block.
    pub fn state_root(&self) -> StateRoot {
        self.state_root
    }

    /// Returns the block's own time. The age of what is proven under it is counted from here.
    pub fn timestamp(&self) -> UnixTime {
        self.timestamp
    }

    /// Returns how far L1 stands behind it.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Returns how it follows from an accepted root.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Returns the game whose claim it rests on.
    pub fn game(&self) -> Address {
        self.game
    }

    /// Returns that game's type.
    pub fn game_type(&self) -> u32 {
        self.game_type
    }

    /// Returns whose proofs L1 checked.
    pub fn provers(&self) -> Provers {
        self.provers
    }

    /// Returns whether it is proven that the rollup's system is not paused.
    pub fn pause(&self) -> Pause {
        self.pause
    }

    /// Returns number, hash and time of the L1 block under which all of it was read.
    pub fn l1(&self) -> (u64, B256, UnixTime) {
        self.l1
    }
}
