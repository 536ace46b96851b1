//! The gate: the one place through which readings are handed out.
//!
//! An amount that was true at the join can be false when it is handed out: trust was restarted, the chain withdrew the
//! block, a concurrent call proved a newer block, or the reading came from storage. So a call keeps a [`Candidate`], which
//! shows no amount. Only the gate turns it into a [`Proven`], by the state of that moment ([`Present`]).
//!
//! | check | refused as |
//! | --- | --- |
//! | the candidate and the call belong to the present trust start | [`Refusal::TrustRestarted`] |
//! | the chain did not contradict itself | [`Refusal::ConsensusFault`] |
//! | the providers do not say that the chain id of the network's table is wrong | [`Refusal::WrongChainId`] |
//! | it was proven by a provider, not restored from storage; of a rollup: L1 vouches for its block in this run | [`Refusal::Restored`] |
//! | the chain has its block; a block that the chain does not know is refused | [`Refusal::NotHeld`] |
//! | the block has the assurance that the call asks for | [`Refusal::TooWeak`] |
//! | of a rollup: L1 vouched for the block a short time ago | [`Refusal::L1Silent`] |
//! | its age is known and within the policy | [`Refusal::AgeUnknown`], [`Refusal::TooOld`] |
//! | no newer reading of the holding is recorded; if there is one, the gate hands out that one | [`Refusal::OlderThanRecord`] |

use std::sync::Arc;
use std::time::Duration;

use saldo_chain::{Anchor, Assurance, Chain, Level};

use crate::amount::Amount;
use crate::candidate::{Candidate, Generation};
use crate::claim::Claim;
use crate::failure::Attempt;
use crate::freshness::Now;
use crate::policy::Policy;
use crate::provider::ProviderId;
use crate::reading::{Proven, Provisional, Reading, Unknown};
use crate::record::{Mark, Record};
use crate::why::Why;

/// The conditions of a call for the readings that it hands out.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// The trust start when the call began.
    pub generation: Generation,
    /// The least assurance of the block.
    pub level: Level,
    /// How old the block may be ([`Policy::max_age`]).
    pub policy: Policy,
}

/// The state at the moment of handing out. All of it is read under one lock.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// The present trust start.
    pub generation: Generation,
    /// Whether the chain contradicted itself.
    pub is_faulted: bool,
    /// The chain id of the network's table, if the providers say that they serve another chain.
    pub wrong_chain_id: Option<u64>,
    /// The trusted blocks.
    pub chain: &'a Chain,
    /// The record of the holding; `None` if there is none.
    pub record: Option<&'a Record>,
    /// The time.
    pub now: Now,
}

/// The result of a call for one holding.
#[derive(Clone, Debug)]
pub enum Found {
    /// A proof that joined a trusted header.
    Candidate(Box<Candidate>),
    /// A complete proof under a state root that is not signed.
    Claim {
        /// What it says under that root.
        claim: Claim,
        /// The provider that served it.
        provider: ProviderId,
        /// Why it is not proven.
        why: Why,
    },
    /// A proof that the holding has no amount at a trusted block, or none that can be proven.
    NoBalance {
        /// Why there is none.
        why: Why,
        /// The number of that block.
        number: u64,
    },
    /// No answer that can be accepted.
    Nothing(Why),
}

/// How old the L1 block may be that last vouched for a block of a rollup. A final block is 20 minutes old, and the next one follows in 7.
pub const L1_MAX_SILENCE: Duration = Duration::from_secs(90 * 60);

/// Why the gate does not let a candidate out as [`Proven`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Trust was restarted since the call began, or since the candidate was joined.
    TrustRestarted,
    /// The chain contradicted itself.
    ConsensusFault,
    /// The chain id of the network's table is wrong, so the amount would be shown under the name of another chain.
    WrongChainId {
        /// The chain id of the table.
        expected: u64,
    },
    /// It comes from storage.
    Restored,
    /// The chain does not have its block: the block was withdrawn, or is unknown.
    NotHeld,
    /// Its block has less assurance than the call asks for.
    TooWeak,
    /// The device's clock is off, so its age is not known.
    AgeUnknown,
    /// Its block is older than the policy allows.
    TooOld {
        /// The block's age.
        age: Duration,
    },
    /// L1 vouched for the block of a rollup, and has not been read since for longer than [`L1_MAX_SILENCE`]: it may have taken it back.
    L1Silent {
        /// The age of the L1 block.
        age: Duration,
    },
    /// A newer reading of the holding is recorded, and the gate refuses that one too.
    OlderThanRecord {
        /// The age of the older block.
        age: Duration,
    },
}

