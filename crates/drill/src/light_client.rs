//! What a beacon node derives from its chain for light clients
//! (consensus-specs `altair/light-client/full-node.md`).

use std::sync::Arc;

use alloy_primitives::B256;
use saldo_beacon::unit::Period;
use saldo_beacon::update::{FinalizedPart, NextSyncCommittee};
use saldo_beacon::{LightClientBootstrap, LightClientUpdate};

use crate::block::Block;
use crate::ledger::Ledger;

impl Ledger {
    /// The newest block whose signature a source knows that is `lag` blocks behind, with the block that carries it.
    fn newest_pair(&self, lag: u64) -> (&Arc<Block>, &Arc<Block>) {
        let behind = usize::try_from(self.tip_lead.saturating_add(lag)).unwrap_or(usize::MAX);
        self.pairs()
            .nth(behind.saturating_sub(1))
            .or_else(|| self.pairs().last())
            .unwrap_or((self.tip(), self.tip()))
    }

    /// Each block with its child, which carries its signature, newest first.
    fn pairs(&self) -> impl Iterator<Item = (&Arc<Block>, &Arc<Block>)> {
        self.blocks.iter().rev().skip(1).zip(self.blocks.iter().rev())
    }

    pub(crate) fn signed(&self) -> &Arc<Block> {
        self.newest_pair(0).0
    }

    pub(crate) fn finalized(&self) -> &Arc<Block> {
        self.finalized_by(self.signed())
    }

    /// The block that the state of `block` has finalized: genesis while nothing else is.
    pub(crate) fn finalized_by(&self, block: &Block) -> &Arc<Block> {
        self.block_of_root(block.finalized.root)
            .or_else(|| self.blocks.first())
            .expect("the genesis block is never removed")
    }

    pub(crate) fn bootstrap(&mut self, root: B256) -> Option<LightClientBootstrap> {
        let block = Arc::clone(self.block_of_root(root)?);
        let committee = self.committee(self.network.period_at(block.slot()));
        Some(LightClientBootstrap {
            header: block.light_client_header(block.fork),
            current_sync_committee: committee.container.clone(),
            current_sync_committee_branch: block.current_committee_branch(),
        })
    }

    pub(crate) fn update(&mut self, period: Period, lag: u64) -> Option<LightClientUpdate> {
        let committee = self.committee(period.saturating_add(1)).container.clone();
        let newest = self.newest_pair(lag).0.slot();
        let network = &self.network;
        let is_of = |slot| network.period_at(slot) == period;
        // Earlier blocks name the true committee; and a committee must not sign the block that names it.
        let usurped = self.usurped.filter(|usurped| period.saturating_add(1) == usurped.from);
        let names_it = |attested: &Block, child: &Block| {
            usurped.is_none_or(|usurped| attested.slot() > usurped.after && is_of(child.slot()))
        };
        let attested_in = |block: &Block| is_of(block.slot()) && block.slot() <= newest;
        // Ranking needs no branches, and most of the work is in them: only the best update gets them.
        let rankable = |attested: &Block, child: &Block| LightClientUpdate {
            next_sync_committee: Some(NextSyncCommittee { committee: committee.clone(), branch: Vec::new() }),
            ..self.without_branches(attested, child)
        };
        let (mut best, attested) = self
            .pairs()
            .filter(|(attested, child)| attested_in(attested) && names_it(attested, child))
            .map(|(attested, child)| (rankable(attested, child), attested))
            .reduce(|best, other| if other.0.is_better_than(&best.0, network) { other } else { best })?;
        let branch = attested.next_committee_branch();
        best.next_sync_committee = Some(NextSyncCommittee { committee, branch });
        Some(with_finality_branch(best, attested))
    }

    pub(crate) fn finality_update(&self, lag: u64) -> LightClientUpdate {
        let (attested, child) = self.newest_pair(lag);
        with_finality_branch(self.without_branches(attested, child), attested)
    }

    pub(crate) fn optimistic_update(&self, lag: u64) -> LightClientUpdate {
        LightClientUpdate { finality: None, ..self.finality_update(lag) }
    }

    /// A finality update that lacks only the branch.
    fn without_branches(&self, attested: &Block, child: &Block) -> LightClientUpdate {
        let finalized = self.block_of_root(attested.finalized.root);
        let header = finalized.map(|block| block.light_client_header(attested.fork));
        LightClientUpdate {
            attested_header: attested.light_client_header(attested.fork),
            next_sync_committee: None,
            finality: Some(FinalizedPart { header, branch: Vec::new() }),
            sync_aggregate: child.aggregate.clone(),
            signature_slot: child.slot(),
        }
    }
}

fn with_finality_branch(mut update: LightClientUpdate, attested: &Block) -> LightClientUpdate {
    if let Some(finality) = &mut update.finality {
        finality.branch = attested.finality_branch();
    }
    update
}
