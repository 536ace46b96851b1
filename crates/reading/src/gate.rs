//! The gate: the one place through which readings are handed out.
//!
//! What was right when it was joined can be wrong when it is handed out: trust was restarted, the chain took the block
//! back, a call beside this one proved a newer block, the reading came from storage. So a call keeps a [`Candidate`], which
//! shows no amount, and the gate alone turns it into a [`Proven`], by what is known at that moment ([`Present`]).
//!
//! | check | refused as |
//! | --- | --- |
//! | the candidate and the call are of the present trust start | [`Refusal::TrustRestarted`] |
//! | the chain did not contradict itself | [`Refusal::ConsensusFault`] |
//! | it was proven by a provider, not restored from storage | [`Refusal::Restored`] |
//! | the chain holds its block; a block that the chain does not know does not stand | [`Refusal::NotHeld`] |
//! | the block is as sure as the call asks for | [`Refusal::TooWeak`] |
//! | its age is known and within the policy | [`Refusal::AgeUnknown`], [`Refusal::TooOld`] |
//! | no newer reading of the holding is recorded; if there is one, that one is handed out | [`Refusal::OlderThanRecord`] |

use std::sync::Arc;
use std::time::Duration;

use saldo_chain::{Chain, Level};
use saldo_proof::{Account, Verified};

use crate::candidate::{Candidate, Generation};
use crate::failure::Attempt;
use crate::freshness::Now;
use crate::policy::Policy;
use crate::provider::ProviderId;
use crate::reading::{Proven, Provisional, Reading, Unknown};
use crate::record::{Mark, Record};
use crate::why::Why;

/// What a call asks of the readings that it hands out.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// The trust start of the moment when the call began.
    pub generation: Generation,
    /// The least assurance of the block.
    pub level: Level,
    /// How old the block may be ([`Policy::max_age`]).
    pub policy: Policy,
}

/// What is known at the moment of handing out. All of it is read under one lock.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// The present trust start.
    pub generation: Generation,
    /// Whether the chain contradicted itself.
    pub is_faulted: bool,
    /// The trusted stretch of the chain.
    pub chain: &'a Chain,
    /// What is recorded of the holding; `None` if nothing is.
    pub record: Option<&'a Record>,
    /// The time.
    pub now: Now,
}

/// What a call found for one holding.
#[derive(Clone, Debug)]
pub enum Found {
    /// A proof that joined a trusted header.
    Candidate(Box<Candidate>),
    /// A complete proof under a state root that is not signed.
    Claim {
        /// What it proves, under that root.
        account: Box<Verified<Account>>,
        /// Who served it.
        provider: ProviderId,
        /// Why it is not proven.
        why: Why,
    },
    /// Nothing usable.
    Nothing(Why),
}

/// Why the gate does not let a candidate out as [`Proven`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Trust was restarted since the call began, or since the candidate was joined.
    TrustRestarted,
    /// The chain contradicted itself.
    ConsensusFault,
    /// It comes from storage.
    Restored,
    /// The chain does not hold its block: it took it back, or never had it.
    NotHeld,
    /// Its block is less sure than the call asks for.
    TooWeak,
    /// The device's clock is off, so its age is not known.
    AgeUnknown,
    /// Its block is older than the policy allows.
    TooOld {
        /// The block's age.
        age: Duration,
    },
    /// A newer reading of the holding is recorded, and that one may not be handed out either.
    OlderThanRecord {
        /// The age of this one's block.
        age: Duration,
    },
}

impl Refusal {
    /// The reason to give to the caller.
    fn why(self) -> Why {
        match self {
            Self::TrustRestarted => Why::TrustRestarted,
            Self::ConsensusFault => Why::ConsensusFault,
            Self::NotHeld => Why::BlockWithdrawn,
            Self::AgeUnknown => Why::ClockOff,
            Self::TooOld { age } | Self::OlderThanRecord { age } => Why::OnlyOldBlocks { age },
            // A call joins at the level it asks for, and never what was restored.
            Self::Restored | Self::TooWeak => Why::InternalFault,
        }
    }
}

/// Hands out what a call found for one holding.
///
/// `before` is what was recorded of the holding when the call began. Where the call found nothing, and another call proved
/// something newer meanwhile, that is handed out.
pub fn hand_out(
    found: Found,
    before: Mark,
    attempts: impl Into<Arc<[Attempt]>>,
    demand: &Demand,
    present: &Present<'_>,
) -> Reading {
    let attempts = attempts.into();
    if let Some(refusal) = closed(demand, present) {
        return Reading::Unknown(Unknown::new(refusal.why(), attempts, last(present)));
    }
    let (found, claim) = match found {
        Found::Candidate(candidate) => match admit(&candidate, demand, present) {
            Ok(proven) => return Reading::Proven(proven.with_attempts(attempts)),
            Err(refusal) => (refusal.why(), None),
        },
        Found::Claim { account, provider, why } => (why, Some((account, provider))),
        Found::Nothing(why) => (why, None),
    };
    if let Some(proven) = proven_since(before, demand, present) {
        return Reading::Proven(proven.with_attempts(attempts));
    }
    let last = last(present);
    match claim {
        Some((account, provider)) => {
            Reading::Provisional(Provisional::new(&account, provider, found, attempts, last))
        }
        None => Reading::Unknown(Unknown::new(found, attempts, last)),
    }
}

