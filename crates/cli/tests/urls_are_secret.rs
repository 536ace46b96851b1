//! Of a URL only the host is printed: in readings, logs, errors and messages of the argument parser, and when a
//! provider sends the URL back.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

#[allow(dead_code, unreachable_pub, reason = "the same as in the tests of the library")]
#[path = "../../../tests/src/key_recorder.rs"]
mod key_recorder;
mod testbed;

use std::process::Command;
use std::time::Duration;

use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Fault, Provider};

use key_recorder::{ECHOES, KEYS, KeyRecorder, assert_no_key, with_keys};
use testbed::{ALICE, Conversation, Run, UNUSED, network_file, run, saldo, test_chain};

/// One provider and one source whose URLs contain keys.
struct Secrets {
    honest: Provider,
    north: BeaconSource,
    provider: KeyRecorder,
    source: KeyRecorder,
    provider_server: Server,
    source_server: Server,
    network: String,
}

impl Secrets {
    fn new() -> Self {
        let (honest, north) =
            (Provider::honest(&test_chain().chain), BeaconSource::honest(&test_chain().chain));
        let (provider, source) = (KeyRecorder::new(honest.clone()), KeyRecorder::new(north.clone()));
        let provider_server = test_chain().serve(provider.clone());
        let source_server = test_chain().serve(source.clone());
        let network = network_file(&test_chain().network().to_toml()).display().to_string();
        Self { honest, north, provider, source, provider_server, source_server, network }
    }

    fn rpc_url(&self) -> String {
        with_keys(&self.provider_server.url())
    }

    fn beacon_url(&self) -> String {
        with_keys(&self.source_server.url())
    }

    fn balance(&self, arguments: &[&str]) -> Command {
        let (rpc, beacon) = (self.rpc_url(), self.beacon_url());
        let mut command = saldo(&["balance", "-n", &self.network, "-r", &rpc, "--beacon-url", &beacon]);
        command.args(["--timeout", "700ms"]).args(arguments);
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
        command
    }

    /// Reads in every output form, and asserts that no key is printed.
    #[track_caller]
    fn read(&self, situation: &str) -> Run {
        let (owner, other) = (ALICE.to_string(), UNUSED.to_string());
        let verbose = run(&mut self.balance(&["-v", &owner, &other]));
        assert_no_key(&verbose.all(), situation);
        let json = run(&mut self.balance(&["--json", "-v", "--no-wait", &owner]));
        assert_no_key(&json.all(), situation);
        let host = self.provider_server.url().replace("http://", "");
        assert!(json.out.contains(&host), "the host is its name: {json:?}");
        verbose
    }

    #[track_caller]
    fn import(&self, situation: &str) -> Run {
        let url = self.beacon_url();
        let text = run(&mut saldo(&["network", "import", "--timeout", "700ms", "--beacon-url", &url]));
        assert_no_key(&text.all(), situation);
        let json =
            run(&mut saldo(&["network", "import", "--timeout", "700ms", "--json", "--beacon-url", &url]));
        assert_no_key(&json.all(), situation);
        text
    }
}

fn all_keys() -> Vec<&'static str> {
    let mut keys = KEYS.to_vec();
    keys.sort_unstable();
    keys
}

#[test]
fn no_key_is_printed_when_all_is_well() {
    let secrets = Secrets::new();
    let reading = secrets.read("all is well");
    assert_eq!(reading.status, 0, "{reading:?}");
    assert!(reading.err.contains("head.signed"), "it logs: {reading:?}");
    assert_eq!(secrets.provider.take_seen(), all_keys(), "the provider needs its keys");
    assert_eq!(secrets.source.take_seen(), all_keys(), "the source needs its keys");
    let imported = secrets.import("import");
    assert_eq!(imported.status, 0, "{imported:?}");
    assert_eq!(secrets.source.take_seen(), all_keys());
}

#[test]
fn no_key_is_printed_when_it_is_sent_back() {
    let secrets = Secrets::new();
    for (name, echo) in ECHOES {
        secrets.provider.repeat(Some(echo));
        let reading = secrets.read(&format!("provider: {name}"));
        assert!(matches!(reading.status, 3 | 4), "{name}: {reading:?}");
        assert_eq!(secrets.provider.take_seen(), all_keys(), "{name}");
        secrets.provider.repeat(None);

        secrets.source.repeat(Some(echo));
        let reading = secrets.read(&format!("source: {name}"));
        assert!(matches!(reading.status, 3 | 4), "{name}: {reading:?}");
        let imported = secrets.import(&format!("import: {name}"));
        assert_eq!(imported.status, 1, "{name}: {imported:?}");
        assert_eq!(secrets.source.take_seen(), all_keys(), "{name}");
        secrets.source.repeat(None);
    }
}

