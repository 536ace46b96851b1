//! The bug that is still shipped, in its usual shape: absence collapses into a number.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Address, Transport};
use saldo_source::{HttpTransport, Method, Request};
use serde_json::{Value, json};

use crate::failure::CommandFailure;

/// A wallet that asks one provider for a number and believes it.
pub(super) struct Wallet {
    transport: Arc<dyn Transport>,
    providers: Vec<saldo::Endpoint>,
}

impl Wallet {
    pub(super) fn new(urls: &[String]) -> Result<Self, CommandFailure> {
        let providers: Result<_, _> = urls.iter().map(|url| saldo::Endpoint::new(url)).collect();
        let providers = providers.map_err(|error| CommandFailure::internal(error, "Run the demo again."))?;
        let transport = HttpTransport::new().map_err(|_| {
            CommandFailure::internal("TLS cannot be set up", "Check this machine's certificates.")
        })?;
        Ok(Self { transport: Arc::new(transport), providers })
    }

    /// The balance in wei by the provider at that place, or what such wallets take for it.
    pub(super) async fn balance(&self, owner: Address, provider: usize) -> U256 {
        self.ask(owner, provider).await.unwrap_or_default()
    }

    async fn ask(&self, owner: Address, provider: usize) -> Option<U256> {
        let call =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": [owner, "latest"] });
        let request = Request {
            method: Method::Post,
            url: self.providers.get(provider)?.url().clone(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: call.to_string().into_bytes(),
            timeout: Duration::from_secs(2),
            max_bytes: 65_536,
        };
        let response = self.transport.send(request).await.ok()?;
        let reply: Value = serde_json::from_slice(&response.body).ok()?;
        reply.get("result")?.as_str()?.parse().ok()
    }
}
