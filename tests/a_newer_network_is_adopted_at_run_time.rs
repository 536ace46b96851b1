//! The time of a fork becomes known after a release: the app passes a newer table, and the client continues.

use saldo::{AdoptError, Client, Failure, Network, Policy, Reading, Why};
use saldo_drill::Chain;
use saldo_tests::scene::{ALICE, BEFORE, Scene};

/// The network table of `chain` before its newest fork was in the table.
fn before_the_fork(chain: &Chain) -> Network {
    let toml = chain.network().to_toml();
    let newest = toml.rfind("[[forks]]").unwrap();
    let end = toml[newest..].find("\n\n[[blob").map_or(toml.len(), |length| newest + length);
    Network::from_toml(&format!("{}{}", &toml[..newest], &toml[end..])).unwrap()
}

/// A client with that table on the chain of `scene`.
fn client(scene: &Scene, network: Network) -> Client {
    Client::builder(network)
        .checkpoint(scene.chain.checkpoint())
        .policy(Policy::signed())
        .transport(scene.simulation.internet())
        .clock(scene.simulation.clock())
        .rpc("provider0=http://provider0.test")
        .beacon("source0=http://source0.test")
        .build()
        .unwrap()
}

/// Why the beacon source gave no newer head.
fn failure(reading: &Reading) -> Failure {
    let attempt = reading.attempts().iter().find(|attempt| attempt.provider.as_str() == "source0").unwrap();
    attempt.outcome.failure().unwrap().clone()
}

#[test]
fn an_unknown_fork_is_followed_after_adopting_a_newer_table() {
    let scene = Scene::new(1, 1, 1);
    let old = before_the_fork(&scene.chain);
    assert_eq!(old.forks().len() + 1, scene.chain.network().forks().len());
    let client = client(&scene, old);
    // The checkpoint names its block by hash, whatever its fork. A newer head is signed under a version that is not known.
    let reading = scene.simulation.run(client.balance(ALICE));
    let proven = reading.proven().expect("the checkpoint's block is young enough");
    assert_eq!(Some(proven.anchor().hash()), scene.chain.block(proven.anchor().number()).map(|it| it.hash));
    assert_eq!(failure(&reading), Failure::UnknownFork);
    scene.pass_slots(15);
    let reading = scene.simulation.run(client.balance(ALICE));
    assert_eq!(reading.why().map(Why::code), Some("unknown_fork"), "{reading:?}");
    assert_eq!(client.health().endpoints.iter().map(|it| it.stats.strikes).sum::<u32>(), 0);

    client.adopt(scene.chain.network()).unwrap();
    assert_eq!(*client.network(), scene.chain.network());
    scene.pass_slots(1);
    assert_eq!(scene.assert_true(&scene.simulation.run(client.balance(ALICE)), ALICE), BEFORE);
}

#[test]
fn proven_readings_stay() {
    let scene = Scene::new(2, 1, 1);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    let requests = scene.simulation.internet().log().len();
    scene.client.adopt(scene.chain.network()).unwrap();
    assert!(matches!(scene.balance(ALICE), Reading::Proven(_)));
    assert_eq!(scene.simulation.internet().log().len(), requests, "no request was repeated");
}

#[test]
fn another_chain_or_another_clock_is_refused() {
    let scene = Scene::new(3, 1, 1);
    let toml = scene.chain.network().to_toml();
    let chain_id = format!("chain_id = {}", scene.chain.network().chain_id());
    for (from, to, field) in [
        (chain_id.as_str(), "chain_id = 1", "chain_id"),
        ("slots_per_epoch = 8", "slots_per_epoch = 16", "slots_per_epoch"),
        ("sync_committee_size = 32", "sync_committee_size = 64", "sync_committee_size"),
    ] {
        assert!(toml.contains(from), "{from}");
        let other = Network::from_toml(&toml.replace(from, to)).unwrap();
        // With and without a light client that has started.
        assert_eq!(scene.client.adopt(other), Err(AdoptError::OtherChain { field }));
        assert_eq!(*scene.client.network(), scene.chain.network());
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    }
}

/// A table cannot deny a fork that the committee has signed.
#[test]
fn a_table_that_denies_a_fork_that_was_signed_is_refused() {
    let scene = Scene::new(4, 1, 1);
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    let refusal = scene.client.adopt(before_the_fork(&scene.chain)).unwrap_err();
    assert!(matches!(refusal, AdoptError::Contradiction { .. }), "{refusal:?}");
    assert_eq!(*scene.client.network(), scene.chain.network());
}