#[test]
fn no_key_is_printed_when_a_connection_fails() {
    let secrets = Secrets::new();
    for fault in [
        Fault::Refuse,
        Fault::Hang,
        Fault::Reset { after: 10 },
        Fault::Trickle { bytes_per_second: 1 },
        Fault::Truncated,
        Fault::Huge { bytes: 2_000_000 },
        Fault::GzipBomb { bytes: 50_000_000 },
        Fault::Redirect(with_keys("http://elsewhere.test")),
    ] {
        let name = format!("{fault:?}");
        secrets.honest.set(fault.clone());
        secrets.north.set(fault);
        // A port closes only a moment later.
        std::thread::sleep(Duration::from_millis(50));
        assert!(matches!(secrets.read(&name).status, 3 | 4), "{name}");
        assert_eq!(secrets.import(&name).status, 1, "{name}");
        secrets.honest.clear();
        secrets.north.clear();
        std::thread::sleep(Duration::from_millis(50));
    }
    // The first server speaks no HTTPS, and the second host does not exist.
    let owner = ALICE.to_string();
    for url in [secrets.rpc_url().replace("http://", "https://"), with_keys("https://no-such-host.invalid")] {
        let beacon = secrets.beacon_url();
        for option in ["--json", "-v"] {
            let reading = run(&mut saldo(&[
                "balance",
                &owner,
                "-n",
                &secrets.network,
                "-r",
                &url,
                "--beacon-url",
                &beacon,
                "--timeout",
                "2s",
                option,
            ]));
            assert_eq!(reading.status, 3, "{reading:?}");
            assert_no_key(&reading.all(), "TLS and DNS");
        }
    }
}

#[test]
fn no_key_is_printed_with_the_environment_and_standard_input() {
    let secrets = Secrets::new();
    let mut command = saldo(&["balance", "-", "--line-by-line", "-v", "--timeout", "2s"]);
    command
        .env("SALDO_NETWORK", &secrets.network)
        .env("ETH_RPC_URL", format!("{},{}", secrets.rpc_url(), with_keys("http://127.0.0.1:9")))
        .env("SALDO_BEACON_URL", secrets.beacon_url());
    let mut conversation = Conversation::start(&mut command);
    conversation.send_line(&ALICE.to_string());
    let mut said = conversation.read_line();
    assert!(said.contains("1.5 ether"), "{said}");
    assert_eq!(secrets.provider.take_seen(), all_keys());
    conversation.send_line(&secrets.rpc_url());
    secrets.honest.set(Fault::Html);
    secrets.north.set(Fault::Html);
    std::thread::sleep(Duration::from_secs(2));
    conversation.send_line(&ALICE.to_string());
    let (status, rest) = conversation.end();
    said += &rest;
    // A web page needs the user: a log-in page of a network, or a wrong URL.
    assert_eq!(status, 4, "{said}");
    assert!(said.contains("last proven"), "{said}");
    assert_no_key(&said, "line by line");
}

