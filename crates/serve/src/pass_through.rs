//! Forwards what cannot be proven to one provider that the user chose. Its answers are marked.

use std::sync::Arc;
use std::time::Duration;

use saldo::{Endpoint, Method, ProviderId, Request, SecretUrl, Transport};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use crate::error::RpcError;
use crate::request::Call;

/// One provider that is asked without proof.
#[derive(Clone)]
pub(crate) struct PassThrough {
    provider: Endpoint,
    transport: Arc<dyn Transport>,
}

impl std::fmt::Debug for PassThrough {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PassThrough").field("provider", self.provider.id()).finish_non_exhaustive()
    }
}

/// What the provider answered, unchanged.
#[derive(Debug)]
pub(crate) enum Passed {
    /// A result, which proves nothing.
    Result(Box<RawValue>),
    /// An error.
    Error(Box<RawValue>),
}

#[derive(Serialize)]
struct Question<'a> {
    jsonrpc: &'static str,
    id: u8,
    method: &'a str,
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// How long the provider may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The largest reply, in bytes.
const MAX_REPLY: usize = 16 << 20;
/// The namespaces whose methods are passed on. The others control a node.
const NAMESPACES: [&str; 3] = ["eth_", "net_", "web3_"];
/// Methods that make a node sign with keys that it holds, or that need a connection of their own.
const NEVER: [&str; 8] = [
    "eth_sendTransaction",
    "eth_sign",
    "eth_signTransaction",
    "eth_signTypedData",
    "eth_signTypedData_v3",
    "eth_signTypedData_v4",
    "eth_subscribe",
    "eth_unsubscribe",
];

impl PassThrough {
    pub(crate) fn new(provider: Endpoint, transport: Arc<dyn Transport>) -> Self {
        Self { provider, transport }
    }

    /// The provider.
    pub(crate) fn provider(&self) -> &ProviderId {
        self.provider.id()
    }

    /// Whether calls of `method` may be passed on.
    pub(crate) fn takes(method: &str) -> bool {
        NAMESPACES.iter().any(|namespace| method.starts_with(namespace)) && !NEVER.contains(&method)
    }

    /// Asks the provider.
    ///
    /// # Errors
    /// [`RpcError`] if there is no answer. It has no text of the provider's.
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Result<Passed, RpcError> {
        let question = Question { jsonrpc: "2.0", id: 1, method: &call.method, params: call.params };
        let request = Request {
            method: Method::Post,
            url: self.provider.url().clone(),
            headers: vec![
                ("content-type", "application/json".to_owned()),
                ("accept", "application/json".to_owned()),
            ],
            body: serde_json::to_vec(&question).map_err(|_| RpcError::internal())?,
            timeout: TIMEOUT,
            max_bytes: MAX_REPLY,
        };
        // A transport of an app may be without limits.
        let response = tokio::time::timeout(TIMEOUT, self.transport.send(request)).await;
        let response = match response {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.failed(&error)),
            Err(_) => return Err(self.failed(&"it did not answer in time")),
        };
        let is_small = response.body.len() <= MAX_REPLY;
        let reply: Option<Reply<'_>> =
            is_small.then(|| serde_json::from_slice(&response.body).ok()).flatten();
        match reply {
            Some(Reply { error: Some(error), .. }) if repeats(self.provider.url(), error.get()) => {
                Err(self.failed(&"its error repeats the URL that it was asked at"))
            }
            Some(Reply { error: Some(error), .. }) => Ok(Passed::Error(error.to_owned())),
            Some(Reply { result: Some(result), .. }) => Ok(Passed::Result(result.to_owned())),
            // A result of `null` is a result.
            Some(Reply { result: None, error: None }) if (200..300).contains(&response.status) => {
                Ok(Passed::Result(RawValue::NULL.to_owned()))
            }
            _ => Err(self.failed(&format_args!("HTTP status {}", response.status))),
        }
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> RpcError {
        let provider = self.provider.id();
        let data = json!({
            "reason": "not_passed_through",
            "fault": "providers",
            "next_step": "Try again, or choose another provider with --pass-through.",
            "provider": provider,
        });
        RpcError::not_passed(format!("{} gave no answer: {why}", provider.as_str()), data)
    }
}

/// Whether `text` repeats a part of the URL that may be a key.
fn repeats(url: &SecretUrl, text: &str) -> bool {
    const SHORTEST: usize = 8;
    let url = url.expose();
    let parts = url.path_segments().into_iter().flatten().map(str::to_owned);
    let queried = url.query_pairs().map(|(_, value)| value.into_owned());
    let user = [url.username().to_owned(), url.password().unwrap_or_default().to_owned()];
    let mut secrets = parts.chain(queried).chain(user).filter(|part| part.len() >= SHORTEST);
    secrets.any(|secret| text.contains(&secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_methods_that_control_no_node_are_passed_on() {
        for method in ["eth_gasPrice", "eth_sendRawTransaction", "net_peerCount", "eth_unheardOf"] {
            assert!(PassThrough::takes(method), "{method}");
        }
        for method in [
            "admin_peers",
            "personal_sign",
            "engine_newPayloadV4",
            "eth_sign",
            "eth_sendTransaction",
            "debug_traceCall",
            "",
        ] {
            assert!(!PassThrough::takes(method), "{method}");
        }
    }

    #[test]
    fn a_key_in_an_error_is_found() {
        let endpoint: Endpoint =
            "https://rpc.example/v3/0123456789abcdef?token=fedcba9876543210".parse().unwrap();
        assert!(repeats(endpoint.url(), "invalid key 0123456789abcdef"));
        assert!(repeats(endpoint.url(), "token fedcba9876543210 is used up"));
        assert!(!repeats(endpoint.url(), "nonce too low"));
    }
}
