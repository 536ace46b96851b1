//! What it costs to keep many holdings fresh: processor time, requests, bytes and memory of a process that only does that. The chain, its
//! provider and its beacon source are another process, and answer over loopback HTTP.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{
    Checkpoint, Client, Holding, HttpTransport, Network, Policy, Request, Response, Transport,
    TransportError, U256, UnixTime,
};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Preset, Provider};

use crate::{address, resident};

type Failure = Box<dyn std::error::Error>;

/// How long one refresh may take.
const DEADLINE: Duration = Duration::from_secs(240);
/// How much of a batch changes its amount between two refreshes: one holding in so many.
const CHANGED: usize = 100;

/// Reads `holdings` holdings, and again every `pause`, `rounds` times in all.
pub(crate) fn measure(holdings: usize, rounds: usize, pause: Duration) -> Result<(), Failure> {
    let (mut child, network, checkpoint, urls) = serve_elsewhere(holdings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let measured = runtime.block_on(refresh(holdings, rounds, pause, network, checkpoint, &urls));
    let _ = child.kill();
    let _ = child.wait();
    measured
}

async fn refresh(
    holdings: usize,
    rounds: usize,
    pause: Duration,
    network: Network,
    checkpoint: Checkpoint,
    urls: &(String, String),
) -> Result<(), Failure> {
    let counting = Counting { inner: HttpTransport::new()?, of: Arc::default() };
    let client = Client::builder(network)
        .checkpoint(checkpoint)
        .policy(Policy { deadline: DEADLINE, ..Policy::signed() })
        .transport(counting.clone())
        .rpc(urls.0.as_str())
        .beacon(urls.1.as_str())
        .build()?;
    let all: Vec<Holding> = (0..holdings).map(|number| client.native(address(number))).collect();
    println!(
        "{:>9}{:>10}{:>12}{:>10}{:>12}{:>12}{:>12}{:>12}",
        "refresh", "wall", "CPU", "of a core", "requests", "sent", "received", "memory"
    );
    for round in 1..=rounds {
        let (began, cpu, before) = (Instant::now(), processor_time(), counting.of.totals());
        let readings = client.read(&all).await;
        let unproven = readings.iter().find(|reading| reading.proven().is_none());
        if let Some(reading) = unproven {
            return Err(format!("refresh {round}: not all were proven: {:?}", reading.why()).into());
        }
        drop(readings);
        let (took, cpu) = (began.elapsed(), processor_time().saturating_sub(cpu));
        let [requests, sent, received] = counting.of.totals();
        let [requests_before, sent_before, received_before] = before;
        println!(
            "{round:>9}{took:>10.1?}{cpu:>12.1?}{:>9.2}%{:>12}{:>9.1} MB{:>9.1} MB{:>9.1} MB",
            100.0 * cpu.as_secs_f64() / pause.as_secs_f64(),
            requests.saturating_sub(requests_before),
            megabytes(sent.saturating_sub(sent_before)),
            megabytes(received.saturating_sub(received_before)),
            megabytes(u64::try_from(resident()).unwrap_or_default()),
        );
        if round < rounds {
            tokio::time::sleep(pause.saturating_sub(took)).await;
        }
    }
    Ok(())
}

fn megabytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1_000.0
}

/// Counts what goes through the default transport. Bytes are those of bodies, inflated.
#[derive(Clone)]
struct Counting {
    inner: HttpTransport,
    of: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counts {
    fn totals(&self) -> [u64; 3] {
        [&self.requests, &self.sent, &self.received].map(|count| count.load(Ordering::Relaxed))
    }
}

fn add(count: &AtomicU64, bytes: usize) {
    count.fetch_add(u64::try_from(bytes).unwrap_or_default(), Ordering::Relaxed);
}

impl Transport for Counting {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        add(&self.of.requests, 1);
        add(&self.of.sent, request.body.len());
        let answer = self.inner.send(request);
        let counted = answer.inspect(|answer| {
            if let Ok(response) = answer {
                add(&self.of.received, response.body.len());
            }
        });
        counted.boxed()
    }
}

/// The processor time of this process, user and system (Linux).
fn processor_time() -> Duration {
    const TICK: u64 = 10;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks.saturating_mul(TICK))
}

/// Starts the chain in a process of its own, and returns how it is reached.
fn serve_elsewhere(holdings: usize) -> Result<(Child, Network, Checkpoint, (String, String)), Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let mut child = command
        .args(["--serve", &holdings.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    let mut line = || lines.next().ok_or("the chain did not start")?.map_err(Failure::from);
    let (rpc, beacon, checkpoint, length) = (line()?, line()?, line()?, line()?.parse::<usize>()?);
    let text: Vec<String> = (0..length).map(|_| line()).collect::<Result<_, _>>()?;
    Ok((child, Network::from_toml(&text.join("\n"))?, checkpoint.parse()?, (rpc, beacon)))
}

/// Serves a chain with so many accounts until the process is killed. Prints how it is reached.
pub(crate) fn serve(holdings: usize) -> Result<(), Failure> {
    const SLOTS: u64 = 100;
    let now = || UnixTime::from_secs(UNIX_EPOCH.elapsed().unwrap_or_default().as_secs());
    let amount = |number: usize| U256::from(number).saturating_add(U256::from(1));
    let chain = Chain::builder(7)
        .preset(Preset::Mainnet)
        .genesis_time(UnixTime::from_secs(now().as_secs().saturating_sub(12 * SLOTS)))
        .history(SLOTS)
        .accounts((0..holdings).map(|number| (address(number), amount(number))))
        .build();
    chain.advance_to(now());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let provider = runtime.block_on(Server::start(Provider::honest(&chain)))?;
    let source = runtime.block_on(Server::start(BeaconSource::honest(&chain)))?;
    let network = chain.network().to_toml();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}\n{}\n{}", provider.url(), source.url(), chain.checkpoint())?;
    writeln!(out, "{}\n{}", network.lines().count(), network.trim_end())?;
    out.flush()?;
    let mut turn = 0_usize;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        // Some amounts change all the time, so that each block has another state.
        turn = turn.wrapping_add(1);
        let number = turn.wrapping_mul(CHANGED).checked_rem(holdings).unwrap_or_default();
        chain.set_balance(address(number), amount(turn));
        chain.advance_to(now());
    }
}
