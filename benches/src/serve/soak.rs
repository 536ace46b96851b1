//! `saldo serve` for a long time, while its providers and sources fail and lie: no answer is wrong, memory and connections stay bounded,
//! and afterwards everything is proven again.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use saldo::{Address, U256};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Fault, Provider};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::load::{ADDRESSES, exchange, post};
use crate::process::Process;
use crate::server::now;

/// How many callers there are. Each asks ten times a second.
const CALLERS: u64 = 20;
const PAUSE: Duration = Duration::from_millis(100);
/// How long nothing fails at the end.
const QUIET: Duration = Duration::from_secs(60);
/// How long that may take to be proven again.
const RECOVERY: Duration = Duration::from_secs(30);
/// How much more memory may be held at the end than after a quarter of the time.
const GROWTH: u64 = 32 << 20;
/// How many files may be open: the callers' connections, those to the services, and some.
const FILES: usize = 200;

/// What the callers saw in one minute.
#[derive(Default)]
struct Seen {
    proven: u32,
    not_known: u32,
    /// Answers that are neither right nor an error that says why.
    wrong: Vec<String>,
    /// Connections that broke in the middle of an answer.
    broken: u32,
    took: Vec<Duration>,
}

type Shared = Arc<Mutex<Seen>>;

/// Runs it for so many minutes; returns whether all bounds held.
pub(crate) async fn run(command: &Path, minutes: u64) -> bool {
    let length = Duration::from_secs(minutes.saturating_mul(60));
    let accounts = (1..=ADDRESSES).map(|byte| (Address::repeat_byte(byte), U256::from(byte)));
    let chain = Chain::builder(77)
        .slot_duration(Duration::from_secs(4))
        .genesis_time(saldo::UnixTime::from_secs(now().as_secs().saturating_sub(160)))
        .accounts(accounts)
        .build();
    chain.advance_to(now());
    let providers = [(); 3].map(|()| Provider::honest(&chain));
    let sources = [(); 2].map(|()| BeaconSource::honest(&chain));
    let mut servers = Vec::new();
    let network = std::env::temp_dir().join(format!("saldo-soak-{}.toml", std::process::id()));
    std::fs::write(&network, chain.network().to_toml()).expect("a temporary file");
    let mut serve = Command::new(command);
    serve.args(["serve", "--json", "--listen", "127.0.0.1:0", "--timeout", "3s", "--max-age", "60s"]);
    serve.args(["--checkpoint", &chain.checkpoint().to_string(), "--network"]).arg(&network);
    for (number, provider) in providers.iter().enumerate() {
        let server = Server::start(provider.clone()).await.expect("a port on loopback");
        serve.args(["--rpc-url", &format!("p{number}={}", server.url())]);
        servers.push(server);
    }
    for (number, source) in sources.iter().enumerate() {
        let server = Server::start(source.clone()).await.expect("a port on loopback");
        serve.args(["--beacon-url", &format!("s{number}={}", server.url())]);
        servers.push(server);
    }
    tokio::spawn(async move {
        loop {
            chain.advance_to(now());
            sleep(Duration::from_millis(200)).await;
        }
    });
    let mut process = Process::start(&mut serve);
    let line: Value = serde_json::from_str(&process.line()).expect("it says where it listens");
    let url = line.get("url").and_then(Value::as_str).unwrap_or_default();
    let address = url.trim_start_matches("http://").trim_end_matches('/').parse().expect("an address");
    tokio::spawn(fail(providers, sources, length.saturating_sub(QUIET)));
    let seen = Shared::default();
    for caller in 0..CALLERS {
        tokio::spawn(call(address, caller, Arc::clone(&seen)));
    }
    let holds = watch(&process, &seen, length).await;
    let _ = std::fs::remove_file(network);
    holds
}

/// Prints a row for each minute, and checks the bounds.
async fn watch(process: &Process, seen: &Shared, length: Duration) -> bool {
    println!(
        "{:>7}{:>10}{:>12}{:>8}{:>8}{:>10}{:>10}{:>12}{:>8}",
        "minute", "proven", "not known", "wrong", "broken", "p50", "p99", "memory", "files"
    );
    let (began, minute) = (Instant::now(), Duration::from_secs(60));
    let (mut holds, mut early, mut number) = (true, None, 0_u32);
    while began.elapsed() < length {
        number = number.saturating_add(1);
        let is_last = minute.saturating_mul(number) >= length;
        if is_last {
            sleep(RECOVERY).await;
            let _ = take(seen);
            sleep(minute.saturating_sub(RECOVERY)).await;
        } else {
            sleep(minute).await;
        }
        let Seen { proven, not_known, wrong, broken, mut took } = take(seen);
        took.sort_unstable();
        let percentile =
            |of: usize| took.get(took.len().saturating_mul(of) / 100).copied().unwrap_or_default();
        let (memory, files) = (process.memory(), process.open_files());
        println!(
            "{number:>7}{proven:>10}{not_known:>12}{:>8}{broken:>8}{:>10.1?}{:>10.1?}{:>9} MiB{files:>8}",
            wrong.len(),
            percentile(50),
            percentile(99),
            memory >> 20,
        );
        wrong.iter().take(3).for_each(|answer| println!("        wrong: {answer}"));
        if early.is_none() && began.elapsed().saturating_mul(4) >= length {
            early = Some(memory);
        }
        let is_bounded = early.is_none_or(|early| memory <= early.saturating_add(GROWTH)) && files <= FILES;
        let has_recovered = !is_last || (not_known == 0 && proven > 0);
        holds &= wrong.is_empty() && broken == 0 && proven > 0 && is_bounded && has_recovered;
    }
    holds
}

