//! Proves what a call asks for at a block.

use std::sync::Arc;

use alloy_primitives::Address;
use saldo_chain::Anchor;
use saldo_reading::{ProviderId, Why};
use saldo_source::{Deadline, SortedSet};
use saldo_token::Query;

use super::facts::Facts;
use super::found::FoundBlock;
use super::proven::NotProven;
use super::waves::{Failed, GATHERING, Outcome, Wanted, Wave};
use crate::head::Synced;
use crate::inner::ClientInner;
use crate::proofs::AccountNeed;

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
        for wave in join(inner, found, &missing) {
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

/// Joins the waves that bring what `query` asks for at the block `found`.
fn join(inner: &Arc<ClientInner>, found: &FoundBlock, query: &Query) -> Vec<Wave> {
    inner.waves.join(found.anchor.hash(), query, |wanted| {
        let (inner, found) = (Arc::clone(inner), found.clone());
        async move { inner.ask_together(&found, &wanted).await }
    })
}

impl ClientInner {
    /// Asks for what is wanted by all calls that began at the same time.
    async fn ask_together(&self, found: &FoundBlock, wanted: &Wanted) -> Outcome {
        self.env.clock().sleep(GATHERING).await;
        let query = wanted.close();
        let deadline = Deadline::after(self.env.clock(), self.env.policy.deadline);
        let outcome = self.ask_at(found, &AccountNeed::of(&query), deadline).await;
        self.states.keep(found.anchor.hash(), &outcome.facts);
        outcome
    }

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
