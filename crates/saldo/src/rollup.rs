//! The owner of what L1 says about a rollup: reads its contracts under each final block of L1, and tells the head which blocks L1
//! vouches for.
//!
//! Proofs are taken at the rollup's head and kept ([`Proofs`]). When L1 vouches for a later block, the headers between them are linked
//! by parent hash, and the proofs join.

mod contracts;
mod open;
mod standstill;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use futures_util::future::{Either, select};
use saldo_beacon::Network;
use saldo_beacon::unit::UnixTime;
use saldo_chain::rollup::{Accepted, Obstacle, Profile, Refusal};
use saldo_proof::{ProvenState, Query};
use saldo_reading::{Attempt, Generation, Why};
use saldo_source::{Deadline, SortedSet};

use crate::env::Env;
use crate::event;
use crate::head::{AnyL1, FinalBlock, Head, NothingOfL1, Synced};
use crate::proofs::Proofs;
use contracts::Outcome;

/// Owns what is known of a rollup's contracts.
pub(crate) struct Rollup {
    env: Arc<Env>,
    head: Arc<Head>,
    profile: Profile,
    l1: AnyL1,
    /// Held by the one future that reads the contracts.
    syncing: futures_util::lock::Mutex<()>,
    state: Mutex<RollupState>,
}

/// Locked for a moment only, never across an await.
#[derive(Default)]
struct RollupState {
    /// The L1 block under which the contracts were read last, and the trust start it belongs to.
    read_at: Option<(Generation, B256)>,
    /// When L1 was asked last, on the monotonic clock.
    asked: Option<Duration>,
    /// The games that L1 vouched for there, newest first, and the trust start of L1 at that time.
    accepted: Vec<Accepted>,
    generation: Generation,
    /// Why no block follows, if none does.
    problem: Option<Why>,
    /// The time of the newest block, if the rollup stands still.
    stopped: Option<UnixTime>,
}

impl Rollup {
    /// L1 makes a block final once in 6.4 minutes, so it is not asked more often than this.
    const PAUSE: Duration = Duration::from_secs(30);
    /// The most rounds of proofs for one reading of the contracts. Without hints 11 are needed.
    const MOST_ROUNDS: usize = 16;

    pub(crate) fn new(env: Arc<Env>, head: Arc<Head>, profile: Profile, l1: AnyL1) -> Self {
        let (syncing, state) = (futures_util::lock::Mutex::new(()), Mutex::default());
        Self { env, head, profile, l1, syncing, state }
    }

    fn state(&self) -> MutexGuard<'_, RollupState> {
        // After a panic the state can lack a change. The next reading of the contracts brings it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rollup as data.
    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Reads the contracts under the newest final block of L1, if there is a newer one, and opens the blocks that L1 vouches for and
    /// that are needed.
    pub(crate) async fn sync(&self, proofs: &Proofs, deadline: Deadline) -> Synced {
        // A second call waits for the first, to save requests. Without its turn it changes nothing: what the first one reads may be newer.
        let longest_wait = self.env.time_left(deadline).checked_div(2).unwrap_or_default();
        let turn = select(self.syncing.lock(), self.env.clock().sleep(longest_wait)).await;
        let Either::Left((_turn, _)) = turn else { return self.told(Vec::new()) };
        let attempts = match self.is_due() {
            true => self.ask_l1(self.env.half(deadline)).await,
            false => Vec::new(),
        };
        let (generation, accepted) = {
            let state = self.state();
            (state.generation, state.accepted.clone())
        };
        self.open(generation, &accepted, proofs, deadline).await;
        self.told(attempts)
    }

    /// Looks whether the rollup stands still, if the newest head that was seen is old.
    pub(crate) async fn look_for_standstill(&self, proofs: &Proofs, deadline: Deadline) {
        let now = self.head.now().time();
        let is_doubtful = proofs.newest_head_time().is_some_and(|head| standstill::is_doubtful(head, now));
        let stopped = match is_doubtful {
            true => standstill::since(&proofs.ask_for_heads(deadline).await, now),
            false => None,
        };
        self.state().stopped = stopped;
    }

    /// The time of the newest block, if the rollup stands still.
    pub(crate) fn stopped(&self) -> Option<UnixTime> {
        self.state().stopped
    }

    /// Why L1 vouches for no block, if it does not.
    pub(crate) fn problem(&self) -> Option<Why> {
        self.state().problem.clone()
    }

    fn told(&self, attempts: Vec<Attempt>) -> Synced {
        Synced { attempts, problem: self.state().problem.clone() }
    }

    fn is_due(&self) -> bool {
        let (now, state) = (self.env.clock().monotonic(), self.state());
        let is_same = state.read_at.is_some_and(|(generation, _)| generation == self.l1.generation());
        let is_recent = state.asked.is_some_and(|asked| now.saturating_sub(asked) < Self::PAUSE);
        !(is_same && is_recent && state.problem.is_none())
    }

