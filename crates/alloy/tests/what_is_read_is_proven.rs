//! The layer in front of a provider that would answer anything: what it proves is never asked of that provider.

use std::task::{Context, Poll};

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_json_rpc::{Id, RequestPacket, Response, ResponsePacket, ResponsePayload};
use alloy_network::TransactionBuilder;
use alloy_primitives::{Address, B256, Bytes, U64, U256, keccak256};
use alloy_provider::mock::Asserter;
use alloy_provider::{Provider, ProviderBuilder};
use alloy_rpc_client::RpcClient;
use alloy_rpc_types_eth::{StorageValuesRequest, TransactionRequest};
use alloy_sol_types::{SolCall, sol};
use alloy_transport::{TransportError, TransportFut, TransportResult};
use layered::{KEY, TOKEN, provider, run, scene};
use saldo_alloy::{ProvenLayer, not_proven};
use saldo_drill::Fault;
use saldo_tests::assembler::plain_token;
use saldo_tests::scene::{ALICE, BEFORE, UNUSED};
use serde_json::value::to_raw_value;
use tower_service::Service;

mod layered;

sol! {
    function balanceOf(address owner) external view returns (uint256);
}

#[test]
fn the_state_is_proven_at_the_block_that_is_named() {
    let scene = scene(1);
    let provider = provider(&scene, &Asserter::new());
    let newest = run(&scene, provider.get_block_number());
    assert_eq!(newest, scene.chain.signed().number);
    assert_eq!(run(&scene, provider.get_chain_id()), scene.client.network().chain_id());
    assert_eq!(run(&scene, provider.get_balance(ALICE)), BEFORE);
    assert_eq!(run(&scene, provider.get_balance(UNUSED)), U256::ZERO);
    assert_eq!(run(&scene, provider.get_transaction_count(ALICE)), 7);
    assert_eq!(run(&scene, provider.get_code_at(TOKEN)), plain_token(0));
    assert_eq!(run(&scene, provider.get_code_at(ALICE)), Bytes::new());
    assert_eq!(run(&scene, provider.get_storage_at(TOKEN, KEY.into())), U256::from(12));
    let proof = run(&scene, provider.get_proof(TOKEN, vec![KEY]));
    assert_eq!((proof.code_hash, proof.storage_proof[0].value), (keccak256(plain_token(0)), U256::from(12)));
    assert!(!proof.account_proof.is_empty() && !proof.storage_proof[0].proof.is_empty());
    let account = run(&scene, provider.get_account(ALICE));
    assert_eq!((account.balance, account.nonce), (BEFORE, 7));
    let info = run(&scene, provider.get_account_info(TOKEN));
    assert_eq!(info.code, plain_token(0));
    let asked = StorageValuesRequest::new().with_keys(TOKEN, vec![KEY]);
    let words = run(&scene, provider.get_storage_values(asked));
    assert_eq!(words.get(&TOKEN).unwrap()[0], U256::from(12));
    // At another block.
    scene.chain.set_balance(ALICE, U256::from(5));
    scene.pass_slots(4);
    assert_eq!(run(&scene, provider.get_balance(ALICE)), U256::from(5));
    assert_eq!(run(&scene, provider.get_balance(ALICE).number(newest)), BEFORE);
    let hash = scene.chain.block(newest).unwrap().hash;
    assert_eq!(run(&scene, provider.get_balance(ALICE).hash_canonical(hash)), BEFORE);
    let last = scene.chain.finalized().number;
    assert_eq!(
        Some(run(&scene, provider.get_balance(ALICE).finalized())),
        scene.chain.balance_at(last, ALICE)
    );
    assert_eq!(Some(run(&scene, provider.get_balance(ALICE).safe())), scene.chain.balance_at(last, ALICE));
}

#[test]
fn what_is_not_known_is_an_error_with_its_reason() {
    let scene = scene(2);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    let asserter = Asserter::new();
    asserter.push_success(&U256::ZERO);
    let provider = provider(&scene, &asserter);
    let error = scene.simulation.run(provider.get_balance(ALICE).into_future()).unwrap_err();
    let reason = not_proven(&error).expect("the whole reason");
    assert_eq!(reason.why().code(), "all_unreachable");
    assert_eq!(reason.attempts().iter().filter(|attempt| attempt.outcome.failure().is_some()).count(), 2);
    let error = scene.simulation.run(provider.get_transaction_count(ALICE).into_future()).unwrap_err();
    assert!(not_proven(&error).is_some());
    assert_eq!(asserter.read_q().len(), 1, "the inner provider was not asked");
}

