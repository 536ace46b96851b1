//! Reading holdings: the light client and the proofs side by side, then all holdings to their ends together.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;
use futures_util::future::{Either, join, join_all, select};
use saldo_chain::{Anchor, Level};
use saldo_reading::gate::{self, Found};
use saldo_reading::{Attempt, Candidate, Generation, Holding, Mark, Outcome, ProviderId, Reading, Role, Why};
use saldo_source::{Answer, Deadline, Hedged};

use crate::ask::{BlockRef, ProofRequest, ProofTarget};
use crate::client::is_readable;
use crate::core::Core;
use crate::event;
use crate::explain::{Case, explain};
use crate::gate::Finding;
use crate::pending::PendingProof;
use crate::sync::Synced;

/// What is known of one holding before any provider is asked for a proof.
enum Step {
    /// What the call found, without asking.
    Done(Found),
    /// A pending proof of it joined the newest head.
    Bound(Box<Candidate>),
    /// It has to be proven.
    Open,
}

/// What a call reads.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// The newest amount, as sure as the policy asks for.
    Newest,
    /// The newest finalized amount, whatever the policy asks for.
    Finalized,
}

impl Core {
    /// How often a call reads a holding at most. It reads one again where trust was restarted meanwhile, or where the chain
    /// took back the block of the answer.
    const ROUNDS: usize = 3;

    /// Reads all `holdings`, in their order. A holding that is named twice is read once.
    pub(crate) async fn read(&self, holdings: &[Holding], kind: Kind, deadline: Deadline) -> Vec<Reading> {
        let mut seen = BTreeSet::new();
        let distinct: Vec<Holding> =
            holdings.iter().copied().filter(|holding| seen.insert(*holding)).collect();
        let findings = self.find_current(&distinct, kind, deadline).await;
        self.persist();
        let readings = self.hand_out(findings);
        event::read(&readings);
        let by_holding: BTreeMap<Holding, Reading> = distinct.into_iter().zip(readings).collect();
        let reading = |holding| by_holding.get(holding).cloned().unwrap_or(gate::unknown(Why::InternalFault));
        holdings.iter().map(reading).collect()
    }

    /// Reads `holdings`, and again those that the state of the client has overtaken meanwhile, as long as there is time.
    async fn find_current(&self, holdings: &[Holding], kind: Kind, deadline: Deadline) -> Vec<Finding> {
        let mut findings: BTreeMap<Holding, Finding> = BTreeMap::new();
        let mut open: Vec<Holding> = holdings.to_vec();
        for round in 1..=Self::ROUNDS {
            let reading = std::mem::take(&mut open);
            let restarted = self.trust_restarted(self.known().generation).boxed();
            let found = match select(self.find(&reading, kind, deadline).boxed(), restarted).await {
                Either::Left((found, _)) => found,
                // Nothing that was found so far counts any more.
                Either::Right(_) if round < Self::ROUNDS && self.time_left(deadline) >= Self::GRACE => {
                    open = holdings.to_vec();
                    continue;
                }
                Either::Right(_) => return self.nothing_found(holdings, kind, &Why::TrustRestarted),
            };
            for finding in found {
                let before = findings.remove(&finding.holding).map(|finding| finding.attempts);
                let attempts = [before.unwrap_or_default(), finding.attempts].concat();
                findings.insert(finding.holding, Finding { attempts, ..finding });
            }
            open = findings.values().filter(|it| self.is_overtaken(it)).map(|it| it.holding).collect();
            if open.is_empty() || self.time_left(deadline).is_zero() {
                break;
            }
        }
        holdings.iter().filter_map(|holding| findings.remove(holding)).collect()
    }

    fn nothing_found(&self, holdings: &[Holding], kind: Kind, why: &Why) -> Vec<Finding> {
        let demand = self.demand(self.level_of(kind));
        let finding = |(holding, before): (&Holding, Mark)| {
            let found = Found::Nothing(why.clone());
            Finding { holding: *holding, found, attempts: Vec::new(), demand, before }
        };
        holdings.iter().zip(self.marks(holdings, demand.level)).map(finding).collect()
    }

    fn level_of(&self, kind: Kind) -> Level {
        match kind {
            Kind::Newest => self.policy.assurance,
            Kind::Finalized => Level::Finalized,
        }
    }