impl Refusal {
    /// Returns the reason for the caller.
    fn why(self) -> Why {
        match self {
            Self::TrustRestarted => Why::TrustRestarted,
            Self::ConsensusFault => Why::ConsensusFault,
            Self::WrongChainId { expected } => Why::WrongChain { expected },
            Self::NotHeld => Why::BlockWithdrawn,
            Self::AgeUnknown => Why::ClockOff,
            Self::TooOld { age } | Self::OlderThanRecord { age } => Why::OnlyOldBlocks { age },
            Self::L1Silent { age } => Why::RollupNotVouched {
                reason: format!("its last word is {} minutes old", age.as_secs() / 60),
            },
            // A call joins only at the level that it asks for, and never joins a restored reading.
            Self::Restored | Self::TooWeak => Why::InternalFault,
        }
    }
}

/// Hands out the result of a call for one holding.
///
/// `before` is the mark of the holding's record when the call began. If this call found nothing and another call proved a
/// newer reading since then, the newer reading is handed out.
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
    // What was proven before a block where there is no amount is no newer answer, whatever its level has become since.
    let before = match &found {
        Found::NoBalance { number, .. } => before.max(Mark::at_block(*number)),
        // A block that L1 vouches for is always behind the rollup's head. What was proven before stays the answer while it is young
        // enough, unless a provider claims another amount by now.
        Found::Nothing(_) if demand.level.is_of_rollup() => floor(present),
        Found::Claim { claim, .. }
            if demand.level.is_of_rollup() && !contradicts(claim, present.record, demand.level) =>
        {
            floor(present)
        }
        _ => before,
    };
    let (found, claim) = match found {
        Found::Candidate(candidate) => match admit(&candidate, demand, present) {
            Ok(proven) => return Reading::Proven(proven.with_attempts(attempts)),
            Err(refusal) => (refusal.why(), None),
        },
        Found::Claim { claim, provider, why } => (why, Some((claim, provider))),
        Found::NoBalance { why, .. } | Found::Nothing(why) => (why, None),
    };
    if let Some(proven) = proven_since(before, demand, present) {
        return Reading::Proven(proven.with_attempts(attempts));
    }
    let last = last(present);
    match claim {
        Some((claim, provider)) => {
            Reading::Provisional(Provisional::new(&claim, provider, found, attempts, last))
        }
        None => Reading::Unknown(Unknown::new(found, attempts, last)),
    }
}

/// Lets out `candidate`, or the recorded reading of its holding if that is newer.
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

/// Returns the newest proven reading of the holding, to be shown with its age.
///
/// Its age, its assurance and whether it was restored do not matter: an offline screen keeps its amounts. It belongs to the
/// present trust start, and is not known to be withdrawn.
pub fn last(present: &Present<'_>) -> Option<Proven> {
    let record = present.record.filter(|_| present.wrong_chain_id.is_none())?;
    let stands =
        |held: &&Candidate| held.generation == present.generation && !held.is_withdrawn_by(present.chain);
    let newest = record.last().filter(stands).or_else(|| record.finalized().filter(stands))?;
    Some(proven(newest, present))
}

/// Returns the recorded reading of the holding, if it may be handed out as proven.
pub fn recorded(demand: &Demand, present: &Present<'_>) -> Option<Proven> {
    proven_since(Mark::default(), demand, present).filter(|_| closed(demand, present).is_none())
}

/// Returns a reading that the chain withdrew, so that a screen removes it. `None` if it belongs to another trust start.
pub fn withdrawn(candidate: &Candidate, generation: Generation) -> Option<Proven> {
    (candidate.generation == generation).then(|| Proven::of(candidate, candidate.anchor.clone()))
}