/// Without a checkpoint of its own, a layer from URLs begins where the network's listed sources agree.
#[cfg(feature = "http")]
#[test]
fn a_layer_is_made_from_urls() {
    let mainnet = || saldo::Network::mainnet();
    let layer = ProvenLayer::from_urls(mainnet(), ["https://rpc.alice.example/v1/KEY"], []).unwrap();
    assert_eq!(layer.client().network().chain_id(), 1);
    let error = ProvenLayer::from_urls(mainnet(), ["ftp://rpc.alice.example"], []).unwrap_err();
    assert!(!error.to_string().contains("alice"), "{error}");
}

#[test]
fn no_other_block_is_answered() {
    let scene = scene(3);
    let provider = provider(&scene, &Asserter::new());
    for tag in [BlockNumberOrTag::Pending, BlockNumberOrTag::Earliest] {
        let error = scene.simulation.run(provider.get_balance(ALICE).block_id(tag.into()).into_future());
        assert!(error.unwrap_err().to_string().contains("cannot be proven"));
    }
    for block in [BlockId::number(scene.chain.signed().number + 5), BlockId::hash(B256::repeat_byte(9))] {
        let error =
            scene.simulation.run(provider.get_balance(ALICE).block_id(block).into_future()).unwrap_err();
        assert!(not_proven(&error).is_some(), "{error}");
    }
}

#[test]
fn the_rest_passes_through_but_no_way_around_the_proof() {
    let scene = scene(4);
    let asserter = Asserter::new();
    let provider = provider(&scene, &asserter);
    asserter.push_success(&U64::from(9));
    assert_eq!(run(&scene, provider.get_gas_price()), 9);
    // Raw requests are proven too.
    let asking = provider.raw_request::<_, U256>("eth_getBalance".into(), (ALICE, "latest"));
    assert_eq!(scene.simulation.run(asking).unwrap(), BEFORE);
    let params = serde_json::value::to_raw_value(&(ALICE, "pending")).unwrap();
    let error = scene.simulation.run(provider.raw_request_dyn("eth_getBalance".into(), &params)).unwrap_err();
    assert!(error.to_string().contains("cannot be proven"), "{error}");
    // And so is what goes to the root.
    let asking = provider.root().raw_request::<_, U256>("eth_getBalance".into(), (ALICE,));
    assert_eq!(scene.simulation.run(asking).unwrap(), BEFORE);
    asserter.push_success(&true);
    assert!(run(&scene, provider.raw_request::<_, bool>("eth_mining".into(), ())));
    // Also behind a type without a name.
    let erased = provider.erased();
    assert_eq!(run(&scene, erased.get_balance(ALICE)), BEFORE);
    assert_eq!(run(&scene, erased.raw_request::<_, U256>("eth_getBalance".into(), (ALICE,))), BEFORE);
}

#[test]
fn a_batch_is_proven_and_passed_on_in_parts() {
    let scene = scene(11);
    let asserter = Asserter::new();
    let provider = provider(&scene, &asserter);
    let mut batch = alloy_rpc_client::BatchRequest::new(provider.client());
    let balance = batch.add_call::<_, U256>("eth_getBalance", &(ALICE, "latest")).unwrap();
    let price = batch.add_call::<_, U64>("eth_gasPrice", &()).unwrap();
    let pending = batch.add_call::<_, U256>("eth_getBalance", &(ALICE, "pending")).unwrap();
    asserter.push_success(&U64::from(9));
    scene.simulation.run(batch.send()).unwrap();
    assert_eq!(scene.simulation.run(balance).unwrap(), BEFORE);
    assert_eq!(scene.simulation.run(price).unwrap(), U64::from(9));
    let error = scene.simulation.run(pending).unwrap_err();
    assert!(error.to_string().contains("cannot be proven"), "{error}");
    assert!(asserter.read_q().is_empty());
}

/// A transport that answers every batch with zeros under the ids 1 and 2, asked for or not.
#[derive(Clone)]
struct Eager;

impl Service<RequestPacket> for Eager {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: RequestPacket) -> TransportFut<'static> {
        let zero = || ResponsePayload::Success(to_raw_value("0x0").expect("a text"));
        let answers = [1, 2].map(|id| Response { id: Id::Number(id), payload: zero() });
        Box::pin(async move { Ok(ResponsePacket::Batch(answers.to_vec())) })
    }
}

#[test]
fn no_answer_of_the_inner_provider_stands_in_for_a_proof() {
    let scene = scene(12);
    scene.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    let layer = ProvenLayer::new(scene.client.clone());
    let builder = ProviderBuilder::<_, _, alloy_network::Ethereum>::default();
    let provider = builder.layer(layer).connect_client(RpcClient::new(Eager, true));
    let request = |method: &'static str, id, params: serde_json::Value| {
        alloy_json_rpc::Request::new(method, Id::Number(id), params).serialize().unwrap()
    };
    let batch = vec![
        request("eth_getBalance", 1, serde_json::json!([ALICE, "latest"])),
        request("eth_gasPrice", 2, serde_json::json!([])),
    ];
    let mut transport = provider.client().transport().clone();
    let ResponsePacket::Batch(answers) =
        scene.simulation.run(transport.call(RequestPacket::Batch(batch))).unwrap()
    else {
        panic!("not a batch")
    };
    let of_balance: Vec<&Response> = answers.iter().filter(|answer| answer.id == Id::Number(1)).collect();
    assert_eq!(of_balance.len(), 1, "{answers:?}");
    assert!(of_balance[0].payload.is_error(), "{answers:?}");
    assert_eq!(answers.len(), 2);
}

