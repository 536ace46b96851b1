//! An execution provider: JSON-RPC over the state of a [`Chain`].

mod call;
pub(crate) mod lie;
mod method;

use alloy_primitives::{Address, B256};
use serde_json::{Value, json};

use crate::Chain;
use crate::fault::{BatchRefusal, Fault, Rule, Side};
use crate::http::{HttpRequest, Reply};
use crate::server::{Lists, Protocol, Served, Server};

/// An execution provider. A handle: clones are the same provider.
///
/// Serves `eth_chainId`, `eth_blockNumber`, `eth_getBlockByNumber`, `eth_getBlockByHash`, `debug_getRawHeader`,
/// `eth_getProof`, `eth_getBalance`, `eth_getTransactionCount`, `eth_getCode`, `eth_getStorageAt`, and `eth_call` and
/// `eth_createAccessList` (only `balanceOf` of the codes that it knows), single and in batches, with geth's fields and errors.
pub type Provider = Server<JsonRpc>;

/// JSON-RPC, as execution providers speak it.
#[derive(Clone, Copy, Debug)]
pub enum JsonRpc {}

impl Server<JsonRpc> {
    /// The same provider, which proves only its newest block and this many before it.
    #[must_use]
    pub fn proof_window(self, blocks: u64) -> Self {
        self.set_proof_window(blocks);
        self
    }

    /// From now on it proves only its newest block and this many before it.
    pub fn set_proof_window(&self, blocks: u64) {
        self.state().proof_window = Some(blocks);
    }

    /// From now on it says that each call of the contract `to` reads these accounts and slots (`eth_createAccessList`), whatever the
    /// call reads.
    pub fn set_access_list(&self, to: Address, list: Vec<(Address, Vec<B256>)>) {
        self.state().lists.insert(to, list);
    }
}

impl Protocol for JsonRpc {
    const SIDE: Side = Side::Execution;

    fn methods(request: &HttpRequest) -> Vec<String> {
        calls(&body(request)).iter().map(method_of).collect()
    }

    fn breaks(request: &HttpRequest, rules: &[Rule]) -> bool {
        let body = body(request);
        let is_closed = |rule: &Rule| match rule.fault {
            Fault::BatchLimit { calls: most, form: BatchRefusal::Closed } => calls(&body).len() > most.max(1),
            _ => false,
        };
        rules.iter().any(is_closed)
    }

    fn reply(served: &mut Served, request: &HttpRequest, rules: &[Rule]) -> Reply {
        if request.method != "POST" {
            return Reply::new(405, "text/plain", "method not allowed");
        }
        let body = body(request);
        let is_batch = body.as_array().is_some_and(|calls| !calls.is_empty());
        if let Some(reply) = refusal(calls(&body), rules) {
            return reply;
        }
        let mut answers: Vec<Value> = calls(&body).iter().map(|call| answer(served, call, rules)).collect();
        lie::limit(&mut answers, rules);
        Reply::json(200, &lie::shape(answers, is_batch, rules))
    }
}

/// The answer to all `calls` together, if it is an error.
fn refusal(calls: &[Value], rules: &[Rule]) -> Option<Reply> {
    rules.iter().find_map(|rule| match rule.fault {
        Fault::BatchLimit { calls: most, form } if calls.len() > most.max(1) => Some(form.reply(calls, most)),
        Fault::OddError(form) => Some(form.reply(calls)),
        _ => None,
    })
}

fn body(request: &HttpRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap_or(Value::Null)
}

/// The calls of a body, which is a batch or a single call.
fn calls(body: &Value) -> &[Value] {
    match body {
        Value::Array(calls) => calls.as_slice(),
        call => std::slice::from_ref(call),
    }
}

/// The answer to one call, as an object with its id.
fn answer(served: &mut Served, call: &Value, rules: &[Rule]) -> Value {
    let method = method_of(call);
    let turn = served.count(&method);
    let faults: Vec<&Fault> = rules
        .iter()
        .filter(|rule| rule.method.as_ref().is_none_or(|only| *only == method))
        .filter(|rule| rule.concerns(call.get("params")))
        .map(|rule| &rule.fault)
        .collect();
    let chain = served.chain(&faults);
    let tip = chain.tip().number.saturating_sub(served.lag);
    let (proof_window, lists) = (served.proof_window, &served.lists);
    let view = View { chain, tip, proof_window, lists, faults: &faults, turn };
    let id = call.get("id").cloned().unwrap_or_default();
    match lie::outcome(&faults).unwrap_or_else(|| view.answer(&method, call.get("params"))) {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": lie::edit(result, &faults) }),
        Err(Failure { code, message }) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    }
}

/// What a single call is answered from.
struct View<'a> {
    chain: &'a Chain,
    /// The newest block the provider has.
    tip: u64,
    proof_window: Option<u64>,
    /// What it says that calls of contracts read, where that was set.
    lists: &'a Lists,
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
