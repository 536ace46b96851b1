//! Proving holdings: which proofs are asked for when, and which of those that waited for a signature join now.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use futures_util::future::{Either, join_all, select};
use saldo_chain::Level;
use saldo_reading::{Attempt, Candidate, Holding, Outcome, ProviderId, Role};
use saldo_source::{Answer, Deadline, Endpoint, Hedged};

use crate::env::{Env, takes_tips};
use crate::head::{BlockRef, Synced};
use crate::inner::ClientInner;
use crate::proofs::{Checked, Inquiry, Judged, PendingProof, ProofRequest, ProofTarget};

/// The hedged requests of some holdings.
pub(crate) type Proven = BTreeMap<Holding, Hedged<Box<Candidate>>>;

impl ClientInner {
    /// Asks for the proofs of `holdings`, until each joins a trusted block or no provider is left to ask.
    pub(crate) async fn prove(
        &self,
        holdings: &[Holding],
        target: &ProofTarget,
        deadline: Deadline,
    ) -> Vec<Hedged<Box<Candidate>>> {
        let judge = self.judge();
        let inquiry = Inquiry { target, judge: &judge, deadline };
        self.proofs.prove(holdings, inquiry).await
    }

    /// Asks one provider for proofs at its own tip.
    async fn ask_for_tips(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> Vec<Answer<Box<Candidate>>> {
        let judge = self.judge();
        let target = ProofTarget { block: BlockRef::Tip, level: self.env.policy.assurance };
        let inquiry = Inquiry { target: &target, judge: &judge, deadline };
        let requests: Vec<ProofRequest> = holdings.iter().copied().map(ProofRequest::within_policy).collect();
        self.proofs.ask(provider, &requests, inquiry).await
    }

    /// What judges a checked proof: it joins a trusted block, or waits.
    fn judge(&self) -> impl Fn(Holding, &Checked, &ProviderId, Level) -> Judged + Send + Sync + '_ {
        |holding, checked, provider, level| self.readings.join(holding, checked, provider, level)
    }