#[test]
fn odd_parameters_are_refused_and_never_answered_for_another_block() {
    let scene = scene(13);
    let provider = provider(&scene, &Asserter::new());
    let newest = run(&scene, provider.get_block_number());
    let refused = |method: &'static str, params: serde_json::Value| {
        let answer: TransportResult<serde_json::Value> =
            scene.simulation.run(provider.client().request(method, params.clone()).into_future());
        assert!(answer.is_err(), "{method} {params} {answer:?}");
    };
    for params in [
        serde_json::json!(null),
        serde_json::json!([]),
        serde_json::json!({ "address": ALICE }),
        serde_json::json!([ALICE, 7]),
        serde_json::json!([ALICE, "newest"]),
        serde_json::json!([ALICE, { "blockHash": B256::ZERO, "blockNumber": "0x1" }]),
        serde_json::json!([ALICE, {}]),
        serde_json::json!([[ALICE], "latest"]),
        serde_json::json!(["0x00", "latest"]),
        serde_json::json!([ALICE, "0x10000000000000000"]),
        serde_json::json!([ALICE, "0xffffffffffffffff"]),
    ] {
        refused("eth_getBalance", params);
    }
    refused("eth_getStorageAt", serde_json::json!([TOKEN]));
    refused("eth_getProof", serde_json::json!([TOKEN, KEY, "latest"]));
    // By EIP-1898, and with null for a block that is left out.
    let balance = |params: serde_json::Value| -> U256 {
        run(&scene, provider.client().request("eth_getBalance", params).map_resp(|balance: U256| balance))
    };
    assert_eq!(balance(serde_json::json!([ALICE, { "blockNumber": U64::from(newest) }])), BEFORE);
    assert_eq!(balance(serde_json::json!([ALICE, null])), BEFORE);
    assert_eq!(balance(serde_json::json!([ALICE])), BEFORE);
}

fn balance_of(owner: Address) -> TransactionRequest {
    TransactionRequest::default().with_to(TOKEN).with_input(balanceOfCall { owner }.abi_encode())
}

#[cfg(feature = "execute")]
mod running {
    use alloy_network::Ethereum;
    use alloy_provider::SendableTx;
    use alloy_rpc_types_eth::state::{AccountOverride, StateOverride};
    use saldo_alloy::ProvenNonces;

    use super::*;

    #[test]
    fn calls_are_run_over_proven_state() {
        let scene = scene(5);
        let provider = provider(&scene, &Asserter::new());
        let returned = run(&scene, provider.call(balance_of(ALICE)));
        assert_eq!(balanceOfCall::abi_decode_returns(&returned).unwrap(), U256::from(77));
        let decoded = run(&scene, provider.call(balance_of(ALICE)).decode_resp::<balanceOfCall>());
        assert_eq!(decoded.unwrap(), U256::from(77));
        let transfer = TransactionRequest::default().with_from(ALICE).with_to(UNUSED).with_value(U256::ONE);
        assert_eq!(run(&scene, provider.estimate_gas(transfer)), 21_000);
        // All the gas of the transaction is what the transaction itself costs.
        let poor = balance_of(ALICE).with_gas_limit(21_000);
        assert!(scene.simulation.run(provider.call(poor).into_future()).is_err());
        let enough = balance_of(ALICE).with_gas_limit(60_000);
        assert_eq!(run(&scene, provider.call(enough)), returned);
    }

    sol! {
        #[sol(rpc)]
        contract Token {
            function balanceOf(address owner) external view returns (uint256);
        }
    }

    /// A binding of `sol!`, as a program has it.
    #[test]
    fn bindings_are_run_over_proven_state() {
        let scene = scene(7);
        let token = Token::new(TOKEN, provider(&scene, &Asserter::new()));
        let balance = |owner| {
            scene.simulation.run(async { token.balanceOf(owner).block(BlockId::latest()).call().await })
        };
        assert_eq!((balance(ALICE).unwrap(), balance(UNUSED).unwrap()), (U256::from(77), U256::ZERO));
        scene.providers.iter().for_each(|provider| provider.set(Fault::Status(503)));
        scene.pass_slots(2);
        assert!(balance(ALICE).is_err(), "nothing is known");
    }

