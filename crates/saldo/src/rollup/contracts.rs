//! Reads what the rollup's contracts say under one L1 block. It is pure: what is not proven yet is asked for by the caller.

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use saldo_chain::Anchor;
use saldo_chain::rollup::{Accepted, Factory, L1State, Obstacle, Profile, Proposed, Refusal, Verdict};
use saldo_proof::{ProvenState, Query};
use saldo_reading::Why;
use saldo_source::SortedSet;

use crate::rollup_health::ClaimsHealth;

/// How many of the factory's newest games of known types are looked at. Anybody may add a false one on some rollups.
const NEWEST: usize = 6;
/// How many entries of the factory's list are searched for them. A factory can have games of other rollups.
const SEARCHED: u64 = 32;

/// What L1 says about the games that were looked at.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Those that L1 vouches for, newest first.
    pub(super) accepted: Vec<Accepted>,
    /// Those that it does not vouch for (any more).
    pub(super) refused: Vec<(Address, Refusal)>,
    /// Those that were only proposed.
    pub(super) proposed: Vec<Proposed>,
    /// When the newest ones were made.
    pub(super) claims: Option<ClaimsHealth>,
    /// How many seconds after its end a claim counts.
    pub(super) delay: u64,
}

impl Outcome {
    /// The games that count: of two that contradict each other that of the higher level, and neither if their levels are the same.
    pub(super) fn counting(&self) -> Vec<Accepted> {
        let is_excluded = |game: &Accepted| {
            self.accepted.iter().any(|other| game.contradicts(other) && other.level().meets(game.level()))
        };
        self.accepted.iter().filter(|game| !is_excluded(game)).cloned().collect()
    }

    /// Why L1 vouches for none of the games that were looked at, if it does not; and what its contracts refuse, if that is the reason.
    pub(super) fn why_none(&self) -> Option<(Why, Option<Refusal>)> {
        let refused = self.refused.first().map(|(_, refusal)| refusal);
        let (reason, refusal) = if !self.counting().is_empty() {
            return None;
        } else if !self.accepted.is_empty() {
            ("its newest games contradict each other".to_owned(), None)
        } else if !self.proposed.is_empty() {
            ("its newest blocks were only proposed".to_owned(), None)
        } else {
            let reason = refused.map_or_else(|| "there is no game".to_owned(), ToString::to_string);
            (reason, refused.cloned())
        };
        Some((Why::RollupNotVouched { reason }, refusal))
    }
}

/// Says how L1 stands behind the newest games and those that are `standing`.
///
/// # Errors
/// [`Obstacle`] if something is not proven yet, or the contracts are not those that the profile knows.
pub(super) fn read(
    profile: &Profile,
    (anchor, state): (&Anchor, &ProvenState),
    now: UnixTime,
    standing: &SortedSet<Address>,
) -> Result<Outcome, Obstacle> {
    let l1 = L1State::new(profile, anchor, state, now, L1State::MAX_AGE)?;
    let registry = l1.registry()?;
    let factory = registry.factory()?;
    let count = factory.count()?;
    let mut missing = Query::default();
    let (mut games, mut created): (Vec<Address>, Vec<UnixTime>) = (Vec::new(), Vec::new());
    let is_known = |of: u32| profile.game_codes().iter().any(|code| code.game_type == of);
    for number in (count.saturating_sub(SEARCHED)..count).rev() {
        match factory.listed(number) {
            Ok(id) if games.len() < NEWEST && is_known(id.game_type()) => {
                games.push(id.address());
                created.push(UnixTime::from_secs(id.created_at()));
            }
            Ok(_) => {}
            Err(Obstacle::Missing(query)) => missing.merge(query),
            // What is on the list beside the games of this rollup does not matter.
            Err(_) => {}
        }
    }
    games.extend(registry.anchor_game());
    games.extend(standing.iter().copied());
    let mut seen = SortedSet::new();
    games.retain(|game| seen.insert(*game));
    let claims = ClaimsHealth::of(&created, anchor.timestamp());
    let mut outcome = Outcome { claims, delay: registry.finality_delay(), ..Outcome::default() };
    for game in games {
        match verdict(factory, game) {
            Ok(Verdict::Accepted(accepted)) => outcome.accepted.push(accepted),
            Ok(Verdict::Proposed(proposed)) => outcome.proposed.push(proposed),
            Err(Obstacle::Missing(query)) => missing.merge(query),
            Err(Obstacle::Refused(refusal)) => outcome.refused.push((game, refusal)),
            Err(other) => return Err(other),
        }
    }
    if missing.is_empty() { Ok(outcome) } else { Err(Obstacle::Missing(missing)) }
}

/// The address of the key that the sequencer signs with.
///
/// # Errors
/// [`Obstacle`] if it is not proven yet, or the contract names none.
pub(super) fn sequencer(
    profile: &Profile,
    (anchor, state): (&Anchor, &ProvenState),
    now: UnixTime,
) -> Result<Option<Address>, Obstacle> {
    L1State::new(profile, anchor, state, now, L1State::MAX_AGE)?.sequencer()
}

fn verdict(factory: Factory<'_>, game: Address) -> Result<Verdict, Obstacle> {
    let claim = factory.claim_of(game)?;
    let read = factory.game(&claim)?;
    if read.id().address() != game {
        return Err(Refusal::NoSuchGame.into());
    }
    read.verdict()
}
