//! What a beacon node derives from its chain for light clients
//! (consensus-specs `altair/light-client/full-node.md`).

use std::sync::Arc;

use alloy_primitives::B256;
use saldo_beacon::unit::Period;
use saldo_beacon::update::NextSyncCommittee;
use saldo_beacon::{LightClientBootstrap, LightClientUpdate};

use crate::block::Block;
use crate::ledger::Ledger;

impl Ledger {
    /// The newest block whose signature is known to somebody `lag` blocks behind, with the block that carries it.
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
        self.block_of_root(self.signed().finalized.root)
            .or_else(|| self.blocks.first())
            .expect("the genesis block is never removed")
    }

    pub(crate) fn bootstrap(&mut self, root: B256) -> Option<LightClientBootstrap> {
        let block = Arc::clone(self.block_of_root(root)?);
        let committee = self.committee(self.network.period_at(block.slot()));
        Some(LightClientBootstrap {
            header: block.light_client_header(),
            current_sync_committee: committee.container.clone(),
            current_sync_committee_branch: block.current_committee_branch(),
        })
    }

    pub(crate) fn update(&mut self, period: Period, lag: u64) -> Option<LightClientUpdate> {
        let newest = self.newest_pair(lag).0.slot();
        let network = &self.network;
        let candidates: Vec<LightClientUpdate> = self
            .pairs()
            .filter(|(attested, _)| attested.slot() <= newest && network.period_at(attested.slot()) == period)
            .map(|(attested, child)| self.finality_update_of(attested, child))
            .collect();
        let committee = self.committee(period.saturating_add(1));
        let attested_in =
            |update: &LightClientUpdate| self.block_of_root(update.attested_header.beacon.hash_tree_root());
        let full = |mut update: LightClientUpdate| {
            let branch = attested_in(&update)?.next_committee_branch();
            update.next_sync_committee =
                Some(NextSyncCommittee { committee: committee.container.clone(), branch });
            Some(update)
        };
        candidates
            .into_iter()
            .filter_map(full)
            .reduce(|best, other| if other.is_better_than(&best, &self.network) { other } else { best })
    }

    pub(crate) fn finality_update(&self, lag: u64) -> LightClientUpdate {
        let (attested, child) = self.newest_pair(lag);
        self.finality_update_of(attested, child)
    }

    pub(crate) fn optimistic_update(&self, lag: u64) -> LightClientUpdate {
        LightClientUpdate { finality: None, ..self.finality_update(lag) }
    }

    fn finality_update_of(&self, attested: &Block, child: &Block) -> LightClientUpdate {
        let header = self.block_of_root(attested.finalized.root).map(|block| block.light_client_header());
        LightClientUpdate {
            attested_header: attested.light_client_header(),
            next_sync_committee: None,
            finality: Some(attested.finality(header)),
            sync_aggregate: child.aggregate.clone(),
            signature_slot: child.slot(),
        }
    }
}
