//! `saldo balance -n L1,A,B`: several rollups in one command, each with providers of its own. One without a provider takes no other with
//! it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy_primitives::U256;
use saldo::UnixTime;
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Provider, Rollup, RollupKind};
use serde_json::Value;
use testbed::schema::{assert_follows, schema};
use testbed::{ALICE, Run, network_file, run, saldo, test_chain};

/// An L1 with two rollups, and servers of all. Alice has 0.25 ether on one, and 0.5 ether on the other.
struct World {
    rollups: [Rollup; 2],
    /// Of the L1, its beacon chain, and the rollups.
    servers: [Server; 4],
    /// The files of all, as `--network` takes them.
    files: String,
}

impl World {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let l1 = Chain::builder(80)
            .slot_duration(Duration::from_secs(1))
            .genesis_time(UnixTime::from_secs(now - 200))
            .history(40)
            .build();
        let kinds = [RollupKind::Multiproof { interval: 20, step: 5 }, RollupKind::Fault];
        let rollups = kinds.map(|kind| Rollup::new(&l1, kind));
        for (rollup, quarters) in rollups.iter().zip([1, 2]) {
            rollup.chain().set_balance(ALICE, U256::from(quarters * 250_000_000_000_000_000_u64));
        }
        let servers = [
            test_chain().serve(Provider::honest(&l1)),
            test_chain().serve(BeaconSource::honest(&l1)),
            test_chain().serve(Provider::honest(rollups[0].chain())),
            test_chain().serve(Provider::honest(rollups[1].chain())),
        ];
        l1.advance_to(UnixTime::from_secs(now));
        rollups.iter().for_each(|rollup| rollup.chain().advance_to(UnixTime::from_secs(now)));
        let of_l1 = l1.network().with_checkpoint(l1.checkpoint()).to_toml();
        let of_rollups = rollups.each_ref().map(Rollup::profile_toml);
        let files =
            std::iter::once(of_l1).chain(of_rollups).map(|toml| network_file(&toml).display().to_string());
        let files = files.collect::<Vec<_>>().join(",");
        Self { rollups, servers, files }
    }

    /// The option that names server number `index`, whose URL has that prefix.
    fn option(&self, option: &str, prefix: &str, index: usize) -> [String; 2] {
        [option.to_owned(), format!("{prefix}{}", self.servers[index].url())]
    }

    /// The options that name the servers of the L1.
    fn of_l1(&self) -> Vec<String> {
        [self.option("--l1-rpc-url", "lena=", 0), self.option("--beacon-url", "sven=", 1)].concat()
    }

    fn name(&self, index: usize) -> String {
        self.rollups[index].profile().name().to_owned()
    }

    fn balance(&self, options: &[String], more: &[&str]) -> Run {
        let mut command = saldo(&["balance", &ALICE.to_string(), "--timeout", "5s", "-n", &self.files]);
        run(command.args(options).args(more))
    }

    /// The chain ids of the readings, and the code of the reason of each.
    fn readings(&self, options: &[String]) -> (u8, Vec<(u64, Value, Value)>) {
        let read = self.balance(options, &["--json"]);
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_follows(&schema("reading"), &line);
            (line["chain_id"].as_u64().unwrap(), line["state"].clone(), line["why"]["code"].clone())
        };
        (u8::try_from(read.status).unwrap(), read.out.lines().map(line).collect())
    }
}

