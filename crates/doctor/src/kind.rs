//! Recognises a URL of the other kind: a beacon node's in place of an execution provider's, or the reverse.

use std::time::Duration;

use futures_util::future::join;
use saldo_reading::Failure;
use saldo_source::beacon::{Data, Route, fetch};
use saldo_source::execution::chain_id;
use saldo_source::{Endpoint, Io};
use serde_json::Value;

/// The two kinds of servers that a balance needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It serves JSON-RPC.
    ExecutionProvider,
    /// It serves the beacon API.
    BeaconNode,
}

impl Kind {
    /// Whether a server of the other kind may fail so: it answers, and does not know the request.
    pub fn may_be_other(failure: &Failure) -> bool {
        matches!(
            failure,
            Failure::Http { .. }
                | Failure::Denied { .. }
                | Failure::NotServed { .. }
                | Failure::NoResult
                | Failure::WebPage
                | Failure::Rpc { .. }
                | Failure::Malformed { .. }
        )
    }
}

/// The only kind of server that answers at `endpoint`, within `timeout`; `None` if neither kind answers, or both do, as at some
/// gateways, and for a mirror. Sends two requests concurrently: a genesis and a chain id tell nothing about the user.
pub async fn only_kind(io: &Io, endpoint: &Endpoint, timeout: Duration) -> Option<Kind> {
    if endpoint.is_mirror() {
        return None;
    }
    let genesis = fetch(io, endpoint, Route::Genesis, timeout);
    let (genesis, chain) = join(genesis, chain_id(io, endpoint, timeout)).await;
    match (genesis.is_ok_and(|data| is_genesis(&data)), chain.is_ok()) {
        (true, false) => Some(Kind::BeaconNode),
        (false, true) => Some(Kind::ExecutionProvider),
        _ => None,
    }
}

/// Whether it is the genesis of a beacon chain: one with a root, which no other server invents.
fn is_genesis(data: &Data) -> bool {
    let is_hash = |root: &str| {
        let digits = root.strip_prefix("0x").unwrap_or_default();
        digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    genesis_validators_root(data).is_some_and(|root| is_hash(&root))
}

/// The root that a beacon node's genesis names, as text.
pub(crate) fn genesis_validators_root(data: &Data) -> Option<String> {
    let body: Value = serde_json::from_slice(&data.bytes).ok()?;
    body.pointer("/data/genesis_validators_root").and_then(Value::as_str).map(str::to_owned)
}
