//! What one more holding costs a client that has many: processor time and memory, in three sizes.
//!
//!     cargo run --release -p saldo-benches --bin scale [-- --check] [-- --stored] [-- --at-once]
//!     cargo run --release -p saldo-benches --bin scale -- --command target/release/saldo [--check]
//!     cargo run --release -p saldo-benches --bin scale -- --refresh 100000 [--rounds 3] [--every 300]
//!
//! With `--command` it measures `saldo balance -`, which reads the addresses from a list. With `--refresh` a process reads so many holdings again
//! and again over loopback HTTP. Without both, a client reads that many addresses of a simulated chain, 32 at a time. The time is the
//! processor time of the client: what the simulated provider takes to answer does not count. Memory is what the process holds more at the end than before.

mod command;
mod refresh;

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rustix::time::{ClockId, clock_gettime};
use saldo::{
    Address, Client, Holding, MemoryStorage, NetworkId, Policy, Request, Response, Transport, TransportError,
    U256,
};
use saldo_drill::simulate::{Internet, Simulation};
use saldo_drill::{BeaconSource, Chain, Provider};

/// How many holdings are read.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// The same where what is proven is stored: more than the 2,048 that are kept, so that each batch removes some as well.
const STORED_SIZES: [usize; 3] = [10_000, 30_000, 100_000];
/// How many rounds each size has. All have as many, because the least of many rounds is smaller than that of few.
const ROUNDS: usize = 5;
/// How many of them together.
const TOGETHER: usize = 32;
/// How much dearer a holding may be among the most than among the fewest.
const RATIO: f64 = 1.3;
/// How many times as long as the server takes for its answers `saldo balance -` may take with 10,000 addresses.
const OF_SERVER: f64 = 2.5;
/// How many bytes a holding may take.
const BYTES: f64 = 2_048.0;

/// Measures what one more holding costs, in three sizes.
#[derive(Parser)]
#[command(name = "scale")]
struct Arguments {
    /// End with status 1 if a holding costs more than it may.
    #[arg(long)]
    check: bool,
    /// Measure `saldo balance -` with this program.
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["at_once", "stored", "sizes"])]
    command: Option<PathBuf>,
    /// Keep so many holdings fresh, and say what each refresh costs.
    #[arg(long, value_name = "HOLDINGS", conflicts_with_all = ["command", "at_once", "stored", "sizes", "check"])]
    refresh: Option<usize>,
    /// How many refreshes there are.
    #[arg(long, default_value_t = 3, requires = "refresh")]
    rounds: usize,
    /// Seconds from one refresh to the next.
    #[arg(long, default_value_t = 300, requires = "refresh")]
    every: u64,
    /// Serve a chain with so many accounts.
    #[arg(long, hide = true)]
    serve: Option<usize>,
    /// Read all holdings in one call.
    #[arg(long)]
    at_once: bool,
    /// Store what is proven, in memory.
    #[arg(long)]
    stored: bool,
    /// Measure these numbers of holdings.
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<usize>,
}

/// Passes requests to the simulated network, and counts the time that it takes to answer them.
#[derive(Clone)]
struct Answering {
    internet: Internet,
    spent: Arc<Mutex<Duration>>,
}

impl Answering {
    fn spent(&self) -> Duration {
        *self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Answering {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let mut answer = self.internet.send(request);
        poll_fn(move |context| {
            let began = processor_time();
            let polled = answer.poll_unpin(context);
            let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
            *spent = spent.saturating_add(processor_time().saturating_sub(began));
            polled
        })
        .boxed()
    }
}

/// The processor time of this thread. Unlike the time of day it does not count what other programs take.
fn processor_time() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(spent).unwrap_or_default()
}

/// What one holding of so many costs.
struct Cost {
    holdings: usize,
    micros: f64,
    bytes: f64,
}