/// Lets `candidate` out, or what is recorded of its holding if that is newer.
///
/// # Errors
/// [`Refusal`]: the first check that does not hold.
pub fn admit(candidate: &Candidate, demand: &Demand, present: &Present<'_>) -> Result<Proven, Refusal> {
    if let Some(refusal) = closed(demand, present) {
        return Err(refusal);
    }
    let own = check(candidate, demand, present)?;
    let recorded = present.record.and_then(|record| record.newest_at(demand.level));
    let newer = recorded
        .filter(|held| held.generation == present.generation)
        .filter(|held| held.anchor.number() > candidate.anchor.number())
        .filter(|held| !held.is_withdrawn_by(present.chain));
    let Some(newer) = newer else { return Ok(own) };
    check(newer, demand, present).map_err(|_| {
        let age = present.now.age_of(candidate.anchor.timestamp());
        age.map_or(Refusal::AgeUnknown, |age| Refusal::OlderThanRecord { age })
    })
}

/// The reading of the holding that was proven last, to be shown with its age.
///
/// Age, assurance and being restored are labels here, and no reasons to drop it: an offline screen keeps its amounts. It is
/// of the present trust start, and not known to be withdrawn.
pub fn last(present: &Present<'_>) -> Option<Proven> {
    let record = present.record?;
    let stands =
        |held: &&Candidate| held.generation == present.generation && !held.is_withdrawn_by(present.chain);
    let newest = record.last().filter(stands).or_else(|| record.finalized().filter(stands))?;
    Some(proven(newest, present))
}

/// What is recorded of the holding, if it may be handed out as proven.
pub fn recorded(demand: &Demand, present: &Present<'_>) -> Option<Proven> {
    proven_since(Mark::default(), demand, present).filter(|_| closed(demand, present).is_none())
}

/// A reading that the chain took back, to tell a screen what no longer holds. `None` if it is of another trust start.
pub fn withdrawn(candidate: &Candidate, generation: Generation) -> Option<Proven> {
    (candidate.generation == generation).then(|| Proven::of(candidate, candidate.anchor.clone()))
}

/// A reading that says nothing but `why`.
pub fn unknown(why: Why) -> Reading {
    Reading::Unknown(Unknown::new(why, [], None))
}

/// The reading of the holding that was proven since `before` was recorded, if it may be handed out.
fn proven_since(before: Mark, demand: &Demand, present: &Present<'_>) -> Option<Proven> {
    let newest = present.record?.newest_at(demand.level)?;
    if Mark::of(newest) <= before {
        return None;
    }
    check(newest, demand, present).ok()
}

/// Why nothing at all is handed out as proven to this call.
fn closed(demand: &Demand, present: &Present<'_>) -> Option<Refusal> {
    if demand.generation != present.generation {
        return Some(Refusal::TrustRestarted);
    }
    present.is_faulted.then_some(Refusal::ConsensusFault)
}

/// Every check of one candidate but the comparison with the record.
fn check(candidate: &Candidate, demand: &Demand, present: &Present<'_>) -> Result<Proven, Refusal> {
    if candidate.generation != present.generation {
        return Err(Refusal::TrustRestarted);
    }
    if candidate.restored {
        return Err(Refusal::Restored);
    }
    let held = present.chain.anchor_again(&candidate.anchor);
    let held =
        held.filter(|_| present.chain.agrees(&candidate.anchor) == Some(true)).ok_or(Refusal::NotHeld)?;
    if held.assurance().level() < demand.level {
        return Err(Refusal::TooWeak);
    }
    let age = present.now.age_of(held.timestamp()).ok_or(Refusal::AgeUnknown)?;
    if !present.now.allows(age, &demand.policy) {
        return Err(Refusal::TooOld { age });
    }
    Ok(Proven::of(candidate, held.clone()))
}

/// The candidate with the assurance that its block has by now.
fn proven(candidate: &Candidate, present: &Present<'_>) -> Proven {
    let again = present.chain.anchor_again(&candidate.anchor).and_then(|anchor| candidate.under(anchor));
    let candidate = again.as_ref().unwrap_or(candidate);
    Proven::of(candidate, candidate.anchor.clone())
}
