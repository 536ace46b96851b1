//! Proxy variables are honoured for real; a value that cannot be understood never becomes a direct connection; and servers
//! on this device are never asked through a proxy.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed check ends the test"
)]

#[path = "testbed/relay.rs"]
mod relay;
mod testbed;

use std::net::SocketAddr;

use relay::{Relay, certificate_path};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Provider};
use testbed::{ALICE, Run, network_file, run, saldo, test_chain};

/// An honest provider and source. No name and no address leads to them but through a proxy.
struct Hidden {
    provider: Server,
    source: Server,
}

const PROVIDER_PORT: u16 = 8_001;

impl Hidden {
    fn new() -> Self {
        let chain = &test_chain().chain;
        let (provider, source) = (Provider::honest(chain), BeaconSource::honest(chain));
        Self { provider: test_chain().serve(provider), source: test_chain().serve(source) }
    }

    /// Where a port behind the proxy leads.
    fn route(&self) -> impl Fn(u16) -> SocketAddr + Clone + Send + Sync + 'static {
        let (provider, source) = (address(&self.provider), address(&self.source));
        move |port| if port == PROVIDER_PORT { provider } else { source }
    }
}

fn address(server: &Server) -> SocketAddr {
    server.url().trim_start_matches("http://").parse().unwrap()
}

/// A balance of servers that are not on this device.
fn far(scheme: &str, host: &str, variables: &[(&str, &str)]) -> Run {
    let mut command = saldo(&["balance", &ALICE.to_string(), "--json", "--timeout", "6s", "-n"]);
    command.arg(network_file(&test_chain().network().to_toml()));
    command.args(["--rpc-url", &format!("provider={scheme}://{host}:{PROVIDER_PORT}/")]);
    command.args(["--beacon-url", &format!("source={scheme}://{host}:8002/")]);
    run(command.envs(variables.iter().copied()))
}

#[track_caller]
fn assert_proven(run: &Run) {
    assert_eq!((run.status, &run.only()["state"]), (0, &"proven".into()), "{run:?}");
}

#[test]
fn socks5_resolves_here_and_socks5h_at_the_proxy() {
    let hidden = Hidden::new();
    for (scheme, host) in [("socks5h", "node.saldo.test"), ("socks5", "192.0.2.1"), ("socks", "192.0.2.1")] {
        let proxy = Relay::socks5(None, hidden.route());
        let value = format!(" {scheme}://127.0.0.1:{}/", proxy.port);
        assert_proven(&far("http", host, &[("ALL_PROXY", &value)]));
        let seen = proxy.seen();
        assert!(!seen.is_empty() && seen.iter().all(|asked| asked == host), "{scheme}: {seen:?}");
    }
    // A name that does not resolve here never reaches a proxy that expects addresses.
    let proxy = Relay::socks5(None, hidden.route());
    let local =
        far("http", "node.saldo.test", &[("all_proxy", &format!("socks5://127.0.0.1:{}", proxy.port))]);
    assert_eq!((local.status, proxy.seen().len()), (3, 0), "{local:?}");
}

#[test]
fn a_socks5_server_may_ask_for_a_password() {
    let hidden = Hidden::new();
    let proxy = Relay::socks5(Some("anna:s3cret"), hidden.route());
    let with = |user: &str| {
        let value = format!("socks5h://{user}127.0.0.1:{}", proxy.port);
        far("http", "node.saldo.test", &[("all_proxy", &value)])
    };
    assert_proven(&with("anna:s3cret@"));
    for refused in [with("anna:wrong@"), with("")] {
        assert_eq!(refused.status, 3, "{refused:?}");
        assert!(!refused.all().contains("wrong"), "{refused:?}");
    }
}

#[test]
fn http_and_https_proxies_are_used() {
    let hidden = Hidden::new();
    // The provider answers at both ports: a plain HTTP proxy gets the whole URL.
    let servers = [&hidden.provider, &hidden.source];
    let proven_with = |proxies: [String; 2], variables: &[(&str, &str)]| {
        for (server, proxy) in servers.iter().zip(proxies) {
            let mut variables = variables.to_vec();
            variables.push(("http_proxy", &proxy));
            let mut command = saldo(&["balance", &ALICE.to_string(), "--json", "--timeout", "6s", "-n"]);
            command.arg(network_file(&test_chain().network().to_toml()));
            let (rpc, beacon) = if server.url() == hidden.provider.url() {
                ("http://node.saldo.test/".to_owned(), hidden.source.url())
            } else {
                (hidden.provider.url(), "http://node.saldo.test/".to_owned())
            };
            command.args(["--rpc-url", &rpc, "--beacon-url", &beacon]).envs(variables);
            assert_proven(&run(&mut command));
        }
    };
    let plain = servers.map(|server| Relay::plain(address(server)));
    proven_with([0, 1].map(|number: usize| format!("http://127.0.0.1:{}", plain[number].port)), &[]);
    assert!(plain.iter().all(|proxy| !proxy.seen().is_empty()));

    let secure = servers.map(|server| Relay::tls("valid", address(server)));
    let issuer = certificate_path("issuer.pem").display().to_string();
    proven_with(
        [0, 1].map(|number: usize| format!("https://localhost:{}", secure[number].port)),
        &[("SSL_CERT_FILE", &issuer)],
    );
    assert!(secure.iter().all(|proxy| !proxy.seen().is_empty()));
}