    /// `aggregate3` of Multicall3 for two calls of 36 bytes: it calls each, and returns what they return.
    const AGGREGATE_TWO: &str = "
        32 512 MSTORE 2 544 MSTORE 64 576 MSTORE 192 608 MSTORE
        64 672 MSTORE 32 704 MSTORE 64 800 MSTORE 32 832 MSTORE
        36 260 0 CALLDATACOPY 32 736 36 0 132 CALLDATALOAD GAS STATICCALL 640 MSTORE
        36 452 0 CALLDATACOPY 32 864 36 0 324 CALLDATALOAD GAS STATICCALL 768 MSTORE
        384 512 RETURN";

    #[test]
    fn multicall_is_run_over_proven_state() {
        let scene = scene(8);
        scene
            .chain
            .set_code(alloy_provider::MULTICALL3_ADDRESS, saldo_tests::assembler::assemble(AGGREGATE_TWO));
        scene.pass_slots(3);
        let provider = provider(&scene, &Asserter::new());
        let batch = provider.multicall().block(BlockId::latest()).dynamic::<balanceOfCall>();
        let item = |owner| alloy_provider::CallItem::new(TOKEN, balanceOfCall { owner }.abi_encode().into());
        let batch = batch.add_call_dynamic(item(ALICE)).add_call_dynamic(item(UNUSED));
        let words = scene.simulation.run(batch.aggregate3()).unwrap();
        let words: Vec<U256> = words.into_iter().map(Result::unwrap).collect();
        assert_eq!(words, [U256::from(77), U256::ZERO]);
    }

    #[test]
    fn code_that_asks_for_a_price_that_is_named_is_not_run() {
        let scene = scene(10);
        scene.chain.set_code(UNUSED, saldo_tests::assembler::assemble("GASPRICE 0 MSTORE 32 0 RETURN"));
        scene.pass_slots(3);
        let provider = provider(&scene, &Asserter::new());
        let asking = TransactionRequest::default().with_to(UNUSED);
        assert_eq!(run(&scene, provider.call(asking.clone())), Bytes::from(vec![0; 32]));
        let error = scene.simulation.run(provider.call(asking.with_gas_price(7)).into_future()).unwrap_err();
        assert!(error.to_string().contains("price of its gas"), "{error}");
        let returned = run(&scene, provider.call(balance_of(ALICE).with_gas_price(7)));
        assert_eq!(balanceOfCall::abi_decode_returns(&returned).unwrap(), U256::from(77));
    }

    #[test]
    fn fillers_fill_from_proven_state() {
        let scene = scene(9);
        let asserter = Asserter::new();
        let layer = ProvenLayer::new(scene.client.clone());
        let provider = ProviderBuilder::<_, _, Ethereum>::default()
            .with_simple_nonce_management()
            .layer(layer.clone())
            .connect_mocked_client(asserter.clone());
        let tx = TransactionRequest::default().with_from(ALICE).with_to(UNUSED).with_value(U256::ONE);
        assert!(scene.simulation.run(provider.fill(tx.clone())).is_err(), "it asks for `pending`");
        let provider = ProviderBuilder::<_, _, Ethereum>::default()
            .with_nonce_management(ProvenNonces::default())
            .with_gas_estimation()
            .fetch_chain_id()
            .layer(layer)
            .connect_mocked_client(asserter);
        let filled: SendableTx<Ethereum> = scene.simulation.run(provider.fill(tx.with_gas_price(9))).unwrap();
        let filled = filled.as_builder().unwrap().clone();
        assert_eq!((filled.nonce, filled.gas), (Some(7), Some(21_000)));
        assert_eq!(filled.chain_id, Some(scene.client.network().chain_id()));
    }

    #[test]
    fn what_would_change_the_result_unseen_is_refused() {
        let scene = scene(6);
        let provider = provider(&scene, &Asserter::new());
        let overrides = StateOverride::from_iter([(TOKEN, AccountOverride::default())]);
        let refused = |call: TransportResult<Bytes>| {
            let error = call.unwrap_err().to_string();
            assert!(error.contains("cannot be proven"), "{error}");
        };
        let run = |call: alloy_provider::EthCall<_, Bytes>| scene.simulation.run(call.into_future());
        refused(run(provider.call(balance_of(ALICE)).overrides(overrides)));
        refused(run(provider.call(balance_of(ALICE)).block(BlockId::pending())));
        refused(run(provider.call(TransactionRequest::default().with_deploy_code(Bytes::from_static(&[1])))));
    }
}

#[cfg(not(feature = "execute"))]
#[test]
fn without_the_feature_a_call_is_refused() {
    let scene = scene(7);
    let provider = provider(&scene, &Asserter::new());
    let error = scene.simulation.run(provider.call(balance_of(ALICE)).into_future()).unwrap_err();
    assert!(error.to_string().contains("feature `execute`"), "{error}");
}
