//! The command asks the endpoints that the user names, else those of a file, else the built-in ones; then it prints a
//! notice.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::process::Command;

use saldo_drill::BeaconSource;
use testbed::{ALICE, Services, network_file, run, saldo, test_chain};

/// Sends every connection to a closed port, so that the test asks no public server.
fn offline(command: &mut Command) -> &mut Command {
    for variable in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(variable, "http://127.0.0.1:9");
    }
    command.env_remove("no_proxy").env_remove("NO_PROXY")
}

/// The directory tables for the servers of `services`.
fn tables(services: &Services) -> String {
    let entry = |table: &str, named: &String| {
        let (name, url) = named.split_once('=').unwrap();
        format!("\n[[{table}]]\nname = \"{name}\"\nurl = \"{url}\"\noperator = \"{name}\"\n")
    };
    let rpc: String = services.rpc_urls().iter().map(|named| entry("rpc", named)).collect();
    let beacon: String = services.beacon_urls().iter().map(|named| entry("beacon", named)).collect();
    rpc + &beacon
}

#[test]
fn a_network_file_may_bring_its_endpoints() {
    let services = Services::new(2, 1);
    let file = network_file(&(test_chain().network().to_toml() + &tables(&services))).display().to_string();
    let reading = run(&mut saldo(&["balance", &ALICE.to_string(), "-n", &file]));
    assert_eq!((reading.status, reading.err.as_str()), (0, ""), "{reading:?}");
    assert!(reading.out.contains("served by anna"), "{reading:?}");
}

#[test]
fn a_file_of_providers_does_the_same() {
    let services = Services::new(1, 1);
    let (network, providers) =
        (network_file(&test_chain().network().to_toml()), network_file(&tables(&services)));
    let (network, providers) = (network.display().to_string(), providers.display().to_string());
    let owner = ALICE.to_string();
    let arguments = ["balance", "-q", &owner, "-n", &network, "--providers", &providers];
    assert_eq!(run(&mut saldo(&arguments)).out, format!("{ALICE}  1.5 ether\n"));
    // Endpoints on the command line replace those of the file.
    let replaced = run(saldo(&arguments).args(["-r", "http://127.0.0.1:9", "--timeout", "1s"]));
    assert_eq!(replaced.status, 3, "{replaced:?}");
}

#[test]
fn checkpoint_sources_are_asked_if_no_checkpoint_is_given() {
    let services = Services::new(1, 2);
    let source = |number: usize, url: &str| {
        format!("\n[[checkpoint_source]]\nname = \"s{number}\"\nurl = \"{url}\"\noperator = \"o{number}\"\n")
    };
    let servers: Vec<_> =
        (0..3).map(|_| test_chain().serve(BeaconSource::honest(&test_chain().chain))).collect();
    let sources: Vec<String> =
        servers.iter().enumerate().map(|(number, server)| source(number, &server.url())).collect();
    let bare = test_chain().chain.network().to_toml() + &tables(&services);
    let file = network_file(&(bare.clone() + &sources.concat())).display().to_string();
    let owner = ALICE.to_string();
    let reading = run(&mut saldo(&["balance", "-q", &owner, "-n", &file]));
    assert_eq!(reading.out, format!("{ALICE}  1.5 ether\n"), "{reading:?}");
    let two = network_file(&(bare + &sources[..2].concat())).display().to_string();
    let refused = run(&mut saldo(&["balance", "--json", &owner, "-n", &two]));
    assert_eq!((refused.status, refused.only()["error"]["code"].as_str()), (2, Some("setup")), "{refused:?}");
    let given = format!("--checkpoint={}", test_chain().chain.checkpoint());
    let reading = run(&mut saldo(&["balance", "-q", &owner, "-n", &two, &given]));
    assert_eq!(
        reading.out,
        format!("{ALICE}  1.5 ether\n"),
        "a given checkpoint needs no sources: {reading:?}"
    );
}