    async fn ask_l1(&self, deadline: Deadline) -> Vec<Attempt> {
        let block = match self.l1.final_block(deadline).await {
            Ok(block) => block,
            Err(nothing) => return self.note_nothing(nothing),
        };
        let read_at = (block.generation, block.anchor.hash());
        if self.state().read_at == Some(read_at) {
            let mut state = self.state();
            (state.asked, state.problem) = (Some(self.env.clock().monotonic()), None);
            return Vec::new();
        }
        match self.read(&block, deadline).await {
            Ok(outcome) => {
                self.take(&block, outcome);
                let mut state = self.state();
                (state.read_at, state.asked) = (Some(read_at), Some(self.env.clock().monotonic()));
                Vec::new()
            }
            Err(nothing) => self.note_nothing(nothing),
        }
    }

    fn note_nothing(&self, NothingOfL1 { why, attempts }: NothingOfL1) -> Vec<Attempt> {
        self.state().problem = Some(why);
        attempts
    }

    /// Reads the contracts: what is missing is proven, and the reading starts again.
    async fn read(
        &self,
        block: &FinalBlock,
        deadline: Deadline,
    ) -> Result<Result<Outcome, Refusal>, NothingOfL1> {
        let nothing = |why| NothingOfL1 { why, attempts: Vec::new() };
        let standing: SortedSet<Address> = self.head.games().into_iter().collect();
        let mut query = Query::default();
        let mut state = ProvenState::new(block.anchor.state_root());
        for _ in 0..Self::MOST_ROUNDS {
            let now = self.head.now().time();
            match contracts::read(&self.profile, (&block.anchor, &state), now, &standing) {
                Ok(outcome) => return Ok(Ok(outcome)),
                Err(Obstacle::Refused(refusal)) => return Ok(Err(refusal)),
                Err(Obstacle::Missing(more)) => query.merge(more),
                Err(_) => return Err(nothing(Why::InternalFault)),
            }
            if self.env.time_left(deadline).is_zero() {
                return Err(nothing(Why::Deadline));
            }
            state = self.l1.prove(block, &query, deadline).await?;
        }
        Err(nothing(Why::RollupNotVouched { reason: "its contracts lead from one to another".to_owned() }))
    }

    /// Takes over what L1 says. What it no longer vouches for is withdrawn before anything else is accepted.
    fn take(&self, block: &FinalBlock, outcome: Result<Outcome, Refusal>) {
        let standing = self.head.games();
        let (accepted, problem) = match outcome {
            Ok(outcome) => {
                let is_accepted =
                    |game: &Address| outcome.accepted.iter().any(|accepted| accepted.game() == *game);
                let gone = standing.into_iter().filter(|game| !is_accepted(game)).collect::<Vec<_>>();
                event::taken_back(gone.len());
                self.head.take_back(&gone, block.generation);
                outcome.accepted.iter().for_each(|accepted| self.head.vouch(accepted, block.generation));
                let why = why_none(&outcome);
                (outcome.accepted, why)
            }
            // Nothing is known about the games: the L1 block is not good enough to read them.
            Err(Refusal::L1NotFinal | Refusal::L1TooOld { .. } | Refusal::OtherRoot { .. }) => {
                self.state().problem = Some(Why::LightClientBehind { newest: self.l1.newest_signed_time() });
                return;
            }
            // The contracts are paused, or are others than before: L1 no longer says what it said.
            Err(refusal) => {
                event::taken_back(standing.len());
                self.head.take_back(&standing, block.generation);
                (Vec::new(), Some(Why::RollupNotVouched { reason: refusal.to_string() }))
            }
        };
        let mut state = self.state();
        (state.generation, state.accepted, state.problem) = (block.generation, accepted, problem);
    }
}

/// The rollup's name and clock, in the form that all networks have.
pub(crate) fn network_of(profile: &Profile) -> Network {
    /// Only a wait between two looks at the head depends on it.
    const USUAL_BLOCK_TIME: u64 = 2;
    let start = profile.genesis().map_or(UnixTime::from_secs(0), |(_, time)| time);
    let block_time = Duration::from_secs(profile.block_time().unwrap_or(USUAL_BLOCK_TIME));
    Network::without_committee(profile.name(), profile.chain_id(), start, block_time)
}

/// Why L1 vouches for none of the games that were looked at.
fn why_none(outcome: &Outcome) -> Option<Why> {
    if !outcome.accepted.is_empty() {
        return None;
    }
    let refused = outcome.refused.first().map(|(_, refusal)| refusal.to_string());
    let proposed = outcome.proposed.first().map(|_| "its newest blocks were only proposed".to_owned());
    let reason = proposed.or(refused).unwrap_or_else(|| "there is no game".to_owned());
    Some(Why::RollupNotVouched { reason })
}
