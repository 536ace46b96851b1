//! What the results of the questions say.

use alloy_primitives::{Address, B256, Bytes, U256};
use saldo_reading::Failure;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What `eth_capabilities` says about `eth_getProof`. It is a claim, to be tested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateProofs {
    /// Whether the provider serves no proofs.
    pub disabled: bool,
    /// The oldest block with proofs.
    pub oldest_block: Option<u64>,
}

/// The bytes of a [`Question::RawHeader`](super::Question::RawHeader)'s result.
///
/// # Errors
/// [`Failure::Malformed`] if the result is not hexadecimal text.
pub fn raw_header(result: &RawValue) -> Result<Bytes, Failure> {
    serde_json::from_str(result.get()).map_err(|_| Failure::Malformed { what: "not the bytes of a header" })
}

/// The bytes of a [`Question::Code`](super::Question::Code)'s result, which are only a claim.
///
/// # Errors
/// [`Failure::Malformed`] if the result is not hexadecimal text.
pub fn code(result: &RawValue) -> Result<Bytes, Failure> {
    serde_json::from_str(result.get()).map_err(|_| Failure::Malformed { what: "not the bytes of a code" })
}

/// What a [`Question::AccessList`](super::Question::AccessList)'s result says that the call reads: accounts, each with slots. It is
/// only a claim. `None` if the result is no such list.
pub fn access_list(result: &RawValue) -> Option<Vec<(Address, Vec<B256>)>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Said {
        access_list: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Entry {
        address: Address,
        /// Some nodes write `null` for none, and some leave zeros out.
        #[serde(default)]
        storage_keys: Option<Vec<U256>>,
    }
    let said: Said = serde_json::from_str(result.get()).ok()?;
    let entry = |Entry { address, storage_keys }| {
        (address, storage_keys.into_iter().flatten().map(B256::from).collect())
    };
    Some(said.access_list.into_iter().map(entry).collect())
}

/// The number in a [`Question::ChainId`](super::Question::ChainId)'s result.
///
/// # Errors
/// [`Failure::Malformed`] if the result is not a number that a chain can have.
pub fn chain_id_of(result: &RawValue) -> Result<u64, Failure> {
    // No chain has the id 0; a provider that says so answers 0 to every question.
    quantity(result.get()).filter(|id| *id != 0).ok_or(Failure::Malformed { what: "not a chain id" })
}

/// The number in a [`Question::BlockNumber`](super::Question::BlockNumber)'s result: the block that the provider says is its newest.
/// `None` if the result is not a quantity.
pub fn block_number_of(result: &RawValue) -> Option<u64> {
    quantity(result.get())
}

/// The wei in a [`Question::Balance`](super::Question::Balance)'s result, or the units in a
/// [`Question::TokenBalance`](super::Question::TokenBalance)'s, which are only claims. `None` if the result is no number.
pub fn balance(result: &RawValue) -> Option<U256> {
    let digits = result.get().trim().strip_prefix("\"0x")?.strip_suffix('"')?;
    let is_quantity =
        (1..=64).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_quantity.then(|| U256::from_str_radix(digits, 16).ok()).flatten()
}

/// What a [`Question::Capabilities`](super::Question::Capabilities)'s result says about `eth_getProof`; `None` if it says nothing.
pub fn state_proofs(result: &RawValue) -> Option<StateProofs> {
    let said: Value = serde_json::from_str(result.get()).ok()?;
    let proofs = said.get("stateproofs")?.as_object()?;
    let oldest = proofs.get("oldestBlock").and_then(|oldest| quantity(&oldest.to_string()));
    let disabled = proofs.get("disabled").and_then(Value::as_bool).unwrap_or(false);
    Some(StateProofs { disabled, oldest_block: oldest })
}

/// A JSON-RPC quantity: hexadecimal text.
fn quantity(json: &str) -> Option<u64> {
    let text: String = serde_json::from_str(json).ok()?;
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::to_raw_value;

    use super::*;

    #[test]
    fn capabilities_may_leave_members_out() {
        let read = |said: Value| state_proofs(&to_raw_value(&said).unwrap());
        let proofs = |disabled, oldest_block| Some(StateProofs { disabled, oldest_block });
        let whole = json!({ "head": {}, "stateproofs": { "disabled": false, "oldestBlock": "0x10" } });
        assert_eq!(read(whole), proofs(false, Some(16)));
        assert_eq!(read(json!({ "stateproofs": { "disabled": true } })), proofs(true, None));
        assert_eq!(read(json!({ "stateproofs": { "oldestBlock": 16 } })), proofs(false, None));
        for nothing in [json!(null), json!("0x1"), json!({}), json!({ "stateproofs": [] })] {
            assert_eq!(read(nothing.clone()), None, "{nothing}");
        }
    }

    #[test]
    fn an_access_list_is_read_as_nodes_write_it() {
        let read = |said: Value| access_list(&to_raw_value(&said).unwrap());
        let (token, key) = (Address::repeat_byte(7), B256::with_last_byte(2));
        let said = json!({
            "accessList": [
                { "address": token, "storageKeys": [key, "0x2"] },
                { "address": token, "storageKeys": null },
                { "address": token },
            ],
            "error": "execution reverted",
            "gasUsed": "0x5208",
        });
        assert_eq!(read(said), Some(vec![(token, vec![key, key]), (token, vec![]), (token, vec![])]));
        assert_eq!(read(json!({ "accessList": [] })), Some(vec![]));
        let short = json!({ "accessList": [{ "address": "0x07", "storageKeys": [] }] });
        for nothing in [json!(null), json!([]), json!({}), json!({ "accessList": {} }), short] {
            assert_eq!(read(nothing.clone()), None, "{nothing}");
        }
    }

    #[test]
    fn a_chain_id_is_a_number_that_a_chain_can_have() {
        let read = |said: Value| chain_id_of(&to_raw_value(&said).unwrap());
        assert_eq!(read(json!("0x1")), Ok(1));
        for none in [json!("0x0"), json!("1"), json!(1), json!("0x"), json!(null)] {
            assert_eq!(read(none.clone()), Err(Failure::Malformed { what: "not a chain id" }), "{none}");
        }
    }
}
