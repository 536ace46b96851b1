//! An answer, and what was answered last where nothing is known now.

use saldo::{Anchor, Client, LastAnswer, LastAnswers};
use serde_json::{Value, json};

use crate::quantity::quantity;
use crate::request::Call;

/// An answer to a call.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) value: Value,
    /// The block at which it is proven; `None` if the answer is not about the state of a block.
    pub(crate) anchor: Option<Anchor>,
}

impl Answered {
    /// An answer that is proven at the block `anchor`.
    pub(crate) fn at(value: impl Into<Value>, anchor: &Anchor) -> Self {
        Self { value: value.into(), anchor: Some(anchor.clone()) }
    }
}

impl From<Value> for Answered {
    fn from(value: Value) -> Self {
        Self { value, anchor: None }
    }
}

/// Keeps an answer for the time when nothing is known.
pub(crate) fn keep(lasts: &LastAnswers, call: &Call<'_>, answer: &str, anchor: &Anchor) {
    lasts.note(&question(call), answer, anchor);
}

/// The last proven answer to the same call at any block, with its block and age; `null` if there is none.
pub(crate) fn last(lasts: &LastAnswers, client: &Client, call: &Call<'_>) -> Value {
    lasts.last(client, &question(call)).map_or(Value::Null, |last| form(&last))
}

fn form(last: &LastAnswer) -> Value {
    let anchor = last.anchor();
    json!({
        "value": serde_json::from_str::<Value>(last.answer()).unwrap_or_default(),
        "block": {
            "number": quantity(anchor.number()),
            "hash": anchor.hash(),
            "timestamp": quantity(anchor.timestamp().as_secs()),
        },
        "age_seconds": last.age().map(|age| age.as_secs()),
    })
}

/// What `call` asks for, without the block at which it asks. The case of letters says nothing.
fn question(call: &Call<'_>) -> String {
    let block = match call.method.as_str() {
        "eth_getStorageAt" | "eth_getProof" => 2,
        "eth_getBalance" | "eth_getTransactionCount" | "eth_getCode" | "eth_call" | "eth_estimateGas" => 1,
        _ => usize::MAX,
    };
    let params: Vec<Value> =
        call.params.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let params = params.into_iter().enumerate().filter(|(place, _)| *place != block);
    let params: Value = params.map(|(_, param)| param).collect();
    format!("{} {params}", call.method).to_ascii_lowercase()
}
