//! An answer, and what was answered last where nothing is known now.

use saldo::{Anchor, Client, LastAnswer};
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
pub(crate) fn keep(client: &Client, call: &Call<'_>, answer: &str, anchor: &Anchor) {
    client.keep_answer(&question(call), answer, anchor);
}

/// The last proven answer to the same call at any block, with its block and age; `null` if there is none. A call for a block itself
/// names it: then it is that of the same name.
pub(crate) fn last(client: &Client, call: &Call<'_>) -> Value {
    client.last_answer(&question(call)).map_or(Value::Null, |last| form(&last))
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

/// What `call` asks for, without the block at which it asks. The case of hexadecimal digits says nothing.
fn question(call: &Call<'_>) -> String {
    let block = match call.method.as_str() {
        "eth_getStorageAt" | "eth_getProof" => 2,
        "eth_getBalance" | "eth_getTransactionCount" | "eth_getCode" | "eth_call" | "eth_estimateGas" => 1,
        _ => usize::MAX,
    };
    let params: Vec<Value> =
        call.params.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let params = params.into_iter().enumerate().filter(|(place, _)| *place != block);
    let params: Value = params.map(|(_, param)| folded(param)).collect();
    format!("{} {params}", call.method)
}

/// The same value with the texts in it in lower case. Names of members stay: another case is another name.
fn folded(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.to_ascii_lowercase()),
        Value::Array(list) => list.into_iter().map(folded).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, folded(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: &str, params: &str) -> String {
        let params = serde_json::value::RawValue::from_string(params.to_owned()).unwrap();
        question(&Call { method: method.to_owned(), params: Some(&params) })
    }

    #[test]
    fn a_question_is_the_same_at_each_block_and_in_each_case() {
        let one = of("eth_getBalance", r#"["0xAB","latest"]"#);
        assert_eq!(one, of("eth_getBalance", r#"["0xab", {"blockNumber":"0x1"}]"#));
        assert_eq!(one, of("eth_getBalance", r#"["0xab"]"#));
        assert_ne!(one, of("eth_getTransactionCount", r#"["0xab"]"#));
        assert_ne!(of("eth_getStorageAt", r#"["0xab","0x0"]"#), of("eth_getStorageAt", r#"["0xab","0x1"]"#));
        assert_ne!(
            of("eth_getBlockByNumber", r#"["0x1",true]"#),
            of("eth_getBlockByNumber", r#"["0x2",true]"#)
        );
    }

    #[test]
    fn another_case_of_a_members_name_is_another_question() {
        let data = of("eth_call", r#"[{"to":"0xAb","data":"0xCD"},"latest"]"#);
        assert_eq!(data, of("eth_call", r#"[{"data":"0xcd","to":"0xab"}]"#));
        assert_ne!(data, of("eth_call", r#"[{"to":"0xab","DATA":"0xcd"}]"#));
    }
}
