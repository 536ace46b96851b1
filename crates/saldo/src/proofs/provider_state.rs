//! What is known of providers, as it is stored and restored.

use std::time::Duration;

use saldo_reading::ProviderId;

use super::capability::{Capabilities, Capability};
use super::{Proofs, ProofsState};
use crate::store::{ProviderState, StoredDisclosure, StoredProvider};

impl Proofs {
    /// What is known of providers, to be stored.
    pub(crate) fn provider_state(&self) -> ProviderState {
        let now = self.env.clock().monotonic();
        self.state().provider_state(now)
    }

    /// How often it changed which operators were asked about which address.
    pub(crate) fn disclosure_revision(&self) -> u64 {
        self.state().disclosures.revision()
    }

    /// Restores what was known of providers a time `since` ago.
    pub(crate) fn restore(&self, stored: ProviderState, since: Duration) {
        let now = self.env.clock().monotonic();
        self.state().restore(stored, since, now);
    }
}

impl ProofsState {
    /// How many bytes of the disclosure record are stored at most.
    const DISCLOSURES: usize = 512 * 1024;

    /// What is known of providers at `now` on the monotonic clock.
    fn provider_state(&self, now: Duration) -> ProviderState {
        let of_capability = |(provider, known): (&ProviderId, &Capability)| StoredProvider {
            provider: provider.as_str().to_owned(),
            serves_chain: self.chain_confirmed.contains(provider),
            believed_for: known.until.saturating_sub(now).as_secs(),
            batch: u64::try_from(known.batch).unwrap_or(u64::MAX),
            block_hash: known.block_hash,
            json_header: known.json_header,
            behind_tip: known.behind_tip,
            tips_were_signed: known.tips_were_signed,
        };
        let mut left = Self::DISCLOSURES;
        let disclosures = self.disclosures.newest().map(|(address, operators)| StoredDisclosure {
            address: *address,
            operators: operators.cloned().collect(),
        });
        let fits = |disclosed: &StoredDisclosure| {
            let size: usize =
                disclosed.operators.iter().map(|operator| operator.len().saturating_add(3)).sum();
            left = left.saturating_sub(size.saturating_add(27));
            left > 0
        };
        let mut disclosures: Vec<StoredDisclosure> = disclosures.take_while(fits).collect();
        disclosures.reverse();
        let providers = self.capabilities.all(now).map(of_capability).collect();
        ProviderState { providers, disclosures, ..ProviderState::default() }
    }

    /// Restores what was known of providers a time `since` ago.
    fn restore(&mut self, stored: ProviderState, since: Duration, now: Duration) {
        for StoredDisclosure { address, operators } in stored.disclosures {
            self.disclosures.restore(address, operators);
        }
        for known in stored.providers {
            let Some(provider) = known.id() else { continue };
            if known.serves_chain {
                self.chain_confirmed.insert(provider.clone());
            }
            let left = Duration::from_secs(known.believed_for).saturating_sub(since);
            let until = now.saturating_add(left.min(Capabilities::AGE));
            let capability = Capability {
                batch: usize::try_from(known.batch).unwrap_or(usize::MAX),
                block_hash: known.block_hash,
                json_header: known.json_header,
                behind_tip: known.behind_tip,
                tips_were_signed: known.tips_were_signed,
                depth: Default::default(),
                until,
            };
            self.capabilities.restore(provider, capability);
        }
    }
}
