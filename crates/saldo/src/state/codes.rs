//! Which codes the contracts of a rollup run, under the newest final block of its L1.

use std::sync::Arc;

use saldo_chain::Anchor;
use saldo_chain::rollup::{L1State, Observed, Obstacle, Profile, Refusal, observe};
use saldo_reading::{ProviderId, Why};
use saldo_source::{Deadline, SortedSet};
use saldo_token::Query;

use super::block::BlockId;
use super::counted::counted;
use super::found::FoundBlock;
use super::prove::prove;
use super::proven::NotProven;
use crate::inner::ClientInner;

/// The most rounds of proofs. 10 are needed.
const MOST_ROUNDS: usize = 16;

/// The codes that the contracts of a rollup run, each proven under one final block of its L1.
#[derive(Clone, Debug)]
pub struct RollupCodes {
    anchor: Anchor,
    observed: Observed,
    providers: SortedSet<ProviderId>,
}

impl RollupCodes {
    /// Returns the block of L1, and how its header is known.
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns what was read.
    pub const fn observed(&self) -> &Observed {
        &self.observed
    }

    /// Returns the providers that served the proofs.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderId> {
        self.providers.iter()
    }
}

/// Reads the codes of the rollup `profile`, whose L1 is that of `inner`.
pub(crate) async fn codes(inner: &Arc<ClientInner>, profile: &Profile) -> Result<RollupCodes, NotProven> {
    counted(inner, "state", read(inner, profile)).await
}

async fn read(inner: &Arc<ClientInner>, profile: &Profile) -> Result<RollupCodes, NotProven> {
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(BlockId::Finalized, inner.env.half(deadline)).await?;
    let mut query = Query::default();
    for _ in 0..MOST_ROUNDS {
        let facts = prove(inner, &found, &query, deadline).await?;
        let state = facts.state(found.anchor.state_root());
        let l1 = L1State::new(profile, &found.anchor, &state, inner.head.now().time(), L1State::MAX_AGE);
        match l1.map_err(Obstacle::from).and_then(|l1| observe(&l1)) {
            Ok(observed) => {
                let providers: SortedSet<ProviderId> = facts.providers().cloned().collect();
                let anchor = inner.let_out(&found, &providers, deadline).await?;
                return Ok(RollupCodes { anchor, observed, providers });
            }
            Err(Obstacle::Missing(more)) => query.merge(more),
            Err(Obstacle::Refused(refusal)) => return Err(refused(inner, &found, &refusal)),
            Err(_) => break,
        }
    }
    Err(NotProven::new(Why::InternalFault, found.attempts))
}

/// Why the block cannot be read under. What the contracts are is no reason: that is told.
fn refused(inner: &ClientInner, found: &FoundBlock, refusal: &Refusal) -> NotProven {
    let why = match refusal {
        Refusal::OtherL1 { got, .. } => {
            Why::NetworkNotConfigured { expected: saldo_reading::NetworkId::new(*got) }
        }
        Refusal::L1NotFinal | Refusal::L1TooOld { .. } => {
            Why::LightClientBehind { newest: inner.head.look(|view| view.newest_signed_time) }
        }
        _ => Why::InternalFault,
    };
    NotProven::new(why, found.attempts.clone())
}
