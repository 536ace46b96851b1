//! A chain, and a provider behind the layer.

use alloy_primitives::{Address, B256, U256};
use alloy_provider::mock::Asserter;
use alloy_provider::{Provider, ProviderBuilder};
use alloy_transport::TransportResult;
use saldo_alloy::ProvenLayer;
use saldo_tests::assembler::plain_token;
use saldo_tests::scene::{ALICE, Scene};

pub(crate) const TOKEN: Address = Address::repeat_byte(0x70);
pub(crate) const KEY: B256 = B256::with_last_byte(5);

pub(crate) fn scene(seed: u64) -> Scene {
    let scene = Scene::new(seed, 2, 1);
    scene.chain.set_nonce(ALICE, 7);
    scene.chain.set_code(TOKEN, plain_token(0));
    scene.chain.set_storage(TOKEN, KEY, U256::from(12));
    scene.chain.set_token_balance(TOKEN, ALICE, U256::from(77));
    scene.pass_slots(4);
    scene
}

/// A provider behind the layer. Whatever reaches the inner one is answered from `asserter`, or fails.
pub(crate) fn provider(scene: &Scene, asserter: &Asserter) -> impl Provider + Clone + use<> {
    let layer = ProvenLayer::new(scene.client.clone());
    ProviderBuilder::default().layer(layer).connect_mocked_client(asserter.clone())
}

#[track_caller]
pub(crate) fn run<T>(scene: &Scene, call: impl IntoFuture<Output = TransportResult<T>>) -> T {
    scene.simulation.run(call.into_future()).expect("an answer")
}
