//! A source that records the keys in its URL, and repeats them wherever it can.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use saldo::{Client, Policy};
use saldo_drill::Chain;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::simulate::Simulation;
use serde_json::{Value, json};

/// The keys hidden in a URL: as user, as password, in the path and in the query.
pub const KEYS: [&str; 4] = ["KEYUSER", "KEYPASS", "KEYPATH", "KEYQUERY"];
/// User and password in the form of HTTP basic authorization.
const BASIC: &str = "S0VZVVNFUjpLRVlQQVNT";

/// `base` with a key in every part of a URL that can have one.
pub fn with_keys(base: &str) -> String {
    let [user, password, path, query] = KEYS;
    let (scheme, host) = base.split_once("://").unwrap_or(("http", base));
    format!("{scheme}://{user}:{password}@{host}/v3/{path}?token={query}")
}

/// A client of this provider and this source, with URLs that contain keys. A read takes three seconds at most.
///
/// # Panics
/// If the client cannot be built.
pub fn client_with_keys(
    chain: &Chain,
    simulation: &Simulation,
    provider: impl Service + 'static,
    source: impl Service + 'static,
) -> Client {
    simulation.internet().register("http://anna.test", provider);
    simulation.internet().register("http://north.test", source);
    Client::builder(chain.network())
        .checkpoint(chain.checkpoint())
        .rpc(with_keys("http://anna.test"))
        .beacon(with_keys("http://north.test"))
        .policy(Policy { deadline: Duration::from_secs(3), ..Policy::signed() })
        .transport(simulation.internet())
        .clock(simulation.clock())
        .build()
        .unwrap()
}

/// Asserts that `shown` contains no part of a URL except its host.
///
/// # Panics
/// If it does.
#[track_caller]
pub fn assert_no_key(shown: &str, situation: &str) {
    let upper = shown.to_uppercase();
    let secrets = KEYS.iter().chain(&[BASIC, "/V3/", "TOKEN="]);
    for secret in secrets {
        assert!(!upper.contains(&secret.to_uppercase()), "{situation}: {secret} is in: {shown}");
    }
}

/// Makes an answer from the text of a request's URL.
pub type Echo = fn(&str) -> Reply;

/// The ways to repeat a URL, each with a name.
pub const ECHOES: [(&str, Echo); 28] = [
    ("a page", |said| Reply::new(200, "text/html", format!("<html>{said}</html>"))),
    ("a page under 500", |said| Reply::new(500, "text/html", format!("<html>{said}</html>"))),
    ("text under 401", |said| Reply::new(401, "text/plain", format!("{said} is no valid key"))),
    ("a redirect", |said| Reply::new(302, "text/html", said).header("location", said)),
    ("a redirect with a relative path", |said| Reply::new(307, said, said).header("location", "/v3/KEYPATH")),
    ("a key as content type", |said| Reply::new(200, said, said)),
    ("a key as retry-after", |said| Reply::new(429, "text/plain", said).header("retry-after", said)),
    ("a key as quota message", |said| error(402, -33000, said)),
    ("an RPC error", |said| error(200, -32000, said)),
    ("an RPC error under 403", |said| error(403, -32601, said)),
    ("an RPC error under 500", |said| error(500, -32603, said)),
    ("an unserved method", |said| error(200, -32601, &format!("method not found at {said}"))),
    ("a missed window", |said| error(200, -32602, &format!("maximum proof window of {said}"))),
    ("an error code of text", |said| any(&json!({ "id": null, "error": { "code": said } }))),
    ("a key as id", |said| any(&json!({ "jsonrpc": "2.0", "id": said, "result": said }))),
    ("a key as version of JSON-RPC", |said| any(&json!({ "jsonrpc": said, "id": 1, "result": said }))),
    ("a key as field", |said| any(&json!({ "jsonrpc": "2.0", "id": 1, said: said }))),
    ("broken JSON", |said| Reply::new(200, "application/json", format!("{{\"{said}\": \"{said}\", {said}"))),
    ("a beacon error", |said| Reply::json(404, &json!({ "code": 404, "message": said }))),
    ("a beacon error under 500", |said| Reply::json(500, &json!({ "code": 500, "message": said }))),
    ("a beacon error under 503", |said| Reply::json(503, &json!({ "code": said, "message": said }))),
    ("a key as fork", |said| any(&json!({ "version": said, "data": { "header": said } }))),
    ("a key as fork in the header", |said| {
        Reply::new(200, "application/octet-stream", said).header("eth-consensus-version", said)
    }),
    ("a key as fork in header and JSON", |said| {
        any(&json!({ "version": said, "data": {} })).header("eth-consensus-version", "KEYPATH")
    }),
    ("keys as data", |said| any(&json!({ "version": "fulu", "data": data(said) }))),
    ("keys as a list of data", |said| any(&json!([{ "version": "fulu", "data": data(said) }]))),
    ("keys as hexadecimal text", |said| {
        any(&json!({ "version": "fulu", "data": data(&format!("0x{said}")) }))
    }),
    ("a key as all there is", |_| any(&json!({ "data": data("KEYPATH") }))),
];

