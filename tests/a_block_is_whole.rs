//! The transactions and withdrawals of a block are those that its header commits to: read from JSON, encoded again, and compared with
//! `alloy-consensus` for every type of transaction. A list that lacks, doubles, moves or changes one is refused.

use alloy_consensus::{Block, Transaction, TxEnvelope, Typed2718};
use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::Decodable;
use rlp::{PayloadInfo, Rlp};
use saldo_chain::{Body, BodyError, ExecutionHeader};
use saldo_tests::vectors;
use serde_json::{Value, json};

/// A block of the chain of the execution-apis tests, as RLP, as its header, and as JSON that no code of saldo wrote.
struct Case {
    rlp: Vec<u8>,
    header: ExecutionHeader,
    block: Block<TxEnvelope>,
    json: Value,
}

fn hex(number: impl Into<U256>) -> String {
    format!("{:#x}", number.into())
}

fn integer(number: u64) -> String {
    format!("{number:#x}")
}

fn transaction_json(transaction: &TxEnvelope) -> Value {
    let signature = transaction.signature();
    let parity = u64::from(signature.v());
    let kind = transaction.ty();
    // Source: EIP-155.
    let v = match (kind, transaction.chain_id()) {
        (0, Some(chain_id)) => chain_id * 2 + 35 + parity,
        (0, None) => 27 + parity,
        _ => parity,
    };
    let mut json = json!({
        "type": integer(kind.into()), "nonce": integer(transaction.nonce()), "gas": integer(transaction.gas_limit()),
        "to": transaction.to(), "value": hex(transaction.value()), "input": transaction.input(),
        "hash": transaction.tx_hash(), "v": integer(v), "r": hex(signature.r()), "s": hex(signature.s()),
    });
    let mut set = |name: &str, value: Value| json[name] = value;
    if let Some(chain_id) = transaction.chain_id() {
        set("chainId", json!(integer(chain_id)));
    }
    match transaction.gas_price() {
        Some(price) => set("gasPrice", json!(format!("{price:#x}"))),
        None => {
            set("maxFeePerGas", json!(format!("{:#x}", transaction.max_fee_per_gas())));
            let priority = transaction.max_priority_fee_per_gas().unwrap();
            set("maxPriorityFeePerGas", json!(format!("{priority:#x}")));
        }
    }
    if let Some(list) = transaction.access_list() {
        let entry = |item: &_| {
            let alloy_consensus::private::alloy_eips::eip2930::AccessListItem { address, storage_keys } =
                item;
            json!({ "address": address, "storageKeys": storage_keys })
        };
        set("accessList", list.iter().map(entry).collect());
        set("yParity", json!(integer(parity)));
    }
    if let Some(hashes) = transaction.blob_versioned_hashes() {
        set("blobVersionedHashes", json!(hashes));
        set("maxFeePerBlobGas", json!(format!("{:#x}", transaction.max_fee_per_blob_gas().unwrap())));
    }
    if let Some(list) = transaction.authorization_list() {
        let entry = |signed: &alloy_consensus::private::alloy_eips::eip7702::SignedAuthorization| {
            json!({
                "chainId": hex(*signed.chain_id()), "address": signed.address(), "nonce": integer(signed.nonce()),
                "yParity": integer(signed.y_parity().into()), "r": hex(signed.r()), "s": hex(signed.s()),
            })
        };
        set("authorizationList", list.iter().map(entry).collect());
    }
    json
}

fn cases() -> Option<Vec<Case>> {
    let bytes = std::fs::read(vectors("mpt/execution-apis-chain/tests")?.join("chain.rlp")).unwrap();
    let (mut rest, mut cases) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let (block, later) = rest.split_at(PayloadInfo::from(rest).unwrap().total());
        rest = later;
        let raw = Rlp::new(block).at(0).unwrap().as_raw().to_vec();
        let header = ExecutionHeader::from_rlp(&raw, keccak256(&raw)).unwrap();
        let rlp = block.to_vec();
        let block = Block::<TxEnvelope>::decode(&mut rlp.as_slice()).unwrap();
        if !block.body.ommers.is_empty() {
            // Only blocks before the merge have uncles.
            assert!(matches!(
                Body::from_json(br#"{"transactions":[]}"#, &header),
                Err(BodyError::Header { field: "sha3Uncles" })
            ));
            continue;
        }
        let withdrawal = |one: &alloy_consensus::private::alloy_eips::eip4895::Withdrawal| {
            json!({
                "index": integer(one.index), "validatorIndex": integer(one.validator_index),
                "address": one.address, "amount": integer(one.amount),
            })
        };
        let withdrawals = block.body.withdrawals.as_ref();
        let json = json!({
            "transactions": block.body.transactions.iter().map(transaction_json).collect::<Vec<_>>(),
            "withdrawals": withdrawals.map(|list| list.iter().map(withdrawal).collect::<Vec<_>>()),
        });
        cases.push(Case { rlp, header, block, json });
    }
    Some(cases)
}

