//! Requests of the plain reader: one JSON-RPC call, one beacon route.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use saldo_beacon::decode::Encoding;
use saldo_beacon::unit::UnixTime;
use saldo_source::{Clock, Endpoint, Method, Request, Response, Transport, TransportError};
use serde_json::{Value, json};

use crate::client::url;
use crate::host::Role;
use saldo_drill::simulate::Simulation;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// The device has no network.
    Offline,
    /// No answer, or an unreadable one.
    Failed,
    /// An error, or an empty result: it may not have the block.
    Without,
}

/// Data of a beacon route.
pub(super) struct Data {
    pub(super) bytes: Vec<u8>,
    pub(super) encoding: Encoding,
    pub(super) fork: Option<String>,
}

/// Access to the simulated network.
pub(super) struct Wire {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
}

impl Wire {
    /// Longer than any call: the reader's own deadline comes first.
    const TIMEOUT: Duration = Duration::from_secs(600);

    pub(super) fn new(simulation: &Simulation) -> Self {
        Self { transport: Arc::new(simulation.internet()), clock: Arc::new(simulation.clock()) }
    }

    pub(super) fn wall(&self) -> UnixTime {
        self.clock.wall()
    }

    pub(super) fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    pub(super) async fn get(&self, source: usize, path: &str) -> Result<Data, Miss> {
        let url = format!("{}/eth/v1/beacon/light_client/{path}", url(Role::Source, source));
        let accept = ("accept", "application/octet-stream;q=1.0,application/json;q=0.9".to_owned());
        let response = self.send(&url, Method::Get, vec![accept], Vec::new()).await?;
        if response.status != 200 {
            return Err(Miss::Without);
        }
        let kind = response.header("content-type").map(str::to_ascii_lowercase);
        let is_ssz = kind.is_some_and(|kind| kind.contains("octet-stream"));
        let encoding = if is_ssz { Encoding::Ssz } else { Encoding::Json };
        let fork = response.header("eth-consensus-version").map(str::to_owned);
        Ok(Data { bytes: response.body, encoding, fork })
    }

    pub(super) async fn call(&self, provider: usize, method: &str, params: Value) -> Result<Value, Miss> {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let kind = ("content-type", "application/json".to_owned());
        let url = url(Role::Provider, provider);
        let response = self.send(&url, Method::Post, vec![kind], body.to_string().into_bytes()).await?;
        let reply: Value = serde_json::from_slice(&response.body).map_err(|_| Miss::Failed)?;
        if response.status != 200 {
            return Err(Miss::Failed);
        }
        if reply.get("id") != Some(&json!(7)) {
            return Err(Miss::Failed);
        }
        reply.get("result").filter(|result| !result.is_null()).cloned().ok_or(Miss::Without)
    }

    async fn send(
        &self,
        url: &str,
        method: Method,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> Result<Response, Miss> {
        let endpoint = Endpoint::new(url).map_err(|_| Miss::Failed)?;
        let url = endpoint.url().clone();
        let request = Request { method, url, headers, body, timeout: Self::TIMEOUT, max_bytes: 1 << 20 };
        self.transport.send(request).await.map_err(|error| match error {
            TransportError::Offline => Miss::Offline,
            _ => Miss::Failed,
        })
    }
}
