//! Each failure of TLS has its own words and its own next step, in `balance` as in `doctor`. None says "try again", and none
//! repeats what the server wrote.

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
use std::path::PathBuf;
use std::process::Command;

use relay::{Relay, certificate_path};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Provider};
use testbed::{ALICE, Run, network_file, run, saldo, test_chain};

fn address(server: &Server) -> SocketAddr {
    server.url().trim_start_matches("http://").parse().unwrap()
}

/// Runs a command with these URLs for providers and sources, and the tests' issuer in place of the system's.
fn ask(command: &[&str], urls: &[String], trusts_issuer: bool) -> Run {
    ask_both(command, urls, urls, trusts_issuer)
}

fn ask_both(command: &[&str], providers: &[String], sources: &[String], trusts_issuer: bool) -> Run {
    let mut command = saldo(command);
    command.args(["--json", "--timeout", "4s", "-n"]).arg(network_file(&test_chain().network().to_toml()));
    for (number, url) in providers.iter().enumerate() {
        command.args(["--rpc-url", &format!("p{number}={url}")]);
    }
    for (number, url) in sources.iter().enumerate() {
        command.args(["--beacon-url", &format!("s{number}={url}")]);
    }
    if trusts_issuer {
        command.env("SSL_CERT_FILE", certificate_path("issuer.pem"));
    }
    run(&mut command)
}

fn balance(urls: &[String], trusts_issuer: bool) -> Run {
    ask(&["balance", &ALICE.to_string()], urls, trusts_issuer)
}

/// Both commands name `code` and `words`, tell `step`, and nothing of what the server wrote.
#[track_caller]
fn assert_told(relay: &Relay, scheme: &str, code: &str, words: &str, step: &str) {
    let urls = [format!("{scheme}://localhost:{}/", relay.port)];
    let balance = balance(&urls, true);
    let doctor = ask(&["doctor"], &urls, true);
    let why = balance.only()["why"].clone();
    assert_eq!((balance.status, why["code"].as_str()), (4, Some("not_secure")), "{balance:?}");
    assert!(why["next_step"].as_str().unwrap().contains(step), "{why}");
    assert_eq!(doctor.status, 4, "{doctor:?}");
    let found = doctor.only();
    for examined in [&found["providers"][0], &found["beacon_sources"][0]] {
        assert_eq!(examined["findings"][0]["code"], why["code"], "{examined}");
        assert_eq!(examined["findings"].as_array().unwrap().len(), 1, "{examined}");
    }
    assert!(balance.out.contains(code), "{balance:?}");
    for told in [&balance, &doctor] {
        assert!(told.out.contains(words) && told.out.contains(step), "{code}: {told:?}");
        assert!(!told.all().to_lowercase().contains("try again"), "{told:?}");
        assert!(
            !told.all().contains("secret-internal-host") && !told.all().contains("saldo test"),
            "{told:?}"
        );
    }
}

fn behind(certificate: &str) -> (Server, Relay) {
    let server = test_chain().serve(Provider::honest(&test_chain().chain));
    let relay = Relay::tls(certificate, address(&server));
    (server, relay)
}

#[test]
fn certificates() {
    for (certificate, code, words, step) in [
        ("own_issuer", "tls_untrusted_issuer", "an issuer that this device does not trust", "SSL_CERT_FILE"),
        ("other_name", "tls_other_name", "for other host names", "Check the host in the URL"),
        ("expired", "tls_expired", "has expired, on 2021-02-03T04:05:06Z", "Check this device's date"),
        ("not_yet_valid", "tls_not_yet_valid", "but from 2090-01-02T03:04:05Z on", "Set this device's clock"),
    ] {
        let (_server, relay) = behind(certificate);
        assert_told(&relay, "https", code, words, step);
    }
}

