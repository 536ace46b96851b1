//! Reads holdings: syncs the light client and asks for proofs at the same time, and repeats what changes of
//! state made invalid.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::{Either, join, select};
use saldo_chain::{Anchor, Level};
use saldo_reading::gate::{self, Found};
use saldo_reading::{Attempt, Candidate, Generation, Holding, Mark, Outcome, Reading, Why};
use saldo_source::{Deadline, Hedged, IntoBoxed, SortedMap};

use crate::env::Env;
use crate::event;
use crate::gate::Finding;
use crate::head::{BlockRef, Synced};
use crate::inner::ClientInner;
use crate::meter;
use crate::patience;
use crate::proofs::{PendingProof, Settled};
use crate::why;

/// The state of one holding before any provider is asked for a proof.
enum Step {
    /// The call has a result without a request.
    Done(Found),
    /// A pending proof of the holding joined the newest head.
    Bound(Box<Candidate>),
    /// The holding has to be proven.
    Open,
}

/// Which amounts a call reads.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// The newest amount of the assurance that the policy asks for.
    Newest,
    /// The newest finalized amount, whatever assurance the policy asks for.
    Finalized,
}

impl ClientInner {
    /// The most rounds in which one call reads a holding. A second round follows if trust was restarted
    /// meanwhile, or if the chain withdrew the block of the answer.
    const ROUNDS: usize = 3;

    /// Reads all `holdings`, in their order. A holding that is named twice is read once.
    pub(crate) async fn read(&self, holdings: &[Holding], kind: Kind, deadline: Deadline) -> Vec<Reading> {
        let findings = self.find(holdings, kind, deadline).await;
        self.give(holdings, findings)
    }

    /// Finds the amounts of `holdings`, each once. Only [`ClientInner::give`] may hand out what it found.
    pub(crate) async fn find(&self, holdings: &[Holding], kind: Kind, deadline: Deadline) -> Vec<Finding> {
        let mut seen = HashSet::new();
        let distinct: Vec<Holding> =
            holdings.iter().copied().filter(|holding| seen.insert(*holding)).collect();
        self.open_storage(Deadline::after(self.env.clock(), Env::GRACE).min(deadline)).await;
        let findings = self.beside_storage(self.find_current(&distinct, kind, deadline)).await;
        self.persist(deadline).await;
        findings
    }

    /// The readings of `holdings`, in their order, as the gate hands out these findings now.
    pub(crate) fn give(&self, holdings: &[Holding], findings: Vec<Finding>) -> Vec<Reading> {
        let distinct: Vec<Holding> = findings.iter().map(|finding| finding.holding).collect();
        let readings = self.hand_out(findings);
        event::read(&readings);
        meter::readings(&self.env, &readings);
        let by_holding: HashMap<Holding, Reading> = distinct.into_iter().zip(readings).collect();
        let reading = |holding| by_holding.get(holding).cloned().unwrap_or(gate::unknown(Why::InternalFault));
        holdings.iter().map(reading).collect()
    }

    /// The readings of an earlier call, as the gate hands them out now. `generation` is the trust start at its end.
    pub(crate) fn give_again(
        &self,
        holdings: &[Holding],
        readings: Vec<Reading>,
        generation: Generation,
    ) -> Vec<Reading> {
        let again = |(holding, reading): (&Holding, Reading)| match reading {
            Reading::Proven(proven) => match self.hand_out_later(proven, generation) {
                Ok(proven) => Reading::Proven(proven),
                Err(why) => self.unknown(*holding, why),
            },
            other => other,
        };
        holdings.iter().zip(readings).map(again).collect()
    }

    fn unknown(&self, holding: Holding, why: Why) -> Reading {
        let demand = self.demand(self.env.policy.assurance);
        let (found, before, attempts) = (Found::Nothing(why.clone()), Mark::default(), Vec::new());
        let finding = Finding { holding, found, attempts, demand, before };
        self.hand_out(vec![finding]).pop().unwrap_or(gate::unknown(why))
    }

    /// Reads `holdings` repeatedly until each is proven, waiting cannot help, or `patience` is over. A
    /// provisional reading waits for the next signed head, and a rate limit for the end of its pause.
    pub(crate) async fn read_patiently(&self, holdings: &[Holding], patience: Duration) -> Vec<Reading> {
        let clock = self.env.clock();
        let end = Deadline::after(clock, patience);
        let mut proven: HashSet<Holding> = HashSet::new();
        let mut refusals = 0_u32;
        loop {
            let deadline = Deadline::after(clock, self.env.policy.deadline).min(end);
            let mut readings = self.read(holdings, Kind::Newest, deadline).await;
            for (holding, reading) in holdings.iter().zip(&mut readings) {
                match reading.proven() {
                    Some(_) => drop(proven.insert(*holding)),
                    None if proven.contains(holding) => self.hand_out_again(holding, reading),
                    None => {}
                }
            }
            let until_head = self.head.until_next_head();
            let pauses = readings.iter().filter_map(|reading| patience::pause(reading, until_head, refusals));
            let Some(pause) = pauses.min().filter(|pause| *pause < end.left(clock)) else { return readings };
            refusals = refusals.saturating_add(1);
            clock.sleep(pause).await;
        }
    }

