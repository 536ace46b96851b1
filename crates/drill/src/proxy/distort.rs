//! The lies of a provider, told with the true answers of another.

use alloy_primitives::{B256, hex};
use serde_json::{Value, json};

use crate::fault::{Fault, Rule};
use crate::provider::lie;

/// An account that no wallet reads, whose proof is presented as another account's.
const STRANGER: &str = "0x000000000000000000000000000000000000dead";

/// Makes up the result of a call.
type Invent<'a> = dyn Fn(&Value, &Fault) -> Option<Value> + 'a;

/// The methods that are called, one or several.
pub(super) fn methods(body: &Value) -> Vec<String> {
    calls(body).iter().map(method).collect()
}

fn calls(body: &Value) -> &[Value] {
    body.as_array().map_or_else(|| std::slice::from_ref(body), Vec::as_slice)
}

fn method(call: &Value) -> String {
    call.get("method").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The faults that apply to one call.
fn faults<'a>(call: &Value, rules: &'a [Rule]) -> Vec<&'a Fault> {
    let method = method(call);
    let concerned = |rule: &&Rule| rule.method.as_ref().is_none_or(|only| *only == method);
    rules.iter().filter(concerned).map(|rule| &rule.fault).collect()
}

/// What is asked, instead of `body`: another account's proof, where that is the lie.
pub(super) fn question(body: &Value, rules: &[Rule]) -> Value {
    let mut body = body.clone();
    let change = |call: &mut Value| {
        let lies = faults(call, rules).iter().any(|fault| matches!(fault, Fault::OtherAccountsProof));
        if lies
            && method(call) == "eth_getProof"
            && let Some(address) = call.get_mut("params").and_then(|params| params.get_mut(0))
        {
            *address = json!(STRANGER);
        }
    };
    match body.as_array_mut() {
        Some(calls) => calls.iter_mut().for_each(change),
        None => change(&mut body),
    }
    body
}

/// What is answered, instead of `answer`.
pub(super) fn answer(answer: Value, asked: &Value, rules: &[Rule], invent: &Invent<'_>) -> Value {
    let is_batch = answer.is_array();
    let answers = match answer {
        Value::Array(answers) => answers,
        single => vec![single],
    };
    let answers = answers.into_iter().map(|answer| {
        let id = answer.get("id");
        match calls(asked).iter().find(|call| call.get("id") == id) {
            Some(call) => distorted(answer, call, &faults(call, rules), invent),
            None => answer,
        }
    });
    lie::shape(answers.collect(), is_batch, rules)
}

fn distorted(mut answer: Value, call: &Value, faults: &[&Fault], invent: &Invent<'_>) -> Value {
    let method = method(call);
    for fault in faults {
        match fault {
            Fault::NullResult => succeed(&mut answer, Value::Null),
            Fault::Result(value) => succeed(&mut answer, value.clone()),
            Fault::Error { code, message } => fail(&mut answer, *code, message),
            Fault::NoProofs if method == "eth_getProof" => {
                fail(&mut answer, -32601, "the method eth_getProof does not exist/is not available");
            }
            Fault::ZeroBalance if method == "eth_getBalance" => succeed(&mut answer, json!("0x0")),
            Fault::InventedTrie { .. } if method == "eth_getProof" => {
                if let Some(result) = invent(call, fault) {
                    succeed(&mut answer, result);
                }
            }
            _ => {}
        }
    }
    if let Some(result) = answer.get_mut("result") {
        if method == "eth_getProof" && result.is_object() {
            faults.iter().for_each(|fault| distort(result, call, fault));
        }
        *result = lie::edit(result.take(), faults);
    }
    answer
}

/// A proof under a fault that concerns proofs.
fn distort(proof: &mut Value, call: &Value, fault: &Fault) {
    match fault {
        Fault::ZeroBalance => claim_nothing(proof),
        Fault::TruncatedProof { nodes } => {
            if let Some(list) = nodes_of(proof) {
                list.truncate(*nodes);
            }
            claim_nothing(proof);
        }
        Fault::ExtraNodes => {
            if let Some(list) = nodes_of(proof) {
                list.extend(list.last().cloned());
            }
        }
        Fault::FlippedByte { node, byte } => {
            if let Some(text) = nodes_of(proof).and_then(|list| list.get_mut(*node)) {
                let mut bytes = text.as_str().and_then(|text| hex::decode(text).ok()).unwrap_or_default();
                bytes.iter_mut().skip(*byte).take(1).for_each(|byte| *byte ^= 1);
                *text = json!(hex::encode_prefixed(bytes));
            }
        }
        Fault::NoStorageProof => lie::set(proof, "storageProof", Some(json!([]))),
        Fault::LeftOutSlot => {
            if let Some(slots) = proof.get_mut("storageProof").and_then(Value::as_array_mut) {
                slots.pop();
            }
        }
        Fault::OtherAccountsProof => {
            let address = call.get("params").and_then(|params| params.get(0)).cloned();
            lie::set(proof, "address", address);
        }
        _ => {}
    }
}

fn nodes_of(proof: &mut Value) -> Option<&mut Vec<Value>> {
    proof.get_mut("accountProof")?.as_array_mut()
}

/// Claims zero of everything, and leaves the nodes as they are.
fn claim_nothing(proof: &mut Value) {
    for field in ["balance", "nonce"] {
        lie::set(proof, field, Some(json!("0x0")));
    }
    for field in ["codeHash", "storageHash"] {
        lie::set(proof, field, Some(json!(B256::ZERO)));
    }
    let storage = proof.get_mut("storageProof").and_then(Value::as_array_mut);
    storage.into_iter().flatten().for_each(|entry| lie::set(entry, "value", Some(json!("0x0"))));
}

fn succeed(answer: &mut Value, result: Value) {
    lie::set(answer, "error", None);
    lie::set(answer, "result", Some(result));
}

fn fail(answer: &mut Value, code: i64, message: &str) {
    lie::set(answer, "result", None);
    lie::set(answer, "error", Some(json!({ "code": code, "message": message })));
}
