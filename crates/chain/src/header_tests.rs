use alloy_primitives::{B256, keccak256};
use serde_json::{Value, json};

use super::{ExecutionHeader, HeaderError, rebuild};

/// A block of today's layout, made up; what it hashes to is taken from its own RLP.
fn block() -> (Value, B256) {
    let word = |byte: &str| format!("0x{}", byte.repeat(32));
    let block = json!({
        "parentHash": word("11"), "sha3Uncles": word("12"), "miner": format!("0x{}", "13".repeat(20)),
        "stateRoot": word("14"), "transactionsRoot": word("15"), "receiptsRoot": word("16"),
        "logsBloom": format!("0x{}", "00".repeat(256)), "difficulty": "0x0", "number": "0x1234",
        "gasLimit": "0x3938700", "gasUsed": "0x0", "timestamp": "0x66000000", "extraData": "0x",
        "mixHash": word("17"), "nonce": "0x0000000000000000", "baseFeePerGas": "0x7", "withdrawalsRoot": word("18"),
        "blobGasUsed": "0x0", "excessBlobGas": "0x0", "parentBeaconBlockRoot": word("19"), "requestsHash": word("1a"),
        "hash": "0x", "size": "0x1", "transactions": [], "uncles": [], "withdrawals": [],
    });
    let hash = keccak256(rebuild(block.as_object().unwrap()).unwrap());
    (block, hash)
}

fn read(block: &Value, expected: B256) -> Result<ExecutionHeader, HeaderError> {
    ExecutionHeader::from_json(block.to_string().as_bytes(), expected)
}

#[test]
fn json_and_rlp_give_the_same_header() {
    let (block, hash) = block();
    let from_json = read(&block, hash).unwrap();
    let from_rlp = ExecutionHeader::from_rlp(&rebuild(block.as_object().unwrap()).unwrap(), hash).unwrap();
    assert_eq!(from_json, from_rlp);
    assert_eq!(from_json.number(), 0x1234);
    assert_eq!(from_json.timestamp().as_secs(), 0x6600_0000);
    assert_eq!(from_json.parent_hash(), B256::repeat_byte(0x11));
    assert_eq!(from_json.state_root().get(), B256::repeat_byte(0x14));
}

#[test]
fn a_null_optional_field_is_an_absent_one() {
    let (mut block, hash) = block();
    block["blockAccessListHash"] = Value::Null;
    assert!(read(&block, hash).is_ok());
}

#[test]
fn an_edited_field_changes_the_hash() {
    let (mut block, hash) = block();
    block["stateRoot"] = json!(format!("0x{}", "99".repeat(32)));
    assert!(matches!(read(&block, hash), Err(HeaderError::HashMismatch { .. })));
}

#[test]
fn a_missing_field_is_named() {
    let (mut block, hash) = block();
    block.as_object_mut().unwrap().remove("number");
    assert_eq!(read(&block, hash), Err(HeaderError::Field { field: "number" }));
}

#[test]
fn a_gap_in_the_optional_fields_is_refused() {
    let (mut block, hash) = block();
    block["withdrawalsRoot"] = Value::Null;
    assert_eq!(read(&block, hash), Err(HeaderError::Field { field: "blobGasUsed" }));
}

#[test]
fn a_field_from_the_future_reads_unknown_layout_only_if_the_hash_differs() {
    let (mut block, hash) = block();
    block["fieldOfTheFuture"] = json!("0x1");
    assert!(read(&block, hash).is_ok(), "an extra name beside a matching hash is no header field");
    assert_eq!(read(&block, B256::repeat_byte(9)), Err(HeaderError::UnknownLayout));
}

#[test]
fn bytes_that_are_no_header_are_refused() {
    for (rlp, refusal) in [(vec![0xc0], HeaderError::NotAHeader), (vec![0x80], HeaderError::NotAHeader)] {
        assert_eq!(ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)), Err(refusal));
    }
    let large = vec![0; ExecutionHeader::MAX_BYTES + 1];
    assert!(matches!(ExecutionHeader::from_rlp(&large, B256::ZERO), Err(HeaderError::TooLarge { .. })));
    assert_eq!(ExecutionHeader::from_json(b"[]", B256::ZERO), Err(HeaderError::NotAHeader));
    assert_eq!(ExecutionHeader::from_json(b"{", B256::ZERO), Err(HeaderError::NotAHeader));
}
