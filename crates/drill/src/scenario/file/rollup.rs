//! The rollup of a scenario file, and what happens to it.

use std::time::Duration;

use serde::Deserialize;

use crate::RollupKind;
use crate::scenario::amount::Ether;
use crate::scenario::duration::Length;
use crate::scenario::{Contract, OnRollup, RollupPlan, ScenarioError};

/// How much time a claim is about, and how long after it is made, if the file does not say it.
const USUAL: Duration = Duration::from_secs(20 * 60);
/// The longest of either.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    games: Option<Games>,
    claims_every: Option<Length>,
    claims_after: Option<Length>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Games {
    Multiproof,
    Fault,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawRollup {
    Stops,
    GoesOn,
    ClaimsStop,
    ClaimsGoOn,
    FalseClaims { balance: Ether },
    FalseClaimsRefuted,
    NewestClaimBlacklisted,
    ClaimsRetired,
    Paused(bool),
}

/// The rollup as it is understood.
pub(super) fn plan(entry: &Entry, contracts: &[Contract]) -> Result<RollupPlan, ScenarioError> {
    let wrong = |problem: &str| Err(ScenarioError::Rollup(problem.to_owned()));
    if !contracts.is_empty() {
        return wrong("there is a `[rollup]`, whose coin is read, and a [[contract]]");
    }
    let [claims_every, claims_after] =
        [entry.claims_every, entry.claims_after].map(|given| given.map_or(USUAL, |length| length.0));
    let is_whole = claims_every.subsec_nanos() == 0 && claims_every.as_secs().checked_rem(60) == Some(0);
    if !is_whole || claims_every.is_zero() {
        return wrong("`claims_every` must be whole minutes, and at least one");
    }
    if claims_every > LONGEST || claims_after > LONGEST {
        return wrong("`claims_every` and `claims_after` must be at most 6 hours");
    }
    let plan = RollupPlan { kind: RollupKind::Fault, claims_every, claims_after };
    let kind = match entry.games.unwrap_or(Games::Multiproof) {
        Games::Multiproof => RollupKind::Multiproof { interval: plan.interval(), step: RollupPlan::STEP },
        Games::Fault => RollupKind::Fault,
    };
    Ok(RollupPlan { kind, ..plan })
}

/// What happens to the rollup.
pub(super) fn event(raw: &RawRollup, rollup: Option<&RollupPlan>) -> Result<OnRollup, String> {
    if rollup.is_none() {
        return Err("there is no `[rollup]` to which it could happen".to_owned());
    }
    Ok(match raw {
        RawRollup::Stops => OnRollup::Stops,
        RawRollup::GoesOn => OnRollup::GoesOn,
        RawRollup::ClaimsStop => OnRollup::ClaimsStop,
        RawRollup::ClaimsGoOn => OnRollup::ClaimsGoOn,
        RawRollup::FalseClaims { balance } => OnRollup::FalseClaims(balance.0),
        RawRollup::FalseClaimsRefuted => OnRollup::FalseClaimsRefuted,
        RawRollup::NewestClaimBlacklisted => OnRollup::NewestClaimBlacklisted,
        RawRollup::ClaimsRetired => OnRollup::ClaimsRetired,
        RawRollup::Paused(is_paused) => OnRollup::Paused(*is_paused),
    })
}