#[test]
fn no_key_is_printed_when_a_url_is_in_the_wrong_place() {
    let url = with_keys("https://node.example");
    let bare = url.replace("https://", "");
    let owner = ALICE.to_string();
    let good = ["--rpc-url", "http://127.0.0.1:9", "--beacon-url", "http://127.0.0.1:9"];
    let (rpc, beacon) = (format!("--rpc-url={url}"), format!("--beacon-url={url}"));
    let (pasted, wrong, short, long) =
        (format!("--rpcurl={url}"), format!("--{url}"), format!("-x{url}"), format!("--json={url}"));
    let (max_age, timeout, checkpoint) =
        (format!("--max-age={url}"), format!("--timeout={url}"), format!("--checkpoint={url}"));
    let control = format!("a\u{7}b={url}");
    let port = url.replace("node.example", "node.example:99999");
    let scheme = url.replace("https", "htps");
    let dotted = format!("./{bare}");
    let empty = network_file(&test_chain().chain.network().to_toml()).display().to_string();
    let cases: Vec<Vec<&str>> = vec![
        vec![&url],
        vec![&bare],
        vec!["demo", &url],
        vec!["demo", &wrong],
        vec!["network", &url],
        vec!["network", "import", &url],
        vec!["network", "import", "--url", &url],
        vec!["network", "import", "--beacon-url", &bare],
        vec!["network", "import", "--beacon-url", &scheme],
        vec!["network", "import", &beacon, &beacon],
        vec!["balance", &url],
        vec!["balance", "--", &url],
        vec!["balance", &owner, &url],
        vec!["balance", &pasted, &owner],
        vec!["balance", "--rpc", &url, &owner],
        vec!["balance", "--rcp-url", &url, &owner],
        vec!["balance", &wrong, &owner],
        vec!["balance", &short, &owner],
        vec!["balance", &long, &owner],
        vec!["balance", &max_age, &owner],
        vec!["balance", "--timeout", &url, &owner],
        vec!["balance", &timeout, &owner],
        vec!["balance", &rpc, &beacon, &checkpoint, &owner],
        vec!["balance", "-n", &empty, &rpc, &beacon, &owner],
        vec!["balance", "-n", &empty, &rpc, &owner],
        vec!["balance", "-n", &empty, &beacon, &owner],
        vec!["balance", "-r", &bare, &owner],
        vec!["balance", "-r", &scheme, &owner],
        vec!["balance", "-r", &port, &owner],
        vec!["balance", "-r", &control, &owner],
        vec!["balance", "-n", &url, &owner],
        vec!["balance", "--providers", &url, &owner],
        vec!["balance", "--operators", &url, &owner],
        vec!["network", "show", &url],
        vec!["network", "show", &dotted],
        vec!["network", "list", &url],
        vec!["balance", "-n", &bare, &owner],
        vec!["balance", "-n", &dotted, &owner],
        vec!["balance", "-n", "KEYPATH", &owner],
        vec!["balance", &rpc, &rpc, &beacon, "--checkpoint", ROOT, &owner],
        vec!["balance", &rpc, &beacon, "--checkpoint", &url, &owner],
        vec!["balance", &rpc, &beacon, "--checkpoint", "1", "--checkpoint", &url, &owner],
        [vec!["balance", "--checkpoint", ROOT], good.to_vec(), vec![url.as_str()]].concat(),
        [vec!["balance", "--checkpoint", ROOT], good.to_vec(), vec![bare.as_str()]].concat(),
    ];
    for case in cases {
        for json in [false, true] {
            let mut command = saldo(&case);
            if json {
                command.arg("--json");
            }
            let refused = run(&mut command);
            assert_eq!(refused.status, 2, "{case:?}: {refused:?}");
            assert!(!refused.all().trim().is_empty());
            assert_no_key(&refused.all(), &format!("{case:?}"));
            assert!(
                !refused.all().contains("node.example"),
                "no other part of the URL is printed either: {refused:?}"
            );
        }
    }
    for (variable, value) in [
        ("ETH_RPC_URL", bare.as_str()),
        ("SALDO_BEACON_URL", bare.as_str()),
        ("SALDO_CHECKPOINT", url.as_str()),
        ("SALDO_NETWORK", url.as_str()),
        ("SALDO_NETWORK", dotted.as_str()),
    ] {
        let mut command = saldo(&["balance", &owner]);
        command.envs([("ETH_RPC_URL", &url), ("SALDO_BEACON_URL", &url)]).env(variable, value);
        let refused = run(&mut command);
        assert_eq!(refused.status, 2, "{variable}: {refused:?}");
        assert_no_key(&refused.all(), variable);
    }
}

const ROOT: &str = "0x00000000000000000000000000000000000000000000000000000000000000aa";

#[test]
fn no_key_is_printed_when_a_url_is_in_a_network_file() {
    let url = with_keys("https://node.example");
    let network = test_chain().network().to_toml();
    for content in [
        format!("ETH_RPC_URL={url}\n"),
        format!("ETH_RPC_URL=\"{url}\"\n"),
        format!("chain_id = \"{url}\"\n"),
        url.clone(),
        network.replace("name = \"drill-77\"", &format!("name = \"{url}\"")),
        network.replace("0x00000001", &url),
        format!("rpc_url = \"{url}\"\n{network}"),
        format!("\"{url}\" = 1\n{network}"),
    ] {
        let file = network_file(&content).display().to_string();
        let refused = run(&mut saldo(&["balance", "-n", &file, &ALICE.to_string()]));
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.err.contains("network file"), "{refused:?}");
        assert_no_key(&refused.all(), &content);
    }
}
