//! Proves holdings: decides which proofs are requested when, and which pending proofs join now.

use std::collections::HashMap;

use futures_util::future::{Either, join_all, select};
use saldo_reading::{Attempt, Candidate, Holding, Outcome, ProviderId, Role};
use saldo_source::{Answer, Deadline, Endpoint, Hedged, IntoBoxed, SortedMap};

use crate::env::{Env, takes_tips};
use crate::head::{BlockRef, Synced};
use crate::inner::ClientInner;
use crate::proofs::{Inquiry, Judge, Judged, PendingProof, ProofRequest, ProofTarget, Settled};

/// The results of the hedged requests, by holding.
pub(crate) type Proven = HashMap<Holding, Hedged<Settled>>;

impl ClientInner {
    /// Requests proofs of `holdings` until each joins a trusted block, or no provider is left to ask.
    pub(crate) async fn prove(
        &self,
        holdings: &[Holding],
        target: &ProofTarget,
        deadline: Deadline,
    ) -> Vec<Hedged<Settled>> {
        let inquiry = Inquiry { target, judge: &self.readings, deadline };
        self.proofs.prove(holdings, inquiry).await
    }

    /// Asks one provider for proofs at its own tip.
    async fn ask_for_tips(
        &self,
        provider: &Endpoint,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> Vec<Answer<Settled>> {
        let target = ProofTarget { block: BlockRef::Tip, level: self.env.policy.assurance };
        let inquiry = Inquiry { target: &target, judge: &self.readings, deadline };
        let requests: Vec<ProofRequest> = holdings.iter().copied().map(ProofRequest::within_policy).collect();
        self.proofs.ask(provider, &requests, inquiry).await
    }

    /// The provider that is asked for proofs first.
    fn first_asked(&self) -> Option<&Endpoint> {
        let willing = self.env.dispatcher.willing(Role::Execution, "eth_getProof", &self.env.execution);
        willing.first().copied()
    }

    /// Syncs the light client. While there is no young head, the first provider is asked for proofs at its tip
    /// at the same time: a provider that serves only its tip then has the proof one slot earlier. Returns the
    /// attempts of these early requests.
    pub(crate) async fn sync_beside_early_proofs(
        &self,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> (Synced, SortedMap<Holding, Attempt>) {
        let clock = self.env.clock();
        if self.head.has_young_head() {
            // A proof follows as soon as the head is there.
            if !self.head.head_is_newest()
                && let Some(first) = self.first_asked()
            {
                self.env.dispatcher.io().open_early(first);
            }
            // Half of the time is kept for proving under the known head.
            let half = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
            return (self.sync(Deadline::after(clock, half)).await, SortedMap::new());
        }
        let sync = self.sync(deadline).into_boxed();
        let takes_tips = takes_tips(self.env.policy.assurance) && !holdings.is_empty();
        let Some(first) = self.first_asked().filter(|_| takes_tips) else {
            return (sync.await, SortedMap::new());
        };
        let is_admitted = |holding: &&Holding| self.proofs.admits(holding.owner(), first);
        let holdings: Vec<Holding> = holdings.iter().filter(is_admitted).copied().collect();
        let began = clock.monotonic();
        let attempt = |outcome| {
            let took = clock.monotonic().saturating_sub(began);
            let provider = first.id().clone();
            Attempt { provider, role: Role::Execution, outcome, took, over_policy: false }
        };
        let early = self.ask_for_tips(first, &holdings, deadline).into_boxed();
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
                    // Another read asked another provider for it meanwhile.
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

    /// Requests proofs at the head, and joins pending proofs if that fails. Suppose no provider proves under
    /// the head, but one proves under a newer tip without a signature. Then a pending proof under a slightly
    /// older block is the newest possible reading. Its block is linked once all providers have answered, or
    /// from half time on beside those that have not. Returns the results, and the failed attempts to link.
    pub(crate) async fn prove_or_join_pending(
        &self,
        holdings: &[Holding],
        target: &BlockRef,
        deadline: Deadline,
    ) -> (Proven, Vec<Attempt>) {
        if holdings.is_empty() {
            return (HashMap::new(), Vec::new());
        }
        let number = |holding: &Holding| self.readings.newest(holding).map(|newest| newest.anchor().number());
        let before: Vec<Option<u64>> = holdings.iter().map(number).collect();
        let target = ProofTarget { block: target.clone(), level: self.env.policy.assurance };
        let pending: Vec<(Holding, PendingProof)> = holdings
            .iter()
            .flat_map(|holding| self.proofs.pending_of(*holding).into_iter().map(|proof| (*holding, proof)))
            .collect();
        let named = |results: Vec<Hedged<Settled>>| holdings.iter().copied().zip(results).collect();
        let prove = self.prove(holdings, &target, deadline).into_boxed();
        if pending.is_empty() {
            return (named(prove.await), Vec::new());
        }
        let half = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
        let prove = match select(prove, self.env.clock().sleep(half)).await {
            Either::Left((results, _)) if results.iter().all(|result| result.winner.is_some()) => {
                return (named(results), Vec::new());
            }
            Either::Left((results, _)) => {
                let failed = self.join_linked(&pending, deadline).await;
                return (named(results), failed);
            }
            Either::Right(((), prove)) => prove,
        };
        match select(prove, self.join_linked(&pending, deadline).into_boxed()).await {
            Either::Left((results, joining)) => {
                let all_proven = results.iter().all(|result| result.winner.is_some());
                let failed = if all_proven { Vec::new() } else { joining.await };
                (named(results), failed)
            }
            Either::Right((failed, prove)) => {
                if holdings.iter().zip(&before).all(|(holding, before)| number(holding) > *before) {
                    return (HashMap::new(), failed);
                }
                (named(prove.await), failed)
            }
        }
    }

    /// Links the blocks of the pending proofs `before`, if a newer proof became pending since: only then is
    /// there a provider that serves nothing but its tip. Returns the failed attempts.
    async fn join_linked(&self, before: &[(Holding, PendingProof)], deadline: Deadline) -> Vec<Attempt> {
        let is_new = |holding: &Holding, tip: &PendingProof| {
            let root = tip.checked.state_root();
            before.iter().all(|(held, known)| held != holding || known.checked.state_root() != root)
        };
        let has_new =
            |holding: &Holding| self.proofs.pending_of(*holding).iter().any(|tip| is_new(holding, tip));
        let to_link: Vec<&(Holding, PendingProof)> =
            before.iter().filter(|(holding, _)| has_new(holding)).collect();
        if to_link.is_empty() {
            return Vec::new();
        }
        let pending: Vec<PendingProof> = to_link.iter().map(|(_, proof)| proof.clone()).collect();
        let failed = self.link(&pending, deadline).await;
        for (holding, proof) in to_link {
            let _ = self.join_pending(*holding, std::slice::from_ref(proof));
        }
        failed
    }

    /// Requests the next proof from each provider whose pending proof joined just now. Such a provider proves
    /// only its tip, so the proof must be there when its block is signed. Returns the attempts by holding.
    pub(crate) async fn request_next_tips(
        &self,
        bound: &[(Holding, Candidate)],
        deadline: Deadline,
    ) -> HashMap<Holding, Vec<Attempt>> {
        let mut of_provider: SortedMap<&ProviderId, Vec<Holding>> = SortedMap::new();
        for (holding, proven) in bound {
            of_provider.entry(proven.provider()).or_default().push(*holding);
        }
        let each = of_provider.iter().map(|(provider, holdings)| async {
            let next = self.next_tips(provider, holdings, deadline).await;
            holdings.iter().copied().zip(next).collect::<Vec<_>>()
        });
        join_all(each).await.into_iter().flatten().collect()
    }

    /// Asks `provider`, whose proofs of `holdings` have joined, for proofs at its next tip. Returns the
    /// attempts of each holding.
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
        // Only if enough time is left for a read.
        let has_time =
            self.env.time_left(deadline) > self.env.policy.deadline.checked_div(2).unwrap_or_default();
        let Some(endpoint) = endpoint.filter(|_| has_time) else {
            return holdings.iter().map(|_| vec![joined.clone()]).collect();
        };
        let ask = self.ask_for_tips(endpoint, holdings, deadline).into_boxed();
        let longest_wait = Env::GRACE.min(self.env.time_left(deadline));
        let outcomes: Vec<Option<Outcome>> = match select(ask, clock.sleep(longest_wait)).await {
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

    /// Joins the pending proofs whose block is trusted by now, and returns what the newest of them says.
    pub(crate) fn join_pending(&self, holding: Holding, pending: &[PendingProof]) -> Option<Settled> {
        let mut newest: Option<Settled> = None;
        for PendingProof { provider, checked, .. } in pending {
            let Ok(checked) = &self.proofs.finish(holding, checked.clone()) else {
                // The block is known now, and its rules ask for more. A later read asks at that block.
                self.proofs.settle_pending(holding, provider, checked.state_root());
                continue;
            };
            let judged = self.readings.join(holding, checked, provider, self.env.policy.assurance);
            if !matches!(judged, Judged::NotYet) {
                self.proofs.settle_pending(holding, provider, checked.state_root());
            }
            if let Judged::Settled(settled) = judged {
                self.proofs.record_disclosure(holding.owner(), provider);
                let number = settled.anchor().number();
                if newest.as_ref().is_none_or(|held| held.anchor().number() < number) {
                    newest = Some(settled);
                }
            }
        }
        newest
    }
}
