//! The provider state, as it is stored and restored.

use std::time::Duration;

use alloy_primitives::Address;
use saldo_beacon::unit::UnixTime;
use saldo_reading::ProviderId;
use saldo_source::BatchSize;
use saldo_token::Hint;

use super::Proofs;
use super::capability::{Capabilities, Capability};
use crate::store::{ProviderState, StoredDisclosure, StoredProvider};

impl Proofs {
    /// The provider state to store; `certain` is the time that has certainly come.
    pub(crate) fn provider_state(&self, certain: Option<UnixTime>) -> ProviderState {
        let now = self.env.clock().monotonic();
        let chain = self.head.network().chain_id();
        let state = self.state();
        let stored = |(provider, known): (&ProviderId, &Capability)| StoredProvider {
            provider: provider.as_str().to_owned(),
            serves_chain: state.chains_said.of(provider) == Some(chain),
            believed_for: known.until.saturating_sub(now).as_secs(),
            batch: u64::try_from(known.batch.size()).unwrap_or(u64::MAX),
            block_hash: known.block_hash,
            json_header: known.json_header,
            behind_tip: known.behind_tip,
            tips_were_signed: known.tips_were_signed,
            is_paced: known.batch.is_paced().then_some(true),
        };
        let providers = state.capabilities.all(now).map(stored).collect();
        let written = self.env.clock().wall().as_secs();
        ProviderState { written, certain: certain.into_iter().map(UnixTime::as_millis).collect(), providers }
    }

    /// Restores the provider state.
    pub(crate) fn restore(&self, stored: ProviderState) {
        let now = self.env.clock().monotonic();
        let since = self.env.clock().wall().saturating_sub(UnixTime::from_secs(stored.written));
        let chain = self.head.network().chain_id();
        let mut state = self.state();
        for known in stored.providers {
            let Some(provider) = known.id() else { continue };
            if known.serves_chain {
                state.chains_said.record(&provider, chain, chain);
            }
            let left = Duration::from_secs(known.believed_for).saturating_sub(since);
            let until = now.saturating_add(left.min(Capabilities::AGE));
            let is_paced = known.is_paced.unwrap_or(false);
            self.env.dispatcher.record_counts_calls(&provider, is_paced);
            let size = BatchSize::known(usize::try_from(known.batch).unwrap_or(usize::MAX));
            let capability = Capability {
                batch: size.paced(is_paced),
                block_hash: known.block_hash,
                json_header: known.json_header,
                access_lists: true,
                behind_tip: known.behind_tip,
                tips_were_signed: known.tips_were_signed,
                depth: Default::default(),
                until,
            };
            state.capabilities.restore(provider, capability);
        }
    }

    /// Takes what tokens were before the restart. What was learned since is newer.
    pub(crate) fn restore_hints(&self, hints: Hint) {
        self.state().hints.add_older(hints);
    }

    /// The disclosure sets that changed after `revision`, and the present revision.
    pub(crate) fn disclosed_since(&self, revision: u64) -> (Vec<(Address, StoredDisclosure)>, u64) {
        let state = self.state();
        let changed = state.disclosures.changed_since(revision);
        let stored = changed.map(|(address, order, operators)| {
            (address, StoredDisclosure { order, operators: operators.cloned().collect() })
        });
        (stored.collect(), state.disclosures.revision())
    }

    /// Restores the disclosure sets.
    pub(crate) fn restore_disclosed(&self, disclosed: Vec<(Address, StoredDisclosure)>) {
        let mut state = self.state();
        for (address, disclosure) in disclosed {
            state.disclosures.restore(address, disclosure.order, &disclosure.operators);
        }
    }
}
