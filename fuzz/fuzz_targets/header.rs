//! Any bytes as the RLP or the JSON of an execution header, with their own hash as the expected one: no panic, and
//! `alloy-consensus` reads the same header and computes the same hash.
#![no_main]

use alloy_consensus::Header;
use alloy_primitives::{B256, hex, keccak256};
use alloy_rlp::Decodable;
use libfuzzer_sys::fuzz_target;
use saldo_beacon::unit::UnixTime;
use saldo_chain::{ExecutionHeader, HeaderError};
use saldo_fuzz::input::Input;
use serde_json::{Map, Value};

/// The fields of a header, and the length of each in bytes; 0 for integers.
const FIELDS: [(&str, usize); 23] = [
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", 256),
    ("difficulty", 0),
    ("number", 0),
    ("gasLimit", 0),
    ("gasUsed", 0),
    ("timestamp", 0),
    ("extraData", 5),
    ("mixHash", 32),
    ("nonce", 8),
    ("baseFeePerGas", 0),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", 0),
    ("excessBlobGas", 0),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
    ("blockAccessListHash", 32),
    ("slotNumber", 0),
];

fuzz_target!(|input: &[u8]| {
    let mut input = Input::new(input);
    match input.byte() % 3 {
        0 => json(input.rest()),
        1 => rlp(input.rest()),
        _ => json(made_up(input).as_bytes()),
    }
});

fn rlp(bytes: &[u8]) {
    let hash = keccak256(bytes);
    let ours = ExecutionHeader::from_rlp(bytes, hash);
    assert!(!matches!(ours, Err(HeaderError::HashMismatch { .. })));
    let other = ExecutionHeader::from_rlp(bytes, B256::ZERO);
    assert!(matches!(other, Err(HeaderError::HashMismatch { .. } | HeaderError::TooLarge { .. })));

    let mut rest = bytes;
    let Ok(theirs) = Header::decode(&mut rest) else { return };
    if bytes.len() <= ExecutionHeader::MAX_BYTES && alloy_rlp::encode(&theirs) == bytes {
        assert_eq!(theirs.hash_slow(), hash);
        same(ours.as_ref().expect("it is a header"), &theirs);
    } else if let Ok(ours) = &ours {
        same(ours, &theirs);
    }
}

fn json(text: &[u8]) {
    let got = match ExecutionHeader::from_json(text, B256::ZERO) {
        Err(HeaderError::HashMismatch { got, .. }) => got,
        // This error does not have the computed hash, so take the one that `alloy-consensus` computes.
        Err(HeaderError::UnknownLayout) => match serde_json::from_slice::<Header>(text) {
            Ok(theirs) => theirs.hash_slow(),
            Err(_) => return,
        },
        Err(_) => return,
        Ok(header) => panic!("{header:?} hashes to zero"),
    };
    let ours = ExecutionHeader::from_json(text, got);
    assert!(!matches!(ours, Err(HeaderError::HashMismatch { .. })), "{ours:?}");
    if let Ok(theirs) = serde_json::from_slice::<Header>(text) {
        assert_eq!(theirs.hash_slow(), got);
        same(&ours.expect("it is a header"), &theirs);
    }
}

fn same(ours: &ExecutionHeader, theirs: &Header) {
    assert_eq!(ours.parent_hash(), theirs.parent_hash);
    assert_eq!(ours.state_root().get(), theirs.state_root);
    // A time that does not fit in milliseconds becomes the last one that does.
    assert_eq!((ours.number(), ours.timestamp()), (theirs.number, UnixTime::from_secs(theirs.timestamp)));
}

/// Makes a block object with fields that are missing, null, odd, or right.
fn made_up(mut input: Input<'_>) -> String {
    let mut block = Map::new();
    for (name, length) in FIELDS {
        let value = match (input.byte(), length) {
            (0, _) => continue,
            (1, _) => Value::Null,
            (2, _) => Value::from(input.number()),
            (3, _) => Value::from(hex::encode_prefixed(input.part())),
            (4, _) => Value::from(String::from_utf8_lossy(input.part())),
            (_, 0) => Value::from(format!("{:#x}", input.number())),
            (_, length) => {
                let mut bytes = input.array::<8>().repeat(length.div_ceil(8));
                bytes.truncate(length);
                Value::from(hex::encode_prefixed(bytes))
            }
        };
        block.insert(name.to_owned(), value);
    }
    Value::Object(block).to_string()
}
