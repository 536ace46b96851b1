//! Nonces for transactions, from what is proven.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use alloy_network::Network;
use alloy_primitives::Address;
use alloy_provider::Provider;
use alloy_provider::fillers::NonceManager;
use alloy_transport::TransportResult;

/// Gives each transaction of an account the next nonce: that of the newest signed block, or the one after the last that it gave.
///
/// Alloy's own managers ask for `pending`, which cannot be proven. Use one manager for all transactions of an account, and none beside
/// it: transactions that others send are counted only once their block is signed.
#[derive(Clone, Debug, Default)]
pub struct ProvenNonces {
    /// The nonce after the last one that was given.
    next: Arc<Mutex<BTreeMap<Address, u64>>>,
}

#[cfg_attr(target_family = "wasm", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait::async_trait)]
impl NonceManager for ProvenNonces {
    async fn get_next_nonce<P, N>(&self, provider: &P, address: Address) -> TransportResult<u64>
    where
        P: Provider<N>,
        N: Network,
    {
        let proven = provider.get_transaction_count(address).await?;
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next.entry(address).or_default();
        let nonce = proven.max(*next);
        *next = nonce.saturating_add(1);
        Ok(nonce)
    }
}