fn main() -> ExitCode {
    let Arguments { check, command, refresh, rounds, every, serve, at_once, stored, mut sizes } =
        Arguments::parse();
    let kept_fresh = refresh.map(|holdings| refresh::measure(holdings, rounds, Duration::from_secs(every)));
    if let Some(outcome) = kept_fresh.or_else(|| serve.map(refresh::serve)) {
        return match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    if let Some(program) = command {
        return of_command(&program, check);
    }
    if sizes.is_empty() {
        sizes = if stored { STORED_SIZES } else { SIZES }.to_vec();
    }
    println!("{:>10}{:>14}{:>10}{:>16}", "holdings", "us a holding", "ratio", "bytes a holding");
    // The first reads of a process take longer: code and memory are cold.
    let _ = measure(sizes.first().copied().unwrap_or_default(), stored, at_once);
    let mut first = None;
    let mut is_linear = true;
    for size in sizes {
        let Some(cost) = least(size, stored, at_once) else {
            eprintln!("{size} holdings: not all of them were proven");
            return ExitCode::FAILURE;
        };
        let ratio = cost.micros / *first.get_or_insert(cost.micros);
        is_linear &= ratio <= RATIO && (size < 10_000 || cost.bytes <= BYTES);
        println!("{:>10}{:>14.1}{ratio:>10.2}{:>16.0}", cost.holdings, cost.micros, cost.bytes);
    }
    println!("must reach: ratio at most {RATIO}, from 10,000 on at most {BYTES} bytes a holding");
    ExitCode::from(u8::from(check && !is_linear))
}

/// Measures `saldo balance -`: what one address costs in three sizes, and how long the command takes beside its server.
fn of_command(program: &Path, check: bool) -> ExitCode {
    println!("{:>10}{:>14}{:>10}", "addresses", "us an address", "ratio");
    let measured = command::with_served(program, |served| {
        let mut first = None;
        let mut worst = 0.0_f64;
        for (addresses, runs) in command::SIZES {
            let micros = served.micros(addresses, runs)?;
            let ratio = micros / *first.get_or_insert(micros);
            worst = worst.max(ratio);
            println!("{addresses:>10}{micros:>14.1}{ratio:>10.2}");
        }
        let (took, of_server) = served.beside_server()?;
        let times = took / of_server;
        println!(
            "10,000 addresses: {took:.3} s, of which the server takes {of_server:.3} s: {times:.2} times"
        );
        Ok((worst, times))
    });
    println!("must reach: ratio at most {RATIO}, and at most {OF_SERVER} times the server's own time");
    match measured {
        Ok((worst, times)) => ExitCode::from(u8::from(check && (worst > RATIO || times > OF_SERVER))),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The least time of some rounds, because other programs only add time; the memory of the first round, because a later
/// one uses what that one freed. `None` if not all holdings are proven.
fn least(holdings: usize, stored: bool, at_once: bool) -> Option<Cost> {
    let mut cost = measure(holdings, stored, at_once)?;
    for _ in 1..ROUNDS {
        cost.micros = cost.micros.min(measure(holdings, stored, at_once)?.micros);
    }
    Some(cost)
}

/// Reads `holdings` addresses; `None` if not all of them are proven.
fn measure(holdings: usize, stored: bool, at_once: bool) -> Option<Cost> {
    let chain = Chain::builder(7).accounts([(Address::repeat_byte(1), U256::from(1))]).build();
    let simulation = Simulation::new(7, &chain);
    let internet = simulation.internet();
    internet.register("http://provider.test", Provider::honest(&chain));
    internet.register("http://source.test", BeaconSource::honest(&chain));
    let answering = Answering { internet, spent: Arc::default() };
    let builder = Client::builder(chain.network());
    let builder = if stored { builder.storage(MemoryStorage::new()) } else { builder };
    let client = builder
        .checkpoint(chain.checkpoint())
        .policy(Policy::signed())
        .transport(answering.clone())
        .clock(simulation.clock())
        .rpc("http://provider.test")
        .beacon("http://source.test")
        .build()
        .ok()?;
    // What is set up once does not count.
    let _ = simulation.run(client.read(&[holding(usize::MAX)]));
    let before = resident();
    let mut spent = Duration::ZERO;
    let mut proven = 0_usize;
    let all: Vec<Holding> = (0..holdings).map(holding).collect();
    for together in all.chunks(if at_once { holdings.max(1) } else { TOGETHER }) {
        let (began, answered) = (processor_time(), answering.spent());
        let readings = simulation.run(client.read(together));
        let others = answering.spent().saturating_sub(answered);
        spent = spent.saturating_add(processor_time().saturating_sub(began).saturating_sub(others));
        proven = proven.saturating_add(readings.iter().filter(|reading| reading.proven().is_some()).count());
    }
    let number = f64::from(u32::try_from(holdings).ok()?);
    let more = resident().saturating_sub(before);
    let bytes = f64::from(u32::try_from(more).ok()?) / number;
    let micros = spent.as_secs_f64() * 1e6 / number;
    (proven == holdings).then_some(Cost { holdings, micros, bytes })
}

/// The holding of that number.
fn holding(number: usize) -> Holding {
    Holding::native(NetworkId::new(Chain::CHAIN_ID), address(number))
}

/// The address of that number.
fn address(number: usize) -> Address {
    let mut bytes = [0x5a; 20];
    for (byte, value) in bytes.iter_mut().zip(number.to_le_bytes()) {
        *byte = value;
    }
    Address::from(bytes)
}

/// How many bytes of memory this process holds (Linux); 0 elsewhere.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: Option<usize> = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}