    /// Completes when trust is not of this generation any more.
    async fn trust_restarted(&self, generation: Generation) {
        loop {
            let count = self.hub.notify.count();
            if self.known().generation != generation {
                return;
            }
            self.hub.notify.notified(count).await;
        }
    }

    /// Reads `holdings` once.
    async fn find(&self, holdings: &[Holding], kind: Kind, deadline: Deadline) -> Vec<Finding> {
        let level = self.level_of(kind);
        let (demand, marks) = (self.demand(level), self.marks(holdings, level));
        let found = match kind {
            Kind::Newest => self.find_newest(holdings, deadline).await,
            Kind::Finalized => self.find_finalized(holdings, deadline).await,
        };
        let finding = |((holding, before), (found, attempts)): ((&Holding, Mark), (Found, Vec<Attempt>))| {
            Finding { holding: *holding, found, attempts, demand, before }
        };
        holdings.iter().zip(marks).zip(found).map(finding).collect()
    }

    /// Finds the newest amounts: the light client and the proofs side by side.
    async fn find_newest(&self, holdings: &[Holding], deadline: Deadline) -> Vec<(Found, Vec<Attempt>)> {
        let readable: Vec<Holding> =
            holdings.iter().copied().filter(|holding| is_readable(holding.asset)).collect();
        let (mut synced, early) = self.sync_beside_early_proofs(&readable, deadline).await;
        let is_waiting = || readable.iter().any(|holding| !self.waiting(*holding).is_empty());
        if readable.len() > 1 || is_waiting() {
            // One header for all. For a single holding it comes with the proof, in one request.
            let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
            let until = Deadline::after(self.clock(), half);
            synced.attempts.extend(self.fetch_head(self.policy.assurance, until).await);
        }
        let settled = self.settle(holdings, &synced, &early, deadline);
        // What is needed only later is fetched while the proofs are under way.
        let settled = join(settled, self.learn_finalized_header(deadline));
        let read = self.learn_next_committee_beside(settled, deadline).boxed();
        if holdings.len() > 1 {
            return read.await.0;
        }
        // Beside a single request there is room for trying another provider. The call does not wait for that.
        match select(read, self.explore(deadline).boxed()).await {
            Either::Left(((found, _), _)) => found,
            Either::Right(((), read)) => read.await.0,
        }
    }

