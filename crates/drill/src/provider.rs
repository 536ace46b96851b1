//! An execution provider: JSON-RPC over the state of a [`Chain`].

pub(crate) mod lie;
mod method;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Chain;
use crate::carry::carry;
use crate::fault::{Fault, Rule, Rules, Side};
use crate::http::{HttpRequest, Reaction, Reply, Service};

/// An execution provider. A handle: clones are the same provider.
///
/// Serves `eth_chainId`, `eth_blockNumber`, `eth_getBlockByNumber`, `eth_getBlockByHash`, `debug_getRawHeader`,
/// `eth_getProof`, `eth_getBalance`, `eth_getTransactionCount` and `eth_getStorageAt`, single and in batches, with
/// geth's fields and errors.
#[derive(Clone, Debug)]
pub struct Provider {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    chain: Chain,
    rules: Rules,
    latency: Duration,
    proof_window: Option<u64>,
    lag: u64,
    requests: BTreeMap<String, u64>,
}

impl Provider {
    /// A provider that knows all of the chain at once and never fails.
    pub fn honest(chain: &Chain) -> Self {
        let state = State {
            chain: chain.clone(),
            rules: Rules::default(),
            latency: Duration::ZERO,
            proof_window: None,
            lag: 0,
            requests: BTreeMap::new(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The same provider with one more fault.
    ///
    /// # Panics
    /// If it is a fault of beacon sources.
    #[must_use]
    pub fn with(self, rule: impl Into<Rule>) -> Self {
        self.add(rule);
        self
    }

    /// The same provider, which takes this long for every answer.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        self.state().latency = latency;
        self
    }

    /// The same provider, which proves only its newest block and this many before it.
    #[must_use]
    pub fn proof_window(self, blocks: u64) -> Self {
        self.state().proof_window = Some(blocks);
        self
    }

    /// The same provider, this many blocks behind.
    #[must_use]
    pub fn lag(self, blocks: u64) -> Self {
        self.state().lag = blocks;
        self
    }

    /// From now on it also has that fault.
    ///
    /// # Panics
    /// If it is a fault of beacon sources.
    pub fn add(&self, rule: impl Into<Rule>) {
        self.state().rules.add(rule.into(), Side::Execution);
    }

    /// From now on it has that fault and no other.
    ///
    /// # Panics
    /// If it is a fault of beacon sources.
    pub fn set(&self, rule: impl Into<Rule>) {
        self.clear();
        self.add(rule);
    }

    /// From now on it has no fault. Latency, window and lag stay.
    pub fn clear(&self) {
        self.state().rules.clear();
    }

    /// How often each method was called, refused connections not counted.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the provider has said what it had to say.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Provider {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let mut state = self.state();
        if state.rules.refuse() {
            return carry(&state.rules.take(&[]), Reply::default(), state.latency, state.chain.now());
        }
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let (calls, is_batch) = match &body {
            Value::Array(calls) => (calls.as_slice(), !calls.is_empty()),
            call => (std::slice::from_ref(call), false),
        };
        let methods: Vec<String> = calls.iter().map(method_of).collect();
        let rules = state.rules.take(&methods);
        let reply = if request.method == "POST" {
            let answers = calls.iter().map(|call| state.call(call, &rules)).collect();
            Reply::json(200, &lie::shape(answers, is_batch, &rules))
        } else {
            Reply::new(405, "text/plain", "method not allowed")
        };
        carry(&rules, reply, state.latency, state.chain.now())
    }

    fn refuses(&self) -> bool {
        self.state().rules.refuse()
    }
}

impl State {
    /// The answer to one call, as an object with its id.
    fn call(&mut self, call: &Value, rules: &[Rule]) -> Value {
        let method = method_of(call);
        let turn = self.requests.entry(method.clone()).or_default();
        *turn = turn.saturating_add(1);
        let faults: Vec<&Fault> = rules
            .iter()
            .filter(|rule| rule.method.as_ref().is_none_or(|only| *only == method))
            .map(|rule| &rule.fault)
            .collect();
        let chain = faults.iter().find_map(|fault| match fault {
            Fault::OtherChain(other) => Some(other),
            _ => None,
        });
        let chain = chain.unwrap_or(&self.chain);
        let tip = chain.tip().number.saturating_sub(self.lag);
        let view = View { chain, tip, proof_window: self.proof_window, faults: &faults, turn: *turn };
        let id = call.get("id").cloned().unwrap_or_default();
        match lie::outcome(&faults).unwrap_or_else(|| view.answer(&method, call.get("params"))) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": lie::edit(result, &faults) }),
            Err(Failure { code, message }) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
            }
        }
    }
}

/// What a single call is answered from.
struct View<'a> {
    chain: &'a Chain,
    /// The newest block the provider has.
    tip: u64,
    proof_window: Option<u64>,
    faults: &'a [&'a Fault],
    /// How often the method was called, this call included.
    turn: u64,
}

/// A JSON-RPC error.
struct Failure {
    code: i64,
    message: String,
}

impl Failure {
    fn new(code: i64, message: &str) -> Self {
        Self { code, message: message.to_owned() }
    }
}

fn method_of(call: &Value) -> String {
    call.get("method").and_then(Value::as_str).unwrap_or_default().to_owned()
}
