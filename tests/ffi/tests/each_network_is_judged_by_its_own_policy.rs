//! A client of several networks: calls about one of them keep to its trust, its policy and its clock.

mod common;

use saldo_ffi::{ClientConfig, Endpoint, Holding, NetworkConfig, Reading, SetupError};
use saldo_ffi_scenarios::Table;

use common::{Scene, wait, why};

/// The world of the table that has a rollup beside its L1, and the holding of the rollup's coin.
fn scene() -> (Scene, Holding) {
    let table = Table::read().unwrap();
    let scene = Scene::of(table.scenario("l1_and_rollup").unwrap());
    let on_rollup = Holding { network_id: 84_532, ..scene.holding.clone() };
    (scene, on_rollup)
}

#[test]
fn a_view_is_about_its_network_and_no_second_client() {
    let (scene, on_rollup) = scene();
    let client = scene.client();
    assert_eq!((client.network_id(), client.networks()), (31_337, vec![31_337, 84_532]));
    assert!(client.on(1).is_none(), "a network that the client does not have");
    let rollup = client.on(84_532).unwrap();
    assert_eq!((rollup.network_id(), rollup.networks()), (84_532, vec![31_337, 84_532]));
    assert_eq!(rollup.native(on_rollup.owner.clone()), on_rollup);
    // Each has the usual policy of its kind.
    assert_eq!(client.policy().max_age_seconds, Some(300));
    assert_eq!(rollup.policy().max_age_seconds, Some(3 * 60 * 60));
    assert_eq!(rollup.policy().deadline_ms, Some(8_000));
    assert_eq!(rollup.handle().network_id(), 84_532, "a handle keeps its network");
    let proven = proven(&rollup, &on_rollup);
    assert_eq!(proven.block.chain_id, 84_532);
    // What one proves, the other knows.
    assert_eq!(wait(client.last(on_rollup)).unwrap().amount, proven.amount);
    wait(rollup.shutdown());
    assert_eq!(why(&wait(client.balance(scene.holding.owner))), "closed");
}

#[test]
fn the_age_of_a_block_is_judged_by_its_network_and_level() {
    let (scene, _) = scene();
    let client = scene.client();
    scene.proven(&client);
    let now = wait(client.now()).unwrap().timestamp;
    let code = |network: u64, age: u64, level: &str| {
        wait(client.freshness(network, now - age, level.to_owned())).code
    };
    assert_eq!(code(31_337, 3_600, "signed"), "old");
    assert_eq!(code(84_532, 3_600, "l1_proof_checked"), "fresh");
    assert_eq!(code(84_532, 5 * 3_600, "l1_proof_checked"), "old");
    assert_eq!(code(84_532, 5 * 3_600, "l1_finalized"), "fresh");
    assert_eq!(code(84_532, 60, "of_a_later_version"), "unknown");
    assert_eq!(code(1, 60, "signed"), "unknown");
    // Also if it is asked through the view of another network.
    let rollup = client.on(84_532).unwrap();
    assert_eq!(wait(rollup.freshness(31_337, now - 3_600, "signed".to_owned())).code, "old");
}

#[test]
fn trust_that_starts_again_counts_for_every_sum() {
    let (scene, on_rollup) = scene();
    let client = scene.client();
    proven(&client.on(84_532).unwrap(), &on_rollup);
    let checkpoint = scene.config.checkpoint.unwrap();
    wait(client.start_again(checkpoint)).unwrap();
    let totals = wait(client.totals(vec![on_rollup]));
    let is_proven = totals.iter().any(|total| matches!(total.sum, saldo_ffi::Sum::Proven { .. }));
    assert!(!is_proven, "{totals:?}");
}

#[test]
fn what_several_networks_need_is_said() {
    let (scene, _) = scene();
    let code = |change: &dyn Fn(&mut ClientConfig)| {
        let mut config = scene.config.clone();
        change(&mut config);
        match saldo_ffi::SaldoClient::new(config, scene.http.clone(), None, None) {
            Ok(_) => "made".to_owned(),
            Err(SetupError::Refused { code, text }) => {
                assert!(!text.contains("127.0.0.1"), "{text}");
                code
            }
        }
    };
    let endpoint = || vec![Endpoint::new("https://rpc.example")];
    let further = |network: &str| NetworkConfig { rpc: endpoint(), ..NetworkConfig::new(network) };
    assert_eq!(code(&|_| ()), "made");
    assert_eq!(code(&|config| config.others.push(further("base"))), "no_l1");
    assert_eq!(code(&|config| config.others.push(config.others[0].clone())), "same_network");
    assert_eq!(code(&|config| config.others.push(further("mainnet2"))), "unknown_network");
    assert_eq!(code(&|config| config.others[0].rpc.clear()), "no_provider");
    let broken = |config: &mut ClientConfig| config.others[0].network.push_str("\nother = 1");
    assert_eq!(code(&broken), "rollup_file");
    // A rollup alone has no trust of its own.
    let alone = |config: &mut ClientConfig| {
        let rollup = config.others.remove(0);
        (config.network, config.rpc) = (rollup.network, rollup.rpc);
        (config.checkpoint, config.checkpoint_sources, config.beacon) = (None, Vec::new(), Vec::new());
    };
    assert_eq!(code(&alone), "no_l1");
}

fn proven(client: &saldo_ffi::SaldoClient, holding: &Holding) -> saldo_ffi::Proven {
    for _ in 0..100 {
        if let Some(Reading::Proven { proven }) = wait(client.read(vec![holding.clone()])).pop() {
            return proven;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("nothing was proven within 10 s");
}
