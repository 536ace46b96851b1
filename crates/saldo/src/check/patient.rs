//! A check that waits where waiting settles a claim.

use std::sync::Arc;
use std::time::Duration;

use saldo_beacon::unit::UnixTime;
use saldo_reading::{Reading, Why};
use saldo_source::Deadline;

use super::claim::{Claim, Verdict};
use super::judge::{Found, find, not_checked, verdict};
use crate::env::takes_tips;
use crate::inner::ClientInner;
use crate::patience;

/// What a patient check learned.
pub(crate) struct Patient {
    found: Vec<Found>,
    /// When it began.
    since: UnixTime,
}

/// The verdict on each of the `claims`, in their order, as the gate hands out now what was found.
pub(crate) fn settle(
    inner: &ClientInner,
    claims: &[Claim],
    Patient { found, since }: Patient,
) -> Vec<Verdict> {
    let settle = |(claim, found)| settled(inner, since, claim, verdict(inner, claim, found));
    claims.iter().zip(found).map(settle).collect()
}

/// Checks `claims` repeatedly until each is settled, waiting cannot help, or `patience` is over.
pub(crate) async fn find_patiently(
    inner: &Arc<ClientInner>,
    claims: &[Claim],
    patience: Duration,
) -> Patient {
    let clock = inner.env.clock();
    let end = Deadline::after(clock, patience);
    let since = inner.head.now().time();
    let mut all: Vec<Found> = find(inner, claims, Some(end)).await;
    let mut refusals = 0_u32;
    loop {
        let open = all.iter().zip(claims).zip(0_usize..).filter_map(|((found, claim), place)| {
            let left = end.left(clock);
            let pause = pause(inner, claim, found.clone(), since, refusals, left)?;
            (pause < left).then_some((place, *claim, pause))
        });
        let open: Vec<(usize, Claim, Duration)> = open.collect();
        let Some(pause) = open.iter().map(|(_, _, pause)| *pause).min() else { break };
        clock.sleep(pause).await;
        refusals = refusals.saturating_add(1);
        let again: Vec<Claim> = open.iter().map(|(_, claim, _)| *claim).collect();
        let found = find(inner, &again, Some(end)).await;
        for ((place, ..), found) in open.into_iter().zip(found) {
            if let Some(old) = all.get_mut(place) {
                *old = found;
            }
        }
    }
    Patient { found: all, since }
}

/// How long to wait before `claim` is checked again; `None` if it is settled, or if waiting cannot help.
fn pause(
    inner: &ClientInner,
    claim: &Claim,
    found: Found,
    since: UnixTime,
    refusals: u32,
    left: Duration,
) -> Option<Duration> {
    let until_head = inner.head.until_next_head();
    let usual = patience::pause(&found.reading, until_head, refusals);
    match verdict(inner, claim, found) {
        Verdict::Confirmed(_) | Verdict::Changed { .. } => None,
        Verdict::Different { proven, .. } => {
            let is_undecided = claim.block.is_none() && proven.anchor().timestamp() < since;
            (is_undecided && takes_tips(inner.env.policy.assurance)).then_some(until_head)
        }
        Verdict::NotChecked(unknown) => match unknown.why() {
            Why::UnsignedTip => is_signed_within(inner, claim, left).then_some(until_head),
            Why::BlockWithdrawn | Why::TrustRestarted => Some(until_head),
            _ => usual.or_else(|| patience::pause(&Reading::Unknown(unknown), until_head, refusals)),
        },
    }
}

/// Whether the committee can sign the block of `claim` before the call ends.
fn is_signed_within(inner: &ClientInner, claim: &Claim, left: Duration) -> bool {
    /// How many blocks a provider can be ahead of the newest signed head.
    const AHEAD: u64 = 4;
    let newest = inner.head.newest(inner.env.policy.assurance);
    let (Some(number), Some(newest)) = (claim.block, newest) else { return true };
    let slots = left.as_millis().checked_div(inner.head.network().slot_duration().as_millis());
    let slots = u64::try_from(slots.unwrap_or_default()).unwrap_or(u64::MAX);
    number <= newest.number().saturating_add(slots).saturating_add(AHEAD)
}

/// A claim that names no block is different only by a block that is not older than the call: in an older one the amount can be one
/// that changed since.
fn settled(inner: &ClientInner, since: UnixTime, claim: &Claim, verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Different { proven, .. } if claim.block.is_none() && proven.anchor().timestamp() < since => {
            let age = inner.head.now().age_of(proven.anchor().timestamp());
            let why = match age {
                Some(age) if !takes_tips(inner.env.policy.assurance) => Why::OnlyOldBlocks { age },
                _ => Why::UnsignedTip,
            };
            let attempts = proven.attempts().to_vec();
            not_checked(why, attempts, Some(proven))
        }
        verdict => verdict,
    }
}
