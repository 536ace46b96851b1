//! The trusted part of the chain: signed heads, their ancestors, and the blocks that they exclude.

mod ancestor;
mod block;
mod error;
mod recorded;
mod review;
mod vouched;

use std::collections::BTreeMap;

pub use error::ChainError;
pub use vouched::Contradiction;

use alloy_primitives::{Address, B256};
use saldo_beacon::unit::Slot;
use saldo_beacon::{Execution, LightClient};
use saldo_proof::StateRoot;

use crate::anchor::Anchor;
use crate::assurance::{Assurance, Voucher};
use crate::header::ExecutionHeader;
use crate::history::Recorded;
use crate::level::Level;
use crate::pending::{Head, Pending};
use block::Block;
use error::MAX_ANCESTRY;

/// What the chain says about an [`Anchor`] now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No known block excludes it.
    Stands,
    /// It was reorganised away: a newer signed head has another block in its place.
    Withdrawn,
}

/// The trusted part of one chain. It is bounded: it holds the newest [`Chain::CAPACITY`] blocks, and as many again that
/// only the history contract records.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    /// By number. Each number has one block: that on the branch of the newest signed head.
    blocks: BTreeMap<u64, Block>,
    newest: Option<u64>,
    /// The slot of the newest signed head that was followed. An older head adds nothing.
    newest_slot: Option<Slot>,
    finalized: Option<u64>,
    /// The slot of the newest finalized head that was followed.
    finalized_slot: Option<Slot>,
    pending: Pending,
    /// By number: blocks whose hashes the state of another block records.
    recorded: BTreeMap<u64, Recorded>,
    /// The games of a rollup that L1 no longer vouches for.
    taken_back: Vec<Address>,
}

impl Chain {
    /// How many blocks below a signed head [`Chain::attach`] goes.
    pub const MAX_ANCESTRY: u64 = MAX_ANCESTRY;
    /// The most blocks that are kept.
    pub const CAPACITY: usize = 256;

    /// Makes a chain without any block.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the signed and the finalized head of `light_client`, and drops the blocks that they exclude.
    ///
    /// A head that has only the hash of an execution block is taken at once if the block is known. Otherwise it is
    /// taken when [`Chain::attach`] gets the header that [`Chain::missing_head`] asks for.
    ///
    /// # Errors
    /// [`ChainError::ConsensusFault`] if a head contradicts a finalized block.
    pub fn follow(&mut self, light_client: &LightClient) -> Result<(), ChainError> {
        let finalized = light_client.finalized_head();
        let signed = light_client.signed_head();
        let voucher = |assurance| Voucher {
            chain_id: light_client.network().chain_id(),
            assurance,
            origin: light_client.origin().clone(),
            at: signed.map_or(finalized.slot(), |head| head.slot()),
        };
        let by_finality = voucher(Assurance::Finalized(finalized.finality()));
        let is_newest = Some(finalized.slot()) >= self.finalized_slot;
        match finalized.execution() {
            Execution::Header(payload) => {
                if is_newest {
                    self.pending.finalized = None;
                }
                let anchor = Anchor::of_payload(payload, &by_finality);
                self.finalize(anchor, Some(payload.parent_hash), by_finality.at)?;
            }
            Execution::Hash(hash) if is_newest => {
                self.pending.finalized = Some(Head { hash: *hash, voucher: by_finality });
            }
            Execution::Hash(_) | Execution::Absent => {}
        }
        self.finalized_slot = self.finalized_slot.max(Some(finalized.slot()));
        if let Some(head) = signed.filter(|head| Some(head.slot()) >= self.newest_slot) {
            self.newest_slot = Some(head.slot());
            let by_signature =
                voucher(Assurance::Signed { signers: head.signers(), size: head.committee_size() });
            match head.execution() {
                Execution::Header(payload) => {
                    self.pending.signed = None;
                    let anchor = Anchor::of_payload(payload, &by_signature);
                    self.sign(anchor, Some(payload.parent_hash), head.slot())?;
                }
                Execution::Hash(hash) if self.pending.below_final == Some(*hash) => {
                    self.pending.signed = None;
                }
                Execution::Hash(hash) => {
                    self.pending.signed = Some(Head { hash: *hash, voucher: by_signature });
                }
                Execution::Absent => {}
            }
        }
        self.settle()
    }

    /// Returns the hash of the execution block whose header is needed for proofs at the assurance `level`: that of the
    /// newest head, if only its hash is known so far. For [`Level::Signed`] it is the finalized head only if no block
    /// is known.
    pub fn missing_head(&self, level: Level) -> Option<B256> {
        let finalized = self.pending.finalized.as_ref();
        let wanted = match level {
            Level::Signed => self.pending.signed.as_ref().or(finalized.filter(|_| self.newest.is_none())),
            Level::Finalized => finalized,
            Level::L1ProofChecked | Level::L1Finalized => None,
        };
        wanted.map(|head| head.hash)
    }