/// Returns an unknown reading with the reason `why`.
pub fn unknown(why: Why) -> Reading {
    Reading::Unknown(Unknown::new(why, [], None))
}

/// Returns why a call proved nothing, with what was proven of the holding before.
pub fn not_known(why: Why, attempts: impl Into<Arc<[Attempt]>>, last: Option<Proven>) -> Unknown {
    Unknown::new(why, attempts, last)
}

/// Whether `claim` has another amount than the newest reading at `level`. A claim without an amount says nothing.
pub fn contradicts(claim: &Claim, record: Option<&Record>, level: Level) -> bool {
    let newest = record.and_then(|record| record.newest_at(level));
    let claimed = claim.amount_if_any().map(Amount::new);
    newest.is_none_or(|newest| claimed.is_some_and(|claimed| claimed != newest.amount))
}

/// The mark of the newest block at which it was proven that the holding has no amount.
fn floor(present: &Present<'_>) -> Mark {
    let number = present.record.and_then(Record::without_amount_at);
    number.map(Mark::at_block).unwrap_or_default()
}

/// Returns the reading of the holding that was recorded after `before`, if it may be handed out.
fn proven_since(before: Mark, demand: &Demand, present: &Present<'_>) -> Option<Proven> {
    let newest = present.record?.newest_at(demand.level)?;
    if Mark::of(newest) <= before {
        return None;
    }
    check(newest, demand, present).ok()
}

/// Returns why no reading may be handed out as proven to this call; `None` if there is no such reason.
fn closed(demand: &Demand, present: &Present<'_>) -> Option<Refusal> {
    if demand.generation != present.generation {
        return Some(Refusal::TrustRestarted);
    }
    if let Some(expected) = present.wrong_chain_id {
        return Some(Refusal::WrongChainId { expected });
    }
    present.is_faulted.then_some(Refusal::ConsensusFault)
}

/// Checks that L1 was heard within [`L1_MAX_SILENCE`], if the block `held` is of a rollup.
///
/// # Errors
/// [`Why`] nothing of the block may be handed out.
pub fn is_vouched_for(held: &Anchor, now: &Now) -> Result<(), Why> {
    check_l1(held, now).map_err(Refusal::why)
}

fn check_l1(held: &Anchor, now: &Now) -> Result<(), Refusal> {
    let Assurance::Rollup(vouched) = held.assurance() else { return Ok(()) };
    let age = now.age_of(vouched.l1().2).ok_or(Refusal::AgeUnknown)?;
    if age > L1_MAX_SILENCE { Err(Refusal::L1Silent { age }) } else { Ok(()) }
}

/// Makes every check of one candidate except the comparison with the record.
fn check(candidate: &Candidate, demand: &Demand, present: &Present<'_>) -> Result<Proven, Refusal> {
    if candidate.generation != present.generation {
        return Err(Refusal::TrustRestarted);
    }
    if candidate.restored {
        return Err(Refusal::Restored);
    }
    let held = present.chain.anchor_again(&candidate.anchor);
    // The same state, which the proof was checked under. The times may differ: the committee of a development node signs one block
    // in many slots, each time with the time of the slot. The newest time counts.
    let state = |anchor: &Anchor| (anchor.chain_id(), anchor.state_root());
    let held =
        held.filter(|held| state(held) == state(&candidate.anchor) && !present.chain.is_taken_back(held));
    let held = held.ok_or(Refusal::NotHeld)?;
    if !held.assurance().level().meets(demand.level) {
        return Err(Refusal::TooWeak);
    }
    let age = present.now.age_of(held.timestamp()).ok_or(Refusal::AgeUnknown)?;
    check_l1(held, &present.now)?;
    if !present.now.allows(age, &demand.policy) {
        return Err(Refusal::TooOld { age });
    }
    Ok(Proven::of(candidate, held.clone()))
}

/// Shows the candidate with the present assurance of its block.
fn proven(candidate: &Candidate, present: &Present<'_>) -> Proven {
    let again = present.chain.anchor_again(&candidate.anchor).and_then(|anchor| candidate.under(anchor));
    let candidate = again.as_ref().unwrap_or(candidate);
    Proven::of(candidate, candidate.anchor.clone())
}
