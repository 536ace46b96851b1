//! Labels of the claims of a rollup: who names their blocks, and whether the sequencer announced them. They prove nothing.

use futures_util::future::{join, join_all};
use saldo_chain::ExecutionHeader;
use saldo_proof::StateRoot;
use saldo_reading::{Announced, Attempt, Claim, Holding, Outcome, ProviderId, Quorum};
use saldo_source::{Deadline, Hedged};

use crate::env::Env;
use crate::inner::ClientInner;
use crate::proofs::{PendingProof, Settled};

/// What is known of blocks that nothing proves, by their state roots.
pub(crate) struct Labels {
    quorums: Vec<(StateRoot, Quorum)>,
    announced: Vec<(StateRoot, Announced)>,
}

impl Labels {
    /// Adds the labels of the block with this state root to a claim there.
    pub(crate) fn label(&self, claim: Claim, root: StateRoot) -> Claim {
        claim.named_by(of_root(&self.quorums, root)).announced_by(of_root(&self.announced, root))
    }
}

fn of_root<T: Copy>(labels: &[(StateRoot, T)], root: StateRoot) -> Option<T> {
    labels.iter().find(|(of, _)| *of == root).map(|(_, label)| *label)
}

impl ClientInner {
    /// The most blocks of which one read asks for labels.
    const MOST_LABELLED: usize = 2;

    /// Asks which operators name the blocks of the claims that may be answers, and whether the sequencer announced them. A block number
    /// names no address, so every operator may be asked.
    pub(crate) async fn ask_for_labels(
        &self,
        results: &[(Holding, Hedged<Settled>)],
        deadline: Deadline,
    ) -> Labels {
        let blocks = self.unproven_blocks(results);
        let headers: Vec<ExecutionHeader> = blocks.iter().map(|(_, header)| header.clone()).collect();
        let announced = async {
            match &self.rollup {
                Some(rollup) => rollup.announced(&headers, &self.proofs, deadline).await,
                None => Vec::new(),
            }
        };
        let (quorums, announced) = join(self.ask_for_quorums(&blocks, deadline), announced).await;
        Labels { quorums, announced }
    }

    /// The blocks of the claims that may be answers, and the provider that showed each.
    fn unproven_blocks(&self, results: &[(Holding, Hedged<Settled>)]) -> Vec<(ProviderId, ExecutionHeader)> {
        let open = results.iter().filter_map(|(holding, result)| {
            let claim = self.claim_at_head(*holding, &result.attempts)?;
            let is_contradicted = self.readings.contradicts(holding, &claim.checked.claim());
            let newest = self.readings.newest(holding).filter(|newest| !newest.is_restored());
            let is_answered =
                newest.is_some_and(|newest| self.env.is_young(newest.anchor(), self.head.now()));
            (is_contradicted || !is_answered).then_some(claim)
        });
        let mut blocks: Vec<(ProviderId, ExecutionHeader)> = Vec::new();
        for PendingProof { provider, checked, .. } in open {
            let is_known = |(_, header): &(_, ExecutionHeader)| header.state_root() == checked.state_root();
            if blocks.len() < Self::MOST_LABELLED && !blocks.iter().any(is_known) {
                let head = self.proofs.head_with(&provider, checked.state_root());
                blocks.extend(head.filter(|head| self.is_near_head(head)).map(|head| (provider, head)));
            }
        }
        blocks
    }

    /// The claim of a provider at its head, if there is one. One provider that claims another amount is no reason to doubt what L1 vouches
    /// for, if another provider claims the same.
    pub(crate) fn claim_at_head(&self, holding: Holding, attempts: &[Attempt]) -> Option<PendingProof> {
        let pending = attempts.iter().filter(|attempt| attempt.outcome == Outcome::Pending);
        let claims = pending.filter_map(|attempt| self.proofs.newest_pending(holding, &attempt.provider));
        claims.min_by_key(|claim| self.readings.contradicts(&holding, &claim.checked.claim()))
    }

    /// It is only a label: it is waited for a moment.
    async fn ask_for_quorums(
        &self,
        blocks: &[(ProviderId, ExecutionHeader)],
        deadline: Deadline,
    ) -> Vec<(StateRoot, Quorum)> {
        let deadline = Deadline::after(self.env.clock(), Env::GRACE).min(deadline);
        let ask = async |(provider, header): &(ProviderId, ExecutionHeader)| {
            let operators = self.proofs.ask_who_names(provider, header, deadline).await;
            Quorum::of(operators).map(|quorum| (header.state_root(), quorum))
        };
        join_all(blocks.iter().map(ask)).await.into_iter().flatten().collect()
    }

    /// Whether a rollup that goes on has a block of that number about now. A number that a provider makes up is not passed on: another one
    /// could tell by it whose address was read.
    fn is_near_head(&self, head: &ExecutionHeader) -> bool {
        /// Ten minutes of blocks of two seconds.
        const BEHIND: u64 = 300;
        let now = self.head.now().time();
        let expected = self.rollup.as_ref().and_then(|rollup| rollup.profile().block_at(now));
        expected.is_some_and(|expected| {
            head.number() <= expected && expected.saturating_sub(head.number()) <= BEHIND
        })
    }
}
