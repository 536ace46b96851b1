//! A provider's URL is a secret: whatever providers do, only the host of a URL is ever shown or logged. Addresses are
//! never logged.

use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Client, Endpoint, Policy, Reading};
use saldo_beacon::Fork;
use saldo_drill::serve::Server;
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Fault, Provider, Rule};
use saldo_source::{Method, Request};
use saldo_tests::key_recorder::{ECHOES, KEYS, KeyRecorder, assert_no_key, client_with_keys, with_keys};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, UNUSED};
use serde_json::json;

/// Everything that any crate logged, at any level.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn record_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        use tracing_subscriber::util::SubscriberInitExt;
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| Log)
            .finish()
            .init();
    });
}

fn logged() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// The log must not reveal whose balances are read.
fn assert_no_address_logged() {
    let logged = logged().to_lowercase();
    for address in [ALICE, UNUSED] {
        let written = format!("{address:x}");
        assert_eq!(written.len(), 40);
        assert!(!logged.contains(&written), "{address} is in the log");
    }
}

/// Everything that an app can show of a client and its readings.
fn shown(client: &Client, readings: &[Reading]) -> String {
    let mut shown = format!("{client:?} {:?} {:?} {:?}", client.network(), client.policy(), client.now());
    for reading in readings {
        shown += &format!("\n{reading:?}\n{:#?}", reading.latest_proven());
        if let Some(why) = reading.why() {
            shown += &format!("\n{why} {} {} {:?}", why.code(), why.next_step(), why.fault());
        }
        for attempt in reading.attempts() {
            let outcome = &attempt.outcome;
            shown += &format!("\n{attempt:?} {} {outcome} {}", attempt.provider, outcome.code());
            if let Some(failure) = outcome.failure() {
                let source = std::error::Error::source(failure).map(ToString::to_string);
                shown += &format!("\n{failure} {failure:#?} {source:?}");
            }
        }
    }
    shown
}

/// Faults of any endpoint; if a fault takes a text, the text is a key.
fn common_faults(other: &Chain) -> Vec<Fault> {
    let url = with_keys("http://elsewhere.test");
    vec![
        Fault::Refuse,
        Fault::Hang,
        Fault::Unresolvable,
        Fault::BadCertificate,
        Fault::Trickle { bytes_per_second: 1 },
        Fault::Reset { after: 10 },
        Fault::Status(500),
        Fault::RateLimited { retry_after: Some(url.clone()) },
        Fault::QuotaExhausted,
        Fault::Forbidden,
        Fault::Html,
        Fault::Redirect(url.clone()),
        Fault::Huge { bytes: 2_000_000 },
        Fault::GzipBomb { bytes: 50_000_000 },
        Fault::Truncated,
        Fault::Body(url),
        Fault::AnswerUnderStatus(500),
        Fault::OtherChain(other.clone()),
    ]
}

fn execution_faults() -> Vec<Fault> {
    let url = with_keys("http://elsewhere.test");
    let field = |name: &str| Fault::Field { name: name.to_owned(), value: Some(json!(url)) };
    vec![
        Fault::NullResult,
        Fault::Result(json!(url)),
        Fault::Result(json!({ "accountProof": [url], "address": url })),
        Fault::Error { code: -32000, message: url.clone() },
        Fault::WrongId,
        Fault::MissingId,
        Fault::ListForSingle,
        Fault::NoProofs,
        Fault::StaleBlock(3),
        Fault::ZeroBalance,
        Fault::TruncatedProof { nodes: 1 },
        Fault::ExtraNodes,
        Fault::FlippedByte { node: 0, byte: 9 },
        Fault::OtherAccountsProof,
        Fault::InventedTrie { balance: U256::ONE },
        field("address"),
        field("accountProof"),
        field("balance"),
        field("storageHash"),
        field("storageProof"),
    ]
}

fn beacon_faults() -> Vec<Fault> {
    vec![
        Fault::ForgedSignature,
        Fault::TooFewSigners(3),
        Fault::LastCommittee,
        Fault::NoBootstrap,
        Fault::NoUpdates,
        Fault::JsonOnly,
        Fault::WithoutVersion,
        Fault::Relabelled(Fork::Capella),
    ]
}

#[test]
fn no_fault_reveals_a_url() {
    record_log();
    let chain = Chain::builder(8).accounts([(ALICE, BEFORE)]).build();
    let other = Chain::builder(9).chain_id(9).build();
    let mut situations: Vec<(Vec<Rule>, Vec<Rule>)> = vec![(vec![], vec![])];
    for fault in common_faults(&other) {
        situations.push((vec![fault.clone().into()], vec![]));
        situations.push((vec![], vec![fault.clone().into()]));
        situations.push((vec![fault.clone().into()], vec![fault.into()]));
    }
    situations.extend(execution_faults().into_iter().map(|fault| (vec![fault.on("eth_getProof")], vec![])));
    situations.extend(beacon_faults().into_iter().map(|fault| (vec![], vec![fault.into()])));
    assert_eq!(situations.len(), 1 + 3 * 18 + 20 + 8);

    for (at_provider, at_source) in situations {
        let situation = format!("{at_provider:?} {at_source:?}");
        let provider = Provider::honest(&chain);
        let source = BeaconSource::honest(&chain);
        at_provider.into_iter().for_each(|rule| provider.add(rule));
        at_source.into_iter().for_each(|rule| source.add(rule));
        let (provider, source) = (KeyRecorder::new(provider), KeyRecorder::new(source));
        let simulation = Simulation::new(8, &chain);
        let client = client_with_keys(&chain, &simulation, provider.clone(), source.clone());
        let holdings = [native(ALICE), native(UNUSED)];
        let readings = simulation.run(client.read(&holdings));
        assert_no_key(&shown(&client, &readings), &situation);
        // The simulated network has no header for user and password.
        let reached = |recorder: &KeyRecorder| recorder.take_seen() == ["KEYPATH", "KEYQUERY"];
        assert!(reached(&source), "{situation}");
        assert!(reached(&provider), "{situation}: {readings:?}");
    }
    assert!(logged().contains("head.signed"), "the log is recorded");
    assert_no_key(&logged(), "log");
    assert_no_address_logged();
}