#[test]
fn protocols() {
    let alert = b"\x15\x03\x02\x00\x02\x02\x46".to_vec();
    let mut hello = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02".to_vec();
    hello.extend([7; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    for old in [alert, hello] {
        let relay = Relay::blind(old);
        assert_told(&relay, "https", "tls_old_version", "no TLS 1.2 or later", "Use another provider");
    }
    let pages = [
        &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..],
        b"<html>not HTTP at all</html>",
        b"SSH-2.0-OpenSSH\r\n",
    ];
    for plain in pages {
        let relay = Relay::blind(plain.to_vec());
        assert_told(&relay, "https", "tls_plain_http", "does not speak TLS at this port", "Check the URL");
    }
}

#[test]
fn tls_behind_plain_http() {
    let (_server, relay) = behind("valid");
    assert_told(&relay, "http", "tls_expected", "expects TLS at this port", "Write https://");
    for page in [
        "Client sent an HTTP request to an HTTPS server.\n",
        "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>",
        "Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    ] {
        let answer = format!("HTTP/1.0 400 Bad Request\r\ncontent-length: {}\r\n\r\n{page}", page.len());
        let relay = Relay::blind(answer.into_bytes());
        assert_told(&relay, "http", "tls_expected", "expects TLS at this port", "Write https://");
    }
}

#[test]
fn certificates_of_several_servers_that_are_not_valid_now_are_the_clock() {
    let pairs = [behind("expired"), behind("not_yet_valid")];
    for kinds in [[0, 0], [1, 1], [0, 1]] {
        let urls = kinds.map(|number: usize| format!("https://localhost:{}/", pairs[number].1.port));
        let read = balance(&urls, true);
        let why = read.only()["why"].clone();
        assert_eq!((read.status, why["code"].as_str()), (4, Some("clock_off")), "{read:?}");
    }
    // One good certificate among them shows that the clock is right.
    let other = behind("other_name");
    let urls = [pairs[0].1.port, other.1.port].map(|port| format!("https://localhost:{port}/"));
    assert_eq!(balance(&urls, true).only()["why"]["code"], "not_secure");
}

#[track_caller]
fn assert_doctor_names_the_clock(provider: &Relay, source: &Relay) {
    let [provider, source] = [provider, source].map(|relay| [format!("https://localhost:{}/", relay.port)]);
    let doctor = ask_both(&["doctor"], &provider, &source, true);
    for list in ["providers", "beacon_sources"] {
        assert_eq!(doctor.only()[list][0]["findings"][0]["code"], "clock_off", "{doctor:?}");
    }
    assert_eq!(doctor.status, 4, "{doctor:?}");
}

/// One provider and one source, at different servers: the servers of both kinds count together.
#[test]
fn certificates_of_one_provider_and_one_source_that_are_not_valid_now_are_the_clock() {
    let read = |provider: &Relay, source: &Relay| {
        let url = |relay: &Relay| [format!("https://localhost:{}/", relay.port)];
        ask_both(&["balance", &ALICE.to_string()], &url(provider), &url(source), true)
    };
    let (early, late) = (behind("not_yet_valid"), behind("expired"));
    for (provider, source) in [("not_yet_valid", &early), ("expired", &late), ("not_yet_valid", &late)] {
        let provider = behind(provider);
        let told = read(&provider.1, &source.1);
        let code = told.only()["why"]["code"].clone();
        assert_eq!((told.status, code.as_str()), (4, Some("clock_off")), "{told:?}");
        assert_doctor_names_the_clock(&provider.1, &source.1);
        let other_way = read(&source.1, &provider.1);
        assert_eq!(other_way.only()["why"]["code"], "clock_off", "{other_way:?}");
    }
    // Another fault, or the same server: the clock is not shown to be wrong.
    for certificate in ["other_name", "own_issuer"] {
        let other = behind(certificate);
        let told = read(&early.1, &other.1);
        assert_eq!(told.only()["why"]["code"], "not_secure", "{told:?}");
    }
    let told = read(&early.1, &early.1);
    assert_eq!(told.only()["why"]["code"], "not_secure", "{told:?}");
}

/// Trying again helps against no certificate, whatever else cannot be reached.
#[test]
fn a_certificate_beside_servers_that_cannot_be_reached_has_its_words() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent_url = format!("http://{}/", silent.local_addr().unwrap());
    let beside = [format!("http://{refused}/"), silent_url, "https://no-such-host.invalid/".to_owned()];
    for (certificate, code, words, step) in [
        ("expired", "tls_expired", "has expired, on 2021-02-03T04:05:06Z", "Check this device's date"),
        ("other_name", "tls_other_name", "for other host names", "Check the host in the URL"),
        ("own_issuer", "tls_untrusted_issuer", "an issuer that this device does not trust", "SSL_CERT_FILE"),
    ] {
        let (_server, relay) = behind(certificate);
        for unreachable in &beside {
            let own = format!("https://localhost:{}/", relay.port);
            for urls in [[own.clone(), unreachable.clone()], [unreachable.clone(), own]] {
                let told = balance(&urls, true);
                let why = told.only()["why"].clone();
                assert_eq!((told.status, why["code"].as_str()), (4, Some("not_secure")), "{told:?}");
                assert!(told.out.contains(code) && why["detail"].as_str().unwrap().contains(words), "{why}");
                assert!(why["next_step"].as_str().unwrap().contains(step), "{why}");
                assert!(!why.to_string().to_lowercase().contains("try again"), "{why}");
            }
        }
    }
}

