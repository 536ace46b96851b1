//! Whom the command asks: those that the user names, else those that stand in a file, else those that come with saldo,
//! and then it says so.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what goes wrong here is a failed test"
)]

mod stage;

use std::process::Command;

use saldo_drill::BeaconSource;
use stage::{ALICE, Cast, network_file, run, saldo, world};

/// So that nobody outside is asked: every connection goes to a port where nobody listens.
fn offline(command: &mut Command) -> &mut Command {
    for variable in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(variable, "http://127.0.0.1:9");
    }
    command.env_remove("no_proxy").env_remove("NO_PROXY")
}

/// The tables of a directory with this cast's servers.
fn tables(cast: &Cast) -> String {
    let entry = |table: &str, named: &String| {
        let (name, url) = named.split_once('=').unwrap();
        format!("\n[[{table}]]\nname = \"{name}\"\nurl = \"{url}\"\noperator = \"{name}\"\n")
    };
    let rpc: String = cast.rpc_urls().iter().map(|named| entry("rpc", named)).collect();
    let beacon: String = cast.beacon_urls().iter().map(|named| entry("beacon", named)).collect();
    rpc + &beacon
}

#[test]
fn a_network_file_may_bring_its_endpoints() {
    let cast = Cast::new(2, 1);
    let file = network_file(&(world().network().to_toml() + &tables(&cast))).display().to_string();
    let reading = run(&mut saldo(&["balance", &ALICE.to_string(), "-n", &file]));
    assert_eq!((reading.status, reading.err.as_str()), (0, ""), "{reading:?}");
    assert!(reading.out.contains("served by anna"), "{reading:?}");
}

#[test]
fn a_file_of_providers_does_the_same() {
    let cast = Cast::new(1, 1);
    let (network, providers) = (network_file(&world().network().to_toml()), network_file(&tables(&cast)));
    let (network, providers) = (network.display().to_string(), providers.display().to_string());
    let owner = ALICE.to_string();
    let arguments = ["balance", "-q", &owner, "-n", &network, "--providers", &providers];
    assert_eq!(run(&mut saldo(&arguments)).out, format!("{ALICE}  1.5 ether\n"));
    // What is named on the command line replaces them.
    let replaced = run(saldo(&arguments).args(["-r", "http://127.0.0.1:9", "--timeout", "1s"]));
    assert_eq!(replaced.status, 3, "{replaced:?}");
}

#[test]
fn sources_of_checkpoints_are_asked_where_none_is_given() {
    let cast = Cast::new(1, 2);
    let source = |number: usize, url: &str| {
        format!("\n[[checkpoint_source]]\nname = \"s{number}\"\nurl = \"{url}\"\noperator = \"o{number}\"\n")
    };
    let servers: Vec<_> = (0..3).map(|_| world().serve(BeaconSource::honest(&world().chain))).collect();
    let sources: Vec<String> =
        servers.iter().enumerate().map(|(number, server)| source(number, &server.url())).collect();
    let bare = world().chain.network().to_toml() + &tables(&cast);
    let file = network_file(&(bare.clone() + &sources.concat())).display().to_string();
    let owner = ALICE.to_string();
    let reading = run(&mut saldo(&["balance", "-q", &owner, "-n", &file]));
    assert_eq!(reading.out, format!("{ALICE}  1.5 ether\n"), "{reading:?}");
    let two = network_file(&(bare + &sources[..2].concat())).display().to_string();
    let refused = run(&mut saldo(&["balance", "--json", &owner, "-n", &two]));
    assert_eq!((refused.status, refused.only()["error"]["code"].as_str()), (2, Some("setup")), "{refused:?}");
    let given = format!("--checkpoint={}", world().chain.checkpoint());
    let reading = run(&mut saldo(&["balance", "-q", &owner, "-n", &two, &given]));
    assert_eq!(
        reading.out,
        format!("{ALICE}  1.5 ether\n"),
        "one that is given needs no sources: {reading:?}"
    );
}

#[test]
fn public_servers_are_asked_aloud() {
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
    assert_eq!((list.status, list.out.lines().count()), (0, 3), "{list:?}");
    let list = run(&mut saldo(&["network", "list", "--json"])).json();
    let names: Vec<_> = list.iter().map(|network| network["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["mainnet", "sepolia", "hoodi"]);

    let sepolia = run(&mut saldo(&["network", "show", "sepolia"]));
    for words in [
        "gloas      epoch 353024    2026-10-06 13:53:36 UTC",
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
fn nothing_of_a_users_url_is_shown_but_its_name() {
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
