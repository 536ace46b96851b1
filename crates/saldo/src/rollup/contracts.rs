//! Reads what the rollup's contracts say under one L1 block. It is pure: what is not proven yet is asked for by the caller.

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use saldo_chain::Anchor;
use saldo_chain::rollup::{Accepted, Factory, L1State, Obstacle, Profile, Proposed, Refusal, Verdict};
use saldo_proof::{ProvenState, Query};
use saldo_source::SortedSet;

/// How many of the factory's newest games are looked at. Anybody may add a false one on some rollups.
const NEWEST: u64 = 6;

/// What L1 says about the games that were looked at.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Those that L1 vouches for, newest first.
    pub(super) accepted: Vec<Accepted>,
    /// Those that it does not vouch for (any more).
    pub(super) refused: Vec<(Address, Refusal)>,
    /// Those that were only proposed.
    pub(super) proposed: Vec<Proposed>,
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
    let mut games: Vec<Address> = Vec::new();
    for number in (count.saturating_sub(NEWEST)..count).rev() {
        match factory.listed(number) {
            Ok(id) => games.push(id.address()),
            Err(Obstacle::Missing(query)) => missing.merge(query),
            // What is on the list beside the games of this rollup does not matter.
            Err(_) => {}
        }
    }
    games.extend(registry.anchor_game());
    games.extend(standing.iter().copied());
    let mut seen = SortedSet::new();
    games.retain(|game| seen.insert(*game));
    let mut outcome = Outcome::default();
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

fn verdict(factory: Factory<'_>, game: Address) -> Result<Verdict, Obstacle> {
    let claim = factory.claim_of(game)?;
    let read = factory.game(&claim)?;
    if read.id().address() != game {
        return Err(Refusal::NoSuchGame.into());
    }
    read.verdict()
}
