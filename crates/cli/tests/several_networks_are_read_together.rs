//! `saldo balance -n A,B`: one client, one output, and what happens to one network touches no other.

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
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use testbed::{ALICE, Run, Services, network_file, run, saldo, test_chain};

/// The network file of `toml`, with these endpoints.
fn file(toml: &str, rpc: &[String], beacon: &[String]) -> String {
    let entry = |table: &str, named: &String| {
        let (name, url) = named.split_once('=').unwrap();
        format!("\n[[{table}]]\nname = \"{name}\"\nurl = \"{url}\"\noperator = \"{name}\"\n")
    };
    let rpc: String = rpc.iter().map(|named| entry("rpc", named)).collect();
    let beacon: String = beacon.iter().map(|named| entry("beacon", named)).collect();
    network_file(&(toml.to_owned() + &rpc + &beacon)).display().to_string()
}

/// Two networks: the chain of all tests, and one with the chain id of Gnosis.
struct World {
    first: Services,
    provider: Provider,
    _servers: [Server; 2],
    /// Both network files, as `--network` takes them.
    files: String,
}

impl World {
    fn new() -> Self {
        let now = || UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
        let chain = Chain::builder(78)
            .chain_id(100)
            .slot_duration(Duration::from_secs(1))
            .genesis_time(UnixTime::from_secs(now().as_secs() - 60))
            .history(40)
            .accounts([(ALICE, U256::from(2_250_000_000_000_000_000_u64))])
            .build();
        let growing = chain.clone();
        test_chain().runtime().spawn(async move {
            loop {
                growing.advance_to(now());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let provider = Provider::honest(&chain);
        let servers =
            [test_chain().serve(provider.clone()), test_chain().serve(BeaconSource::honest(&chain))];
        let named = |name: &str, server: &Server| vec![format!("{name}={}", server.url())];
        let second = file(
            &chain.network().with_checkpoint(chain.checkpoint()).to_toml(),
            &named("gino", &servers[0]),
            &named("guido", &servers[1]),
        );
        let first = Services::new(1, 1);
        let toml = test_chain().network().to_toml();
        let files = format!("{},{second}", file(&toml, &first.rpc_urls(), &first.beacon_urls()));
        Self { first, provider, _servers: servers, files }
    }

    fn balance(&self, arguments: &[&str]) -> Run {
        run(saldo(&["balance", &ALICE.to_string(), "-n", &self.files]).args(arguments))
    }
}

#[test]
fn each_line_names_its_network() {
    let world = World::new();
    let both = world.balance(&[]);
    assert_eq!((both.status, both.err.as_str()), (0, ""), "{both:?}");
    let lines: Vec<&str> = both.out.lines().filter(|line| !line.starts_with(' ')).collect();
    let names = [test_chain().network().name().to_owned(), lines[1].split("  ").next().unwrap().to_owned()];
    assert_eq!(lines[0], format!("{}  {ALICE}  1.5 ether", names[0]), "{both:?}");
    assert_eq!(lines[1], format!("{}  {ALICE}  2.25 xDAI", names[1]), "{both:?}");
    assert!(both.out.contains("served by anna") && both.out.contains("served by gino"), "{both:?}");
    let chain_ids = |run: &Run| -> Vec<(u64, String)> {
        let line = |line: &str| -> (u64, String) {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            (value["chain_id"].as_u64().unwrap(), value["state"].as_str().unwrap().to_owned())
        };
        run.out.lines().map(line).collect()
    };
    let json = world.balance(&["--json"]);
    assert_eq!(chain_ids(&json), [(31_337, "proven".to_owned()), (100, "proven".to_owned())]);

    // The status is that of the worst.
    world.provider.add(Fault::Refuse);
    let one = world.balance(&["--json", "--timeout", "3s"]);
    assert_eq!(one.status, 3, "{one:?}");
    assert_eq!(chain_ids(&one), [(31_337, "proven".to_owned()), (100, "unknown".to_owned())]);
}

#[test]
fn one_file_keeps_what_is_proven_of_all() {
    let world = World::new();
    let store = network_file("").with_extension("redb");
    let store = store.to_str().unwrap();
    assert_eq!(world.balance(&["--store", store]).status, 0);
    world.provider.add(Fault::Refuse);
    world.first.providers[0].add(Fault::Refuse);
    let again = world.balance(&["--store", store, "--timeout", "1s", "--no-wait"]);
    assert_eq!(again.status, 3, "{again:?}");
    assert!(again.out.contains("last proven: 1.5 ether"), "{again:?}");
    assert!(again.out.contains("last proven: 2.25 xDAI"), "{again:?}");
}

#[test]
fn a_token_without_a_network_is_refused() {
    let world = World::new();
    let token = "0xdAC17F958D2ee523a2206206994597C13D831ec7";
    let refused = world.balance(&["--token", token]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.err.contains("several networks are read"), "{refused:?}");
    let unknown = run(&mut saldo(&["balance", &ALICE.to_string(), "-n", "mainnet,nowhere"]));
    assert_eq!(unknown.status, 2, "{unknown:?}");
}
