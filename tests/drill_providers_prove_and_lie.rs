//! The answers of the drill's execution provider: genuine proofs if it is honest, and under each fault exactly the
//! lie that the fault names.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::{Chain, Fault, Provider, token_balance_key};
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{Account, ProofError, Slot, StateRoot, claimed_root};
use serde_json::{Value, json};

const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);
const UNUSED: Address = Address::repeat_byte(0xee);
const TOKEN: Address = Address::repeat_byte(0x70);

fn chain(mainnet_shape: bool) -> Chain {
    let accounts = [(ALICE, U256::from(5)), (BOB, U256::from(7)), (UNUSED, U256::ZERO)];
    let chain = Chain::builder(1).mainnet_shape(mainnet_shape).accounts(accounts).build();
    chain.set_token_balance(TOKEN, ALICE, U256::from(11));
    chain.advance(2);
    chain
}

fn post(provider: &Provider, body: &Value) -> Value {
    let body = body.to_string().into_bytes();
    let request = HttpRequest { method: "POST".into(), path: "/".into(), body, ..HttpRequest::default() };
    match provider.answer(&request) {
        Reaction::Reply(reply) => serde_json::from_slice(&reply.body).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn call(provider: &Provider, method: &str, params: Value) -> Value {
    let mut request = json!({ "jsonrpc": "2.0", "id": 1, "method": method });
    request["params"] = params;
    post(provider, &request)
}

fn proof(provider: &Provider, address: Address, keys: &[B256]) -> AccountReply {
    let answer = call(provider, "eth_getProof", json!([address, keys, "latest"]));
    serde_json::from_value(answer["result"].clone()).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

fn tip(chain: &Chain) -> StateRoot {
    StateRoot::new(chain.tip().state_root)
}

/// The refusal of the proof under `fault`.
fn refusal(fault: Fault) -> ProofError {
    let chain = chain(true);
    let provider = Provider::honest(&chain).with(fault);
    proof(&provider, ALICE, &[]).verify(tip(&chain), ALICE).unwrap_err()
}

#[test]
fn honest_proofs_verify() {
    for shape in [false, true] {
        let chain = chain(shape);
        let provider = Provider::honest(&chain);
        let alice = proof(&provider, ALICE, &[]).verify(tip(&chain), ALICE).unwrap();
        let Account::Present(state) = alice.leaf() else { panic!("absent") };
        assert_eq!(state.balance, U256::from(5));
        let absent = proof(&provider, UNUSED, &[]);
        assert_eq!(absent.verify(tip(&chain), UNUSED).unwrap().leaf(), &Account::Absent);

        for (holder, expected) in [(ALICE, Slot::Present(U256::from(11))), (BOB, Slot::Absent)] {
            let key = token_balance_key(holder);
            let reply = proof(&provider, TOKEN, &[key]);
            let token = reply.verify(tip(&chain), TOKEN).unwrap();
            let slot = token.slot(key, &reply.storage(key).unwrap().proof).unwrap();
            assert_eq!(*slot.leaf(), expected);
            assert!(!reply.contradictions(&token).any());
        }
    }
}

#[test]
fn proofs_of_mainnet_shape_have_eight_or_nine_nodes() {
    let chain = chain(true);
    let provider = Provider::honest(&chain);
    for address in [ALICE, BOB, UNUSED, TOKEN] {
        let nodes = proof(&provider, address, &[]).account_proof;
        let size: usize = nodes.iter().map(|node| node.len()).sum();
        assert!((8..=9).contains(&nodes.len()), "{address}: {} nodes", nodes.len());
        assert!((3300..=4200).contains(&size), "{address}: {size} bytes");
    }
    let unknown = call(&provider, "eth_getProof", json!([Address::repeat_byte(0x99), [], "latest"]));
    assert!(unknown["error"]["message"].as_str().unwrap().starts_with("missing trie node"), "{unknown}");
}

#[test]
fn headers_have_the_signed_hash() {
    let chain = chain(false);
    let provider = Provider::honest(&chain);
    let signed = chain.signed();
    let raw = call(&provider, "debug_getRawHeader", json!([signed.hash]));
    let raw: Bytes = serde_json::from_value(raw["result"].clone()).unwrap();
    assert_eq!(keccak256(&raw), signed.hash);
    let number = format!("{:#x}", signed.number);
    for (method, name) in
        [("eth_getBlockByNumber", json!(number)), ("eth_getBlockByHash", json!(signed.hash))]
    {
        let block = call(&provider, method, json!([name, false]));
        assert_eq!(block["result"]["hash"], json!(signed.hash), "{method}");
        assert_eq!(block["result"]["stateRoot"], json!(signed.state_root), "{method}");
    }
    assert_eq!(call(&provider, "eth_getBlockByNumber", json!(["0xffff", false]))["result"], Value::Null);
    let unknown = call(&provider, "eth_getProof", json!([ALICE, [], "0xffff"]));
    assert_eq!(unknown["error"], json!({ "code": -32000, "message": "header not found" }));
}

#[test]
fn blocks_can_be_named_in_every_form() {
    let chain = chain(false);
    let provider = Provider::honest(&chain);
    let tip = chain.tip();
    let names = [
        json!("latest"),
        json!(format!("{:#x}", tip.number)),
        json!(tip.hash),
        json!({ "blockHash": tip.hash }),
        json!({ "blockNumber": format!("{:#x}", tip.number) }),
    ];
    for name in names {
        let answer = call(&provider, "eth_getBalance", json!([ALICE, name]));
        assert_eq!(answer["result"], "0x5", "{name}");
    }
    let finalized = call(&provider, "eth_getBlockByNumber", json!(["finalized", false]));
    assert_eq!(finalized["result"]["hash"], json!(chain.finalized().hash));
}

#[test]
fn a_window_and_a_lag_limit_the_served_blocks() {
    let chain = chain(false);
    let provider = Provider::honest(&chain).proof_window(0).lag(3);
    let newest = chain.tip().number - 3;
    assert_eq!(call(&provider, "eth_blockNumber", json!([]))["result"], format!("{newest:#x}"));
    let at = |number: u64| call(&provider, "eth_getProof", json!([ALICE, [], format!("{number:#x}")]));
    assert!(at(newest)["result"].is_object());
    let message = "distance to target block exceeds maximum proof window";
    assert_eq!(at(newest - 1)["error"], json!({ "code": -32602, "message": message }));
    assert_eq!(at(newest + 1)["error"]["message"], "header not found");
}

#[test]
fn false_proofs_are_refused_for_the_right_reason() {
    assert!(matches!(refusal(Fault::TruncatedProof { nodes: 3 }), ProofError::Truncated { nodes: 3, .. }));
    assert!(matches!(refusal(Fault::TruncatedProof { nodes: 0 }), ProofError::EmptyProof { .. }));
    assert!(matches!(refusal(Fault::ExtraNodes), ProofError::ExtraNodes { .. }));
    assert!(matches!(refusal(Fault::FlippedByte { node: 2, byte: 9 }), ProofError::HashMismatch { .. }));
    assert!(matches!(refusal(Fault::InventedTrie { balance: U256::ZERO }), ProofError::HashMismatch { .. }));
    assert!(matches!(refusal(Fault::StaleBlock(1)), ProofError::HashMismatch { .. }));
    assert!(matches!(refusal(Fault::OtherChain(Chain::new(2))), ProofError::HashMismatch { .. }));
}

#[test]
fn another_accounts_proof_is_genuine_for_that_account() {
    let chain = chain(true);
    let provider = Provider::honest(&chain).with(Fault::OtherAccountsProof);
    let reply = proof(&provider, ALICE, &[]);
    assert_eq!(reply.address, Some(ALICE));
    assert!(reply.verify(tip(&chain), ALICE).is_err());
    let others = [BOB, TOKEN].into_iter().filter(|other| reply.verify(tip(&chain), *other).is_ok());
    assert_eq!(others.count(), 1);
}

#[test]
fn an_invented_trie_is_flawless_under_a_new_root_each_time() {
    let chain = chain(true);
    for (balance, absent) in [(U256::ZERO, true), (U256::from(1_000_000), false)] {
        let provider = Provider::honest(&chain).with(Fault::InventedTrie { balance });
        let replies: Vec<AccountReply> = (0..3).map(|_| proof(&provider, ALICE, &[])).collect();
        let roots: Vec<StateRoot> =
            replies.iter().map(|reply| claimed_root(&reply.account_proof).unwrap()).collect();
        assert!(roots[0] != roots[1] && roots[1] != roots[2] && roots[0] != roots[2]);
        for (reply, root) in replies.iter().zip(roots) {
            let verified = reply.verify(root, ALICE).unwrap();
            assert_eq!(verified.leaf() == &Account::Absent, absent);
        }
    }
}

#[test]
fn a_stale_proof_is_genuine_for_its_own_block() {
    let chain = chain(false);
    let provider = Provider::honest(&chain).with(Fault::StaleBlock(4));
    let older = chain.block(chain.tip().number - 4).unwrap();
    proof(&provider, ALICE, &[]).verify(StateRoot::new(older.state_root), ALICE).unwrap();
}

#[test]
fn results_and_claims_are_replaced() {
    let chain = chain(false);
    let answer = |fault: Fault| {
        call(&Provider::honest(&chain).with(fault), "eth_getBalance", json!([ALICE, "latest"]))
    };
    assert_eq!(answer(Fault::NullResult)["result"], Value::Null);
    assert!(answer(Fault::NullResult).get("error").is_none());
    assert_eq!(answer(Fault::Result(json!("0x")))["result"], "0x");
    assert_eq!(answer(Fault::ZeroBalance)["result"], "0x0");
    let error = Fault::Error { code: -32005, message: "limit".into() };
    assert_eq!(answer(error)["error"], json!({ "code": -32005, "message": "limit" }));
    assert_eq!(answer(Fault::WrongId)["id"], "no such request");
    assert!(answer(Fault::MissingId).get("id").is_none());
    assert!(answer(Fault::ListForSingle).is_array());

    let provider = Provider::honest(&chain).with(Fault::ZeroBalance);
    let claims = proof(&provider, ALICE, &[]);
    let verified = claims.verify(tip(&chain), ALICE).unwrap();
    assert!(claims.contradictions(&verified).balance);
    let provider = Provider::honest(&chain).with(Fault::NoStorageProof);
    assert!(proof(&provider, TOKEN, &[token_balance_key(ALICE)]).storage_proof.is_empty());
    let short = Provider::honest(&chain).with(Fault::ShortKeys);
    let slot = B256::with_last_byte(2);
    assert_eq!(
        call(&short, "eth_getProof", json!([TOKEN, [slot], "latest"]))["result"]["storageProof"][0]["key"],
        "0x2"
    );
    let edited = |value| {
        let fault = Fault::Field { name: "stateRoot".into(), value };
        let block =
            call(&Provider::honest(&chain).with(fault), "eth_getBlockByNumber", json!(["latest", false]));
        block["result"].as_object().unwrap().get("stateRoot").cloned()
    };
    assert_eq!(edited(Some(json!("0x"))), Some(json!("0x")));
    assert_eq!(edited(None), None);
    let provider = Provider::honest(&chain).with(Fault::NoProofs);
    assert_eq!(call(&provider, "eth_getProof", json!([ALICE, [], "latest"]))["error"]["code"], -32601);
}

#[test]
fn batches_are_answered_and_can_be_garbled() {
    let chain = chain(false);
    let balance = |id: u64, address: Address| json!({ "jsonrpc": "2.0", "id": id, "method": "eth_getBalance", "params": [address, "latest"] });
    let batch = json!([balance(1, ALICE), balance(2, BOB)]);
    let answer = |provider: Provider| -> Vec<(Value, Value)> {
        let answers = post(&provider, &batch);
        let pair = |answer: &Value| (answer["id"].clone(), answer["result"].clone());
        answers.as_array().unwrap().iter().map(pair).collect()
    };
    let honest = Provider::honest(&chain);
    let (one, two) = (json!(1), json!(2));
    let (five, seven) = (json!("0x5"), json!("0x7"));
    let expected = vec![(one.clone(), five.clone()), (two.clone(), seven.clone())];
    assert_eq!(answer(honest.clone()), expected);
    assert_eq!(honest.requests()["eth_getBalance"], 2);

    let with = |fault| answer(Provider::honest(&chain).with(fault));
    assert_eq!(with(Fault::ReorderedBatch), vec![expected[1].clone(), expected[0].clone()]);
    assert_eq!(with(Fault::PartialBatch), vec![expected[0].clone()]);
    assert_eq!(with(Fault::DuplicatedId), vec![(one.clone(), five.clone()), (one.clone(), seven.clone())]);
    assert_eq!(with(Fault::SwappedBatch), vec![(two, five), (one, seven)]);
}

#[test]
fn a_fault_can_be_bound_to_a_method_and_a_number_of_times() {
    let chain = chain(false);
    let provider = Provider::honest(&chain).with(Fault::NullResult.on("eth_getBalance").times(2));
    let results: Vec<Value> = (0..3)
        .map(|_| call(&provider, "eth_getBalance", json!([ALICE, "latest"]))["result"].clone())
        .collect();
    assert_eq!(results, [Value::Null, Value::Null, json!("0x5")]);
    provider.set(Fault::NullResult.on("eth_chainId"));
    assert_eq!(call(&provider, "eth_chainId", json!([]))["result"], Value::Null);
    assert_eq!(call(&provider, "eth_getBalance", json!([ALICE, "latest"]))["result"], "0x5");
    provider.clear();
    assert_eq!(call(&provider, "eth_chainId", json!([]))["result"], "0x7a69");
}

#[test]
#[should_panic(expected = "cannot happen to a source of the Execution side")]
fn a_beacon_fault_on_a_provider_panics() {
    let _ = Provider::honest(&Chain::new(1)).with(Fault::NoUpdates);
}