    /// Brings the light client up to date. As long as there is no head worth asking about, the first provider is asked
    /// for its tip at the same time: a provider that serves nothing else is then one slot ahead. Gives who was asked so.
    pub(crate) async fn sync_beside_early_proofs(
        &self,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> (Synced, BTreeMap<Holding, Attempt>) {
        let clock = self.env.clock();
        if self.head.has_young_head() {
            // Half the time is kept for proving under the head at hand.
            let half = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
            return (self.sync(Deadline::after(clock, half)).await, BTreeMap::new());
        }
        let sync = self.sync(deadline).boxed();
        let willing = self.env.dispatcher.willing(Role::Execution, "eth_getProof", &self.env.execution);
        let first = willing.first().copied();
        let takes_tips = takes_tips(self.env.policy.assurance) && !holdings.is_empty();
        let Some(first) = first.filter(|_| takes_tips) else {
            return (sync.await, BTreeMap::new());
        };
        let is_admitted = |holding: &&Holding| self.proofs.admits(holding.owner, first);
        let holdings: Vec<Holding> = holdings.iter().filter(is_admitted).copied().collect();
        let began = clock.monotonic();
        let attempt = |outcome| {
            let took = clock.monotonic().saturating_sub(began);
            let provider = first.id().clone();
            Attempt { provider, role: Role::Execution, outcome, took, over_policy: false }
        };
        let early = self.ask_for_tips(first, &holdings, deadline).boxed();
        let outcomes: Vec<Outcome>;
        let synced = match select(sync, early).await {
            Either::Left((synced, _)) => {
                let is_over = self.env.time_left(deadline).is_zero();
                let outcome = if is_over { Outcome::Unfinished } else { Outcome::Overtaken };
                outcomes = holdings.iter().map(|_| outcome.clone()).collect();
                synced
            }
            Either::Right((answers, sync)) => {
                let outcome = |answer| match answer {
                    Answer::Accepted(_) => Outcome::Joined,
                    Answer::Pending { .. } => Outcome::Pending,
                    Answer::Failed(failure) => Outcome::Failed(failure),
                    // Somebody else was asked for it meanwhile, by another read.
                    Answer::Withheld { .. } => Outcome::Overtaken,
                };
                outcomes = answers.into_iter().map(outcome).collect();
                sync.await
            }
        };
        let attempts: Vec<Attempt> = outcomes.into_iter().map(attempt).collect();
        let failed = attempts.iter().find(|attempt| attempt.outcome.failure().is_some());
        self.env.dispatcher.note("eth_getProof", failed.map_or(&[], std::slice::from_ref));
        (synced, holdings.iter().copied().zip(attempts).collect())
    }

    /// Asks for proofs at the head. If nobody proves under it, but somebody does under a tip that is not signed yet, then
    /// a proof that waited, under a head a little older by now, is the newest there can be: its block is looked for when
    /// all have answered, or at half time beside those who have not. Gives the races, and who was asked for links in
    /// vain.
    pub(crate) async fn prove_beside_links(
        &self,
        holdings: &[Holding],
        target: &BlockRef,
        deadline: Deadline,
    ) -> (Proven, Vec<Attempt>) {
        if holdings.is_empty() {
            return (BTreeMap::new(), Vec::new());
        }
        let number = |holding: &Holding| self.readings.newest(holding).map(|newest| newest.anchor().number());
        let before: Vec<Option<u64>> = holdings.iter().map(number).collect();
        let target = ProofTarget { block: target.clone(), level: self.env.policy.assurance };
        let waiting: Vec<(Holding, PendingProof)> = holdings
            .iter()
            .flat_map(|holding| {
                self.proofs.pending_of(*holding).into_iter().map(|waiting| (*holding, waiting))
            })
            .collect();
        let named = |results: Vec<Hedged<Box<Candidate>>>| holdings.iter().copied().zip(results).collect();
        let prove = self.prove(holdings, &target, deadline).boxed();
        if waiting.is_empty() {
            return (named(prove.await), Vec::new());
        }
        let half = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
        let prove = match select(prove, self.env.clock().sleep(half)).await {
            Either::Left((results, _)) if results.iter().all(|result| result.winner.is_some()) => {
                return (named(results), Vec::new());
            }
            Either::Left((results, _)) => {
                let failed = self.bind(&waiting, deadline).await;
                return (named(results), failed);
            }
            Either::Right(((), prove)) => prove,
        };
        match select(prove, self.bind(&waiting, deadline).boxed()).await {
            Either::Left((results, bind)) => {
                let is_won = results.iter().all(|result| result.winner.is_some());
                let failed = if is_won { Vec::new() } else { bind.await };
                (named(results), failed)
            }
            Either::Right((failed, prove)) => {
                if holdings.iter().zip(&before).all(|(holding, before)| number(holding) > *before) {
                    return (BTreeMap::new(), failed);
                }
                (named(prove.await), failed)
            }
        }
    }

    /// Looks for the blocks of the proofs `before`, if somebody has parked another one since: only then is there a provider
    /// behind them. Gives who was asked in vain.
    async fn bind(&self, before: &[(Holding, PendingProof)], deadline: Deadline) -> Vec<Attempt> {
        let is_new = |holding: &Holding, tip: &PendingProof| {
            let root = tip.checked.account.state_root();
            before.iter().all(|(held, known)| held != holding || known.checked.account.state_root() != root)
        };
        let has_new =
            |holding: &Holding| self.proofs.pending_of(*holding).iter().any(|tip| is_new(holding, tip));
        let wanted: Vec<&(Holding, PendingProof)> =
            before.iter().filter(|(holding, _)| has_new(holding)).collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let waiting: Vec<PendingProof> = wanted.iter().map(|(_, waiting)| waiting.clone()).collect();
        let failed = self.link(&waiting, deadline).await;
        for (holding, waiting) in wanted {
            let _ = self.join_pending(*holding, std::slice::from_ref(waiting));
        }
        failed
    }

    /// Providers whose proofs had to wait prove nothing but their tip: the next one is asked for while these are good, so
    /// that it is there when its block is signed. Gives who was asked for what.
    pub(crate) async fn park_next_tips(
        &self,
        bound: &[(Holding, Candidate)],
        deadline: Deadline,
    ) -> BTreeMap<Holding, Vec<Attempt>> {
        let mut of_provider: BTreeMap<&ProviderId, Vec<Holding>> = BTreeMap::new();
        for (holding, proven) in bound {
            of_provider.entry(proven.provider()).or_default().push(*holding);
        }
        let each = of_provider.iter().map(|(provider, holdings)| async {
            let next = self.next_tips(provider, holdings, deadline).await;
            holdings.iter().copied().zip(next).collect::<Vec<_>>()
        });
        join_all(each).await.into_iter().flatten().collect()
    }

    /// For each of the `holdings`, what became of asking `provider`, whose proof of it has joined, for the next tip.
    async fn next_tips(
        &self,
        provider: &ProviderId,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> Vec<Vec<Attempt>> {
        let clock = self.env.clock();
        let began = clock.monotonic();
        let attempt = |outcome| {
            let took = clock.monotonic().saturating_sub(began);
            Attempt { provider: provider.clone(), role: Role::Execution, outcome, took, over_policy: false }
        };
        let joined = attempt(Outcome::Joined);
        let endpoint = self.env.execution.iter().find(|known| known.id() == provider);
        // Not at the cost of the time for a read.
        let has_time =
            self.env.time_left(deadline) > self.env.policy.deadline.checked_div(2).unwrap_or_default();
        let Some(endpoint) = endpoint.filter(|_| has_time) else {
            return holdings.iter().map(|_| vec![joined.clone()]).collect();
        };
        let ask = self.ask_for_tips(endpoint, holdings, deadline).boxed();
        let patience = Env::GRACE.min(self.env.time_left(deadline));
        let outcomes: Vec<Option<Outcome>> = match select(ask, clock.sleep(patience)).await {
            Either::Left((answers, _)) => answers
                .into_iter()
                .map(|answer| match answer {
                    Answer::Accepted(_) | Answer::Pending { .. } | Answer::Withheld { .. } => None,
                    Answer::Failed(failure) => Some(Outcome::Failed(failure)),
                })
                .collect(),
            Either::Right(_) => holdings.iter().map(|_| Some(Outcome::Unfinished)).collect(),
        };
        outcomes
            .into_iter()
            .map(|next| std::iter::once(joined.clone()).chain(next.map(attempt)).collect())
            .collect()
    }

    /// Joins those of the pending proofs whose block is trusted by now, and gives the newest candidate.
    pub(crate) fn join_pending(&self, holding: Holding, pending: &[PendingProof]) -> Option<Candidate> {
        let mut newest: Option<Candidate> = None;
        for PendingProof { provider, checked, .. } in pending {
            let judged = self.readings.join(holding, checked, provider, self.env.policy.assurance);
            if !matches!(judged, Judged::NotYet) {
                self.proofs.settle_pending(holding, provider, checked.account.state_root());
            }
            if let Judged::Joined(candidate) = judged {
                self.proofs.record_disclosure(holding.owner, provider);
                let number = candidate.anchor().number();
                if newest.as_ref().is_none_or(|held| held.anchor().number() < number) {
                    newest = Some(*candidate);
                }
            }
        }
        newest
    }
}
