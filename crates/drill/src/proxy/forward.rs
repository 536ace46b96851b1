//! The requests of a proxy to its upstream server.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use saldo_source::{Endpoint, Method, Request, Transport, TransportError};
use serde_json::Value;

use super::{distort, needed};
use crate::fault::{Fault, Rule};
use crate::http::{HttpRequest, Reaction, Reply, Service};
use crate::{Chain, Provider};

/// How long an answer may take, and how large it may be.
const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 32 << 20;
/// The headers of an answer that a wallet needs. No other is handed on: no cookie (`Set-Cookie`), no permission for web pages, and
/// nothing about the connection or the body before it was inflated.
const HANDED_ON: [&str; 3] = ["content-type", "eth-consensus-version", "retry-after"];

/// The server behind a proxy.
pub(super) struct Upstream {
    endpoint: Endpoint,
    transport: Arc<dyn Transport>,
    /// Makes invented states; created at its first use.
    inventor: OnceLock<Chain>,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Upstream").field(self.endpoint.id()).finish()
    }
}

impl Upstream {
    pub(super) fn new(endpoint: Endpoint, transport: Arc<dyn Transport>) -> Self {
        Self { endpoint, transport, inventor: OnceLock::new() }
    }

    /// Hands JSON-RPC calls on, and gives the answers as `rules` have them.
    pub(super) async fn call(
        &self,
        request: &HttpRequest,
        body: &Value,
        rules: &[Rule],
    ) -> Result<Reply, Reaction> {
        let asked = distort::question(body, rules);
        let bytes = if rules.is_empty() { request.body.clone() } else { asked.to_string().into_bytes() };
        let reply = self.send(Method::Post, self.endpoint.url().expose().as_str(), request, bytes).await?;
        if rules.is_empty() {
            return Ok(reply);
        }
        let Ok(answer) = serde_json::from_slice(&reply.body) else { return Ok(reply) };
        let invent = |call: &Value, fault: &Fault| self.invented(call, fault);
        Ok(Reply { body: distort::answer(answer, body, rules, &invent).to_string().into_bytes(), ..reply })
    }

    /// Hands a request for a beacon route on.
    pub(super) async fn fetch(&self, request: &HttpRequest) -> Result<Reply, Reaction> {
        let mut url = self.endpoint.url().expose().clone();
        let path = format!("{}{}", url.path().trim_end_matches('/'), request.path);
        url.set_path(&path);
        for (name, value) in request.query.iter().filter(|(name, _)| needed::is_parameter(name)) {
            url.query_pairs_mut().append_pair(name, value);
        }
        self.send(Method::Get, url.as_str(), request, Vec::new()).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        request: &HttpRequest,
        body: Vec<u8>,
    ) -> Result<Reply, Reaction> {
        let endpoint = Endpoint::new(url).map_err(|_| Reaction::Refuse)?;
        let header = |name: &'static str| Some((name, request.header(name).to_owned()));
        let headers = ["accept", "content-type"].into_iter().filter_map(header);
        let request = Request {
            method,
            url: endpoint.url().clone(),
            headers: headers.filter(|(_, value)| !value.is_empty()).collect(),
            body,
            timeout: TIMEOUT,
            max_bytes: MAX_BYTES,
        };
        let response = self.transport.send(request).await.map_err(|error| match error {
            TransportError::Timeout { .. } => Reaction::Hang,
            _ => Reaction::Refuse,
        })?;
        let headers = response.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value));
        let headers = headers.filter(|(name, _)| HANDED_ON.contains(&name.as_str())).collect();
        Ok(Reply { status: response.status, headers, body: response.body, delay: Duration::ZERO })
    }

    /// The answer of a provider that makes up a state.
    fn invented(&self, call: &Value, fault: &Fault) -> Option<Value> {
        let chain = self.inventor.get_or_init(|| Chain::builder(9).history(1).build());
        let address = call.get("params")?.get(0)?;
        let keys = call.get("params")?.get(1)?;
        let call =
            serde_json::json!({ "id": 1, "method": "eth_getProof", "params": [address, keys, "latest"] });
        let request = HttpRequest {
            method: "POST".to_owned(),
            body: call.to_string().into_bytes(),
            ..HttpRequest::default()
        };
        let Reaction::Reply(reply) = Provider::honest(chain).with(fault.clone()).answer(&request) else {
            return None;
        };
        serde_json::from_slice::<Value>(&reply.body).ok()?.get("result").cloned()
    }
}