    /// Takes the header that [`Chain::missing_head`] or [`Chain::missing_parent`] asked for: of a head with only a
    /// hash, or of the parent of a trusted block.
    ///
    /// # Errors
    /// [`ChainError`] if the chain did not ask for the header, or the block is too deep or contradicts a finalized block.
    pub fn attach(&mut self, header: &ExecutionHeader) -> Result<&Anchor, ChainError> {
        let (hash, number) = (header.hash(), header.number());
        let finalized = self.pending.finalized.take_if(|head| head.hash == hash);
        let signed = self.pending.signed.take_if(|head| head.hash == hash);
        if finalized.is_none() && signed.is_none() {
            self.attach_parent(header)?;
        }
        if let Some(Head { voucher, .. }) = finalized {
            self.finalize(Anchor::of_header(header, &voucher), Some(header.parent_hash()), voucher.at)?;
        }
        if let Some(Head { voucher, .. }) = signed {
            self.sign(Anchor::of_header(header, &voucher), Some(header.parent_hash()), voucher.at)?;
        }
        self.settle()?;
        let below = ChainError::BelowFinal { number, finalized: self.finalized.unwrap_or(number) };
        if self.at(number, hash).is_none() {
            self.pending.below_final = Some(hash);
        }
        self.at(number, hash).ok_or(below)
    }

    /// Returns number and hash of the next header that is needed to know the branch of the newest signed head down to the
    /// number `down_to`. `None` if the branch is known, or would be longer than [`Chain::MAX_ANCESTRY`].
    pub fn missing_parent(&self, down_to: u64) -> Option<(u64, B256)> {
        self.missing_below(self.newest?, down_to)
    }

    /// As [`Chain::missing_parent`], for the branch of the newest finalized head.
    pub fn missing_final_parent(&self, down_to: u64) -> Option<(u64, B256)> {
        self.missing_below(self.finalized?, down_to)
    }

