//! The owner of what L1 says about a rollup: reads its contracts under each final block of L1, and tells the head which blocks L1
//! vouches for.
//!
//! Proofs are taken at the rollup's head and kept ([`Proofs`]). When L1 vouches for a later block, the headers between them are linked
//! by parent hash, and the proofs join.

mod contracts;
mod open;
#[cfg_attr(not(feature = "sequencer"), path = "rollup/no_relays.rs")]
mod relays;
mod standstill;
mod sync;
mod waiting;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256};
use futures_util::future::join;
use saldo_beacon::Network;
use saldo_beacon::unit::UnixTime;
use saldo_chain::rollup::{Accepted, L1State, Obstacle, Profile, Refusal, RollupAnchor};
use saldo_chain::{Anchor, ExecutionHeader};
use saldo_proof::{ProvenState, Query, StateRoot};
use saldo_reading::{Announced, Attempt, Generation, Why};
use saldo_source::{Deadline, SortedSet};

use crate::env::Env;
use crate::event;
use crate::head::{AnyL1, FinalBlock, Head, NothingOfL1, Synced};
use crate::proofs::Proofs;
use crate::rollup_health::{ClaimsHealth, RollupHealth};
use contracts::Outcome;
pub(crate) use relays::Relays;
pub(crate) use sync::Recorded;
use waiting::Waiting;

/// Owns what is known of a rollup's contracts.
pub(crate) struct Rollup {
    env: Arc<Env>,
    head: Arc<Head>,
    profile: Profile,
    l1: AnyL1,
    relays: Relays,
    /// Held by the one future that reads the contracts.
    syncing: futures_util::lock::Mutex<()>,
    state: Mutex<RollupState>,
}

/// Locked for a moment only, never across an await.
#[derive(Default)]
struct RollupState {
    /// The L1 block under which the contracts were read last, and the trust start it belongs to.
    read_at: Option<(Generation, B256)>,
    /// Under which of them it was tried last to link the blocks of restored readings, and when, on the monotonic clock.
    tried: Option<((Generation, B256), Duration)>,
    /// When L1 was asked last, on the monotonic clock.
    asked: Option<Duration>,
    /// What the last reading of the contracts asked for, and how many readings have begun with it.
    asked_for: (Query, usize),
    /// The games that L1 vouched for there, newest first, and the trust start of L1 at that time.
    accepted: Vec<Accepted>,
    generation: Generation,
    /// The games that were only proposed.
    waiting: Waiting,
    /// Pairs of them that contradict each other. Neither counts until L1 has decided.
    contradictions: Vec<[Address; 2]>,
    /// Why no block follows from what was read there, if none does; and what the contracts refuse, if that is the reason.
    problem: Option<(Why, Option<Refusal>)>,
    /// When the newest claims were made.
    claims: Option<ClaimsHealth>,
    /// The address of the sequencer's key, and the time of the L1 block that names it. It is read only where there is a relay.
    sequencer: Option<(Generation, Address, UnixTime)>,
    /// Why L1 could not be read at the last try, if it could not.
    unread: Option<Why>,
    /// The time of the newest block, if the rollup stands still.
    stopped: Option<UnixTime>,
}

impl Rollup {
    /// L1 makes a block final once in 6.4 minutes, so it is not asked more often than this.
    const PAUSE: Duration = Duration::from_secs(30);
    /// The most games that are looked at again.
    const MOST_STANDING: usize = 64;
    /// The most rounds of proofs for one reading of the contracts. The first one needs 11.
    const MOST_ROUNDS: usize = 16;
    /// How many readings begin with what an earlier one asked for. Then one begins anew, without the games that are no longer read.
    const MOST_REPEATED: usize = 8;

    pub(crate) fn new(env: Arc<Env>, head: Arc<Head>, profile: Profile, l1: AnyL1, relays: Relays) -> Self {
        let (syncing, state) = (futures_util::lock::Mutex::new(()), Mutex::default());
        Self { env, head, profile, l1, relays, syncing, state }
    }

