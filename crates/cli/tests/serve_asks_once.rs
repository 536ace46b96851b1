//! All callers of `saldo serve` share one client: what they ask at one time is asked once, and a slow provider does not delay them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use saldo::Address;
use saldo_drill::Fault;
use serde_json::{Value, json};

use testbed::served::{Served, number};
use testbed::{ALICE, Services, test_chain};

fn balances(count: u8, block: &Value) -> Vec<Value> {
    let call = |byte: u8| {
        let address = Address::repeat_byte(byte);
        json!({ "jsonrpc": "2.0", "id": byte, "method": "eth_getBalance", "params": [address, block] })
    };
    (1..=count).map(call).collect()
}

fn requests(services: &Services) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for provider in &services.providers {
        provider.requests().into_iter().for_each(|(method, count)| *all.entry(method).or_default() += count);
    }
    all
}

/// A screen that opens: twenty reads at once, each in a request of its own, pinned to the block that was announced.
#[test]
fn twenty_reads_are_one_or_two_requests() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let block = served.result("eth_blockNumber", &json!([]));
    // The provider's capabilities are learned with the first reads.
    served.result("eth_getBalance", &json!([ALICE, block]));
    let before = (requests(&services), services.providers[0].exchanges());
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let served = &served;
        let asked: Vec<_> = balances(20, &block)
            .into_iter()
            .map(|call| scope.spawn(move || served.post(&call.to_string()).json()))
            .collect();
        asked.into_iter().map(|asking| asking.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.get("result").is_some()), "{answers:?}");
    let proofs = requests(&services)["eth_getProof"] - before.0["eth_getProof"];
    assert!(proofs <= 20, "each address is asked for once: {proofs}");
    let exchanges = services.providers[0].exchanges() - before.1;
    assert!(exchanges <= 4, "they go together: {exchanges}");

    // The same again is not asked at all.
    let before = requests(&services);
    let batch = served.post(&json!(balances(20, &block)).to_string()).json();
    assert_eq!(batch.as_array().unwrap().len(), 20);
    assert!(batch.as_array().unwrap().iter().all(|answer| answer.get("result").is_some()), "{batch}");
    assert_eq!(requests(&services)["eth_getProof"], before["eth_getProof"]);
}

/// A wallet pins its reads to the number that it saw last. Each is answered at that very block.
#[test]
fn reads_at_an_announced_block_stay_at_that_block() {
    let services = Services::new(1, 1);
    let served = Served::new(&services, &[]);
    let chain = &test_chain().chain;
    let announced = number(&served.result("eth_blockNumber", &json!([])));
    let mut next = announced;
    while next < announced + 4 {
        std::thread::sleep(Duration::from_millis(300));
        next = number(&served.result("eth_blockNumber", &json!([])));
    }
    for number in [announced, announced + 1, announced - 1, next] {
        let proof = served.result("eth_getProof", &json!([ALICE, [], format!("{number:#x}")]));
        let block = served.result("eth_getBlockByNumber", &json!([format!("{number:#x}"), false]));
        assert_eq!(block["hash"], json!(chain.block(number).unwrap().hash));
        let root = alloy_primitives::hex::decode(proof["accountProof"][0].as_str().unwrap()).unwrap();
        assert_eq!(json!(alloy_primitives::keccak256(root)), block["stateRoot"], "block {number}");
    }
}

#[test]
fn a_slow_provider_delays_no_caller() {
    let services = Services::new(2, 1);
    let served = Served::new(&services, &["--timeout", "20s"]);
    let block = served.result("eth_blockNumber", &json!([]));
    served.result("eth_getBalance", &json!([ALICE, block]));
    for slow in 0..2 {
        services.providers[slow].set(Fault::Hang);
        let rounds: Vec<Duration> = (0..3).map(|_| twenty_at_a_new_block(&served)).collect();
        // Answers on this machine come within milliseconds, so the next provider is asked after the shortest delay, 150 ms. The
        // machine may do other work in some of the rounds.
        assert!(rounds.iter().any(|round| *round < Duration::from_millis(1_500)), "{rounds:?}");
        services.providers[slow].clear();
    }
}

/// How long twenty reads take at a block that no read was about yet.
fn twenty_at_a_new_block(served: &Served) -> Duration {
    let newest = || number(&served.result("eth_blockNumber", &json!([])));
    let last = newest();
    while newest() == last {
        std::thread::sleep(Duration::from_millis(50));
    }
    let started = Instant::now();
    let batch = served.post(&json!(balances(20, &json!("latest"))).to_string()).json();
    assert!(batch.as_array().unwrap().iter().all(|answer| answer.get("result").is_some()), "{batch}");
    started.elapsed()
}