    fn missing_below(&self, newest: u64, down_to: u64) -> Option<(u64, B256)> {
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

    /// Returns the newest block with the assurance `level` or a stronger one.
    pub fn newest(&self, level: Level) -> Option<&Anchor> {
        self.blocks
            .values()
            .rev()
            .map(|block| &block.anchor)
            .find(|anchor| anchor.assurance().level() >= level)
    }

    /// Returns the newest block, whatever its assurance.
    pub fn head(&self) -> Option<&Anchor> {
        self.blocks.last_key_value().map(|(_, block)| &block.anchor)
    }

    /// Returns the block with this hash, if it is trusted.
    pub fn anchor_at_hash(&self, hash: B256) -> Option<&Anchor> {
        let linked = self.blocks.values().rev().map(|block| &block.anchor);
        let recorded = self.recorded.values().map(|recorded| &recorded.anchor);
        let number = linked.chain(recorded).find(|anchor| anchor.hash() == hash)?.number();
        self.at(number, hash)
    }

    /// Returns the newest trusted block whose state has this root.
    pub fn anchor_at_root(&self, root: StateRoot) -> Option<&Anchor> {
        let linked = self.blocks.values().rev().map(|block| &block.anchor);
        let recorded = self.recorded.values().rev().map(|recorded| &recorded.anchor);
        linked.chain(recorded).find(|anchor| anchor.state_root() == root)
    }

    /// Returns the block that `anchor` names with its present assurance, if the chain holds it.
    pub fn anchor_again(&self, anchor: &Anchor) -> Option<&Anchor> {
        self.at(anchor.number(), anchor.hash())
    }

    /// Whether `anchor` says the same about its block as the chain; `None` if the chain does not hold the block. Only an
    /// anchor from storage can say something else about the same hash, and one of a development node, whose committee signs one block
    /// at several times.
    pub fn agrees(&self, anchor: &Anchor) -> Option<bool> {
        let known = self.anchor_again(anchor)?;
        let told = |anchor: &Anchor| (anchor.chain_id(), anchor.state_root(), anchor.timestamp());
        Some(told(known) == told(anchor))
    }

    /// Whether the chain still has the block that `anchor` names.
    pub fn standing(&self, anchor: &Anchor) -> Standing {
        let (number, hash) = (anchor.number(), anchor.hash());
        if self.is_taken_back(anchor) {
            return Standing::Withdrawn;
        }
        let here = self.blocks.get(&number).map(|block| block.anchor.hash());
        let by_child = number.checked_add(1).and_then(|above| self.blocks.get(&above)?.parent_hash);
        let recorded = self.recorded.get(&number).map(|recorded| recorded.anchor.hash());
        match here.or(by_child).or(recorded) {
            Some(known) if known == hash => Standing::Stands,
            Some(_) => Standing::Withdrawn,
            // The newest signed head is below it: that head was signed later, at a lower height.
            None if self.newest.is_some_and(|newest| number > newest) => Standing::Withdrawn,
            None => Standing::Stands,
        }
    }

    /// Returns whether L1 took back the game that this block of a rollup rests on.
    pub fn is_taken_back(&self, anchor: &Anchor) -> bool {
        anchor.assurance().vouched().is_some_and(|held| self.taken_back.contains(&held.game()))
    }

    /// Returns the block, with the stronger of the two assurances if it is both linked and recorded.
    fn at(&self, number: u64, hash: B256) -> Option<&Anchor> {
        let linked = self.blocks.get(&number).map(|block| &block.anchor);
        let recorded = self.recorded.get(&number).map(|recorded| &recorded.anchor);
        let of_hash = [recorded, linked].into_iter().flatten().filter(|anchor| anchor.hash() == hash);
        of_hash.max_by_key(|anchor| anchor.assurance().level().is_strongest())
    }

    fn attach_parent(&mut self, header: &ExecutionHeader) -> Result<(), ChainError> {
        let hash = header.hash();
        let child = self.blocks.values().rev().find(|block| block.parent_hash == Some(hash));
        let Block { anchor: child, known_at, .. } = child.ok_or(ChainError::NotAParent { hash })?;
        let expected = child.number().saturating_sub(1);
        if header.number() != expected || child.number() == 0 {
            return Err(ChainError::Number { hash, got: header.number(), expected });
        }
        let head = match child.assurance().level() {
            Level::Finalized => self.finalized,
            _ => self.newest,
        };
        if head.unwrap_or(child.number()).saturating_sub(expected) > Self::MAX_ANCESTRY {
            return Err(ChainError::TooDeep);
        }
        let (anchor, known_at) = (Anchor::parent_of(child, header), *known_at);
        self.place(anchor, Some(header.parent_hash()), known_at)
    }

    /// Takes the pending heads whose blocks have become known, and keeps the bounds.
    fn settle(&mut self) -> Result<(), ChainError> {
        if let Some((anchor, parent_hash)) = self.known(self.pending.finalized.as_ref())
            && let Some(Head { voucher, .. }) = self.pending.finalized.take()
        {
            self.finalize(anchor.vouched_by(&voucher), parent_hash, voucher.at)?;
        }
        if let Some((anchor, parent_hash)) = self.known(self.pending.signed.as_ref())
            && let Some(Head { voucher, .. }) = self.pending.signed.take()
        {
            self.sign(anchor.vouched_by(&voucher), parent_hash, voucher.at)?;
        }
        self.prune();
        review::recorded(&mut self.recorded, &self.blocks, Self::CAPACITY);
        Ok(())
    }

    fn known(&self, head: Option<&Head>) -> Option<(Anchor, Option<B256>)> {
        let hash = head?.hash;
        let linked = self.blocks.values().rev().map(|block| (&block.anchor, block.parent_hash));
        let recorded = self.recorded.values().map(|recorded| (&recorded.anchor, recorded.parent_hash));
        let (anchor, parent_hash) = linked.chain(recorded).find(|(anchor, _)| anchor.hash() == hash)?;
        Some((anchor.clone(), parent_hash))
    }

    fn sign(&mut self, anchor: Anchor, parent_hash: Option<B256>, at: Slot) -> Result<(), ChainError> {
        let number = anchor.number();
        if self.finalized.is_some_and(|finalized| number < finalized) {
            return Ok(()); // Below the final head, so it adds nothing.
        }
        self.place(anchor, parent_hash, at)?;
        // A head that was signed later excludes every other block at its height or above: those were signed earlier,
        // but a block's descendants are signed after it.
        self.blocks.retain(|at, _| *at <= number);
        self.newest = Some(number);
        Ok(())
    }

    fn finalize(&mut self, anchor: Anchor, parent_hash: Option<B256>, at: Slot) -> Result<(), ChainError> {
        let number = anchor.number();
        if self.finalized.is_some_and(|finalized| number < finalized) {
            return Ok(());
        }
        // The held block is from a head that was signed when this block was final already, so it must descend from this
        // block. Only the header of this block came later.
        let held = self.blocks.get(&number).filter(|held| held.anchor.hash() != anchor.hash());
        if let Some(held) = held.filter(|held| held.known_at >= at) {
            let (finalized, signed) = (anchor.hash(), held.anchor.hash());
            return Err(ChainError::ConsensusFault { number, finalized, signed });
        }
        let assurance = anchor.assurance();
        let known_parent = self.blocks.get(&number).filter(|block| block.anchor.hash() == anchor.hash());
        let parent_hash = known_parent.and_then(|block| block.parent_hash).or(parent_hash);
        self.place(anchor, parent_hash, at)?;
        self.finalized = Some(number);
        self.newest = Some(self.newest.map_or(number, |newest| newest.max(number)));
        self.finalize_ancestors(number, assurance);
        self.drop_what_does_not_descend(number);
        Ok(())
    }

    /// Marks the ancestors of a finalized block as final, as far down as the parent hashes are known.
    fn finalize_ancestors(&mut self, number: u64, assurance: Assurance) {
        let mut parent = self.blocks.get(&number).and_then(|block| block.parent_hash);
        let mut at = number;
        while let (Some(hash), Some(below)) = (parent, at.checked_sub(1)) {
            let Some(block) = self.blocks.get_mut(&below).filter(|block| block.anchor.hash() == hash) else {
                break;
            };
            if block.anchor.assurance().level() < assurance.level() {
                block.anchor = block.anchor.final_below(number, assurance);
            }
            parent = block.parent_hash;
            at = below;
        }
    }

    /// Drops the blocks above a finalized one whose parent hashes lead to another block of its number.
    fn drop_what_does_not_descend(&mut self, number: u64) {
        let mut below = self.blocks.get(&number).map(|block| block.anchor.hash());
        let mut at = number;
        while let Some(above) = at.checked_add(1) {
            let Some(block) = self.blocks.get(&above) else { return };
            if block.parent_hash.is_some() && block.parent_hash != below {
                self.drop_branch(above);
                return;
            }
            below = Some(block.anchor.hash());
            at = above;
        }
    }

    /// Drops the block of this number and its linked descendants. Blocks above a gap stay: a head that was signed later
    /// need not descend from the dropped blocks.
    fn drop_branch(&mut self, number: u64) {
        let (mut at, mut dead) = (number, None);
        while let Some(block) =
            self.blocks.get(&at).filter(|block| dead.is_none() || block.parent_hash == dead)
        {
            dead = Some(block.anchor.hash());
            self.blocks.remove(&at);
            let Some(above) = at.checked_add(1) else { break };
            at = above;
        }
        if self.newest.is_some_and(|newest| !self.blocks.contains_key(&newest)) {
            self.newest = self.blocks.last_key_value().map(|(number, _)| *number);
        }
    }

    /// Puts a block at its number. It replaces a signed block, but a finalized block is never replaced. The block below
    /// is dropped too if it is not the parent.
    fn place(&mut self, anchor: Anchor, parent_hash: Option<B256>, known_at: Slot) -> Result<(), ChainError> {
        let number = anchor.number();
        let below = parent_hash.and_then(|parent| Some((number.checked_sub(1)?, parent)));
        for (at, signed) in [Some((number, anchor.hash())), below].into_iter().flatten() {
            let recorded = self.recorded.get(&at).filter(|recorded| recorded.is_final());
            let held = [self.blocks.get(&at).map(|block| &block.anchor), recorded.map(|held| &held.anchor)];
            let others = || held.into_iter().flatten().filter(|held| held.hash() != signed);
            if let Some(vouched) = others().find(|held| held.assurance().vouched().is_some()) {
                return Err(ChainError::Vouched { number: at, held: vouched.hash(), got: signed });
            }
            let is_final = |held: &&Anchor| held.assurance().level() == Level::Finalized;
            if let Some(finalized) = others().find(is_final).map(Anchor::hash) {
                return Err(ChainError::ConsensusFault { number: at, finalized, signed });
            }
            if self.blocks.get(&at).is_some_and(|held| held.anchor.hash() != signed) {
                self.blocks.remove(&at);
            }
        }
        match self.blocks.get_mut(&number) {
            Some(block) => {
                block.parent_hash = block.parent_hash.or(parent_hash);
                block.known_at = block.known_at.max(known_at);
                if block.anchor.assurance().level() <= anchor.assurance().level() {
                    block.anchor = anchor;
                }
            }
            None => {
                self.blocks.insert(number, Block { anchor, parent_hash, known_at });
            }
        }
        Ok(())
    }

    /// Drops the lowest blocks beyond the capacity, but never the finalized head.
    fn prune(&mut self) {
        while self.blocks.len() > Self::CAPACITY {
            let lowest = self.blocks.keys().copied().find(|number| Some(*number) != self.finalized);
            lowest.and_then(|number| self.blocks.remove(&number));
        }
    }
}

#[cfg(test)]
mod tests;