    fn state(&self) -> MutexGuard<'_, RollupState> {
        // After a panic the state can lack a change. The next reading of the contracts brings it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rollup as data.
    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Looks whether the rollup stands still, if the newest head that was seen is old.
    pub(crate) async fn look_for_standstill(&self, proofs: &Proofs, deadline: Deadline) {
        let now = self.head.now().time();
        let is_doubtful = proofs.newest_head_time().is_some_and(|head| standstill::is_doubtful(head, now));
        let stopped = match is_doubtful {
            true => standstill::since(&self.ask_for_heads(proofs, deadline).await, now),
            false => None,
        };
        self.state().stopped = stopped;
    }

    /// The operator of each provider and relay that answers, and the time of its head.
    async fn ask_for_heads(&self, proofs: &Proofs, deadline: Deadline) -> Vec<(String, UnixTime)> {
        let signed = async {
            match self.sequencer() {
                Some(signer) => self.relays.heads(signer, deadline).await,
                None => Vec::new(),
            }
        };
        let (mut heads, signed) = join(proofs.ask_for_heads(deadline), signed).await;
        heads.extend(signed);
        heads
    }

    /// Which of the `blocks` the sequencer announced, by the state root of each, as far as relays show it.
    pub(crate) async fn announced(
        &self,
        blocks: &[ExecutionHeader],
        proofs: &Proofs,
        deadline: Deadline,
    ) -> Vec<(StateRoot, Announced)> {
        let Some(signer) = self.sequencer() else { return Vec::new() };
        let announced = self.relays.announced(signer, blocks, proofs, deadline).await;
        let announced = blocks.iter().zip(announced).filter(|(_, is_announced)| *is_announced);
        announced.map(|(block, _)| (block.state_root(), Announced::by(signer))).collect()
    }

    /// The address of the sequencer's key, if a recent block of L1 names it.
    fn sequencer(&self) -> Option<Address> {
        let now = self.head.now().time();
        let (generation, signer, named) = self.state().sequencer?;
        let counts =
            generation == self.l1.present().generation && now.saturating_sub(named) <= L1State::MAX_AGE;
        counts.then_some(signer)
    }

    /// The time of the newest block, if the rollup stands still.
    pub(crate) fn stopped(&self) -> Option<UnixTime> {
        self.state().stopped
    }

    /// Why a proof at the rollup's head is not enough.
    pub(crate) fn why_not_vouched(&self, synced: &Synced) -> Why {
        match (&synced.problem, self.stopped()) {
            (Some(problem), _) if problem.needs_action() => problem.clone(),
            (_, Some(since)) => Why::RollupStopped { since },
            (Some(problem), None) => problem.clone(),
            (None, None) => Why::NotVouchedYet,
        }
    }

    /// Why L1 vouches for no block, if it does not.
    pub(crate) fn problem(&self) -> Option<Why> {
        let state = self.state();
        state.unread.clone().or_else(|| state.problem.as_ref().map(|(why, _)| why.clone()))
    }

    /// What is known of the rollup, for a status screen. `newest` is the newest block for which L1 vouches.
    pub(crate) fn health(&self, newest: Option<Anchor>) -> RollupHealth {
        let problem = self.problem();
        let state = self.state();
        let refusal = state.problem.as_ref().filter(|_| state.unread.is_none());
        let refusal = refusal.and_then(|(_, refusal)| refusal.clone());
        let (claims, stopped) = (state.claims, state.stopped);
        drop(state);
        RollupHealth { newest, problem, refusal, claims, stopped, relays: self.relays.health() }
    }

    /// The games whose blocks may be opened, and the trust start of L1 that they belong to: L1 vouched for them a short time ago, and none
    /// contradicts another.
    fn accepted(&self) -> (Generation, Vec<Accepted>) {
        let now = self.head.now().time();
        let state = self.state();
        let counts = |game: &&Accepted| {
            let is_recent = now.saturating_sub(game.vouched().l1().2) <= L1State::MAX_AGE;
            is_recent && !state.contradictions.iter().any(|pair| pair.contains(&game.game()))
        };
        (state.generation, state.accepted.iter().filter(counts).cloned().collect())
    }

    fn told(&self, attempts: Vec<Attempt>) -> Synced {
        Synced { attempts, problem: self.problem() }
    }

