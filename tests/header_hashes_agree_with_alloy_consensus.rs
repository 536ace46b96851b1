//! Headers hash as `alloy-consensus` hashes them: real ones and generated ones of every layout, encoded from JSON or
//! decoded from RLP. A changed field gives the hash that `alloy-consensus` computes. Of changed RLP we accept
//! everything that it accepts, and more only as [`WeReadMore`] lists: only the hash makes a header trustworthy.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256, keccak256};
use alloy_rlp::Decodable;
use proptest::prelude::*;
use proptest::sample::Index;
use rlp::Rlp;
use saldo_beacon::unit::UnixTime;
use saldo_chain::{ExecutionHeader, HeaderError};
use saldo_tests::vectors;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// What we accept as a header and `alloy-consensus` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WeReadMore {
    /// A field that we do not read is invalid.
    UnreadField,
    /// There are more fields than are known.
    FurtherFields,
}

/// The names of all fields, in order. Every header has the first 15.
const NAMES: [&str; 23] = [
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
    "blockAccessListHash",
    "slotNumber",
];

fn field<T: DeserializeOwned>(block: &Value, name: &str) -> T {
    optional(block, name).unwrap_or_else(|| panic!("no {name} in {block}"))
}

fn optional<T: DeserializeOwned>(block: &Value, name: &str) -> Option<T> {
    let value = block.get(name).filter(|value| !value.is_null())?;
    Some(serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{name} of {block}: {error}")))
}

/// A quantity that fits in 64 bits.
fn integer(block: &Value, name: &str) -> Option<u64> {
    optional::<U256>(block, name).map(|value| value.try_into().unwrap())
}

/// The header from a block's JSON, without any code of saldo.
fn alloy_header(block: &Value) -> Header {
    Header {
        parent_hash: field(block, "parentHash"),
        ommers_hash: field(block, "sha3Uncles"),
        beneficiary: field(block, "miner"),
        state_root: field(block, "stateRoot"),
        transactions_root: field(block, "transactionsRoot"),
        receipts_root: field(block, "receiptsRoot"),
        logs_bloom: field(block, "logsBloom"),
        difficulty: field(block, "difficulty"),
        number: integer(block, "number").unwrap(),
        gas_limit: integer(block, "gasLimit").unwrap(),
        gas_used: integer(block, "gasUsed").unwrap(),
        timestamp: integer(block, "timestamp").unwrap(),
        extra_data: field(block, "extraData"),
        mix_hash: field(block, "mixHash"),
        nonce: field(block, "nonce"),
        base_fee_per_gas: integer(block, "baseFeePerGas"),
        withdrawals_root: optional(block, "withdrawalsRoot"),
        blob_gas_used: integer(block, "blobGasUsed"),
        excess_blob_gas: integer(block, "excessBlobGas"),
        parent_beacon_block_root: optional(block, "parentBeaconBlockRoot"),
        requests_hash: optional(block, "requestsHash"),
        block_access_list_hash: optional(block, "blockAccessListHash"),
        slot_number: integer(block, "slotNumber"),
    }
}

fn fields_of(block: &Value) -> usize {
    NAMES.iter().take_while(|name| block.get(**name).is_some_and(|value| !value.is_null())).count()
}

fn from_json(block: &Value, expected: B256) -> Result<ExecutionHeader, HeaderError> {
    ExecutionHeader::from_json(block.to_string().as_bytes(), expected)
}

/// Checks that both give the block the same hash, from JSON and from RLP, and the same values.
fn agree(block: &Value) -> (Header, ExecutionHeader) {
    let header = alloy_header(block);
    let hash = header.hash_slow();
    let ours = from_json(block, hash).unwrap_or_else(|refusal| panic!("{block}: {refusal}"));
    assert_eq!(ExecutionHeader::from_rlp(&alloy_rlp::encode(&header), hash), Ok(ours.clone()));
    same(&ours, &header);
    (header, ours)
}

fn same(ours: &ExecutionHeader, header: &Header) {
    assert_eq!(ours.hash(), header.hash_slow());
    assert_eq!(ours.parent_hash(), header.parent_hash);
    assert_eq!(ours.state_root().get(), header.state_root);
    assert_eq!(ours.number(), header.number);
    assert_eq!(ours.timestamp(), UnixTime::from_secs(header.timestamp));
}

/// The block with the last digit of one field changed, or one byte added to an empty field.
fn changed(block: &Value, name: &str) -> Value {
    let mut block = block.clone();
    let text = block[name].as_str().unwrap();
    let changed = match text.strip_prefix("0x").unwrap() {
        "" => "0x01".to_owned(),
        digits => {
            let last = digits.chars().last().unwrap().to_digit(16).unwrap();
            format!("0x{}{:x}", &digits[..digits.len() - 1], last ^ 1)
        }
    };
    block[name] = changed.into();
    block
}

/// Changes each field of a block in turn: the hash becomes the one that `alloy-consensus` computes.
fn each_field_counts(block: &Value, hash: B256) -> usize {
    let names = &NAMES[..fields_of(block)];
    for name in names {
        let edited = changed(block, name);
        let got = alloy_header(&edited).hash_slow();
        assert_ne!(got, hash, "{name}");
        assert_eq!(
            from_json(&edited, hash),
            Err(HeaderError::HashMismatch { got, expected: hash }),
            "{name}"
        );
    }
    names.len()
}

#[test]
fn on_all_real_headers() {
    let Some(path) = vectors("mpt/real-headers/headers.json") else { return };
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let (mut layouts, mut changes) = (BTreeMap::new(), 0);
    for entry in file["headers"].as_array().unwrap() {
        let block = &entry["header"];
        let hash = block["hash"].as_str().or_else(|| entry["hash"].as_str()).unwrap();
        let (header, _) = agree(block);
        assert_eq!(header.hash_slow(), hash.parse::<B256>().unwrap());
        *layouts.entry(fields_of(block)).or_insert(0) += 1;
        changes += each_field_counts(block, header.hash_slow());
    }
    assert_eq!(layouts.values().sum::<usize>(), 73);
    assert_eq!(layouts, BTreeMap::from([(15, 11), (16, 5), (17, 4), (20, 18), (21, 35)]));
    assert_eq!(changes, 11 * 15 + 5 * 16 + 4 * 17 + 18 * 20 + 35 * 21);
}

/// A block with `count` fields in its header, as JSON.
fn block() -> impl Strategy<Value = Value> {
    let words = || prop::collection::vec(any::<[u8; 32]>(), 9);
    // As many short integers as long ones, including zero.
    let integer =
        || (any::<u64>(), 0..=64_u32).prop_map(|(value, bits)| value.checked_shr(bits).unwrap_or(0));
    let integers = prop::collection::vec(integer(), 8);
    let difficulty = (any::<[u8; 32]>(), 0..=256_usize)
        .prop_map(|(bytes, bits)| U256::from_be_bytes(bytes).checked_shr(bits).unwrap_or(U256::ZERO));
    let rest = (any::<[u8; 20]>(), any::<[u8; 8]>(), prop::collection::vec(any::<u8>(), 0..=32), any::<u8>());
    (15..=23_usize, words(), integers, difficulty, rest).prop_map(
        |(count, words, integers, difficulty, (miner, nonce, extra, bloom))| {
            let words: Vec<B256> = words.into_iter().map(B256::from).collect();
            let integers: Vec<String> = integers.into_iter().map(|value| format!("{value:#x}")).collect();
            let values = [
                json!(words[0]),
                json!(words[1]),
                json!(Address::from(miner)),
                json!(words[2]),
                json!(words[3]),
                json!(words[4]),
                json!(Bloom::repeat_byte(bloom)),
                json!(format!("{difficulty:#x}")),
                json!(integers[0]),
                json!(integers[1]),
                json!(integers[2]),
                json!(integers[3]),
                json!(Bytes::from(extra)),
                json!(words[5]),
                json!(B64::from(nonce)),
                json!(integers[4]),
                json!(words[6]),
                json!(integers[5]),
                json!(integers[6]),
                json!(words[7]),
                json!(words[8]),
                json!(words[0]),
                json!(integers[7]),
            ];
            let names = NAMES.iter().map(|name| (*name).to_owned());
            let mut block: Map<String, Value> = names.zip(values).take(count).collect();
            block.insert("transactions".into(), json!([]));
            Value::Object(block)
        },
    )
}

/// A change to the RLP of a header.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Cut(Index),
    Append(u8),
    /// Inserts an item and corrects the list's length.
    Insert(Index, Vec<u8>),
    /// Removes an item and corrects the list's length.
    Remove(Index),
    /// Replaces an item and corrects the list's length.
    Replace(Index, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let item = || {
        prop_oneof![
            Just(vec![0x80]),
            Just(vec![0x00]),
            Just(vec![0xc0]),
            (1..0x80_u8).prop_map(|byte| vec![byte]),
            any::<[u8; 32]>().prop_map(|word| [&[0xa0][..], &word].concat()),
            any::<[u8; 9]>().prop_map(|bytes| [&[0x89][..], &bytes].concat()),
            any::<[u8; 2]>().prop_map(|bytes| vec![0x82, bytes[0], bytes[1]]),
        ]
    };
    prop_oneof![
        2 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => any::<u8>().prop_map(Change::Append),
        1 => (any::<Index>(), item()).prop_map(|(at, item)| Change::Insert(at, item)),
        1 => any::<Index>().prop_map(Change::Remove),
        3 => (any::<Index>(), item()).prop_map(|(at, item)| Change::Replace(at, item)),
    ]
}

fn apply(change: &Change, header: &[u8]) -> Vec<u8> {
    let mut items: Vec<Vec<u8>> = Rlp::new(header).iter().map(|item| item.as_raw().to_vec()).collect();
    let count = items.len();
    let mut bytes = header.to_vec();
    match change {
        Change::Flip(at, bit) => bytes[at.index(header.len())] ^= 1 << bit,
        Change::Cut(at) => bytes.truncate(at.index(header.len())),
        Change::Append(byte) => bytes.push(*byte),
        Change::Insert(at, item) => items.insert(at.index(count + 1), item.clone()),
        Change::Remove(at) => drop(items.remove(at.index(count))),
        Change::Replace(at, item) => items[at.index(count)].clone_from(item),
    }
    if matches!(change, Change::Flip(..) | Change::Cut(_) | Change::Append(_)) {
        return bytes;
    }
    let mut stream = rlp::RlpStream::new_list(items.len());
    for item in items {
        stream.append_raw(&item, 1);
    }
    stream.out().to_vec()
}

/// Decodes bytes under their own hash, with both libraries.
fn both(bytes: &[u8]) -> Result<Header, Option<WeReadMore>> {
    let ours = ExecutionHeader::from_rlp(bytes, keccak256(bytes));
    let mut rest = bytes;
    let theirs = Header::decode(&mut rest).ok().filter(|_| rest.is_empty());
    match (ours, theirs) {
        (Ok(ours), Some(header)) => {
            // An accepted header encodes to the same bytes, otherwise it is not canonical.
            assert_eq!(alloy_rlp::encode(&header), bytes);
            same(&ours, &header);
            Ok(header)
        }
        (Err(HeaderError::NotAHeader | HeaderError::Field { .. }), None) => Err(None),
        (Ok(ours), None) => {
            let list = Rlp::new(bytes);
            let count = list.item_count().unwrap();
            assert!(count >= 15);
            assert_eq!(list.at(0).unwrap().data().unwrap(), ours.parent_hash());
            assert_eq!(list.at(3).unwrap().data().unwrap(), ours.state_root().get());
            assert_eq!(list.val_at::<u64>(8).unwrap(), ours.number());
            assert_eq!(UnixTime::from_secs(list.val_at(11).unwrap()), ours.timestamp());
            Err(Some(if count > NAMES.len() { WeReadMore::FurtherFields } else { WeReadMore::UnreadField }))
        }
        (ours, theirs) => panic!("ours {ours:?}, theirs {theirs:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_invented_headers(block in block()) {
        let (header, _) = agree(&block);
        let changes = each_field_counts(&block, header.hash_slow());
        prop_assert!((15..=23).contains(&changes));
    }

    #[test]
    fn on_changed_rlp(block in block(), changes in prop::collection::vec(change(), 1..8)) {
        let genuine = alloy_rlp::encode(alloy_header(&block));
        for change in changes {
            let bytes = apply(&change, &genuine);
            let read = both(&bytes);
            if bytes != genuine {
                let refusal = ExecutionHeader::from_rlp(&bytes, keccak256(&genuine)).unwrap_err();
                let (got, expected) = (keccak256(&bytes), keccak256(&genuine));
                prop_assert_eq!(refusal, HeaderError::HashMismatch { got, expected });
            } else {
                prop_assert!(read.is_ok());
            }
        }
    }
}

/// One example of each kind, with its cause.
#[test]
fn we_read_more_in_two_ways() {
    let Some(path) = vectors("mpt/real-headers/headers.json") else { return };
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let genuine = alloy_rlp::encode(alloy_header(&file["headers"][0]["header"]));
    let mut items: Vec<Vec<u8>> = Rlp::new(&genuine).iter().map(|item| item.as_raw().to_vec()).collect();
    let list = |items: &[Vec<u8>]| {
        let mut stream = rlp::RlpStream::new_list(items.len());
        for item in items {
            stream.append_raw(item, 1);
        }
        stream.out().to_vec()
    };
    let mut found = BTreeMap::new();
    for at in 0..items.len() {
        let original = std::mem::replace(&mut items[at], vec![0xc0]);
        *found.entry(both(&list(&items)).unwrap_err()).or_insert(0) += 1;
        items[at] = original;
    }
    let read = 4;
    let unread = items.len() - read;
    assert_eq!(found, BTreeMap::from([(None, read), (Some(WeReadMore::UnreadField), unread)]));
    let known = items.len();
    items.extend(vec![vec![0xa0; 33]; 24]);
    items[known..].iter_mut().for_each(|item| item[0] = 0xa0);
    assert_eq!(both(&list(&items)), Err(Some(WeReadMore::FurtherFields)));
}