#[test]
fn asking_public_servers_prints_a_notice() {
    let owner = ALICE.to_string();
    let command = |options: &[&str]| {
        let mut command = saldo(&["balance", &owner, "-n", "hoodi", "--no-wait", "--timeout", "1s"]);
        run(offline(&mut command).args(options))
    };
    let checkpoint = format!("0x{}", "0".repeat(64));
    let usual = command(&["--checkpoint", &checkpoint]);
    let notices = usual.err.lines().filter(|line| line.starts_with("asking public servers")).count();
    assert_eq!(notices, 1, "{usual:?}");
    for word in ["at most 2 of ", "Allnodes", "dRPC", "--rpc-url", "--providers"] {
        assert!(usual.err.contains(word), "{word}: {usual:?}");
    }
    let more = command(&["--checkpoint", &checkpoint, "--operators", "3"]);
    assert!(more.err.contains("at most 3 of "), "{more:?}");
    for silent in [["-q"], ["--json"]] {
        let run = command(&[&["--checkpoint", &checkpoint][..], &silent].concat());
        assert_eq!(run.err, "", "{run:?}");
    }
    let own = command(&["--checkpoint", &checkpoint, "-r", "http://127.0.0.1:9"]);
    assert!(!own.err.contains("public servers"), "{own:?}");
}

#[test]
fn networks_are_listed_and_shown() {
    let list = run(&mut saldo(&["network", "list"]));
    assert_eq!((list.status, list.out.lines().count()), (0, 10), "{list:?}");
    let list = run(&mut saldo(&["network", "list", "--json"])).json();
    let names: Vec<_> = list.iter().map(|network| network["name"].as_str().unwrap()).collect();
    let (networks, rollups) = names.split_at(4);
    assert_eq!(networks, ["mainnet", "sepolia", "hoodi", "gnosis"]);
    assert_eq!(rollups, ["base", "base-sepolia", "op", "op-sepolia", "unichain", "ink"]);

    let sepolia = run(&mut saldo(&["network", "show", "sepolia"]));
    for words in [
        "gloas      epoch 353024    2026-10-06T13:53:36Z",
        "execution providers (documented, not probed)",
        "checkpoint sources (documented, not probed)",
        "ethereum-sepolia-rpc.publicnode.com",
        "get_proof      unknown",
    ] {
        assert!(sepolia.out.contains(words), "{words}: {}", sepolia.out);
    }
    let hoodi = run(&mut saldo(&["network", "show", "hoodi", "--json"])).only();
    assert_eq!(hoodi["endpoints_are"], "documented, not probed");
    assert_eq!(hoodi["checkpoint_sources"].as_array().unwrap().len(), 6);
    assert!(hoodi["rpc"][0]["documented_on"].as_str().unwrap().starts_with("https://"));
    let unknown = run(&mut saldo(&["network", "show", "--json", "goerli"]));
    assert_eq!((unknown.status, unknown.only()["error"]["code"].as_str()), (2, Some("unknown_network")));
}

#[test]
fn only_the_name_of_a_users_url_is_shown() {
    let own = "\n[[rpc]]\nname = \"mine\"\nurl = \"https://KEY.node.example/KEY\"\n\
               documented_on = \"https://node.example/KEY\"\nread_on = 2026-01-01\n";
    let file = network_file(&(saldo::Network::hoodi().to_toml() + own)).display().to_string();
    for format in [&["network", "show", &file][..], &["network", "show", "--json", &file]] {
        let shown = run(&mut saldo(format));
        assert_eq!(shown.status, 0, "{shown:?}");
        assert!(shown.out.contains("mine") && shown.out.contains("publicnode"), "{shown:?}");
        assert!(!shown.all().contains("KEY") && !shown.all().contains("node.example"), "{shown:?}");
    }
    for broken in ["colour = 1", "url = \"https://KEY.example\"", "read_on = \"https://KEY.example\""] {
        let tables = format!("[[rpc]]\nurl = \"https://node.example/KEY\"\n{broken}\n");
        let file = network_file(&(saldo::Network::hoodi().to_toml() + "\n" + &tables)).display().to_string();
        let own = network_file(&tables).display().to_string();
        for arguments in
            [&["network", "show", &file][..], &["balance", &ALICE.to_string(), "--providers", &own]]
        {
            let refused = run(&mut saldo(arguments));
            assert_eq!(refused.status, 2, "{refused:?}");
            assert!(!refused.all().contains("KEY"), "{refused:?}");
        }
    }
}
