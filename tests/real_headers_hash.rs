//! The JSON of real blocks of every layout becomes the RLP that hashes to the block hash.

use saldo_chain::{ExecutionHeader, HeaderError};
use serde_json::Value;

#[test]
fn all_real_headers() {
    let Some(path) = saldo_tests::vectors("mpt/real-headers/headers.json") else { return };
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut layouts = std::collections::BTreeMap::new();
    for entry in file["headers"].as_array().unwrap() {
        let header = &entry["header"];
        let hash = header["hash"].as_str().or_else(|| entry["hash"].as_str()).unwrap().parse().unwrap();
        let read = ExecutionHeader::from_json(header.to_string().as_bytes(), hash)
            .unwrap_or_else(|refusal| panic!("{}: {refusal}", entry["source"]));
        assert_eq!(read.hash(), hash);
        let number = header["number"].as_str().unwrap().trim_start_matches("0x");
        assert_eq!(read.number(), u64::from_str_radix(number, 16).unwrap());
        *layouts.entry(entry["fields"].as_u64().unwrap()).or_insert(0) += 1;

        // One letter of one field changed: another hash, or no header at all.
        let mut edited = header.clone();
        edited["stateRoot"] = Value::from(format!("0x{}", "ab".repeat(32)));
        let refusal = ExecutionHeader::from_json(edited.to_string().as_bytes(), hash).unwrap_err();
        assert!(
            matches!(refusal, HeaderError::HashMismatch { .. } | HeaderError::UnknownLayout),
            "{refusal}"
        );
    }
    assert_eq!(layouts.values().sum::<usize>(), 73);
    assert_eq!(layouts.keys().copied().collect::<Vec<_>>(), [15, 16, 17, 20, 21]);
}
