use alloy_primitives::{B256, keccak256};
use serde_json::{Value, json};

use super::{ExecutionHeader, HeaderError, rebuild};

/// Returns a made-up block of today's layout, and the hash of its RLP.
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

/// Returns the header of such a block, with this number and this parent.
pub(crate) fn header(number: u64, parent_hash: B256) -> ExecutionHeader {
    let (mut block, _) = block();
    block["number"] = json!(format!("{number:#x}"));
    block["timestamp"] = json!(format!("{:#x}", number.saturating_add(0x6600_0000)));
    block["parentHash"] = json!(parent_hash);
    let rlp = rebuild(block.as_object().unwrap()).unwrap();
    ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)).unwrap()
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
fn a_header_is_written_as_it_was_read() {
    let (mut block, hash) = block();
    let written = read(&block, hash).unwrap().to_json().unwrap();
    let of_block = block.as_object_mut().unwrap();
    for beside in ["size", "transactions", "uncles", "withdrawals"] {
        of_block.remove(beside);
    }
    of_block.insert("hash".to_owned(), json!(hash));
    assert_eq!(&written, of_block);
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
fn an_unknown_field_is_an_unknown_layout_only_if_the_hash_differs() {
    let (mut block, hash) = block();
    block["fieldOfTheFuture"] = json!("0x1");
    assert!(read(&block, hash).is_ok(), "if the hash matches, an extra name is not a header field");
    assert_eq!(read(&block, B256::repeat_byte(9)), Err(HeaderError::UnknownLayout));
}

#[test]
fn bytes_that_are_not_a_header_are_refused() {
    for (rlp, refusal) in [(vec![0xc0], HeaderError::NotAHeader), (vec![0x80], HeaderError::NotAHeader)] {
        assert_eq!(ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)), Err(refusal));
    }
    assert_eq!(ExecutionHeader::from_json(b"[]", B256::ZERO), Err(HeaderError::NotAHeader));
    assert_eq!(ExecutionHeader::from_json(b"{", B256::ZERO), Err(HeaderError::NotAHeader));
}

#[test]
fn bytes_beyond_the_limit_are_not_read() {
    let zeros = |length: usize| ExecutionHeader::from_rlp(&vec![0; length], B256::ZERO);
    let spaces = |length: usize| ExecutionHeader::from_json(&vec![b' '; length], B256::ZERO);
    let limit = ExecutionHeader::MAX_BYTES;
    assert!(matches!(zeros(limit), Err(HeaderError::HashMismatch { .. })));
    assert_eq!(zeros(limit + 1), Err(HeaderError::TooLarge { got: limit + 1, limit }));
    let limit = ExecutionHeader::MAX_JSON_BYTES;
    assert_eq!(spaces(limit), Err(HeaderError::NotAHeader));
    assert_eq!(spaces(limit + 1), Err(HeaderError::TooLarge { got: limit + 1, limit }));
    assert_eq!(spaces(limit + 2), Err(HeaderError::TooLarge { got: limit + 2, limit }));
}

#[test]
fn a_header_with_the_fewest_fields_is_read() {
    let (mut block, _) = block();
    let fields = block.as_object_mut().unwrap();
    for (name, _) in &crate::layout::FIELDS[crate::layout::ALWAYS..] {
        fields.remove(*name);
    }
    let rlp = rebuild(fields).unwrap();
    assert_eq!(ExecutionHeader::from_rlp(&rlp, keccak256(&rlp)).unwrap().number(), 0x1234);
    fields.remove("nonce");
    assert_eq!(rebuild(fields), Err(HeaderError::Field { field: "nonce" }));
}

/// Reads a header of 15 empty strings, except for these items.
fn raw(items: &[(usize, &[u8])]) -> Result<ExecutionHeader, HeaderError> {
    use alloy_rlp::Encodable;
    let mut payload = Vec::new();
    for at in 0..crate::layout::ALWAYS {
        let bytes: &[u8] = items.iter().find(|(place, _)| *place == at).map_or(&[], |(_, bytes)| bytes);
        bytes.encode(&mut payload);
    }
    let mut rlp = Vec::new();
    alloy_rlp::Header { list: true, payload_length: payload.len() }.encode(&mut rlp);
    rlp.extend(payload);
    ExecutionHeader::from_rlp(&rlp, keccak256(&rlp))
}

#[test]
fn numbers_have_no_leading_zeros_and_fit() {
    use crate::layout::index::{NUMBER, PARENT_HASH, STATE_ROOT};
    let with = |number: &[u8]| {
        raw(&[(PARENT_HASH, &[1; 32]), (STATE_ROOT, &[2; 32]), (NUMBER, number)])
            .map(|header| header.number())
    };
    assert_eq!(with(&[]), Ok(0));
    assert_eq!(with(&[1, 0]), Ok(256));
    assert_eq!(with(&[0xff; 8]), Ok(u64::MAX));
    for number in [&[0][..], &[0, 1], &[1; 9], &[0, 0, 0, 0, 0, 0, 0, 0, 1]] {
        assert_eq!(with(number), Err(HeaderError::Field { field: "number" }), "{number:?}");
    }
    assert_eq!(raw(&[(STATE_ROOT, &[2; 32])]), Err(HeaderError::Field { field: "parentHash" }));
}

#[test]
fn an_integer_has_1_to_64_digits() {
    let (mut block, hash) = block();
    let mut with = |digits: &str| {
        block["difficulty"] = json!(format!("0x{digits}"));
        read(&block, hash).map(|header| header.number())
    };
    assert_eq!(with("0"), Ok(0x1234));
    assert_eq!(with(&"0".repeat(64)), Ok(0x1234));
    for digits in ["", &"0".repeat(65), "g"] {
        assert_eq!(with(digits), Err(HeaderError::Field { field: "difficulty" }), "{digits}");
    }
}

#[test]
fn fixed_and_bounded_fields_have_their_length() {
    for (name, bytes, is_refused) in
        [("miner", 19, true), ("miner", 21, true), ("extraData", 32, false), ("extraData", 33, true)]
    {
        let (mut block, hash) = block();
        block[name] = json!(format!("0x{}", "13".repeat(bytes)));
        let refusal = read(&block, hash).unwrap_err();
        assert_eq!(refusal == HeaderError::Field { field: name }, is_refused, "{name} of {bytes}: {refusal}");
    }
}