#[test]
fn no_answer_is_repeated() {
    record_log();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let chain = Chain::builder(10)
        .accounts([(ALICE, BEFORE)])
        .genesis_time(saldo::UnixTime::from_secs(now - 40 * 12))
        .build();
    let other = Chain::builder(9).chain_id(9).build();
    let (honest, north) = (Provider::honest(&chain), BeaconSource::honest(&chain));
    let (provider, source) = (KeyRecorder::new(honest.clone()), KeyRecorder::new(north.clone()));
    let serve = |recorder: &KeyRecorder| runtime.block_on(Server::start(recorder.clone())).unwrap();
    let (provider_server, source_server) = (serve(&provider), serve(&source));

    let read = |situation: &str| {
        let client = Client::builder(chain.network())
            .checkpoint(chain.checkpoint())
            .rpc(with_keys(&provider_server.url()))
            .beacon(with_keys(&source_server.url()))
            .policy(Policy { deadline: Duration::from_millis(400), ..Policy::signed() })
            .build()
            .unwrap();
        let readings = runtime.block_on(client.read(&[native(ALICE)]));
        assert_no_key(&shown(&client, &readings), situation);
        readings[0].clone()
    };
    let all_keys = || {
        let mut keys = KEYS;
        keys.sort_unstable();
        keys.to_vec()
    };

    let reading = read("all is well");
    assert!(reading.proven().is_some(), "{reading:?}");
    assert_eq!(provider.take_seen(), all_keys(), "the provider needs its keys");
    assert_eq!(source.take_seen(), all_keys(), "the source needs its keys");

    for (name, echo) in ECHOES {
        provider.repeat(Some(echo));
        let reading = read(&format!("provider: {name}"));
        assert!(reading.proven().is_none(), "{name}: {reading:?}");
        assert_eq!(provider.take_seen(), all_keys(), "{name}");
        provider.repeat(None);
        source.repeat(Some(echo));
        let reading = read(&format!("source: {name}"));
        assert!(reading.proven().is_none(), "{name}: {reading:?}");
        assert_eq!(source.take_seen(), all_keys(), "{name}");
        source.repeat(None);
    }

    for fault in common_faults(&other) {
        let name = format!("{fault:?}");
        honest.set(fault.clone());
        let _ = read(&name);
        honest.clear();
        north.set(fault);
        let _ = read(&name);
        north.clear();
    }

    assert!(logged().contains("starting new connection"), "reqwest's log is recorded");
    assert_no_key(&logged(), "log");
    assert_no_address_logged();
}

#[test]
fn no_build_error_repeats_a_url() {
    let whole = with_keys("https://node.example");
    let malformed = [
        whole.replace("https://", ""),
        whole.replace("https://", "htps://"),
        whole.replace("https://", "://"),
        whole.replace("https://", "https//"),
        whole.replace("node.example", "node.example:99999"),
        whole.replace("node.example", "node example"),
        whole.replace("node.example", "[::1"),
        whole.replace("node.example", ""),
        format!("={whole}"),
        format!("a\u{7}b={whole}"),
        format!("{}={whole}", "n".repeat(261)),
        format!("name= {}", whole.replace("https://", "")),
    ];
    let chain = Chain::new(8);
    let builder = || Client::builder(chain.network()).checkpoint(chain.checkpoint());
    for text in malformed {
        let error = text.parse::<Endpoint>().expect_err(&text);
        assert_no_key(&format!("{error} {error:?}"), &text);
        let error = builder().rpc(text.as_str()).build().expect_err(&text);
        assert_no_key(&format!("{error} {error:?}"), &text);
        let error = builder().rpc("http://a.test").beacon(text.clone()).build().expect_err(&text);
        assert_no_key(&format!("{error} {error:?}"), &text);
    }
    let twice = builder().rpc(whole.as_str()).rpc(whole.as_str()).beacon(whole.as_str()).build().unwrap_err();
    assert_eq!(twice, saldo::BuildError::SameName);
    assert_no_key(&format!("{twice} {twice:?}"), "twice");

    let endpoint: Endpoint = whole.parse().unwrap();
    let found = std::panic::catch_unwind(|| assert_no_key(&whole, "this very test"));
    assert!(found.is_err(), "the check finds a URL with keys");
    assert!(KEYS.iter().all(|key| endpoint.url().expose().as_str().contains(key)), "the transport has them");
    let request = Request {
        method: Method::Get,
        url: endpoint.url().clone(),
        headers: vec![],
        body: vec![],
        timeout: Duration::ZERO,
        max_bytes: 0,
    };
    let named = endpoint.clone().named("anna").unwrap();
    let debug = format!("{endpoint:?} {endpoint:#?} {named:?} {request:?} {:?}", endpoint.url());
    assert_no_key(&format!("{debug} {} {}", endpoint.id(), named.id()), "endpoint");
    assert!(debug.contains("node.example") && debug.contains("anna"));
}
