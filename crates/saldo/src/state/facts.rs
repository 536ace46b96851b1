//! What is proven about the accounts of one block.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::Address;
use saldo_proof::StateRoot;
use saldo_reading::ProviderId;
use saldo_token::{ProvenState, Query};

use crate::proofs::AccountFacts;

/// Accounts of one block, each with the slots and the code that are proven.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts(BTreeMap<Address, Arc<AccountFacts>>);

impl Facts {
    pub(crate) fn get(&self, address: Address) -> Option<&AccountFacts> {
        self.0.get(&address).map(Arc::as_ref)
    }

    pub(crate) fn into_accounts(self) -> BTreeMap<Address, Arc<AccountFacts>> {
        self.0
    }

    /// The same as a state under `root`, which all of it was verified under.
    pub(crate) fn state(&self, root: StateRoot) -> ProvenState {
        let mut state = ProvenState::new(root);
        for facts in self.0.values() {
            state.add_account(&facts.account).expect("it was verified under this root");
            for slot in facts.slots.values() {
                state.add_slot(&slot.slot).expect("it was verified under this root");
            }
            if let Some(code) = &facts.code {
                state.add_hashed_code(code.clone());
            }
        }
        state
    }

    /// The query that it answers.
    pub(crate) fn query(&self) -> Query {
        let mut query = Query::default();
        for (address, facts) in &self.0 {
            query.add_account(*address);
            facts.slots.keys().for_each(|key| query.add_slot(*address, *key));
            if facts.code.is_some() {
                query.add_code(*address);
            }
        }
        query
    }

    /// The providers that served them.
    pub(crate) fn providers(&self) -> impl Iterator<Item = &ProviderId> {
        self.0.values().map(|facts| &facts.provider)
    }

    /// Adds `new`, which is proven under the same state root.
    pub(crate) fn add(&mut self, new: &Arc<AccountFacts>) {
        let address = *new.account.subject();
        let Some(held) = self.0.get_mut(&address) else {
            self.0.insert(address, Arc::clone(new));
            return;
        };
        let brings_code = held.code.is_none() && new.code.is_some();
        let brings_slots = new.slots.keys().any(|key| !held.slots.contains_key(key));
        if !brings_code && !brings_slots {
            return;
        }
        let held = Arc::make_mut(held);
        held.code = held.code.take().or_else(|| new.code.clone());
        for (key, slot) in &new.slots {
            held.slots.entry(*key).or_insert_with(|| slot.clone());
        }
    }

    /// Adds all of `others`.
    pub(crate) fn add_all(&mut self, others: &Self) {
        others.0.values().for_each(|facts| self.add(facts));
    }

    /// The part of it that `query` is about.
    pub(crate) fn about(&self, query: &Query) -> Self {
        let addresses = query.slots().keys().chain(query.codes());
        let held = addresses.filter_map(|address| Some((*address, Arc::clone(self.0.get(address)?))));
        Self(held.collect())
    }

    /// What `query` asks for beyond it.
    pub(crate) fn missing(&self, query: &Query) -> Query {
        let mut missing = Query::default();
        for (address, keys) in query.slots() {
            let held = self.get(*address);
            if held.is_none() {
                missing.add_account(*address);
            }
            let is_held =
                |key: &&alloy_primitives::B256| held.is_some_and(|held| held.slots.contains_key(*key));
            keys.iter().filter(|key| !is_held(key)).for_each(|key| missing.add_slot(*address, *key));
        }
        let has_code = |address: &&Address| self.get(**address).is_some_and(|held| held.code.is_some());
        query
            .codes()
            .iter()
            .filter(|address| !has_code(address))
            .for_each(|address| missing.add_code(*address));
        missing
    }

    /// The memory that it takes, in bytes, about.
    pub(crate) fn size(&self) -> usize {
        const ACCOUNT: usize = 400;
        const SLOT: usize = 300;
        let of_account = |facts: &Arc<AccountFacts>| {
            let nodes: usize = facts.nodes.iter().map(|node| node.len()).sum();
            let slots: usize = facts
                .slots
                .values()
                .map(|slot| slot.nodes.iter().map(|node| node.len()).sum::<usize>().saturating_add(SLOT))
                .sum();
            let code = facts.code.as_ref().map_or(0, |code| code.code().len());
            ACCOUNT.saturating_add(nodes).saturating_add(slots).saturating_add(code)
        };
        self.0.values().map(of_account).sum()
    }
}
