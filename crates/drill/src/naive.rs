//! The bug that is still shipped, in its usual shape: absence collapses into a number.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use futures_util::future::{BoxFuture, select_all};
use saldo_source::{Endpoint, Method, Request, Transport};
use serde_json::{Value, json};

/// How long it waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The most bytes of an answer.
const MAX_BYTES: usize = 65_536;

/// A wallet that asks for a number, and believes the first reply.
pub struct NaiveWallet {
    transport: Arc<dyn Transport>,
    providers: Vec<Endpoint>,
}

impl NaiveWallet {
    /// A wallet that knows these providers.
    pub fn new(transport: Arc<dyn Transport>, providers: Vec<Endpoint>) -> Self {
        Self { transport, providers }
    }

    /// The balance in wei as the first reply of these providers says; an error is a reply, and counts as 0, as in such
    /// wallets.
    pub async fn balance(&self, owner: Address, asked: &[usize]) -> U256 {
        self.first("eth_getBalance", json!([owner, "latest"]), asked).await
    }

    /// The same of a token, in its base units.
    pub async fn token_balance(&self, owner: Address, token: Address, asked: &[usize]) -> U256 {
        let data = format!("0x70a08231{:x}", owner.into_word());
        self.first("eth_call", json!([{ "to": token, "data": data }, "latest"]), asked).await
    }

    async fn first(&self, method: &str, params: Value, asked: &[usize]) -> U256 {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let asked = asked.iter().filter_map(|place| self.providers.get(*place));
        let replies: Vec<BoxFuture<'_, Option<U256>>> =
            asked.map(|provider| -> BoxFuture<'_, _> { Box::pin(self.ask(&call, provider)) }).collect();
        if replies.is_empty() {
            return U256::ZERO;
        }
        select_all(replies).await.0.unwrap_or_default()
    }

    async fn ask(&self, call: &str, provider: &Endpoint) -> Option<U256> {
        let request = Request {
            method: Method::Post,
            url: provider.url().clone(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: call.as_bytes().to_vec(),
            timeout: TIMEOUT,
            max_bytes: MAX_BYTES,
        };
        let response = self.transport.send(request).await.ok()?;
        let reply: Value = serde_json::from_slice(&response.body).ok()?;
        reply.get("result")?.as_str()?.parse().ok()
    }
}

impl std::fmt::Debug for NaiveWallet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NaiveWallet").field("providers", &self.providers).finish_non_exhaustive()
    }
}
