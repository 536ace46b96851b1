//! `saldo network import` prints the chain's network file, says that it rests on trust, and the file works.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use saldo::Network;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::{BeaconSource, Fault};
use serde_json::{Value, json};

use testbed::{ALICE, Services, network_file, run, saldo, test_chain};

/// A node whose `config/spec` also has fields that the drill's node leaves out.
struct FullSpec(BeaconSource);

impl Service for FullSpec {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        match self.0.answer(request) {
            Reaction::Reply(reply) if request.path.ends_with("/config/spec") => {
                let mut spec: Value = serde_json::from_slice(&reply.body).unwrap();
                spec["data"]["CONFIG_NAME"] = json!("drill-77");
                spec["data"]["MAX_BLOBS_PER_BLOCK_ELECTRA"] = json!("9");
                spec["data"]["BLOB_SCHEDULE"] = json!([{ "EPOCH": "412672", "MAX_BLOBS_PER_BLOCK": "15" }]);
                Reaction::Reply(Reply::json(200, &spec))
            }
            other => other,
        }
    }

    fn refuses(&self) -> bool {
        self.0.refuses()
    }
}

#[test]
fn the_file_is_the_chains_network_and_names_its_trust() {
    let node = test_chain().serve(FullSpec(BeaconSource::honest(&test_chain().chain)));
    let before = test_chain().chain.finalized();
    let imported = run(&mut saldo(&["network", "import", "--beacon-url", &node.url()]));
    assert_eq!((imported.status, imported.err.as_str()), (0, ""), "{imported:?}");
    let remarks: Vec<&str> = imported.out.lines().take_while(|line| line.starts_with('#')).collect();
    assert!(remarks.join(" ").contains("from a beacon node that you said you trust"), "{remarks:?}");
    assert!(remarks.join(" ").contains("no other source was asked"), "{remarks:?}");

    let network = Network::from_toml(&imported.out).unwrap();
    let checkpoint = *network.checkpoint().expect("it brings a checkpoint");
    let slot = checkpoint.slot.expect("with its slot");
    assert!(slot >= before.slot, "not older than what light clients know to be final");
    let block = (0..=test_chain().chain.tip().number)
        .filter_map(|number| test_chain().chain.block(number))
        .find(|block| block.slot == slot);
    assert_eq!(checkpoint.root, block.unwrap().beacon_root);
    assert_eq!(network.name(), "drill-77");
    let listed = "[[blob_schedule]]\nepoch = 412672\nmax_blobs = 15\n";
    let expected =
        Network::from_toml(&format!("{}\n{listed}", test_chain().chain.network().to_toml())).unwrap();
    assert_eq!(network, expected.with_checkpoint(checkpoint));
}

#[test]
fn balances_are_proven_with_it() {
    let services = Services::new(1, 1);
    let (rpc, beacon) = (services.rpc_urls().remove(0), services.beacon_urls().remove(0));
    let imported = run(&mut saldo(&["network", "import", "--beacon-url", &beacon]));
    assert_eq!(imported.status, 0, "{imported:?}");
    let file = network_file(&imported.out).display().to_string();
    let owner = ALICE.to_string();
    let reading =
        run(&mut saldo(&["balance", "-q", &owner, "-n", &file, "-r", &rpc, "--beacon-url", &beacon]));
    assert_eq!(reading.out, format!("{ALICE}  1.5 ether\n"), "{reading:?}");
}

#[test]
fn a_node_without_bootstraps_is_reported() {
    let node = BeaconSource::honest(&test_chain().chain).with(Fault::NoBootstrap);
    let node = test_chain().serve(node);
    let imported = run(&mut saldo(&["network", "import", "--beacon-url", &node.url()]));
    assert_eq!(imported.status, 0);
    assert!(Network::from_toml(&imported.out).is_ok());
    assert!(imported.err.contains("does not serve the light-client bootstrap"), "{imported:?}");
}
