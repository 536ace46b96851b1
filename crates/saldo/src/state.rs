//! The state of one block: accounts, slots and codes, each proven under the block's state root.
//!
//! A [`Reading`](saldo_reading::Reading) answers what an address holds now. This module answers what an account was at a block that
//! the caller names, as JSON-RPC does.

mod amount;
mod block;
mod body;
mod cache;
#[cfg(feature = "execute")]
mod call;
mod facts;
mod header;
mod once;
mod proven;
mod waves;

use std::sync::Arc;

use alloy_primitives::Address;
use saldo_chain::{Anchor, Level};
use saldo_reading::{Attempt, Generation, ProviderId, Why};
use saldo_source::{Deadline, SortedSet};
use saldo_token::Query;

use crate::head::Synced;
use crate::inner::ClientInner;
use crate::proofs::AccountNeed;
use crate::why;
use facts::Facts;
use waves::{Failed, Outcome};

pub(crate) use amount::amount;
pub use block::BlockId;
pub use body::ProvenBlock;
pub(crate) use body::{Bodies, full};
pub(crate) use cache::StateCache;
#[cfg(feature = "execute")]
pub use call::{CallError, CallReading, GasReading};
#[cfg(feature = "execute")]
pub(crate) use call::{call, gas};
pub use header::ProvenHeader;
pub(crate) use header::{Headers, header};
pub use proven::{BlockState, NotProven, ProvenAccount, ProvenSlot};
pub(crate) use waves::Waves;

/// A block that a call found, and what the call did to find it.
#[derive(Clone, Debug)]
pub(crate) struct FoundBlock {
    pub(crate) anchor: Anchor,
    pub(crate) generation: Generation,
    pub(crate) level: Level,
    pub(crate) attempts: Vec<Attempt>,
    /// Why the newest head is not known, if it is not.
    pub(crate) problem: Option<Why>,
}

/// Finds the block that `id` names, and proves that it still counts.
pub(crate) async fn block(inner: &ClientInner, id: BlockId) -> Result<Anchor, NotProven> {
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(id, deadline).await?;
    inner.let_out(&found, &Facts::default(), deadline).await
}

/// Proves what `query` asks for at the block that `id` names.
pub(crate) async fn at(
    inner: &Arc<ClientInner>,
    id: BlockId,
    query: &Query,
) -> Result<BlockState, NotProven> {
    let deadline = Deadline::after(inner.env.clock(), inner.env.policy.deadline);
    let found = inner.find_block(id, inner.env.half(deadline)).await?;
    let facts = prove(inner, &found, query, deadline).await?;
    let anchor = inner.let_out(&found, &facts, deadline).await?;
    Ok(BlockState::new(anchor, facts))
}

/// Proves what `query` asks for at the block `found`, as far as it is not proven already.
pub(crate) async fn prove(
    inner: &Arc<ClientInner>,
    found: &FoundBlock,
    query: &Query,
    deadline: Deadline,
) -> Result<Facts, NotProven> {
    let mut facts = inner.states.held(found.anchor.hash(), query);
    let mut missing = facts.missing(query);
    while !missing.is_empty() {
        if inner.env.time_left(deadline).is_zero() {
            return Err(NotProven::new(Why::Deadline, found.attempts.clone()));
        }
        let before = missing.clone();
        for wave in waves::join(inner, found, &missing) {
            let outcome = wave.await;
            facts.add_all(&outcome.facts.about(query));
            missing = facts.missing(query);
            let is_wanted = |address: &Address| {
                missing.slots().contains_key(address) || missing.codes().contains(address)
            };
            if let Some((_, failed)) = outcome.failed.iter().find(|(address, _)| is_wanted(address)) {
                return Err(inner.why_not(found, failed));
            }
        }
        if missing == before {
            return Err(NotProven::new(Why::InternalFault, found.attempts.clone()));
        }
    }
    Ok(facts)
}

impl ClientInner {
    /// Asks providers for `needs` at the block `found`.
    async fn ask_at(&self, found: &FoundBlock, needs: &[AccountNeed], deadline: Deadline) -> Outcome {
        let asking = self.proofs.prove_accounts(needs, &found.anchor, found.level, deadline);
        let results = self.proofs.learn_chain_beside(asking, deadline).await;
        let mut outcome = Outcome::default();
        for (need, hedged) in needs.iter().zip(results) {
            match hedged.winner {
                Some((_, facts)) => outcome.facts.add(&Arc::new(facts)),
                None => {
                    let failed = Failed { attempts: hedged.attempts, held_back: hedged.held_back };
                    outcome.failed.insert(need.address, failed);
                }
            }
        }
        outcome
    }

    /// The gate for what is not an amount: returns the block as the chain has it now.
    ///
    /// # Errors
    /// [`NotProven`] if the block no longer counts.
    async fn let_out(
        &self,
        found: &FoundBlock,
        facts: &Facts,
        deadline: Deadline,
    ) -> Result<Anchor, NotProven> {
        let providers: SortedSet<ProviderId> = facts.providers().cloned().collect();
        self.proofs.check_chain(&providers, deadline).await;
        let held = self.held_now(&found.anchor, found.generation);
        held.map_err(|why| NotProven::new(why, found.attempts.clone()))
    }

    fn why_not(&self, found: &FoundBlock, failed: &Failed) -> NotProven {
        let synced = Synced { attempts: found.attempts.clone(), problem: found.problem.clone() };
        let why = match self.why_of(&synced, Some(&found.anchor), &failed.attempts, failed.held_back) {
            // The caller named the block, so its age is no reason.
            Why::OnlyOldBlocks { .. } => Why::ProofWindowMissed,
            why => why,
        };
        NotProven::new(why, [found.attempts.clone(), failed.attempts.clone()].concat())
    }

    /// Why providers gave nothing about the block `found`, though no address was in the question.
    fn why_no_answer(&self, found: &FoundBlock, attempts: Vec<Attempt>) -> NotProven {
        self.why_not(found, &Failed { attempts, held_back: false })
    }

    /// The reason why nothing was proven at a block.
    pub(crate) fn why_of(
        &self,
        synced: &Synced,
        head: Option<&Anchor>,
        attempts: &[Attempt],
        held_back: bool,
    ) -> Why {
        why::of_read(&why::Case {
            problem: synced.problem.as_ref(),
            heads: &synced.attempts,
            attempts,
            held_back,
            head,
            now: self.head.now(),
            policy: &self.env.policy,
            dispatcher: &self.env.dispatcher,
        })
    }
}
