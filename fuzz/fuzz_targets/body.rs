//! Any JSON as the body of a block, under a header that has the roots of its lists: no panic, each transaction is counted, and the
//! same lists under another root are refused.
#![no_main]

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_primitives::{B256, hex, keccak256};
use libfuzzer_sys::fuzz_target;
use saldo_chain::{Body, BodyError, ExecutionHeader};
use saldo_fuzz::input::Input;
use serde_json::{Map, Value, json};

/// The most transactions and withdrawals that are made up.
const MOST_ITEMS: u8 = 5;
const INTEGERS: [&str; 10] = [
    "chainId",
    "nonce",
    "gasPrice",
    "maxPriorityFeePerGas",
    "maxFeePerGas",
    "gas",
    "value",
    "maxFeePerBlobGas",
    "r",
    "s",
];

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    let has_withdrawals = input.byte() % 2 == 1;
    let text = match input.byte() % 2 {
        0 => input.rest().to_vec(),
        _ => made_up(&mut input).to_string().into_bytes(),
    };
    let mut header = Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        base_fee_per_gas: has_withdrawals.then_some(7),
        withdrawals_root: has_withdrawals.then_some(B256::ZERO),
        ..Header::default()
    };
    // Each root is learned from the refusal.
    for _ in 0..3 {
        match read(&text, &header) {
            Err(BodyError::RootMismatch { field: "transactionsRoot", got, .. }) => {
                header.transactions_root = got
            }
            Err(BodyError::RootMismatch { got, .. }) => header.withdrawals_root = Some(got),
            Err(_) => return,
            Ok(body) => return is_whole(&body, &text, &header),
        }
    }
    panic!("there are two roots");
});

fn read(text: &[u8], header: &Header) -> Result<Body, BodyError> {
    let rlp = alloy_rlp::encode(header);
    let header = ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)).expect("a header");
    Body::from_json(text, &header)
}

fn is_whole(body: &Body, text: &[u8], header: &Header) {
    // A general reader refuses some numbers and depths in members that are not read.
    if let Ok(block) = serde_json::from_slice::<Value>(text) {
        let count = |name: &str| block[name].as_array().map_or(0, Vec::len);
        assert_eq!(body.transactions().len(), count("transactions"));
        let expected = header.withdrawals_root.map(|_| count("withdrawals"));
        assert_eq!(body.withdrawals().map(<[_]>::len), expected);
    }
    let other = Header { transactions_root: B256::repeat_byte(1), ..header.clone() };
    assert!(matches!(read(text, &other), Err(BodyError::RootMismatch { .. })));
}

/// Makes a block with transactions and withdrawals that are right, or lack a member, or have an odd one.
fn made_up(input: &mut Input<'_>) -> Value {
    let transactions: Vec<Value> = (0..input.byte() % MOST_ITEMS).map(|_| transaction(input)).collect();
    let withdrawals: Vec<Value> = (0..input.byte() % MOST_ITEMS).map(|_| withdrawal(input)).collect();
    json!({ "transactions": transactions, "withdrawals": withdrawals })
}

fn transaction(input: &mut Input<'_>) -> Value {
    let mut members = Map::new();
    members.insert("type".to_owned(), json!(format!("{:#x}", input.byte() % 6)));
    for name in INTEGERS {
        odd_or(input, &mut members, name, |input| json!(format!("{:#x}", input.number())));
    }
    odd_or(input, &mut members, "v", |input| json!(format!("{:#x}", input.byte())));
    odd_or(input, &mut members, "to", |input| json!(hex::encode_prefixed(input.array::<20>())));
    odd_or(input, &mut members, "input", |input| json!(hex::encode_prefixed(input.part())));
    odd_or(input, &mut members, "accessList", |input| {
        let key = hex::encode_prefixed(input.array::<8>().repeat(4));
        json!([{ "address": hex::encode_prefixed(input.array::<20>()), "storageKeys": [key] }])
    });
    odd_or(input, &mut members, "blobVersionedHashes", |input| {
        json!([hex::encode_prefixed(input.array::<8>().repeat(4))])
    });
    odd_or(input, &mut members, "authorizationList", |input| {
        let address = hex::encode_prefixed(input.array::<20>());
        json!([{ "chainId": "0x1", "address": address, "nonce": "0x0", "yParity": "0x1", "r": "0x2", "s": "0x3" }])
    });
    Value::Object(members)
}

fn withdrawal(input: &mut Input<'_>) -> Value {
    let mut members = Map::new();
    for name in ["index", "validatorIndex", "amount"] {
        odd_or(input, &mut members, name, |input| json!(format!("{:#x}", input.number())));
    }
    odd_or(input, &mut members, "address", |input| json!(hex::encode_prefixed(input.array::<20>())));
    Value::Object(members)
}

fn odd_or(
    input: &mut Input<'_>,
    members: &mut Map<String, Value>,
    name: &str,
    right: impl FnOnce(&mut Input<'_>) -> Value,
) {
    let value = match input.byte() {
        0 => return,
        1 => Value::Null,
        2 => json!(input.number()),
        3 => json!(String::from_utf8_lossy(input.part())),
        _ => right(input),
    };
    members.insert(name.to_owned(), value);
}
