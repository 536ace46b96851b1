//! What the providers said about the chain that they serve.

use std::time::Duration;

use saldo_beacon::Network;
use saldo_reading::ProviderId;
use saldo_source::SortedMap;

/// What the providers said about the chain that they serve.
#[derive(Debug, Default)]
pub(super) struct ChainsSaid {
    of: SortedMap<ProviderId, u64>,
    /// Whether a provider has said that it serves the chain of the network's table.
    pub(super) is_confirmed: bool,
    /// When providers may be asked again, on the monotonic clock.
    pub(super) again: Duration,
}

impl ChainsSaid {
    /// Records what `provider` said. `expected` is the chain id of the network's table.
    pub(super) fn record(&mut self, provider: &ProviderId, said: u64, expected: u64) {
        self.of.insert(provider.clone(), said);
        self.is_confirmed |= said == expected;
    }

    /// What the provider said last; `None` if it said nothing.
    pub(super) fn of(&self, provider: &ProviderId) -> Option<u64> {
        self.of.get(provider).copied()
    }

    /// Whether no provider said anything.
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

/// Whether the table has the chain id of a built-in network with that genesis.
pub(super) fn is_built_in(network: &Network) -> bool {
    let same = |known: &Network| {
        known.genesis_validators_root() == network.genesis_validators_root()
            && known.chain_id() == network.chain_id()
    };
    Network::built_in().iter().any(same)
}
