//! Reads holdings on a rollup: proofs are taken at its head, and count once L1 vouches for a block that follows.

use futures_util::future::{join, join_all};
use saldo_chain::ExecutionHeader;
use saldo_proof::StateRoot;
use saldo_reading::gate::Found;
use saldo_reading::{Attempt, Holding, Outcome, ProviderId, Quorum, Why};
use saldo_source::{Deadline, Hedged};

use crate::env::Env;
use crate::head::{BlockRef, Synced};
use crate::inner::ClientInner;
use crate::proofs::{PendingProof, ProofTarget, Settled};
use crate::rollup::Rollup;
use crate::why;

impl ClientInner {
    /// The most blocks of which one read asks who names them.
    const MOST_NAMED: usize = 2;

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
        let quorums = self.ask_for_quorums(&results, deadline).await;
        let mut find = |holding: &Holding| {
            if let Some(why) = self.unreadable(holding) {
                return (Found::Nothing(why), Vec::new());
            }
            let place = results.iter().position(|(held, _)| held == holding);
            let result = place.map(|place| results.swap_remove(place).1);
            let result = result.unwrap_or(Hedged { winner: None, attempts: Vec::new(), held_back: false });
            let attempts = synced.attempts.iter().chain(&result.attempts).cloned().collect();
            (self.conclude_in_rollup(*holding, &synced, &quorums, result), attempts)
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

    /// Asks which operators name the blocks of the claims that may be answers. A block number names no address, so every operator may be
    /// asked. It is only a label: it is waited for a moment.
    async fn ask_for_quorums(
        &self,
        results: &[(Holding, Hedged<Settled>)],
        deadline: Deadline,
    ) -> Vec<(StateRoot, Quorum)> {
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
            if blocks.len() < Self::MOST_NAMED && !blocks.iter().any(is_known) {
                let head = self.proofs.head_with(&provider, checked.state_root());
                blocks.extend(head.filter(|head| self.is_near_head(head)).map(|head| (provider, head)));
            }
        }
        let clock = self.env.clock();
        let deadline = Deadline::after(clock, Env::GRACE).min(deadline);
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

    /// The claim of a provider at its head, if there is one. One provider that claims another amount is no reason to doubt what L1 vouches
    /// for, if another provider claims the same.
    fn claim_at_head(&self, holding: Holding, attempts: &[Attempt]) -> Option<PendingProof> {
        let pending = attempts.iter().filter(|attempt| attempt.outcome == Outcome::Pending);
        let claims = pending.filter_map(|attempt| self.proofs.newest_pending(holding, &attempt.provider));
        claims.min_by_key(|claim| self.readings.contradicts(&holding, &claim.checked.claim()))
    }

    fn conclude_in_rollup(
        &self,
        holding: Holding,
        synced: &Synced,
        quorums: &[(StateRoot, Quorum)],
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
            let quorum = quorums.iter().find(|(root, _)| *root == checked.state_root());
            let claim = checked.claim().named_by(quorum.map(|(_, quorum)| *quorum));
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
