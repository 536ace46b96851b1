//! What the networks of one client share.

use std::sync::Arc;

use saldo_source::SortedSet;

use super::{BuildError, ClientBuilder, default_clock, default_transport};
use crate::storage::SharedStorage;

impl ClientBuilder {
    /// The builder of each network, with what it shares with the first one.
    pub(super) fn apart(mut self) -> Result<Vec<Self>, BuildError> {
        let mut networks: Vec<Self> = Vec::new();
        let mut open = std::mem::take(&mut self.others);
        if open.is_empty() {
            return Ok(vec![self]);
        }
        open.reverse();
        while let Some(mut other) = open.pop() {
            open.extend(std::mem::take(&mut other.others).into_iter().rev());
            networks.push(other);
        }
        networks.insert(0, self);
        let mut chain_ids = SortedSet::new();
        for chain_id in networks.iter().map(|network| network.network.chain_id()) {
            if !chain_ids.insert(chain_id) {
                return Err(BuildError::SameNetwork { chain_id });
            }
        }
        let Some(first) = networks.first() else { return Ok(networks) };
        let transport = first.transport.clone().map_or_else(default_transport, Ok)?;
        let clock = first.clock.clone().map_or_else(default_clock, Ok)?;
        let shared = first.storage.clone().map(SharedStorage::new);
        let key = first.storage_key.clone();
        for (network, is_first) in
            networks.iter_mut().zip(std::iter::once(true).chain(std::iter::repeat(false)))
        {
            network.transport.get_or_insert_with(|| Arc::clone(&transport));
            network.clock.get_or_insert_with(|| Arc::clone(&clock));
            let chain_id = network.network.chain_id();
            if let Some(shared) = shared.as_ref().filter(|_| is_first || network.storage.is_none()) {
                network.storage = Some(shared.part(chain_id, is_first));
                if !is_first {
                    network.storage_key = key.as_ref().map(|key| key.of_network(chain_id));
                }
            }
        }
        Ok(networks)
    }
}
