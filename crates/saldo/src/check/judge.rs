//! Reads what claims are about, and judges them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::{Either, join_all, select};
use saldo_reading::gate;
use saldo_reading::{Attempt, Generation, Holding, Proven, Reading, Why};
use saldo_source::{Deadline, IntoBoxed};

use super::claim::{Claim, Verdict};
use crate::inner::ClientInner;
use crate::read::Kind;
use crate::state::{self, AmountAt, NotProven};

/// How many blocks that claims name are looked up at a time.
const BLOCKS_AT_A_TIME: usize = 8;

/// What a call learned about one claim.
#[derive(Clone)]
pub(crate) struct Found {
    pub(super) reading: Reading,
    /// The amount at the block that the claim names, if that block was asked for.
    there: Option<AmountAt>,
    /// The trust start after the reading was handed out.
    generation: Generation,
}

/// The verdict on each of the `claims`, in their order, as the gate hands out now what was found.
pub(crate) fn judge(inner: &ClientInner, claims: &[Claim], found: Vec<Found>) -> Vec<Verdict> {
    claims.iter().zip(found).map(|(claim, found)| verdict(inner, claim, found)).collect()
}

/// Reads what `claims` are about, and then the blocks that differing ones name. Each step ends at the policy's deadline, and at `end`.
pub(crate) async fn find(inner: &Arc<ClientInner>, claims: &[Claim], end: Option<Deadline>) -> Vec<Found> {
    let deadline = || {
        let own = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
        end.map_or(own, |end| own.min(end))
    };
    let holdings: Vec<Holding> = claims.iter().map(|claim| claim.holding).collect();
    let readings = inner.read(&holdings, Kind::Newest, deadline()).await;
    let generation = inner.head.generation();
    let mut blocks: BTreeMap<u64, BTreeSet<Holding>> = BTreeMap::new();
    for (claim, reading) in claims.iter().zip(&readings) {
        if let Some(number) = reading.proven().and_then(|proven| block_to_ask_for(claim, proven)) {
            blocks.entry(number).or_default().insert(claim.holding);
        }
    }
    let there = amounts_at(inner, blocks, deadline()).await;
    let found = |(claim, reading): (&Claim, Reading)| {
        let there = claim.block.and_then(|number| match reading.proven() {
            Some(proven) if proven.anchor().number() == number => {
                Some(Ok((proven.anchor().clone(), proven.amount().base_units())))
            }
            _ => there.get(&(number, claim.holding)).cloned(),
        });
        Found { reading, there, generation }
    };
    claims.iter().zip(readings).map(found).collect()
}

/// The block that tells whether `claim` was right there: an earlier one than that of `proven`, which has another amount.
fn block_to_ask_for(claim: &Claim, proven: &Proven) -> Option<u64> {
    let number = claim.block.filter(|number| *number < proven.anchor().number());
    number.filter(|_| proven.amount().base_units() != claim.amount)
}

async fn amounts_at(
    inner: &Arc<ClientInner>,
    blocks: BTreeMap<u64, BTreeSet<Holding>>,
    deadline: Deadline,
) -> HashMap<(u64, Holding), AmountAt> {
    let mut amounts = HashMap::new();
    let blocks: Vec<(u64, Vec<Holding>)> =
        blocks.into_iter().map(|(number, holdings)| (number, holdings.into_iter().collect())).collect();
    for some in blocks.chunks(BLOCKS_AT_A_TIME) {
        let asking = join_all(some.iter().map(|(number, holdings)| async move {
            let asking = state::amounts(inner, *number, holdings, deadline).into_boxed();
            let end = inner.env.clock().sleep(inner.env.time_left(deadline));
            let late = || Err(NotProven::new(Why::Deadline, Vec::new()));
            match select(asking, end).await {
                Either::Left((amounts, _)) => amounts,
                Either::Right(_) => holdings.iter().map(|_| late()).collect(),
            }
        }));
        for ((number, holdings), of_block) in some.iter().zip(asking.await) {
            amounts.extend(holdings.iter().map(|holding| (*number, *holding)).zip(of_block));
        }
    }
    amounts
}

/// Judges `claim` by what was found, as far as the gate lets it out now.
pub(super) fn verdict(inner: &ClientInner, claim: &Claim, found: Found) -> Verdict {
    let Found { reading, there, generation } = found;
    let attempts = Arc::<[Attempt]>::from(reading.attempts());
    let last = || inner.last(&claim.holding);
    let proven = match reading {
        Reading::Proven(proven) => match inner.hand_out_later(proven, generation) {
            Ok(proven) => proven,
            Err(why) => return not_checked(why, attempts, last()),
        },
        // A claim of a provider confirms no claim of another.
        Reading::Provisional(claimed) => return not_checked(claimed.why().clone(), attempts, last()),
        Reading::Unknown(unknown) => return Verdict::NotChecked(unknown),
    };
    let claimed = claim.amount;
    if proven.amount().base_units() == claimed {
        return Verdict::Confirmed(proven);
    }
    match (claim.block, there) {
        (None, _) => Verdict::Different { proven, claimed },
        (Some(number), _) if number == proven.anchor().number() => Verdict::Different { proven, claimed },
        (Some(number), _) if number > proven.anchor().number() => {
            not_checked(newer_than(inner, number, &proven), attempts, Some(proven))
        }
        (Some(_), Some(Ok((at, amount)))) => match inner.held_now(&at, generation) {
            Ok(at) if amount == claimed => Verdict::Changed { proven, claimed, at: Box::new(at) },
            Ok(_) => Verdict::Different { proven, claimed },
            Err(why) => not_checked(why, attempts, Some(proven)),
        },
        // It may have been right there.
        (Some(_), Some(Err(failed))) => not_checked(failed.why().clone(), failed.attempts(), Some(proven)),
        // Its block was signed after the reading: another call recorded a newer amount meanwhile.
        (Some(_), None) => not_checked(Why::UnsignedTip, attempts, Some(proven)),
    }
}

/// Why the block of that `number` says nothing yet: it is newer than the one that the amount is proven at.
fn newer_than(inner: &ClientInner, number: u64, proven: &Proven) -> Why {
    let signed = inner.head.newest_of_all();
    let age = inner.head.now().age_of(proven.anchor().timestamp());
    match (signed, age) {
        (Some(signed), Some(age)) if signed.number() >= number => Why::OnlyOldBlocks { age },
        _ => Why::UnsignedTip,
    }
}

pub(super) fn not_checked(why: Why, attempts: impl Into<Arc<[Attempt]>>, last: Option<Proven>) -> Verdict {
    Verdict::NotChecked(gate::not_known(why, attempts, last))
}
