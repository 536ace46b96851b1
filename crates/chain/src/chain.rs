//! The trusted stretch of the chain: signed heads, their ancestors, and what they exclude.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use saldo_beacon::LightClient;
use saldo_beacon::unit::Slot;
use saldo_proof::StateRoot;

use crate::anchor::{Anchor, Assurance, Level};
use crate::header::ExecutionHeader;

/// What the chain says of an [`Anchor`] now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing that is known excludes it.
    Stands,
    /// The chain went another way: a newer signed head has another block in its place.
    Withdrawn,
}

/// Why a header or a head was not taken into the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// The header is nobody's parent here. The caller's fault: it was not asked for.
    #[error("block {hash} is the parent of no block that is trusted")]
    NotAParent {
        /// The header's hash.
        hash: B256,
    },
    /// The header says another number than its child's minus one. Whoever signed the child signed nonsense.
    #[error("block {hash} says number {got}, expected {expected}")]
    Number {
        /// The header's hash.
        hash: B256,
        /// The number it says.
        got: u64,
        /// One less than its child's.
        expected: u64,
    },
    /// More than [`Chain::MAX_ANCESTRY`] blocks below the signed head. The caller's fault.
    #[error("more than {} blocks below the signed head", Chain::MAX_ANCESTRY)]
    TooDeep,
    /// Two signed blocks of one number, one of them finalized: the validators contradicted themselves.
    #[error("block {finalized} is finalized, but block {signed} of the same number {number} was signed")]
    ConsensusFault {
        /// The block number.
        number: u64,
        /// The finalized block's hash.
        finalized: B256,
        /// The other block's hash.
        signed: B256,
    },
}

#[derive(Clone, Debug)]
struct Block {
    anchor: Anchor,
    /// Known once the block's own header is.
    parent_hash: Option<B256>,
}

/// The trusted stretch of one chain. Bounded: it holds the newest [`Chain::CAPACITY`] blocks.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// By number; one block a number: the one on the branch of the newest signed head.
    blocks: BTreeMap<u64, Block>,
    newest: Option<u64>,
    /// The slot of the newest signed head that was followed: an older one says nothing new.
    newest_slot: Option<Slot>,
    finalized: Option<u64>,
}

impl Chain {
    /// How many blocks below a signed head [`Chain::attach`] goes.
    pub const MAX_ANCESTRY: u64 = 64;
    /// How many blocks are kept.
    pub const CAPACITY: usize = 256;

    /// A chain of which nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over the signed and the finalized head of `light_client`, and gives up what they exclude.
    ///
    /// # Errors
    /// [`ChainError::ConsensusFault`] if a head contradicts a finalized block.
    pub fn follow(&mut self, light_client: &LightClient) -> Result<(), ChainError> {
        let (chain_id, origin) = (light_client.network().chain_id(), light_client.origin());
        let finalized = light_client.finalized_head();
        if let Some(anchor) = Anchor::from_finalized(finalized, chain_id, origin.clone()) {
            let parent_hash = finalized.execution().header().map(|execution| execution.parent_hash);
            self.finalize(anchor, parent_hash)?;
        }
        if let Some(head) = light_client.signed_head().filter(|head| Some(head.slot()) >= self.newest_slot) {
            self.newest_slot = Some(head.slot());
            let anchor = Anchor::from_signed(head, chain_id, origin.clone());
            if let Some((anchor, execution)) = anchor.zip(head.execution().header()) {
                self.sign(anchor, execution.parent_hash)?;
            }
        }
        self.prune();
        Ok(())
    }

    /// Takes the header that [`Chain::missing_parent`] asked for: the parent of a trusted block.
    ///
    /// # Errors
    /// [`ChainError`] if the header is the parent of no trusted block, lies too deep, or contradicts a finalized block.
    pub fn attach(&mut self, header: &ExecutionHeader) -> Result<&Anchor, ChainError> {
        let hash = header.hash();
        let child = self.blocks.values().rev().find(|block| block.parent_hash == Some(hash));
        let child = &child.ok_or(ChainError::NotAParent { hash })?.anchor;
        let expected = child.number().saturating_sub(1);
        if header.number() != expected || child.number() == 0 {
            return Err(ChainError::Number { hash, got: header.number(), expected });
        }
        let newest = self.newest.unwrap_or(child.number());
        if newest.saturating_sub(expected) > Self::MAX_ANCESTRY {
            return Err(ChainError::TooDeep);
        }
        let anchor = Anchor::parent_of(child, header);
        self.place(anchor, Some(header.parent_hash()))?;
        self.at(expected, hash).ok_or(ChainError::NotAParent { hash })
    }

    /// Which header is needed next to know the branch of the newest signed head down to the number `down_to`: its
    /// number and hash. `None` if the branch is known, or would be longer than [`Chain::MAX_ANCESTRY`].
    pub fn missing_parent(&self, down_to: u64) -> Option<(u64, B256)> {
        let newest = self.newest?;
        let mut number = newest;
        while number > down_to && newest.saturating_sub(number) < Self::MAX_ANCESTRY {
            let parent_hash = self.blocks.get(&number)?.parent_hash?;
            number = number.checked_sub(1)?;
            let known = self.blocks.get(&number);
            if !known.is_some_and(|block| block.anchor.hash() == parent_hash && block.parent_hash.is_some()) {
                return Some((number, parent_hash));
            }
        }
        None
    }

    /// The newest block that is trusted at the assurance `level` or stronger.
    pub fn newest(&self, level: Level) -> Option<&Anchor> {
        self.blocks
            .values()
            .rev()
            .map(|block| &block.anchor)
            .find(|anchor| anchor.assurance().level() >= level)
    }