    /// Puts the recorded reading of `holding`, which this call proved, in the place of `reading`, which proves nothing. The gate
    /// decides whether it may be handed out.
    fn hand_out_again(&self, holding: &Holding, reading: &mut Reading) {
        if let Some(recorded) = self.recorded(holding) {
            *reading = Reading::Proven(recorded);
        }
    }

    /// Finds the amounts of every holding that is watched, or was proven before.
    pub(crate) async fn find_known(&self, within: Duration) -> (Vec<Holding>, Vec<Finding>) {
        let deadline = Deadline::after(self.env.clock(), within);
        // Stored readings are part of the list.
        self.open_storage(self.env.half(deadline)).await;
        let mut holdings = self.hub.watched();
        holdings.extend(self.readings.holdings());
        let holdings: Vec<Holding> = holdings.into_iter().collect();
        if holdings.is_empty() {
            return (Vec::new(), Vec::new());
        }
        let found = self.find(&holdings, Kind::Newest, deadline).await;
        (holdings, found)
    }

    /// Reads `holdings`. Reads again those whose findings the gate would refuse by now, as long as there is
    /// time.
    async fn find_current(&self, holdings: &[Holding], kind: Kind, deadline: Deadline) -> Vec<Finding> {
        let mut findings: HashMap<Holding, Finding> = HashMap::new();
        let mut open: Vec<Holding> = holdings.to_vec();
        for round in 1..=Self::ROUNDS {
            let reading = std::mem::take(&mut open);
            let restarted = self.trust_restarted(self.head.generation()).into_boxed();
            let found = match select(self.find_once(&reading, kind, deadline).into_boxed(), restarted).await {
                Either::Left((found, _)) => found,
                // Nothing found under the earlier trust start counts any more.
                Either::Right(_) if round < Self::ROUNDS && self.env.time_left(deadline) >= Env::GRACE => {
                    open = holdings.to_vec();
                    continue;
                }
                Either::Right(_) => return self.nothing_found(holdings, kind, &Why::TrustRestarted),
            };
            for finding in found {
                let earlier = findings.remove(&finding.holding);
                // What an earlier round of this call proved may still be handed out.
                let before = earlier.as_ref().map_or(finding.before, |earlier| earlier.before);
                let attempts =
                    [earlier.map(|earlier| earlier.attempts).unwrap_or_default(), finding.attempts].concat();
                findings.insert(finding.holding, Finding { attempts, before, ..finding });
            }
            let is_overtaken =
                |holding: &&Holding| findings.get(*holding).is_some_and(|it| self.is_overtaken(it));
            open = holdings.iter().filter(is_overtaken).copied().collect();
            if open.is_empty() || self.env.time_left(deadline).is_zero() {
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
            Kind::Newest => self.env.policy.assurance,
            Kind::Finalized => self.env.policy.assurance.strongest(),
        }
    }

    /// Completes when the trust start is no longer of this `generation`.
    async fn trust_restarted(&self, generation: Generation) {
        loop {
            let notifications = self.hub.notify.count();
            if self.head.generation() != generation {
                return;
            }
            self.hub.notify.notified(notifications).await;
        }
    }

    /// Reads `holdings` once.
    async fn find_once(&self, holdings: &[Holding], kind: Kind, deadline: Deadline) -> Vec<Finding> {
        let level = self.level_of(kind);
        let (demand, marks) = (self.demand(level), self.marks(holdings, level));
        let unreadable: Option<Vec<Why>> = holdings.iter().map(|holding| self.unreadable(holding)).collect();
        let found = match kind {
            // No request can help.
            _ if let Some(all) = unreadable => {
                all.into_iter().map(|why| (Found::Nothing(why), Vec::new())).collect()
            }
            #[cfg(feature = "rollup")]
            _ if self.rollup.is_some() => self.find_in_rollup(holdings, deadline).await,
            Kind::Newest => self.find_newest(holdings, deadline).await,
            Kind::Finalized => self.find_finalized(holdings, deadline).await,
        };
        let proven = found.iter().filter_map(|(found, _)| match found {
            Found::Candidate(candidate) => Some(candidate.provider().clone()),
            Found::Claim { .. } | Found::NoBalance { .. } | Found::Nothing(_) => None,
        });
        self.proofs.check_chain(&proven.collect(), deadline).await;
        let finding = |((holding, before), (found, attempts)): ((&Holding, Mark), (Found, Vec<Attempt>))| {
            Finding { holding: *holding, found: self.blame_fast_clock(found), attempts, demand, before }
        };
        holdings.iter().zip(marks).zip(found).map(finding).collect()
    }

    /// Finds the newest amounts: syncs the light client and asks for proofs at the same time.
    async fn find_newest(&self, holdings: &[Holding], deadline: Deadline) -> Vec<(Found, Vec<Attempt>)> {
        let readable: Vec<Holding> =
            holdings.iter().copied().filter(|holding| self.unreadable(holding).is_none()).collect();
        let (mut synced, early) = self.sync_beside_early_proofs(&readable, deadline).await;
        let is_waiting = || readable.iter().any(|holding| !self.proofs.pending_of(*holding).is_empty());
        if readable.len() > 1 || is_waiting() {
            // One header request for all holdings. For a single holding the header comes with the proof, in one
            // request.
            let half = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
            let until = Deadline::after(self.env.clock(), half);
            synced.attempts.extend(self.fetch_head(self.env.policy.assurance, until).await);
        }
        let settled = self.settle(holdings, &synced, &early, deadline);
        // Data that only later calls need is fetched while the proofs are in flight.
        let settled = self.proofs.learn_chain_beside(settled, deadline);
        let settled = join(settled, self.learn_finalized_header(deadline));
        let read = self.head.learn_next_committee_beside(settled, deadline).into_boxed();
        if holdings.len() > 1 {
            return read.await.0;
        }
        // A call for a single holding has time to try another provider. The call does not wait for the answer.
        match select(read, self.proofs.explore(deadline).into_boxed()).await {
            Either::Left(((found, _), _)) => found,
            Either::Right(((), read)) => read.await.0,
        }
    }

    /// Finds the amounts of `holdings` under the current heads. `early` has the attempts made during the sync.
    async fn settle(
        &self,
        holdings: &[Holding],
        synced: &Synced,
        early: &SortedMap<Holding, Attempt>,
        deadline: Deadline,
    ) -> Vec<(Found, Vec<Attempt>)> {
        let (head, block) = self.head.target(self.env.policy.assurance);
        // An early request that was cancelled because a head came is sent again, and listed then.
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
        let proving = self.prove_or_join_pending(&open, &block, deadline);
        let (proofs, mut next) = join(proving, self.request_next_tips(&bound, deadline)).await;
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

    /// Decides what one holding needs, without a request.
    fn without_asking(&self, holding: Holding, block: &BlockRef) -> Step {
        if let Some(why) = self.unreadable(&holding) {
            return Step::Done(Found::Nothing(why));
        }
        if self.head.is_faulted() {
            return Step::Done(Found::Nothing(Why::ConsensusFault));
        }
        // A reading counts only if it is at the newest head. If only the hash of that head is known, no reading
        // is.
        let is_head = |anchor: &Anchor| match block {
            BlockRef::Known(head) => anchor.hash() == head.hash(),
            BlockRef::ByHash(_) | BlockRef::Tip => false,
        };
        let is_at_head = |candidate: &Candidate| is_head(candidate.anchor());
        let bound = self.join_pending(holding, &self.proofs.pending_of(holding));
        match bound.filter(|settled| is_head(settled.anchor())) {
            Some(Settled::Proven(candidate)) => return Step::Bound(candidate),
            Some(settled) => return Step::Done(settled.found()),
            None => {}
        }
        let newest = self
            .readings
            .newest(&holding)
            .filter(is_at_head)
            .filter(|newest| self.env.is_young(newest.anchor(), self.head.now()));
        let newest = newest.filter(|newest| !newest.is_restored());
        match newest.filter(|_| self.head.head_is_newest()) {
            Some(newest) => Step::Done(Found::Candidate(Box::new(newest))),
            None => Step::Open,
        }
    }

    /// Makes the finding of one holding, after the providers were asked.
    fn conclude(
        &self,
        holding: Holding,
        synced: &Synced,
        head: Option<Anchor>,
        result: Option<Hedged<Settled>>,
    ) -> Found {
        let result = result.unwrap_or(Hedged { winner: None, attempts: Vec::new(), held_back: false });
        if let Some((_, settled)) = result.winner {
            self.proofs.drop_pending(holding);
            return settled.found();
        }
        let head = self.head.newest(self.env.policy.assurance).or(head);
        let why = why::of_read(&why::Case {
            problem: synced.problem.as_ref(),
            heads: &synced.attempts,
            attempts: &result.attempts,
            held_back: result.held_back,
            head: head.as_ref(),
            now: self.head.now(),
            policy: &self.env.policy,
            env: &self.env,
        });
        let why = self.proofs.or_lag(why, &result.attempts);
        let pending = result.attempts.iter().find(|attempt| attempt.outcome == Outcome::Pending);
        let claim = pending.and_then(|attempt| self.proofs.newest_pending(holding, &attempt.provider));
        match claim {
            Some(PendingProof { provider, checked, .. }) => {
                Found::Claim { claim: checked.claim(), provider, why }
            }
            None => Found::Nothing(why),
        }
    }
}