fn take(seen: &Shared) -> Seen {
    std::mem::take(&mut seen.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A small generator of numbers, the same in each run.
struct Numbers(u64);

impl Numbers {
    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).checked_rem(end).unwrap_or_default()
    }
}

/// Lets services fail and lie until `length` is over; then all are honest.
async fn fail(providers: [Provider; 3], sources: [BeaconSource; 2], length: Duration) {
    let began = Instant::now();
    let mut numbers = Numbers(7);
    while began.elapsed() < length {
        // Each fourth time nothing at all can be reached.
        let is_outage = numbers.below(4) == 0;
        for provider in &providers {
            provider.clear();
            let fault = match numbers.below(14) {
                _ if is_outage => Fault::Refuse,
                0 => Fault::Hang,
                1 => Fault::Reset { after: 300 },
                2 => Fault::Status(503),
                3 => Fault::QuotaExhausted,
                4 => Fault::Html,
                5 => Fault::NullResult,
                6 => Fault::ZeroBalance,
                7 => Fault::TruncatedProof { nodes: 1 },
                8 => Fault::FlippedByte { node: 0, byte: 40 },
                9 => Fault::OtherAccountsProof,
                10 => Fault::NoProofs,
                _ => continue,
            };
            provider.set(fault);
        }
        for source in &sources {
            source.clear();
            match numbers.below(5) {
                _ if is_outage => source.set(Fault::Refuse),
                0 => source.set(Fault::Hang),
                1 => source.set(Fault::ForgedSignature),
                2 => source.set(Fault::Status(500)),
                _ => {}
            }
        }
        sleep(Duration::from_secs(5)).await;
    }
    providers.iter().for_each(Provider::clear);
    sources.iter().for_each(BeaconSource::clear);
}

/// Asks one question after another. Some connections are given up in the middle.
async fn call(address: SocketAddr, caller: u64, seen: Shared) {
    let mut numbers = Numbers(caller);
    let mut connection = None;
    let mut buffer = Vec::new();
    loop {
        sleep(PAUSE).await;
        let mut stream = match connection.take() {
            Some(stream) => stream,
            None => match TcpStream::connect(address).await {
                Ok(stream) => stream,
                Err(_) => continue,
            },
        };
        let byte = u8::try_from(numbers.below(ADDRESSES.into())).unwrap_or(0).saturating_add(1);
        let (question, expected) = question(byte, numbers.below(10));
        if numbers.below(50) == 0 {
            let _ = stream.write_all(&question).await;
            continue;
        }
        let began = Instant::now();
        let answer = exchange(&mut stream, &question, &mut buffer).await;
        let took = began.elapsed();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(answer) => {
                seen.note(&answer, &expected);
                seen.took.push(took);
                connection = Some(stream);
            }
            Err(_) => seen.broken = seen.broken.saturating_add(1),
        }
    }
}

impl Seen {
    fn note(&mut self, answer: &str, expected: &Value) {
        let read: Value = serde_json::from_str(answer).unwrap_or_default();
        let code = read.pointer("/error/code").and_then(Value::as_i64);
        let result = read.get("result");
        let balance = result.and_then(|result| result.get("balance")).or(result);
        if balance == Some(expected) {
            self.proven = self.proven.saturating_add(1);
        } else if code == Some(-32_050) && result.is_none() {
            self.not_known = self.not_known.saturating_add(1);
        } else {
            self.wrong.push(answer.chars().take(200).collect());
        }
    }
}

/// A question about the account of that byte, and its answer.
fn question(byte: u8, kind: u64) -> (Vec<u8>, Value) {
    let owner = Address::repeat_byte(byte);
    let (method, params, expected) = match kind {
        0 => ("eth_getProof", json!([owner, [], "latest"]), json!(format!("{byte:#x}"))),
        1 => ("eth_call", json!([{ "to": owner }, "latest"]), json!("0x")),
        2 => ("eth_getTransactionCount", json!([owner, "latest"]), json!("0x0")),
        _ => ("eth_getBalance", json!([owner, "latest"]), json!(format!("{byte:#x}"))),
    };
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    (post(&body.to_string()), expected)
}
