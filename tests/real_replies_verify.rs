//! Replies of `eth_getProof` collected from five chains and many clients: saldo and the second opinion get the
//! expected values, and refuse false replies.

use std::path::Path;

use alloy_primitives::{Address, B256, U256, keccak256};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, ProofError, Slot, StateRoot};
use saldo_tests::{second_opinion, vectors};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "source")]
    _source: Value,
    headers: Vec<Header>,
    cases: Vec<Case>,
    #[serde(rename = "about")]
    _about: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    state_root: B256,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    file: String,
    #[serde(rename = "block")]
    _block: String,
    #[serde(rename = "stateRoot")]
    state_root: B256,
    proof: Value,
    expect: Expect,
    #[serde(rename = "chain_id")]
    _chain_id: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    exists: bool,
    balance: String,
    nonce: String,
    storage: Vec<ExpectedSlot>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedSlot {
    key: String,
    value: U256,
    included: bool,
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A key as one source writes it: without 0x, and one digit short.
fn key(written: &str) -> B256 {
    B256::from(U256::from_str_radix(written.trim_start_matches("0x"), 16).unwrap())
}

/// Verifies a reply for the requested address, with saldo and with the second opinion.
fn agreed(
    root: B256,
    requested: Address,
    json: &Value,
) -> Result<(AccountReply, saldo_proof::Verified<Account>), ProofError> {
    let reply: AccountReply = serde_json::from_value(json.clone()).unwrap();
    let second_reply = second_opinion::reply(&json.to_string()).unwrap();
    let second = second_opinion::account(root.0, requested.into_array(), &second_reply);
    match reply.verify(StateRoot::new(root), requested) {
        Err(refusal) => {
            assert!(second.is_err(), "the second opinion accepts a reply that saldo refuses: {refusal}");
            Err(refusal)
        }
        Ok(verified) => {
            match (verified.leaf(), second.unwrap()) {
                (Account::Absent, None) => {}
                (Account::Present(ours), Some(theirs)) => assert_eq!(
                    (ours.nonce, ours.balance.to_be_bytes(), ours.storage_root.get().0, ours.code_hash.0),
                    (theirs.nonce, theirs.balance, theirs.storage_root, theirs.code_hash)
                ),
                (ours, theirs) => panic!("{ours:?} and {theirs:?}"),
            }
            for (storage, second) in reply.storage_proof.iter().zip(&second_reply.storage_proof) {
                let requested = B256::from(storage.key);
                let nodes: Vec<&[u8]> = second.proof.iter().map(AsRef::as_ref).collect();
                let storage_root = verified.leaf().storage_root().get();
                let theirs = second_opinion::slot(storage_root.0, requested.0, &nodes);
                match verified.slot(requested, &storage.proof).map(|slot| *slot.leaf()) {
                    Ok(Slot::Absent) => assert_eq!(theirs, Ok(None)),
                    Ok(Slot::Present(word)) => assert_eq!(theirs, Ok(Some(word.to_be_bytes()))),
                    Err(_) => assert!(theirs.is_err()),
                }
            }
            Ok((reply, verified))
        }
    }
}

#[test]
fn replies_of_real_clients_verify() {
    let Some(folder) = vectors("mpt/real-getproof") else { return };
    let (mut present, mut absent, mut words, mut empty_slots) = (0, 0, 0, 0);
    for (name, cases) in [("avm", 1), ("axiom", 1), ("helios", 2), ("nimbus", 1), ("tevm", 33)] {
        let file: File = read(&folder.join(name).with_extension("json"));
        assert_eq!(file.cases.len(), cases, "{name}");
        for case in file.cases {
            assert!(file.headers.iter().any(|header| header.state_root == case.state_root), "{}", case.file);
            let requested: Address = serde_json::from_value(case.proof["address"].clone()).unwrap();
            let (reply, verified) = agreed(case.state_root, requested, &case.proof).expect(&case.file);
            assert!(!reply.contradictions(&verified).any(), "{}", case.file);
            match verified.leaf() {
                Account::Present(state) => {
                    assert!(case.expect.exists);
                    assert_eq!(state.balance.to_string(), case.expect.balance);
                    assert_eq!(state.nonce.to_string(), case.expect.nonce);
                    present += 1;
                }
                Account::Absent => {
                    assert!(!case.expect.exists, "{}", case.file);
                    absent += 1;
                }
            }
            assert_eq!(reply.storage_proof.len(), case.expect.storage.len(), "{}", case.file);
            for expected in case.expect.storage {
                let requested = key(&expected.key);
                let slot = verified.slot(requested, &reply.storage(requested).unwrap().proof).unwrap();
                match slot.leaf() {
                    Slot::Present(word) => {
                        assert!(expected.included && *word == expected.value);
                        words += 1;
                    }
                    Slot::Absent => {
                        assert!(!expected.included && expected.value.is_zero());
                        empty_slots += 1;
                    }
                }
            }
        }
    }
    assert_eq!((present, absent, words, empty_slots), (30, 8, 3, 1));
}

/// Published proofs that do not verify for the address they name.
#[test]
fn false_replies_are_refused() {
    #[derive(Deserialize)]
    struct MustFail {
        cases: Vec<Case>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        #[serde(rename = "source")]
        _source: String,
        file: String,
        address: Address,
        #[serde(rename = "error")]
        _error: String,
        proof: Value,
    }
    let Some(path) = vectors("mpt/real-getproof/must-fail.json") else { return };
    let file: MustFail = read(&path);
    assert_eq!(file.cases.len(), 3);
    for mut case in file.cases {
        // One source writes its slot key without 0x, which no client does.
        for storage in case.proof["storageProof"].as_array_mut().unwrap() {
            let written = storage["key"].as_str().unwrap().trim_start_matches("0x");
            storage["key"] = format!("0x{written}").into();
        }
        // The proof fails even under its own first node's hash.
        let nodes = case.proof["accountProof"].as_array().unwrap();
        let first: alloy_primitives::Bytes = serde_json::from_value(nodes[0].clone()).unwrap();
        let refusal = match agreed(keccak256(first), case.address, &case.proof) {
            Err(refusal) => refusal,
            // A genuine proof that a slot is absent. Its key is written without 0x. A reader that removes two
            // characters anyway asks for another slot, which this proof does not cover.
            Ok((reply, account)) => {
                assert_eq!(case.file, "noninclusion_extension_pf2.json");
                let [storage] = reply.storage_proof.as_slice() else { panic!("one slot") };
                let key = B256::from(storage.key);
                assert_eq!(account.slot(key, &storage.proof).unwrap().leaf(), &Slot::Absent);
                let cut = B256::left_padding_from(&key[1..]);
                account.slot(cut, &storage.proof).unwrap_err()
            }
        };
        assert!(matches!(refusal, ProofError::HashMismatch { node: 1, .. }), "{}: {refusal}", case.file);
    }
}

/// The exchanges with which execution clients are tested.
#[test]
fn replies_of_the_execution_apis_verify() {
    let Some(folder) = vectors("mpt/execution-apis-chain/tests") else { return };
    let lines = |file: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        text.lines()
            .filter(|line| !line.starts_with("//"))
            .map(|line| serde_json::from_str(line.trim_start_matches([' ', '<', '>'])).unwrap())
            .collect()
    };
    let latest = lines("eth_getBlockByNumber/get-latest.io");
    let root: B256 = serde_json::from_value(latest[1]["result"]["stateRoot"].clone()).unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder.join("eth_getProof"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files.len(), 4, "{files:?}");
    let mut slots = 0;
    for file in files {
        let exchange = lines(&format!("eth_getProof/{}", file.to_str().unwrap()));
        let [request, response] = exchange.as_slice() else { panic!("{file:?}") };
        let requested: Address = serde_json::from_value(request["params"][0].clone()).unwrap();
        let (reply, verified) = agreed(root, requested, &response["result"]).unwrap();
        assert!(matches!(verified.leaf(), Account::Present(_)), "{file:?}");
        assert!(!reply.contradictions(&verified).any(), "{file:?}");
        for written in request["params"][1].as_array().unwrap() {
            let requested = key(written.as_str().unwrap());
            let storage = reply.storage(requested).unwrap();
            let slot = verified.slot(requested, &storage.proof).unwrap();
            assert!(matches!(slot.leaf(), Slot::Present(_)) && !storage.contradicts(&slot), "{file:?}");
            slots += 1;
        }
    }
    assert_eq!(slots, 1);
}