fn read(case: &Case, json: &Value) -> Result<Body, BodyError> {
    Body::from_json(json.to_string().as_bytes(), &case.header)
}

#[test]
fn every_type_of_transaction_is_encoded_as_alloy_encodes_it() {
    let Some(cases) = cases() else { return };
    let mut types = [0; 5];
    for case in &cases {
        let body = read(case, &case.json).unwrap_or_else(|error| panic!("{}: {error}", case.header.number()));
        let hashes: Vec<B256> = case.block.body.transactions.iter().map(|one| *one.tx_hash()).collect();
        assert_eq!(body.transactions(), hashes);
        assert_eq!(body.size(), case.rlp.len(), "block {}", case.header.number());
        let theirs = case.block.body.withdrawals.as_ref().map(|list| list.len());
        assert_eq!(body.withdrawals().map(<[_]>::len), theirs);
        case.block.body.transactions.iter().for_each(|one| types[usize::from(one.ty())] += 1);
    }
    assert!(types.iter().all(|count| *count > 0), "every type is in the chain: {types:?}");
}

#[test]
fn the_json_of_geth_is_read() {
    let Some(folder) = vectors("mpt/execution-apis-chain/tests") else { return };
    let text = std::fs::read_to_string(folder.join("eth_getBlockByNumber/get-latest.io")).unwrap();
    let answer = text.lines().find_map(|line| line.strip_prefix("<< ")).unwrap();
    let block = serde_json::from_str::<Value>(answer).unwrap()["result"].clone();
    let hash = serde_json::from_value(block["hash"].clone()).unwrap();
    let header = ExecutionHeader::from_json(block.to_string().as_bytes(), hash).unwrap();
    let body = Body::from_json(block.to_string().as_bytes(), &header).unwrap();
    let hashes: Vec<Value> =
        block["transactions"].as_array().unwrap().iter().map(|one| one["hash"].clone()).collect();
    assert_eq!(json!(body.transactions()), json!(hashes));
    let raw = body.raw_transactions().iter().map(alloy_primitives::keccak256);
    assert_eq!(raw.collect::<Vec<_>>(), body.transactions());
    assert_eq!(block["size"], integer(body.size().try_into().unwrap()));
}

#[test]
fn a_changed_list_is_refused() {
    let Some(cases) = cases() else { return };
    let mut seen = 0;
    for case in &cases {
        let list = case.json["transactions"].as_array().unwrap();
        for place in 0..list.len() {
            let edited = |edit: &dyn Fn(&mut Vec<Value>)| {
                let mut json = case.json.clone();
                edit(json["transactions"].as_array_mut().unwrap());
                read(case, &json)
            };
            let refused = |outcome: Result<Body, BodyError>| {
                assert!(
                    matches!(outcome, Err(BodyError::RootMismatch { field: "transactionsRoot", .. })),
                    "{outcome:?}"
                );
            };
            refused(edited(&|list| drop(list.remove(place))));
            refused(edited(&|list| list.push(list[place].clone())));
            refused(edited(&|list| list[place]["nonce"] = json!("0xffff")));
            refused(edited(&|list| list[place]["value"] = json!("0x123456789")));
            refused(edited(&|list| list[place]["input"] = json!("0x1234567890")));
            if place > 0 {
                refused(edited(&|list| list.swap(0, place)));
            }
            let malformed = |outcome: Result<Body, BodyError>| {
                assert_eq!(outcome, Err(BodyError::Malformed { place }));
            };
            malformed(edited(&|list| list[place] = list[place]["hash"].clone()));
            malformed(edited(&|list| list[place]["gas"] = json!(21_000)));
            malformed(edited(&|list| list[place]["r"] = json!("0x")));
            let unknown = edited(&|list| list[place]["type"] = json!("0x7e"));
            assert_eq!(unknown, Err(BodyError::UnknownTransaction { place }));
            seen += 1;
        }
        if case.block.body.withdrawals.is_some() {
            let mut json = case.json.clone();
            json["withdrawals"].as_array_mut().unwrap().push(
                json!({ "index": "0x1", "validatorIndex": "0x1", "address": format!("0x{:040x}", 1), "amount": "0x1" }),
            );
            let refusal = read(case, &json);
            assert!(
                matches!(refusal, Err(BodyError::RootMismatch { field: "withdrawalsRoot", .. })),
                "{refusal:?}"
            );
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn hostile_json_is_refused() {
    let Some(cases) = cases() else { return };
    let case = &cases[0];
    for json in ["", "{", "null", "[]", "{}", r#"{"transactions":{}}"#, r#"{"transactions":null}"#] {
        assert_eq!(Body::from_json(json.as_bytes(), &case.header), Err(BodyError::NotABlock), "{json}");
    }
    let large = " ".repeat(Body::MAX_JSON_BYTES + 1);
    assert!(matches!(Body::from_json(large.as_bytes(), &case.header), Err(BodyError::TooLarge { .. })));
}