    /// The newest trusted block whose state has this root.
    pub fn anchor_at_root(&self, root: StateRoot) -> Option<&Anchor> {
        self.blocks.values().rev().map(|block| &block.anchor).find(|anchor| anchor.state_root() == root)
    }

    /// What is known now of the block that `anchor` names: the same block with today's assurance, if it is held.
    pub fn anchor_again(&self, anchor: &Anchor) -> Option<&Anchor> {
        self.at(anchor.number(), anchor.hash())
    }

    /// Whether the chain still has the block that `anchor` names.
    pub fn standing(&self, anchor: &Anchor) -> Standing {
        let (number, hash) = (anchor.number(), anchor.hash());
        let here = self.blocks.get(&number).map(|block| block.anchor.hash());
        let by_child = number.checked_add(1).and_then(|above| self.blocks.get(&above)?.parent_hash);
        match here.or(by_child) {
            Some(known) if known == hash => Standing::Stands,
            Some(_) => Standing::Withdrawn,
            // The newest signed head is below it: a block that came later in time at a lower height.
            None if self.newest.is_some_and(|newest| number > newest) => Standing::Withdrawn,
            None => Standing::Stands,
        }
    }

    fn at(&self, number: u64, hash: B256) -> Option<&Anchor> {
        self.blocks.get(&number).map(|block| &block.anchor).filter(|anchor| anchor.hash() == hash)
    }

    fn sign(&mut self, anchor: Anchor, parent_hash: B256) -> Result<(), ChainError> {
        let number = anchor.number();
        if self.finalized.is_some_and(|finalized| number < finalized) {
            return Ok(()); // Below what is final: nothing to learn.
        }
        self.place(anchor, Some(parent_hash))?;
        // A head signed later excludes every block at its height or above that is not itself: those were signed
        // earlier, and a block's descendants are signed after it.
        self.blocks.retain(|at, _| *at <= number);
        self.newest = Some(number);
        Ok(())
    }

    fn finalize(&mut self, anchor: Anchor, parent_hash: Option<B256>) -> Result<(), ChainError> {
        let number = anchor.number();
        if self.finalized.is_some_and(|finalized| number < finalized) {
            return Ok(());
        }
        let assurance = anchor.assurance();
        let known_parent = self.blocks.get(&number).filter(|block| block.anchor.hash() == anchor.hash());
        let parent_hash = known_parent.and_then(|block| block.parent_hash).or(parent_hash);
        self.place(anchor, parent_hash)?;
        self.finalized = Some(number);
        self.newest = Some(self.newest.map_or(number, |newest| newest.max(number)));
        self.finalize_ancestors(number, assurance);
        self.drop_what_does_not_descend(number);
        Ok(())
    }

    /// Ancestors of a finalized block are final with it, as far down as the links are known.
    fn finalize_ancestors(&mut self, number: u64, assurance: Assurance) {
        let mut parent = self.blocks.get(&number).and_then(|block| block.parent_hash);
        let mut at = number;
        while let (Some(hash), Some(below)) = (parent, at.checked_sub(1)) {
            let Some(block) = self.blocks.get_mut(&below).filter(|block| block.anchor.hash() == hash) else {
                break;
            };
            if block.anchor.assurance().level() < assurance.level() {
                block.anchor = block.anchor.with_assurance(assurance);
            }
            parent = block.parent_hash;
            at = below;
        }
    }

    /// Blocks above a finalized one that link to another block of its number are on a dead branch.
    fn drop_what_does_not_descend(&mut self, number: u64) {
        let mut below = self.blocks.get(&number).map(|block| block.anchor.hash());
        let mut at = number;
        while let Some(above) = at.checked_add(1) {
            let Some(block) = self.blocks.get(&above) else { return };
            if block.parent_hash.is_some() && block.parent_hash != below {
                self.blocks.retain(|kept, _| *kept < above);
                self.newest = Some(at);
                return;
            }
            below = Some(block.anchor.hash());
            at = above;
        }
    }

    /// Puts a block at its number: the newest branch wins over a signed one, and nothing wins over a finalized one. The
    /// block below is given up as well if it is not the parent.
    fn place(&mut self, anchor: Anchor, parent_hash: Option<B256>) -> Result<(), ChainError> {
        let number = anchor.number();
        let below = parent_hash.and_then(|parent| Some((number.checked_sub(1)?, parent)));
        for (at, signed) in [Some((number, anchor.hash())), below].into_iter().flatten() {
            let other = self.blocks.get(&at).map(|block| &block.anchor).filter(|held| held.hash() != signed);
            match other {
                Some(held) if held.assurance().level() == Level::Finalized => {
                    return Err(ChainError::ConsensusFault { number: at, finalized: held.hash(), signed });
                }
                Some(_) => self.blocks.remove(&at),
                None => None,
            };
        }
        match self.blocks.get_mut(&number) {
            Some(block) => {
                block.parent_hash = block.parent_hash.or(parent_hash);
                if block.anchor.assurance().level() <= anchor.assurance().level() {
                    block.anchor = anchor;
                }
            }
            None => {
                self.blocks.insert(number, Block { anchor, parent_hash });
            }
        }
        Ok(())
    }

    /// Gives up the lowest blocks, but never the finalized head.
    fn prune(&mut self) {
        while self.blocks.len() > Self::CAPACITY {
            let lowest = self.blocks.keys().copied().find(|number| Some(*number) != self.finalized);
            lowest.and_then(|number| self.blocks.remove(&number));
        }
    }
}
