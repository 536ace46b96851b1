//! Reads holdings on a rollup: proofs are taken at its head, and count once L1 vouches for a block that follows.

use futures_util::future::join;
use saldo_reading::gate::Found;
use saldo_reading::{Attempt, Holding, Why};
use saldo_source::{Deadline, Hedged};

use crate::head::{BlockRef, Synced};
use crate::inner::ClientInner;
use crate::labels::Labels;
use crate::proofs::{PendingProof, ProofTarget, Settled};
use crate::rollup::Rollup;
use crate::why;

impl ClientInner {
    /// Finds the newest amounts: takes proofs at the rollup's head, and asks L1 what it vouches for, at the same time.
    pub(crate) async fn find_in_rollup(
        &self,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> Vec<(Found, Vec<Attempt>)> {
        let readable: Vec<Holding> =
            holdings.iter().copied().filter(|holding| self.unreadable(holding).is_none()).collect();
        let target = ProofTarget { block: BlockRef::Tip, level: self.env.policy.assurance };
        let proving = self.prove(&readable, &target, deadline);
        let (synced, results) = join(self.sync(deadline), proving).await;
        self.proofs.drop_old_restored();
        if let Some(rollup) = &self.rollup {
            rollup.look_for_standstill(&self.proofs, deadline).await;
        }
        self.prove_at_newest(&readable, deadline).await;
        let mut results = readable.iter().copied().zip(results).collect::<Vec<_>>();
        let labels = self.ask_for_labels(&results, deadline).await;
        let mut find = |holding: &Holding| {
            if let Some(why) = self.unreadable(holding) {
                return (Found::Nothing(why), Vec::new());
            }
            let place = results.iter().position(|(held, _)| held == holding);
            let result = place.map(|place| results.swap_remove(place).1);
            let result = result.unwrap_or(Hedged { winner: None, attempts: Vec::new(), held_back: false });
            let attempts = synced.attempts.iter().chain(&result.attempts).cloned().collect();
            (self.conclude_in_rollup(*holding, &synced, &labels, result), attempts)
        };
        holdings.iter().map(&mut find).collect()
    }

    /// Asks for proofs at the newest block that L1 vouches for, for the holdings of which nothing as new is known. Some providers serve them:
    /// then an amount is proven at once. What comes is recorded.
    async fn prove_at_newest(&self, holdings: &[Holding], deadline: Deadline) {
        let level = self.env.policy.assurance;
        let Some(newest) = self.head.newest(level) else { return };
        let is_older = |holding: &&Holding| {
            let held = self.readings.newest(holding).filter(|held| !held.is_restored());
            held.is_none_or(|held| held.anchor().number() < newest.number())
        };
        let older: Vec<Holding> = holdings.iter().filter(is_older).copied().collect();
        let is_useful =
            self.env.is_young(&newest, self.head.now()) && self.proofs.may_prove_at(newest.number());
        if !older.is_empty() && is_useful {
            let target = ProofTarget { block: BlockRef::Known(newest), level };
            let _ = self.prove(&older, &target, self.env.half(deadline)).await;
        }
    }

    fn conclude_in_rollup(
        &self,
        holding: Holding,
        synced: &Synced,
        labels: &Labels,
        result: Hedged<Settled>,
    ) -> Found {
        if self.head.is_faulted() {
            return Found::Nothing(synced.problem.clone().unwrap_or(Why::ConsensusFault));
        }
        // What joins is recorded. It is the answer as long as no provider claims another amount by now.
        let joined = self.join_pending(holding, &self.proofs.pending_of(holding));
        let newest = result.winner.map(|(_, settled)| settled).into_iter().chain(joined);
        if let Some(settled) = newest.max_by_key(|settled| settled.anchor().number())
            && let Settled::NoBalance { .. } = settled
        {
            return settled.found();
        }
        if let Some(PendingProof { provider, checked, .. }) = self.claim_at_head(holding, &result.attempts) {
            let not_vouched = |rollup: &Rollup| rollup.why_not_vouched(synced);
            let why = self.rollup.as_ref().map_or(Why::NotVouchedYet, not_vouched);
            let claim = labels.label(checked.claim(), checked.state_root());
            return Found::Claim { claim, provider, why };
        }
        if let Some(rollup) = self.rollup.as_ref().filter(|rollup| rollup.stopped().is_some()) {
            return Found::Nothing(rollup.why_not_vouched(synced));
        }
        Found::Nothing(why::of_read(&why::Case {
            problem: synced.problem.as_ref(),
            heads: &synced.attempts,
            attempts: &result.attempts,
            held_back: result.held_back,
            head: None,
            now: self.head.now(),
            policy: &self.env.policy,
            env: &self.env,
        }))
    }
}
