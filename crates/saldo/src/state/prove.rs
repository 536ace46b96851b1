//! Proves what a call asks for at a block.

use std::collections::BTreeMap;
use std::sync::Arc;

use saldo_chain::Anchor;
use saldo_reading::{Attempt, ProviderId, Why};
use saldo_source::{Deadline, SortedSet};
use saldo_token::Query;

use super::facts::Facts;
use super::found::FoundBlock;
use super::proven::NotProven;
use super::waves::{self, Failed, GATHERING, Outcome, Wanted, Wave};
use crate::head::Synced;
use crate::inner::ClientInner;
use crate::meter;
use crate::proofs::AccountNeed;

/// Proves what `query` asks for at the block `found`, as far as it is not proven already.
pub(crate) async fn prove(
    inner: &Arc<ClientInner>,
    found: &FoundBlock,
    query: &Query,
    deadline: Deadline,
) -> Result<Facts, NotProven> {
    let not = |why| NotProven::new(why, found.attempts.clone());
    let mut facts = inner.states.held(found.anchor.state_root(), query);
    let mut missing = facts.missing(query);
    if missing.is_empty() {
        meter::question(&inner.env, "cached");
    }
    while !missing.is_empty() {
        if inner.env.time_left(deadline).is_zero() {
            return Err(not(Why::Deadline));
        }
        let before = missing.clone();
        let mut is_cut_short = false;
        let mut waves = join(inner, found, &missing, deadline);
        while !waves.is_empty() {
            let first = waves::first(waves, deadline, inner.env.clock()).await;
            let (outcome, others) = first.ok_or_else(|| not(Why::Deadline))?;
            waves = others;
            facts.add_all(&outcome.facts.about(query));
            missing = facts.missing(query);
            let Some(failed) = outcome.failure_of(&missing) else { continue };
            // The requests of an earlier call end with its time. This call has more.
            if outcome.deadline >= deadline || !inner.env.time_left(outcome.deadline).is_zero() {
                return Err(inner.why_not(found, failed));
            }
            is_cut_short = true;
        }
        if missing == before && !is_cut_short {
            return Err(not(Why::InternalFault));
        }
    }
    Ok(facts)
}

/// Joins the waves that bring what `query` asks for at the block `found`.
fn join(inner: &Arc<ClientInner>, found: &FoundBlock, query: &Query, deadline: Deadline) -> Vec<Wave> {
    let block = (found.anchor.hash(), found.anchor.state_root());
    let mut way = "shared";
    let waves = inner.waves.join(block, (query, deadline), inner.env.clock(), |wanted| {
        way = "asked";
        let (inner, found) = (Arc::clone(inner), found.clone());
        async move { inner.ask_together(&found, &wanted).await }
    });
    meter::question(&inner.env, way);
    waves
}

impl ClientInner {
    /// Asks for what is wanted by all calls that began at the same time.
    async fn ask_together(&self, found: &FoundBlock, wanted: &Wanted) -> Outcome {
        self.env.clock().sleep(GATHERING).await;
        let (query, deadline) = wanted.close();
        let outcome = self.ask_at(found, &AccountNeed::of(&query), deadline).await;
        self.states.keep(found.anchor.state_root(), &outcome.facts);
        outcome
    }

    /// Asks providers for `needs` at the block `found`.
    async fn ask_at(&self, found: &FoundBlock, needs: &[AccountNeed], deadline: Deadline) -> Outcome {
        let asking = self.proofs.prove_accounts(needs, &found.anchor, found.level, deadline);
        let results = self.proofs.learn_chain_beside(asking, deadline).await;
        let mut outcome = Outcome { facts: Facts::default(), failed: BTreeMap::new(), deadline };
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

    /// The gate for what is not an amount: returns the block as the chain has it now. `providers` served what is let out.
    ///
    /// # Errors
    /// [`NotProven`] if the block no longer counts.
    pub(super) async fn let_out(
        &self,
        found: &FoundBlock,
        providers: &SortedSet<ProviderId>,
        deadline: Deadline,
    ) -> Result<Anchor, NotProven> {
        self.proofs.check_chain(providers, deadline).await;
        let held = self.held_now(&found.anchor, found.generation);
        held.map_err(|why| NotProven::new(why, found.attempts.clone()))
    }

    /// Why providers gave nothing about the block `found`, though no address was in the question.
    pub(super) fn why_no_answer(&self, found: &FoundBlock, attempts: Vec<Attempt>) -> NotProven {
        self.why_not(found, &Failed { attempts, held_back: false })
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
}