#[test]
fn https_goes_through_a_tunnel() {
    let hidden = Hidden::new();
    let inside = Relay::tls("other_name", address(&hidden.provider));
    let tunnel = Relay::connect(SocketAddr::from(([127, 0, 0, 1], inside.port)));
    let issuer = certificate_path("issuer.pem").display().to_string();
    let mut command = saldo(&["balance", &ALICE.to_string(), "--json", "--timeout", "6s", "-n"]);
    command.arg(network_file(&test_chain().network().to_toml()));
    command.args([
        "--rpc-url",
        "https://secret-internal-host.example/",
        "--beacon-url",
        &hidden.source.url(),
    ]);
    command.env("HTTPS_PROXY", format!("127.0.0.1:{}", tunnel.port)).env("SSL_CERT_FILE", issuer);
    assert_proven(&run(&mut command));
    assert!(tunnel.seen().iter().all(|line| line == "CONNECT secret-internal-host.example:443 HTTP/1.1"));
    assert!(!tunnel.seen().is_empty());
}

#[test]
fn a_value_that_cannot_be_understood_is_a_usage_error_everywhere() {
    let trap = Relay::plain(SocketAddr::from(([127, 0, 0, 1], 9)));
    let url = format!("http://127.0.0.1:{}", trap.port);
    let owner = ALICE.to_string();
    let file = network_file(&test_chain().network().to_toml()).display().to_string();
    let asked = ["--rpc-url", &url, "--beacon-url", &url, "-n", &file];
    for (variable, value) in [
        ("ALL_PROXY", "nonsense"),
        ("https_proxy", "htp://SECRET:1"),
        ("http_proxy", "http://user:SECRET@"),
        ("HTTPS_PROXY", "http://SECRET .test:1"),
        ("all_proxy", "socks4://SECRET:1080"),
    ] {
        for command in [
            [&["balance", &owner, "--json"][..], &asked].concat(),
            [&["doctor", "--json"][..], &asked].concat(),
            vec!["mirror", "/tmp/saldo-no-mirror", "--json", "--beacon-url", &url, "-n", &file],
            vec!["network", "import", "--json", "--beacon-url", &url],
            vec!["drill", "attach", "--json", "-u", &url],
            vec!["drill", "proxy", "--json", "-s", "cloud-region-down", "-u", &url],
        ] {
            let refused = run(saldo(&command).env(variable, value));
            assert_eq!(
                (refused.status, &refused.only()["error"]["code"]),
                (2, &"proxy".into()),
                "{refused:?}"
            );
            assert!(refused.all().contains(variable) && !refused.all().contains("SECRET"), "{refused:?}");
        }
    }
    assert!(trap.seen().is_empty(), "no direct connection");
}

#[test]
fn this_device_and_exceptions_are_reached_directly() {
    let hidden = Hidden::new();
    let (provider, source) = (address(&hidden.provider).port(), address(&hidden.source).port());
    let trap = Relay::socks5(None, hidden.route());
    let proxy = format!("http://127.0.0.1:{}", trap.port);
    for host in ["127.0.0.1", "localhost"] {
        let mut command = saldo(&["balance", &ALICE.to_string(), "--json", "--timeout", "6s", "-n"]);
        command.arg(network_file(&test_chain().network().to_toml()));
        command.args(["--rpc-url", &format!("http://{host}:{provider}")]);
        command.args(["--beacon-url", &format!("http://{host}:{source}")]);
        for variable in ["http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"] {
            command.env(variable, &proxy);
        }
        assert_proven(&run(&mut command));
    }
    let excepted = far("http", "192.0.2.1", &[("http_proxy", &proxy), ("no_proxy", "192.0.2.0/24")]);
    assert_eq!(excepted.status, 3, "{excepted:?}");
    assert!(trap.seen().is_empty(), "{:?}", trap.seen());
    let demo = run(saldo(&["demo", "--json"]).env("http_proxy", &proxy).env("ALL_PROXY", &proxy));
    assert_eq!(demo.status, 0, "{demo:?}");
}

#[test]
fn localhost_is_both_loopback_addresses() {
    let chain = &test_chain().chain;
    let runtime = test_chain().runtime();
    for (ip, host) in [
        ("127.0.0.1:0", "localhost"),
        ("[::1]:0", "localhost"),
        ("127.0.0.1:0", "localhost."),
        ("[::1]:0", "LOCALHOST."),
    ] {
        let at: SocketAddr = ip.parse().unwrap();
        let provider = runtime.block_on(Server::start_at(at, Provider::honest(chain))).unwrap();
        let source = runtime.block_on(Server::start_at(at, BeaconSource::honest(chain))).unwrap();
        let mut command = saldo(&["balance", &ALICE.to_string(), "--json", "--timeout", "6s", "-n"]);
        command.arg(network_file(&test_chain().network().to_toml()));
        command.args(["--rpc-url", &format!("http://{host}:{}", address(&provider).port())]);
        command.args(["--beacon-url", &format!("http://{host}:{}", address(&source).port())]);
        // A proxy is for other devices.
        command.env("http_proxy", "http://127.0.0.1:9");
        assert_proven(&run(&mut command));
    }
}
