//! The JSON of real blocks of every layout encodes to RLP with the block hash, and raw RLP is decoded whatever fields
//! follow the known ones.

use std::collections::BTreeMap;
use std::path::Path;

use alloy_primitives::{B256, keccak256};
use saldo_chain::{ExecutionHeader, HeaderError};
use saldo_tests::captured::header_rlp;
use saldo_tests::further::{Further, say};
use serde_json::{Value, json};

fn from_json(header: &Value, hash: B256) -> Result<ExecutionHeader, HeaderError> {
    ExecutionHeader::from_json(header.to_string().as_bytes(), hash)
}

/// All headers, each with its hash and its number of fields.
fn headers() -> Option<Vec<(Value, B256, u64)>> {
    Some(headers_in(&saldo_tests::vectors("mpt/real-headers/headers.json")?))
}

fn headers_in(path: &Path) -> Vec<(Value, B256, u64)> {
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let of = |entry: &Value| {
        let hash = entry["header"]["hash"].as_str().or_else(|| entry["hash"].as_str()).unwrap();
        (entry["header"].clone(), hash.parse().unwrap(), entry["fields"].as_u64().unwrap())
    };
    file["headers"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn all_real_headers() {
    let Some(headers) = headers() else { return };
    let layouts = check(headers);
    assert_eq!(layouts.values().sum::<usize>(), 73);
    assert_eq!(layouts.keys().copied().collect::<Vec<_>>(), [15, 16, 17, 20, 21]);
}

#[test]
fn all_further_headers() {
    let Some(further) = Further::named() else { return };
    for path in &further.headers {
        say(&format!("{}: headers by their number of fields: {:?}", path.display(), check(headers_in(path))));
    }
}

/// Checks each header. Returns how many headers have each number of fields.
fn check(headers: Vec<(Value, B256, u64)>) -> BTreeMap<u64, usize> {
    let mut layouts = BTreeMap::new();
    for (header, hash, fields) in headers {
        let read = from_json(&header, hash).unwrap_or_else(|refusal| panic!("{hash}: {refusal}"));
        assert_eq!(read.hash(), hash);
        let number = header["number"].as_str().unwrap().trim_start_matches("0x");
        assert_eq!(read.number(), u64::from_str_radix(number, 16).unwrap());
        *layouts.entry(fields).or_insert(0) += 1;

        // The same header from its bytes, and from no other bytes.
        let bytes = header_rlp(&header);
        assert_eq!(ExecutionHeader::from_rlp(&bytes, hash), Ok(read));
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        let refusal = HeaderError::HashMismatch { got: keccak256(&flipped), expected: hash };
        assert_eq!(ExecutionHeader::from_rlp(&flipped, hash), Err(refusal));

        // With one field changed: another hash, or no header at all.
        let mut edited = header.clone();
        edited["stateRoot"] = Value::from(format!("0x{}", "ab".repeat(32)));
        let refusal = from_json(&edited, hash).unwrap_err();
        assert!(
            matches!(refusal, HeaderError::HashMismatch { .. } | HeaderError::UnknownLayout),
            "{refusal}"
        );
    }
    layouts
}

/// A real header with Amsterdam's fields appended, and after them a field that no fork has yet.
#[test]
fn one_field_more_than_is_known() {
    let Some(headers) = headers() else { return };
    let of_prague: Vec<_> = headers.into_iter().filter(|(_, _, fields)| *fields == 21).collect();
    assert!(!of_prague.is_empty());
    for (mut header, ..) in of_prague {
        header["blockAccessListHash"] = json!(B256::repeat_byte(0x22));
        let hash = keccak256(header_rlp(&header));
        assert!(from_json(&header, hash).is_ok(), "22 fields");
        header["slotNumber"] = json!("0xb71b00");
        let hash = keccak256(header_rlp(&header));
        let read = from_json(&header, hash).unwrap();
        assert_eq!(ExecutionHeader::from_rlp(&header_rlp(&header), hash), Ok(read), "23 fields");

        header["fieldOfTheFuture"] = json!(B256::repeat_byte(0x24));
        let longer = header_rlp(&header);
        let hash = keccak256(&longer);
        assert_eq!(from_json(&header, hash), Err(HeaderError::UnknownLayout));
        let from_bytes = ExecutionHeader::from_rlp(&longer, hash).unwrap();
        assert_eq!(
            from_bytes.state_root().get(),
            header["stateRoot"].as_str().unwrap().parse::<B256>().unwrap()
        );
    }
}