    fn is_due(&self) -> bool {
        let (now, state) = (self.env.clock().monotonic(), self.state());
        let is_recent = state.asked.is_some_and(|asked| now.saturating_sub(asked) < Self::PAUSE);
        let (read_at, is_unread) = (state.read_at, state.unread.is_some());
        drop(state);
        let is_same = read_at.is_some_and(|(generation, _)| generation == self.l1.present().generation);
        !(is_same && is_recent) || is_unread
    }

    async fn ask_l1(
        &self,
        recorded: &SortedSet<Address>,
        proofs: &Proofs,
        deadline: Deadline,
    ) -> Vec<Attempt> {
        let block = match self.l1.final_block(deadline).await {
            Ok(block) => block,
            Err(nothing) => return self.note_nothing(nothing),
        };
        let read_at = (block.generation, block.anchor.hash());
        if self.state().read_at != Some(read_at) {
            let l1 = block.anchor.timestamp();
            let waiting = self.state().waiting.take_due(proofs, l1);
            let looked_at = self.standing(recorded).into_iter().chain(waiting).collect();
            match self.read(&block, &looked_at, deadline).await {
                Ok(outcome) => {
                    if let Ok(outcome) = &outcome {
                        self.state().waiting.note(outcome, l1, &self.profile, proofs);
                    }
                    if !self.take(&block, recorded, outcome) {
                        return Vec::new();
                    }
                    self.state().read_at = Some(read_at);
                }
                Err(nothing) => return self.note_nothing(nothing),
            }
        }
        let mut state = self.state();
        (state.asked, state.unread) = (Some(self.env.clock().monotonic()), None);
        Vec::new()
    }

    fn note_nothing(&self, NothingOfL1 { why, attempts }: NothingOfL1) -> Vec<Attempt> {
        // The age of L1's block says nothing to a reader of the rollup: L1 has no newer one.
        let newest = self.l1.present().newest_signed_time;
        let why = match why {
            Why::OnlyOldBlocks { .. } => Why::LightClientBehind { newest },
            why => why,
        };
        self.state().unread = Some(why);
        attempts
    }

    /// Reads the contracts: what is missing is proven, and the reading starts again.
    async fn read(
        &self,
        block: &FinalBlock,
        looked_at: &SortedSet<Address>,
        deadline: Deadline,
    ) -> Result<Result<Outcome, Refusal>, NothingOfL1> {
        let nothing = |why| NothingOfL1 { why, attempts: Vec::new() };
        // Most of it is the same under each block. If it cannot be proven, the next reading begins anew.
        let (mut query, repeated) = std::mem::take(&mut self.state().asked_for);
        let mut state = match query.is_empty() {
            true => ProvenState::new(block.anchor.state_root()),
            false => self.l1.prove(block, &query, deadline).await?,
        };
        for _ in 0..Self::MOST_ROUNDS {
            let (l1, now) = ((&block.anchor, &state), self.head.now().time());
            let mut missing = Query::default();
            let outcome = match contracts::read(&self.profile, l1, now, looked_at) {
                Ok(outcome) => Some(Ok(outcome)),
                Err(Obstacle::Refused(refusal)) => Some(Err(refusal)),
                Err(Obstacle::Missing(more)) => {
                    missing.merge(more);
                    None
                }
                Err(_) => return Err(nothing(Why::InternalFault)),
            };
            let sequencer = self.read_sequencer(l1, now, &mut missing);
            if let Some(outcome) = outcome.filter(|_| missing.is_empty()) {
                let mut state = self.state();
                if outcome.is_ok() && repeated < Self::MOST_REPEATED {
                    state.asked_for = (query, repeated.saturating_add(1));
                }
                state.sequencer =
                    sequencer.map(|signer| (block.generation, signer, block.anchor.timestamp()));
                return Ok(outcome);
            }
            query.merge(missing);
            if self.env.time_left(deadline).is_zero() {
                return Err(nothing(Why::Deadline));
            }
            state = self.l1.prove(block, &query, deadline).await?;
        }
        Err(nothing(Why::RollupNotVouched {
            reason: "too many rounds of proofs were needed for its contracts".to_owned(),
        }))
    }

