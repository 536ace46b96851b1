//! alloy as it is, over HTTP and over a WebSocket: what it shows is of the chain, and not knowing is an error with its reason.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::{Duration, Instant};

use alloy_network::TransactionBuilder;
use alloy_primitives::{B256, U256};
use alloy_provider::{Provider, ProviderBuilder, WsConnect};
use alloy_rpc_types_eth::TransactionRequest;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

use testbed::served::{Served, number};
use testbed::token::{RUN, RUN_CODE};
use testbed::{ALICE, ALICE_WEI, Services, test_chain};

async fn over_a_websocket(served: &Served) -> impl Provider + use<> {
    ProviderBuilder::new().connect_ws(WsConnect::new(format!("ws://{}", served.address))).await.unwrap()
}

fn over_http(served: &Served) -> impl Provider + use<> {
    // Its HTTP client wants one, also where it makes no TLS connection.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    ProviderBuilder::new().connect_http(format!("http://{}", served.address).parse().unwrap())
}

/// Whatever alloy reads of an account and of a block.
async fn reads(provider: &impl Provider) {
    let chain = &test_chain().chain;
    assert_eq!(provider.get_chain_id().await.unwrap(), chain.network().chain_id());
    assert_eq!(provider.get_balance(ALICE).await.unwrap(), ALICE_WEI.parse::<U256>().unwrap());
    assert_eq!(provider.get_transaction_count(ALICE).await.unwrap(), 0);
    assert_eq!(provider.get_code_at(RUN).await.unwrap()[..], RUN_CODE[..]);
    assert_eq!(provider.get_storage_at(RUN, U256::ZERO).await.unwrap(), U256::from(10));
    assert!(provider.get_proof(ALICE, vec![B256::ZERO]).await.unwrap().account_proof.len() > 1);
    let newest = provider.get_block_number().await.unwrap();
    let block = provider.get_block_by_number(newest.into()).await.unwrap().unwrap();
    assert_eq!((block.header.number, block.header.hash), (newest, chain.block(newest).unwrap().hash));
    assert_eq!(block.header.hash_slow(), block.header.hash);
    let full = provider.get_block_by_hash(block.header.hash).full().await.unwrap().unwrap();
    assert!(full.transactions.is_full() && full.header == block.header, "{full:?}");
    let safe = provider.get_block_by_number(alloy_eips::BlockNumberOrTag::Safe).await.unwrap().unwrap();
    let finalized = provider.get_block_by_number(alloy_eips::BlockNumberOrTag::Finalized);
    assert!(safe.header.number <= finalized.await.unwrap().unwrap().header.number);
    let call = TransactionRequest::default().with_to(ALICE);
    assert!(provider.call(call.clone()).latest().await.unwrap().is_empty());
    assert_eq!(provider.estimate_gas(call).block(newest.into()).await.unwrap(), 21_000);
}

#[test]
fn what_it_shows_is_of_the_chain() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &[]);
    served.result("eth_blockNumber", &Value::Array(Vec::new()));
    test_chain().runtime().block_on(async {
        reads(&over_http(&served)).await;
        let provider = over_a_websocket(&served).await;
        reads(&provider).await;
        let mut heads = provider.subscribe_blocks().await.unwrap().into_stream();
        for _ in 0..2 {
            let head = timeout(Duration::from_secs(30), heads.next()).await.unwrap().unwrap();
            assert_eq!(head.hash, test_chain().chain.block(head.number).unwrap().hash);
            let at_head = provider.get_balance(ALICE).number(head.number).await.unwrap();
            assert_eq!(Some(at_head), test_chain().chain.balance_at(head.number, ALICE));
        }
    });
}

#[test]
fn not_knowing_is_an_error_with_its_reason() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &["--timeout", "2s", "--max-age", "3s"]);
    let newest = number(&served.result("eth_blockNumber", &Value::Array(Vec::new())));
    services.refuse_all_connections();
    let started = Instant::now();
    while served.call("eth_blockNumber", &Value::Array(Vec::new())).get("result").is_some() {
        assert!(started.elapsed() < Duration::from_secs(40), "it turns old");
        std::thread::sleep(Duration::from_millis(500));
    }
    test_chain().runtime().block_on(async {
        let provider = over_a_websocket(&served).await;
        let call = TransactionRequest::default().with_to(ALICE);
        for failed in [
            provider.get_balance(ALICE).await.err(),
            provider.get_transaction_count(ALICE).await.err(),
            provider.get_block_number().await.err(),
            provider.get_block_by_number((newest + 1_000).into()).await.err(),
            provider.call(call).latest().await.err(),
        ] {
            let error = failed.expect("nothing is known");
            let said = error.as_error_resp().unwrap_or_else(|| panic!("{error}"));
            assert_eq!(said.code, -32_050, "{said}");
            let data: Value = serde_json::from_str(said.data.as_ref().unwrap().get()).unwrap();
            let data = data.get(0).unwrap_or(&data);
            assert!(data["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{said}");
        }
    });
}