    /// Brings the light client up to date. As long as there is no head worth asking about, the first provider is asked
    /// for its tip at the same time: a provider that serves nothing else is then one slot ahead. Gives who was asked so.
    async fn sync_beside_early_proofs(
        &self,
        holdings: &[Holding],
        deadline: Deadline,
    ) -> (Synced, BTreeMap<Holding, Attempt>) {
        let clock = self.clock();
        if self.has_young_head() {
            // Half the time is kept for proving under the head at hand.
            let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
            return (self.sync(Deadline::after(clock, half)).await, BTreeMap::new());
        }
        let sync = self.sync(deadline).boxed();
        let willing = self.dispatcher.willing(Role::Execution, "eth_getProof", &self.execution);
        let first = willing.first().copied();
        let takes_tips = Self::takes_tips(self.policy.assurance) && !holdings.is_empty();
        let Some(first) = first.filter(|_| takes_tips) else {
            return (sync.await, BTreeMap::new());
        };
        let most = self.policy.operators_per_address;
        let is_admitted = |holding: &&Holding| self.known().disclosures.admits(holding.owner, first, most);
        let holdings: Vec<Holding> = holdings.iter().filter(is_admitted).copied().collect();
        let within: Vec<ProofRequest> = holdings.iter().copied().map(ProofRequest::within).collect();
        let began = clock.monotonic();
        let attempt = |outcome| {
            let took = clock.monotonic().saturating_sub(began);
            let provider = first.id().clone();
            Attempt { provider, role: Role::Execution, outcome, took, over_policy: false }
        };
        let target = ProofTarget { block: BlockRef::Tip, level: self.policy.assurance };
        let early = self.ask(first, &within, &target, deadline).boxed();
        let outcomes: Vec<Outcome>;
        let synced = match select(sync, early).await {
            Either::Left((synced, _)) => {
                let is_over = self.time_left(deadline).is_zero();
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
        self.dispatcher.note("eth_getProof", failed.map_or(&[], std::slice::from_ref));
        (synced, holdings.iter().copied().zip(attempts).collect())
    }

    /// Finds the amounts of `holdings` under the heads that are known now. `early` are the attempts that were made beside
    /// the sync.
    async fn settle(
        &self,
        holdings: &[Holding],
        synced: &Synced,
        early: &BTreeMap<Holding, Attempt>,
        deadline: Deadline,
    ) -> Vec<(Found, Vec<Attempt>)> {
        let (head, block) = self.head(self.policy.assurance);
        // An early request that was cancelled as soon as there was a head is sent again, and listed then.
        let before = |holding: &Holding| -> Vec<Attempt> {
            let listed = early.get(holding).filter(|attempt| attempt.outcome != Outcome::Overtaken);
            synced.attempts.iter().chain(listed).cloned().collect()
        };
        let steps: Vec<Step> = holdings.iter().map(|holding| self.without_asking(*holding, &block)).collect();
        let mut bound: Vec<(Holding, Candidate)> = Vec::new();
        let mut open: Vec<Holding> = Vec::new();
        for (holding, step) in holdings.iter().zip(&steps) {
            match step {
                Step::Done(_) => {}
                Step::Bound(candidate) => bound.push((*holding, (**candidate).clone())),
                Step::Open => open.push(*holding),
            }
        }
        let proving = self.prove_beside_links(&open, &block, deadline);
        let (proofs, mut next) = join(proving, self.park_next_tips(&bound, deadline)).await;
        let (mut results, failed) = proofs;
        let mut found = Vec::with_capacity(holdings.len());
        for (holding, step) in holdings.iter().zip(steps) {
            let mut attempts = before(holding);
            found.push(match step {
                Step::Done(found) => (found, attempts),
                Step::Bound(candidate) => {
                    attempts.extend(next.remove(holding).unwrap_or_default());
                    (Found::Candidate(candidate), attempts)
                }
                Step::Open => {
                    let result = results.remove(holding);
                    attempts.extend(result.iter().flat_map(|result| result.attempts.clone()));
                    attempts.extend(failed.iter().cloned());
                    (self.conclude(*holding, synced, head.clone(), result), attempts)
                }
            });
        }
        found
    }

    /// What can be said of one holding without asking for a proof.
    fn without_asking(&self, holding: Holding, block: &BlockRef) -> Step {
        if !is_readable(holding.asset) {
            return Step::Done(Found::Nothing(Why::TokenLayoutUnproven));
        }
        if self.known().faulted {
            return Step::Done(Found::Nothing(Why::ConsensusFault));
        }
        // What is proven under the newest head. While only that head's hash is known, nothing is.
        let is_at_head = |candidate: &Candidate| match block {
            BlockRef::Known(head) => candidate.anchor().hash() == head.hash(),
            BlockRef::ByHash(_) | BlockRef::Tip => false,
        };
        if let Some(bound) = self.join_pending(holding, &self.waiting(holding)).filter(is_at_head) {
            return Step::Bound(Box::new(bound));
        }
        let newest = self.newest(&holding).filter(is_at_head).filter(|newest| self.is_young(newest.anchor()));
        let newest = newest.filter(|newest| !newest.is_restored());
        match newest.filter(|_| self.head_is_newest()) {
            Some(newest) => Step::Done(Found::Candidate(Box::new(newest))),
            None => Step::Open,
        }
    }

    /// What one holding comes to, after the providers were asked.
    fn conclude(
        &self,
        holding: Holding,
        synced: &Synced,
        head: Option<Anchor>,
        result: Option<Hedged<Box<Candidate>>>,
    ) -> Found {
        let result = result.unwrap_or(Hedged { winner: None, attempts: Vec::new(), held_back: false });
        if let Some((_, candidate)) = result.winner {
            self.known().pending.remove_all(holding);
            return Found::Candidate(candidate);
        }
        let head = self.known().chain.newest(self.policy.assurance).cloned().or(head);
        let why = explain(&Case {
            problem: synced.problem.as_ref(),
            heads: &synced.attempts,
            attempts: &result.attempts,
            held_back: result.held_back,
            head: head.as_ref(),
            now: self.now(),
            policy: &self.policy,
            dispatcher: &self.dispatcher,
        });
        let pending = result.attempts.iter().find(|attempt| attempt.outcome == Outcome::Pending);
        let claim =
            pending.and_then(|attempt| self.known().pending.newest(holding, &attempt.provider).cloned());
        match claim {
            Some(PendingProof { provider, checked, .. }) => {
                Found::Claim { account: Box::new(checked.account), provider, why }
            }
            None => Found::Nothing(why),
        }
    }

    /// The newest trusted block of the assurance `level`, and what to ask about: that block, or a newer head's of which only
    /// the hash is known.
    pub(crate) fn head(&self, level: Level) -> (Option<Anchor>, BlockRef) {
        let known = self.known();
        let newest = known.chain.newest(level).cloned();
        let target = match (known.chain.missing_head(level), &newest) {
            (Some(hash), _) => BlockRef::ByHash(hash),
            (None, Some(newest)) => BlockRef::Known(newest.clone()),
            (None, None) => BlockRef::Tip,
        };
        (newest, target)
    }

    /// The proofs that wait for `holding`. They wait for some slots: what is not signed by then will not be.
    fn waiting(&self, holding: Holding) -> Vec<PendingProof> {
        let slots = u32::try_from(Self::LINK_DEPTH).unwrap_or(u32::MAX);
        let patience = self.network().slot_duration().saturating_mul(slots);
        let since = self.clock().monotonic().saturating_sub(patience);
        let expired = self.known().pending.expire(since);
        for provider in &expired {
            self.learn(provider, |known| known.tips_were_signed = false);
        }
        self.known().pending.of(holding)
    }

    /// Asks for proofs at the head. If nobody proves under it, but somebody does under a tip that is not signed yet, then
    /// a proof that waited, under a head a little older by now, is the newest there can be: its block is looked for when
    /// all have answered, or at half time beside those who have not. Gives the races, and who was asked for links in
    /// vain.
    async fn prove_beside_links(
        &self,
        holdings: &[Holding],
        target: &BlockRef,
        deadline: Deadline,
    ) -> (BTreeMap<Holding, Hedged<Box<Candidate>>>, Vec<Attempt>) {
        if holdings.is_empty() {
            return (BTreeMap::new(), Vec::new());
        }
        let number = |holding: &Holding| self.newest(holding).map(|newest| newest.anchor().number());
        let before: Vec<Option<u64>> = holdings.iter().map(number).collect();
        let target = ProofTarget { block: target.clone(), level: self.policy.assurance };
        let waiting: Vec<(Holding, PendingProof)> = holdings
            .iter()
            .flat_map(|holding| self.waiting(*holding).into_iter().map(|waiting| (*holding, waiting)))
            .collect();
        let named = |results: Vec<Hedged<Box<Candidate>>>| holdings.iter().copied().zip(results).collect();
        let prove = self.prove(holdings, &target, deadline).boxed();
        if waiting.is_empty() {
            return (named(prove.await), Vec::new());
        }
        let half = self.time_left(deadline).checked_div(2).unwrap_or_default();
        let prove = match select(prove, self.clock().sleep(half)).await {
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
        let has_new = |holding: &Holding| self.waiting(*holding).iter().any(|tip| is_new(holding, tip));
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
    async fn park_next_tips(
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
        let clock = self.clock();
        let began = clock.monotonic();
        let attempt = |outcome| {
            let took = clock.monotonic().saturating_sub(began);
            Attempt { provider: provider.clone(), role: Role::Execution, outcome, took, over_policy: false }
        };
        let joined = attempt(Outcome::Joined);
        let endpoint = self.execution.iter().find(|known| known.id() == provider);
        // Not at the cost of the time for a read.
        let has_time = self.time_left(deadline) > self.policy.deadline.checked_div(2).unwrap_or_default();
        let Some(endpoint) = endpoint.filter(|_| has_time) else {
            return holdings.iter().map(|_| vec![joined.clone()]).collect();
        };
        let target = ProofTarget { block: BlockRef::Tip, level: self.policy.assurance };
        let wanted: Vec<ProofRequest> = holdings.iter().copied().map(ProofRequest::within).collect();
        let ask = self.ask(endpoint, &wanted, &target, deadline).boxed();
        let patience = Self::GRACE.min(self.time_left(deadline));
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
}