#[test]
fn each_rollup_has_providers_of_its_own() {
    let world = World::new();
    let chain_ids = world.rollups.each_ref().map(|rollup| rollup.profile().chain_id());
    let expected = |id, state: &str, code: Value| (id, Value::from(state), code);
    let all = [
        expected(31_337, "proven", Value::Null),
        expected(chain_ids[0], "provisional", "rollup_not_vouched".into()),
        expected(chain_ids[1], "provisional", "rollup_not_vouched".into()),
    ];
    // Without the name of a network, a provider is of the first rollup.
    let named = [
        world.of_l1(),
        world.option("--rpc-url", "rosa=", 2).to_vec(),
        world.option("--rpc-url", &format!("{}:rudi=", world.name(1)), 3).to_vec(),
    ];
    assert_eq!(world.readings(&named.concat()), (3, all.to_vec()));
    // Each has the name or the chain id of its network, that of the L1 too.
    let numbered = [
        world.option("--rpc-url", "31337:lena=", 0),
        world.option("--beacon-url", "31337:sven=", 1),
        world.option("--rpc-url", &format!("{}:rudi=", chain_ids[1]), 3),
        world.option("--rpc-url", &format!("{}:rosa=", chain_ids[0]), 2),
    ];
    assert_eq!(world.readings(&numbered.concat()), (3, all.to_vec()));
    let text = world.balance(&numbered.concat(), &[]).out;
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}: {text}"));
    assert!(at("claimed by rosa, not proven: 0.25 ether") < at("claimed by rudi, not proven: 0.5 ether"));
    for index in [0, 1] {
        assert!(text.contains(&format!("{}  {ALICE}  provisional: ", world.name(index))), "{text}");
    }
}

#[test]
fn a_rollup_without_a_provider_takes_no_other_with_it() {
    let world = World::new();
    let options = [world.of_l1(), world.option("--rpc-url", "rosa=", 2).to_vec()].concat();
    let (status, readings) = world.readings(&options);
    let codes: Vec<&Value> = readings.iter().map(|(_, _, code)| code).collect();
    assert_eq!(codes, [&Value::Null, &"rollup_not_vouched".into(), &"network_not_configured".into()]);
    assert_eq!((status, &readings[2].1), (4, &"unknown".into()), "the worst of them");
    let name = world.name(1);
    let text = world.balance(&options, &[]).out;
    assert!(
        text.contains(&format!("{name}  {ALICE}  unknown: no execution provider is known for {name}")),
        "{text}"
    );
    assert!(text.contains(&format!("--rpc-url {name}:URL")), "{text}");
    // It can be the first one too.
    let prefix = format!("{name}:rudi=");
    let second = [world.of_l1(), world.option("--rpc-url", &prefix, 3).to_vec()].concat();
    let (status, readings) = world.readings(&second);
    let codes: Vec<&Value> = readings.iter().map(|(_, _, code)| code).collect();
    assert_eq!(codes, [&Value::Null, &"network_not_configured".into(), &"rollup_not_vouched".into()]);
    assert_eq!(status, 4);
}

#[test]
fn a_provider_of_a_network_that_is_not_read_is_refused_and_its_url_is_not_told() {
    let world = World::new();
    let options =
        [world.of_l1(), vec!["--rpc-url".to_owned(), "nowhere:https://SECRET.example/SECRET".to_owned()]];
    let refused = world.balance(&options.concat(), &["--json"]);
    assert_eq!(
        (refused.status, &refused.only()["error"]["code"]),
        (2, &"unknown_network".into()),
        "{refused:?}"
    );
    assert!(!refused.all().contains("SECRET"), "{refused:?}");
    // A variable serves many commands: its endpoints for other built-in networks are not used. An unknown network is an error.
    let of_rollup = &world.option("", &format!("{}:rosa=", world.name(0)), 2)[1];
    let with_variable = |network: &str| {
        let mut command =
            saldo(&["balance", &ALICE.to_string(), "--json", "--timeout", "5s", "-n", &world.files]);
        command.env("ETH_RPC_URL", format!("{network}:https://a.example/SECRET,{of_rollup}"));
        run(command.args(world.of_l1()))
    };
    let refused = with_variable("mainet");
    assert_eq!((refused.status, &refused.only()["error"]["code"]), (2, &"unknown_network".into()));
    assert!(!refused.all().contains("SECRET") && refused.all().contains("ETH_RPC_URL"), "{refused:?}");
    let read = with_variable("op");
    assert_eq!((read.status, read.out.lines().count()), (4, 3), "{read:?}");
    assert!(
        read.out.contains("rollup_not_vouched") && read.out.contains("network_not_configured"),
        "{read:?}"
    );
}