/// A provider and a beacon source whose certificates are of the tests' issuer.
struct Secured {
    _servers: [Server; 2],
    relays: [Relay; 2],
}

impl Secured {
    fn new() -> Self {
        let chain = &test_chain().chain;
        let (provider, source) =
            (test_chain().serve(Provider::honest(chain)), test_chain().serve(BeaconSource::honest(chain)));
        let relays = [address(&provider), address(&source)].map(|behind| Relay::tls("valid", behind));
        Self { _servers: [provider, source], relays }
    }

    /// The command that reads a balance from them.
    fn command(&self) -> Command {
        let mut command = saldo(&["balance", &ALICE.to_string(), "--json", "--timeout", "6s", "-n"]);
        command.arg(network_file(&test_chain().network().to_toml()));
        command.args(["--rpc-url", &format!("https://localhost:{}", self.relays[0].port)]);
        command.args(["--beacon-url", &format!("https://127.0.0.1:{}", self.relays[1].port)]);
        command
    }
}

#[track_caller]
fn assert_trusted(read: &Run) {
    assert_eq!((read.status, &read.only()["state"]), (0, &"proven".into()), "{read:?}");
}

#[track_caller]
fn assert_not_trusted(read: &Run) {
    assert_eq!(read.only()["why"]["code"], "not_secure", "{read:?}");
    assert!(read.out.contains("tls_untrusted_issuer"), "{read:?}");
}

#[test]
fn the_file_that_ssl_cert_file_names_is_trusted_and_nothing_else() {
    let secured = Secured::new();
    let read = |file: &str| run(secured.command().env("SSL_CERT_FILE", certificate_path(file)));
    assert_trusted(&read("issuer.pem"));
    assert_not_trusted(&read("own_issuer.pem"));
    assert_not_trusted(&run(&mut secured.command()));
}

#[cfg(target_os = "linux")]
/// A new folder with that certificate in a file of that name.
fn folder_with(certificate: &str, name: &str) -> PathBuf {
    let folder = network_file("");
    std::fs::remove_file(&folder).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(certificate_path(certificate), folder.join(name)).unwrap();
    folder
}

#[cfg(target_os = "linux")]
#[test]
fn the_folders_that_ssl_cert_dir_names_are_trusted_and_nothing_else() {
    let secured = Secured::new();
    let [ours, others] = ["issuer.pem", "own_issuer.pem"].map(|file| folder_with(file, "issuer.pem"));
    let nothing = ours.with_extension("nothing");
    let read = |folders: &[&PathBuf]| {
        run(secured.command().env("SSL_CERT_DIR", std::env::join_paths(folders).unwrap()))
    };
    assert_trusted(&read(&[&ours]));
    assert_trusted(&read(&[&others, &ours]));
    assert_trusted(&read(&[&nothing, &ours]));
    assert_not_trusted(&read(&[&others]));
    // A file and a folder together.
    let file = certificate_path("own_issuer.pem");
    assert_trusted(&run(secured.command().env("SSL_CERT_FILE", file).env("SSL_CERT_DIR", &ours)));
}

/// The issuer is put in place of the system's store, for the command alone: by a mount of its own.
#[cfg(target_os = "linux")]
#[test]
fn the_systems_store_is_trusted() {
    const STORE: &str = "/etc/ssl/certs";
    let mounts = Command::new("unshare").args(["-rm", "mount", "--bind", "/tmp", STORE]).output();
    if !mounts.is_ok_and(|output| output.status.success()) {
        println!("skipped: this system lets a test have no mount of its own, or has no {STORE}");
        return;
    }
    let secured = Secured::new();
    for (certificate, is_trusted) in [("issuer.pem", true), ("own_issuer.pem", false)] {
        let folder = folder_with(certificate, "ca-certificates.crt");
        let command = secured.command();
        let script = format!("mount --bind \"$1\" {STORE} && shift && exec \"$@\"");
        let mut inside = Command::new("unshare");
        inside.args(["-rm", "sh", "-c", &script, "sh"]).arg(folder);
        inside.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        let read = run(&mut inside);
        if is_trusted { assert_trusted(&read) } else { assert_not_trusted(&read) }
    }
}
