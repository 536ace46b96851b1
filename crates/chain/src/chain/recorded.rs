//! Blocks whose hashes the state of a trusted block records. They are kept beside the blocks linked by parent hashes.

use alloy_primitives::B256;
use saldo_proof::{Account, Slot, Verified};

use super::Chain;
use super::error::ChainError;
use crate::anchor::Anchor;
use crate::header::ExecutionHeader;
use crate::history::{self, HistoryError, Recorded};
use crate::level::Level;

impl Chain {
    /// Takes a block whose hash the state of the trusted block `under` records. `account` is the history contract under
    /// that state, `slot` is its slot [`history_key`](crate::history_key) of the block's number, and `header` is the
    /// block's own header. The block has the assurance of `under`, and is dropped with it.
    ///
    /// # Errors
    /// [`HistoryError`] if the state does not record the block.
    pub fn attach_history(
        &mut self,
        under: &Anchor,
        account: &Verified<Account>,
        slot: &Verified<Slot>,
        header: &ExecutionHeader,
    ) -> Result<&Anchor, HistoryError> {
        let under = self.trusted(under)?;
        history::check(&under, account, slot, header.number(), header.hash())?;
        self.record(Anchor::recorded(header, &under), Some(header.parent_hash()), &under)
    }

    /// As [`Chain::attach_history`], for a block that was trusted before, so that its header is known.
    ///
    /// # Errors
    /// [`HistoryError`] if the state does not record the block.
    pub fn confirm_by_history(
        &mut self,
        under: &Anchor,
        account: &Verified<Account>,
        slot: &Verified<Slot>,
        block: &Anchor,
    ) -> Result<&Anchor, HistoryError> {
        let under = self.trusted(under)?;
        // A header that was not hashed can say anything about the recorded hash.
        if block.chain_id() != under.chain_id() || !block.is_bound() {
            return Err(HistoryError::Untrusted { number: block.number(), hash: block.hash() });
        }
        history::check(&under, account, slot, block.number(), block.hash())?;
        self.record(block.recorded_again(&under), None, &under)
    }

    /// Returns what is known about `under` now, if it is still trusted. A block that is itself only recorded must be
    /// final, because its withdrawal would not be noticed.
    fn trusted(&self, under: &Anchor) -> Result<Anchor, HistoryError> {
        let (number, hash) = (under.number(), under.hash());
        let is_linked = self.blocks.get(&number).is_some_and(|block| block.anchor.hash() == hash);
        let known = self.at(number, hash).cloned();
        known
            .filter(|under| is_linked || under.assurance().level() == Level::Finalized)
            .ok_or(HistoryError::Untrusted { number, hash })
    }

    /// Keeps a block that the state of `under` records.
    pub(super) fn record(
        &mut self,
        anchor: Anchor,
        parent_hash: Option<B256>,
        under: &Anchor,
    ) -> Result<&Anchor, HistoryError> {
        let (number, hash) = (anchor.number(), anchor.hash());
        let is_final = anchor.assurance().level() == Level::Finalized;
        let held = self.at_number(number).filter(|held| held.hash() != hash);
        if let Some(held) = held {
            if held.assurance().level() == Level::Finalized {
                let fault = ChainError::ConsensusFault { number, finalized: held.hash(), signed: hash };
                return Err(fault.into());
            }
            if !is_final && self.newest != Some(under.number()) {
                return Err(HistoryError::OtherBranch { number });
            }
        }
        self.leave_branches_past(number, hash, under)?;
        let under = (under.number(), under.hash());
        let known = self.recorded.get(&number).filter(|held| held.anchor.hash() == hash);
        let parent_hash = parent_hash.or(known.and_then(|held| held.parent_hash));
        let is_surer = known.is_none_or(|held| is_final || !held.is_final());
        if let Some(block) = self.blocks.get_mut(&number).filter(|_| is_final) {
            let assurance = anchor.assurance();
            if block.anchor.assurance().level() < assurance.level() {
                block.anchor = anchor.clone();
            }
            self.finalize_ancestors(number, assurance);
        }
        if is_surer {
            self.recorded.insert(number, Recorded { anchor, parent_hash, under });
        }
        self.settle()?;
        self.at(number, hash).ok_or(HistoryError::Untrusted { number, hash })
    }

    fn at_number(&self, number: u64) -> Option<&Anchor> {
        let recorded = self.recorded.get(&number).map(|recorded| &recorded.anchor);
        self.blocks.get(&number).map(|block| &block.anchor).or(recorded)
    }

    /// Drops the blocks from `number` up to `under` that contradict `hash` as the chain's block of that number.
    fn leave_branches_past(&mut self, number: u64, hash: B256, under: &Anchor) -> Result<(), HistoryError> {
        let mut dead = Vec::new();
        let mut below = match self.blocks.get(&number) {
            Some(block) if block.anchor.hash() != hash => {
                dead.push(number);
                Some(block.anchor.hash())
            }
            _ => None,
        };
        let mut at = number;
        while let Some(above) = at.checked_add(1) {
            let Some(block) = self.blocks.get(&above) else { break };
            let is_dead = match (block.parent_hash, below) {
                (Some(parent), Some(below)) => parent == below,
                (Some(parent), None) => at == number && parent != hash,
                (None, _) => false,
            };
            if !is_dead {
                break;
            }
            let held = block.anchor.hash();
            if block.anchor.assurance().level() == Level::Finalized {
                let fault =
                    ChainError::ConsensusFault { number: above, finalized: held, signed: under.hash() };
                return Err(fault.into());
            }
            if above >= under.number() {
                // The known parents of `under` lead to another block than its state records.
                return Err(HistoryError::OtherBranch { number });
            }
            dead.push(above);
            below = Some(held);
            at = above;
        }
        dead.iter().for_each(|number| drop(self.blocks.remove(number)));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
