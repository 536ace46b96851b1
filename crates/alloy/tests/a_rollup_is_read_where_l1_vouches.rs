//! The layer with the client of a rollup: what L1 vouches for is answered, and nothing else is.

use alloy_eips::BlockId;
use alloy_network::TransactionBuilder;
use alloy_primitives::U256;
use alloy_provider::mock::Asserter;
use alloy_provider::{Provider, ProviderBuilder};
use alloy_rpc_types_eth::TransactionRequest;
use saldo::{Client, NetworkId};
use saldo_alloy::{ProvenLayer, not_proven};
use saldo_drill::RollupKind;
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::ALICE;

/// A provider behind the layer. What reached the inner one would fail.
fn provider(client: Client) -> impl Provider + Clone {
    ProviderBuilder::default().layer(ProvenLayer::new(client)).connect_mocked_client(Asserter::new())
}

#[test]
fn the_newest_block_is_one_that_l1_vouches_for() {
    let world = RollupWorld::new(61, RollupKind::Multiproof { interval: 60, step: 15 });
    let client = world.client();
    let of_rollup =
        client.on(NetworkId::new(world.rollup.profile().chain_id())).expect("it reads the rollup");
    let provider = provider(of_rollup);
    let chain_id = world.simulation.run(async { provider.get_chain_id().await }).unwrap();
    assert_eq!(chain_id, world.rollup.profile().chain_id());
    let before = world.simulation.run(async { provider.get_balance(ALICE).await }).unwrap_err();
    assert_eq!(not_proven(&before).unwrap().why().code(), "rollup_not_vouched");

    let held = world.rollup.chain().tip().number;
    world.propose_after(held);
    world.pass(9);
    // The provider proves its newest blocks only. What was asked above is kept, and L1 vouches for a later block now.
    let balance = world.simulation.run(async { provider.get_balance(ALICE).await }).unwrap();
    assert_eq!(balance, U256::from(100));
    let newest = world.simulation.run(async { provider.get_block_number().await }).unwrap();
    assert!(newest <= world.rollup.chain().tip().number, "{newest}");
    let nonce = world.simulation.run(async { provider.get_transaction_count(ALICE).await }).unwrap_err();
    assert_eq!(not_proven(&nonce).unwrap().why().code(), "proof_window_missed", "{nonce}");
    world.provider.set_proof_window(100_000);
    let named = provider.get_balance(ALICE).block_id(BlockId::number(newest));
    assert_eq!(world.simulation.run(async { named.await }).unwrap(), U256::from(100));

    let call = TransactionRequest::default().with_to(ALICE);
    let refused = world.simulation.run(async { provider.call(call).await }).unwrap_err().to_string();
    let why = if cfg!(feature = "execute") { "one of a rollup" } else { "without the feature `execute`" };
    assert!(refused.contains(why), "{refused}");
}
