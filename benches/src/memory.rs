//! The memory of a client that watches 100 holdings, compared with a program that only sends one HTTP request.
//!
//!     cargo run --release -p saldo-benches --bin memory
//!
//! With `networks` it measures instead what each further network takes, with ten holdings on each.
//!
//!     cargo run --release -p saldo-benches --bin memory -- networks

#[path = "memory/networks.rs"]
mod networks;

use std::process::{Command, ExitCode};
use std::time::Duration;

use alloy_primitives::{Address, U256, keccak256};
use saldo::{
    Change, Checkpoint, Client, Endpoint, Holding, MemoryStorage, Method, Network, NetworkId, Request,
    Transport,
};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Preset, Provider};
use saldo_source::HttpTransport;

type Failure = Box<dyn std::error::Error>;

const HOLDINGS: u64 = 100;
/// The most additional memory over the bare program, in kilobytes.
const MAX_EXTRA_KB: u64 = 12 * 1024;
/// How long the client watches: some heads and hints, and a second proof of every holding.
const WATCH_TIME: Duration = Duration::from_secs(20);

fn owner(number: u64) -> Address {
    Address::from_word(keccak256(number.to_be_bytes()))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => compare(),
        ["bare", provider] => bare(provider),
        ["watch", provider, source, network, checkpoint] => watch(provider, source, network, checkpoint),
        ["networks"] => networks::compare(),
        ["several", ref of @ ..] => networks::watch(of),
        _ => Err("usage: memory".into()),
    };
    match outcome {
        Ok(status) => status,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Serves a chain, and runs both programs against it.
fn compare() -> Result<ExitCode, Failure> {
    let accounts = (0..HOLDINGS).map(|number| (owner(number), U256::from(number)));
    let now = || saldo::UnixTime::from_secs(std::time::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs());
    let history = 100;
    let genesis = saldo::UnixTime::from_secs(now().as_secs().saturating_sub(history));
    let chain = Chain::builder(1)
        .preset(Preset::Mainnet)
        .mainnet_shape(true)
        .slot_duration(Duration::from_secs(1))
        .genesis_time(genesis)
        .history(history)
        .accounts(accounts)
        .build();
    let (runtime, growing) = (runtime()?, chain.clone());
    let _grows = runtime.spawn(async move {
        loop {
            growing.advance_to(now());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let provider = runtime.block_on(Server::start(Provider::honest(&chain)))?;
    let source = runtime.block_on(Server::start(BeaconSource::honest(&chain)))?;
    let network = std::env::temp_dir().join(format!("saldo-memory-{}.toml", std::process::id()));
    std::fs::write(&network, chain.network().to_toml())?;
    let checkpoint = chain.checkpoint().to_string();
    let program = std::env::current_exe()?;
    let peak = |arguments: &[&str]| -> Result<u64, Failure> {
        let output = Command::new(&program).args(arguments).output()?;
        let text = String::from_utf8(output.stdout)?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        text.trim().parse().map_err(|_| error.into())
    };
    let bare = peak(&["bare", &provider.url()])?;
    let path = network.to_str().ok_or("the folder for temporary files has a strange name")?;
    let watching = peak(&["watch", &provider.url(), &source.url(), path, &checkpoint])?;
    std::fs::remove_file(&network)?;
    let more = watching.saturating_sub(bare);
    let verdict = if more <= MAX_EXTRA_KB { "" } else { ": MISSED" };
    println!(
        "bare {bare} KB, watching {HOLDINGS} holdings {watching} KB: {more} KB more, at most {MAX_EXTRA_KB} KB{verdict}"
    );
    Ok(ExitCode::from(u8::from(more > MAX_EXTRA_KB)))
}

/// Sends one request with the same HTTP transport.
fn bare(provider: &str) -> Result<ExitCode, Failure> {
    let transport = HttpTransport::new()?;
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#.to_vec();
    let request = Request {
        method: Method::Post,
        url: Endpoint::new(provider)?.url().clone(),
        headers: Vec::new(),
        body,
        timeout: Duration::from_secs(4),
        max_bytes: 1_000,
    };
    runtime()?.block_on(transport.send(request))?;
    println!("{}", peak_memory()?);
    Ok(ExitCode::SUCCESS)
}

fn watch(provider: &str, source: &str, network: &str, checkpoint: &str) -> Result<ExitCode, Failure> {
    let network = Network::from_toml(&std::fs::read_to_string(network)?)?;
    let checkpoint: Checkpoint = checkpoint.parse()?;
    let client = Client::builder(network)
        .rpc(provider)
        .beacon(source)
        .checkpoint(checkpoint)
        .policy(saldo::Policy { max_age: Duration::from_secs(8), ..saldo::Policy::signed() })
        .storage(MemoryStorage::new())
        .build()?;
    let mut watch = client
        .watch((0..HOLDINGS).map(|number| Holding::native(NetworkId::new(Chain::CHAIN_ID), owner(number))));
    let mut proven = 0_u64;
    runtime()?.block_on(async {
        let over = tokio::time::sleep(WATCH_TIME);
        tokio::pin!(over);
        loop {
            tokio::select! {
                change = watch.next() => if let Change::Reading { reading, .. } = change {
                    proven = proven.saturating_add(u64::from(reading.proven().is_some()));
                },
                () = &mut over => break,
            }
        }
    });
    if proven < HOLDINGS.saturating_mul(2) {
        return Err(format!("only {proven} readings were proven").into());
    }
    println!("{}", peak_memory()?);
    Ok(ExitCode::SUCCESS)
}

/// The peak memory of this process, in kilobytes.
fn peak_memory() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM on this system")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
