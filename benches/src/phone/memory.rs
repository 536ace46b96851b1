//! The peak memory of an app that watches 100 holdings.

use std::path::Path;
use std::time::{Duration, Instant, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Endpoint, Method, Request, Response, Transport, TransportError, UnixTime};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Provider};
use saldo_ffi::{Change, Checkpoint, ClientConfig, Endpoint as Served, Policy, Reading, SaldoClient};
use saldo_ffi_scenarios::CountedHttp;
use saldo_source::HttpTransport;
use tokio::runtime::{Handle, Runtime};

use crate::app::{HOLDINGS, Kept, chain, config, holdings, wait};
use crate::{Failure, Folder, figure_of};

/// The most additional memory over the bare process, in kilobytes.
const MAX_KB: u64 = 12 * 1024;
/// How long the app watches: some heads, and a second proof of every holding.
const WATCH_TIME: Duration = Duration::from_secs(15);
/// How many seconds the chain has existed, with a slot a second.
const HISTORY: u64 = 100;

fn runtime() -> Result<Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Measures; `false` if the limit is missed.
pub(crate) fn measure() -> Result<bool, Failure> {
    let now = || UnixTime::from_secs(UNIX_EPOCH.elapsed().unwrap_or_default().as_secs());
    let genesis = UnixTime::from_secs(now().as_secs().saturating_sub(HISTORY));
    let chain = chain().slot_duration(Duration::from_secs(1)).genesis_time(genesis).history(HISTORY).build();
    let (runtime, growing) = (runtime()?, chain.clone());
    let _grows = runtime.spawn(async move {
        loop {
            growing.advance_to(now());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let provider = runtime.block_on(Server::start(Provider::honest(&chain)))?;
    let source = runtime.block_on(Server::start(BeaconSource::honest(&chain)))?;
    let config = config(&chain, &provider.url(), &source.url());
    let folder = Folder::new("memory")?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("network", &config.network)?;
    write("checkpoint", &config.checkpoint.map(|checkpoint| checkpoint.root).unwrap_or_default())?;
    write("provider", &provider.url())?;
    write("source", &source.url())?;
    let bare = figure_of("bare-watch", folder.path())?;
    let watching = figure_of("watch", folder.path())?;
    let more = watching.saturating_sub(bare);
    let is_kept = more <= MAX_KB;
    println!(
        "memory: {watching} KB at most while watching {HOLDINGS} holdings, {bare} KB for one request without saldo: {more} KB more, \
         at most {MAX_KB}{}",
        if is_kept { "" } else { ": MISSED" }
    );
    Ok(is_kept)
}

/// Sends one request with the same HTTP stack. Returns the peak memory in kilobytes.
pub(crate) fn bare(folder: &Path) -> Result<u64, Failure> {
    let runtime = runtime()?;
    let stack = OnRuntime { http: HttpTransport::new()?, runtime: runtime.handle().clone() };
    let provider = std::fs::read_to_string(folder.join("provider"))?;
    let request = Request {
        method: Method::Post,
        url: Endpoint::new(provider.as_str())?.url().clone(),
        headers: Vec::new(),
        body: br#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#.to_vec(),
        timeout: Duration::from_secs(4),
        max_bytes: 1_000,
    };
    wait(stack.send(request))?;
    peak_memory()
}

/// Watches the holdings. Returns the peak memory in kilobytes.
pub(crate) fn watch(folder: &Path) -> Result<u64, Failure> {
    let read = |name: &str| std::fs::read_to_string(folder.join(name));
    let runtime = runtime()?;
    let stack = OnRuntime { http: HttpTransport::new()?, runtime: runtime.handle().clone() };
    let policy = Policy {
        finalized: false,
        max_age_seconds: Some(8),
        deadline_ms: None,
        operators_per_address: 2,
        strict: false,
    };
    let config = ClientConfig {
        rpc: vec![Served::new(read("provider")?)],
        beacon: vec![Served::new(read("source")?)],
        checkpoint: Some(Checkpoint { root: read("checkpoint")?, slot: None }),
        policy: Some(policy),
        ..ClientConfig::new(read("network")?)
    };
    let storage = std::sync::Arc::new(Kept::new());
    let client = SaldoClient::new(config, CountedHttp::over(stack), Some(storage), None)?;
    let watch = client.watch(holdings(HOLDINGS));
    let end = Instant::now().checked_add(WATCH_TIME).ok_or("time ends")?;
    let (mut received, mut proven) = (0, 0_u64);
    while Instant::now() < end {
        let changes = wait(watch.next_all(received));
        received = changes.number;
        let is_proven =
            |change: &&Change| matches!(change, Change::Reading { reading: Reading::Proven { .. }, .. });
        let count = changes.changes.iter().filter(is_proven).count();
        proven = proven.saturating_add(u64::try_from(count)?);
    }
    if proven < HOLDINGS.saturating_mul(2) {
        return Err(format!("only {proven} readings were proven").into());
    }
    peak_memory()
}

/// An HTTP stack that runs on a runtime of its own, as an app's does.
struct OnRuntime {
    http: HttpTransport,
    runtime: Handle,
}

impl Transport for OnRuntime {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move { http.send(request).await });
        sent.map(|sent| sent.unwrap_or(Err(TransportError::Broken))).boxed()
    }
}

/// The peak memory of this process, in kilobytes.
fn peak_memory() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM on this system")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