/// The field names of light-client data, genesis, configuration and headers, each with the value `said`.
fn data(said: &str) -> Value {
    json!({
        "header": { "beacon": { "slot": said, "parent_root": said }, "message": { "slot": said } },
        "attested_header": { "beacon": { "slot": said } },
        "finalized_header": said,
        "sync_aggregate": { "sync_committee_bits": said, "sync_committee_signature": said },
        "signature_slot": said,
        "root": said,
        "genesis_time": "1700000000",
        "genesis_validators_root": said,
        "genesis_fork_version": said,
        "CONFIG_NAME": said,
        "DEPOSIT_CHAIN_ID": "1",
        "SLOT_DURATION_MS": "12000",
        "SLOTS_PER_EPOCH": "32",
        "EPOCHS_PER_SYNC_COMMITTEE_PERIOD": "256",
        "SYNC_COMMITTEE_SIZE": "512",
        "FULU_FORK_VERSION": said,
        "FULU_FORK_EPOCH": "0",
    })
}

fn any(body: &Value) -> Reply {
    Reply::json(200, body)
}

fn error(status: u16, code: i64, said: &str) -> Reply {
    let error = json!({ "code": code, "message": said, "data": { "url": said } });
    Reply::json(status, &json!({ "jsonrpc": "2.0", "id": null, "error": error }))
}

/// A service that records which keys reach it, and may repeat them. It is a handle: clones are the same service.
#[derive(Clone)]
pub struct KeyRecorder {
    inner: Arc<dyn Service>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    echo: Option<Echo>,
    seen: BTreeSet<&'static str>,
}

impl KeyRecorder {
    /// Records the requests to `inner`, and answers as `inner` does.
    pub fn new(inner: impl Service + 'static) -> Self {
        Self { inner: Arc::new(inner), state: Arc::default() }
    }

    /// Sets the answer from now on; `None` restores `inner`'s answers.
    pub fn repeat(&self, echo: Option<Echo>) {
        self.state().echo = echo;
    }

    /// The keys of [`KEYS`] that reached it since the last call. User and password are one header, so both or neither
    /// are there.
    pub fn take_seen(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state().seen).into_iter().collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for KeyRecorder {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let [user, password, path, query] = KEYS;
        let authorization = request.header("authorization");
        let mut state = self.state();
        if authorization == format!("Basic {BASIC}") {
            state.seen.extend([user, password]);
        }
        if request.path.contains(path) {
            state.seen.insert(path);
        }
        if request.parameter("token") == Some(query) {
            state.seen.insert(query);
        }
        let said = format!("{}?token={query} {authorization} {user}:{password}", request.path);
        match state.echo {
            Some(echo) => Reaction::Reply(echo(&said)),
            None => {
                drop(state);
                self.inner.answer(request)
            }
        }
    }

    fn refuses(&self) -> bool {
        self.inner.refuses()
    }
}