    /// The address of the sequencer's key, where there is a relay that shows its signatures. What is not proven yet is added to `missing`.
    fn read_sequencer(
        &self,
        l1: (&Anchor, &ProvenState),
        now: UnixTime,
        missing: &mut Query,
    ) -> Option<Address> {
        if self.relays.is_empty() {
            return None;
        }
        match contracts::sequencer(&self.profile, l1, now) {
            Ok(signer) => signer.filter(|signer| !signer.is_zero()),
            Err(Obstacle::Missing(more)) => {
                missing.merge(more);
                None
            }
            Err(_) => None,
        }
    }

    /// The games that held blocks and recorded readings rest on.
    fn standing(&self, recorded: &SortedSet<Address>) -> SortedSet<Address> {
        let held = self.head.games();
        held.into_iter().chain(recorded.iter().copied()).take(Self::MOST_STANDING).collect()
    }

    /// Takes over what L1 says. What it no longer vouches for is withdrawn before anything else is accepted. Returns whether it said
    /// anything.
    fn take(
        &self,
        block: &FinalBlock,
        recorded: &SortedSet<Address>,
        outcome: Result<Outcome, Refusal>,
    ) -> bool {
        let standing = self.standing(recorded);
        let (accepted, problem, claims) = match outcome {
            Ok(outcome) => {
                let counts = outcome.counting();
                self.keep_undecided(&counts);
                let vouching: Vec<&Accepted> =
                    counts.iter().filter(|game| !self.is_contradicted(game)).collect();
                let is_vouching = |game: &Address| vouching.iter().any(|other| other.game() == *game);
                self.take_back(standing.into_iter().filter(|game| !is_vouching(game)), block);
                vouching.iter().for_each(|game| self.head.vouch(game, block.generation));
                let why = outcome.why_none();
                (counts, why, outcome.claims)
            }
            // Nothing is known about the games: the L1 block is not good enough to read them.
            Err(Refusal::L1NotFinal | Refusal::L1TooOld { .. } | Refusal::OtherRoot { .. }) => {
                let newest = self.l1.present().newest_signed_time;
                self.state().unread = Some(Why::LightClientBehind { newest });
                return false;
            }
            // The contracts are paused, or are others than before: L1 no longer says what it said.
            Err(refusal) => {
                self.keep_undecided(&[]);
                self.take_back(standing, block);
                let why = Why::RollupNotVouched { reason: refusal.to_string() };
                (Vec::new(), Some((why, Some(refusal))), None)
            }
        };
        let mut state = self.state();
        (state.generation, state.accepted) = (block.generation, accepted);
        (state.problem, state.claims) = (problem, claims);
        true
    }

    /// Drops the contradictions that L1 has decided: it no longer accepts one of the games, or one has a higher level.
    fn keep_undecided(&self, accepted: &[Accepted]) {
        let level = |game: &Address| accepted.iter().find(|known| known.game() == *game).map(Accepted::level);
        let is_undecided = |[one, other]: &[Address; 2]| level(one).is_some() && level(one) == level(other);
        self.state().contradictions.retain(is_undecided);
    }

    /// Whether the game and another one contradict each other, and L1 has not decided.
    fn is_contradicted(&self, game: &Accepted) -> bool {
        self.state().contradictions.iter().any(|pair| pair.contains(&game.game()))
    }

    fn take_back(&self, games: impl IntoIterator<Item = Address>, block: &FinalBlock) {
        let games: Vec<Address> = games.into_iter().collect();
        event::taken_back(games.len());
        self.head.take_back(&games, block.generation);
    }

    /// Takes a block that L1 vouches for. Returns whether it is held.
    fn accept(&self, opened: &RollupAnchor, (of_l1, recorded): (Generation, &[Address])) -> bool {
        match self.head.accept(opened, of_l1, recorded) {
            Ok(()) => true,
            Err(contradiction) => {
                let held = self.head.games();
                let is_decided = |games: &[Address; 2]| games.iter().any(|game| held.contains(game));
                let games = contradiction.map(|contradiction| contradiction.games);
                self.state().contradictions.extend(games.filter(|games| !is_decided(games)));
                false
            }
        }
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
