//! How many proven balances a second `saldo serve` answers from the cache of one block, beside a server that does nothing.
//!
//!     cargo run --release -p saldo-benches --bin serve [-- --check] [-- --seconds 30] [-- --idle 9000]
//!
//! Each server is a process of its own, with two threads. Callers keep their connections, ask for one of 100 balances at the newest
//! block, and wait for the answer. The chain goes on meanwhile, so that each slot's first reads go to a provider.

mod load;
mod server;

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::load::Measured;

/// What must be answered a second.
const RATE: u32 = 2_000;
/// How long the slowest answer of a hundred may take at that rate.
const P99: Duration = Duration::from_millis(20);
/// How many bytes an idle connection may take.
const BYTES: u64 = 64 * 1024;

/// A server to be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    /// `saldo-serve`, over a simulated chain.
    Saldo,
    /// The same HTTP library, which answers each body with one text.
    Nothing,
}

/// Measures proven balances a second from the cache of one block, beside a server that does nothing.
#[derive(Parser)]
#[command(name = "serve")]
struct Arguments {
    /// End with status 1 if a bound is missed.
    #[arg(long)]
    check: bool,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How many callers there are.
    #[arg(long, default_value_t = 32)]
    callers: u32,
    /// How many idle connections are opened.
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Be the server.
    #[arg(long, hide = true)]
    role: Option<Role>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("the system gives threads");
    if let Some(role) = arguments.role {
        runtime.block_on(server::run(role));
        return ExitCode::SUCCESS;
    }
    println!(
        "{:<10}{:>10}{:>12}{:>10}{:>10}{:>12}",
        "", "asked/s", "answered/s", "p50", "p99", "CPU us each"
    );
    let mut holds = true;
    for role in [Role::Nothing, Role::Saldo] {
        let process = Process::start(role);
        let measure = |rate| {
            let (before, length) = (process.cpu(), Duration::from_secs(arguments.seconds));
            let measured = runtime.block_on(load::run(process.address, arguments.callers, rate, length));
            report(role, rate, &measured, process.cpu().saturating_sub(before));
            measured
        };
        // The first reads begin trust, and fill the cache.
        runtime.block_on(load::warm_up(process.address));
        let at_rate = measure(Some(RATE));
        measure(None);
        let bytes = process.idle(arguments.idle);
        println!("{role:?}: {bytes} bytes for each of {} idle connections", arguments.idle);
        if role == Role::Saldo {
            let all = at_rate.failed == 0 && at_rate.rate() >= f64::from(RATE) * 0.99;
            holds = all && at_rate.percentile(99) < P99 && bytes < BYTES;
        }
    }
    println!(
        "bound: {RATE} a second, each proven, p99 below {P99:?}, {BYTES} bytes: {}",
        if holds { "holds" } else { "missed" }
    );
    if arguments.check && !holds { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn report(role: Role, rate: Option<u32>, measured: &Measured, cpu: Duration) {
    let asked = rate.map_or("most".to_owned(), |rate| rate.to_string());
    let each = cpu.as_secs_f64() * 1e6 / f64::from(measured.answered().max(1));
    println!(
        "{:<10}{asked:>10}{:>12.0}{:>10.2?}{:>10.2?}{each:>12.0}{}",
        format!("{role:?}"),
        measured.rate(),
        measured.percentile(50),
        measured.percentile(99),
        if measured.failed > 0 { format!("  {} not proven", measured.failed) } else { String::new() },
    );
}

/// A server in a process of its own.
struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    fn start(role: Role) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let name = format!("{role:?}").to_lowercase();
        let mut command = Command::new(program);
        let mut child = command.args(["--role", &name]).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it listens");
        let address = line.trim().parse().expect("an address");
        Self { child, address }
    }

    /// The processor time that it has used.
    fn cpu(&self) -> Duration {
        const TICK: u64 = 10;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let fields = after_name.split_whitespace().skip(11).take(2);
        let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks.saturating_mul(TICK))
    }

    /// The memory that it holds, in bytes.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kilobytes = line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
        kilobytes.saturating_mul(1_024)
    }

    /// The memory for each of so many idle connections.
    fn idle(&self, connections: usize) -> u64 {
        let before = self.memory();
        let held: Vec<TcpStream> =
            (0..connections).map(|_| TcpStream::connect(self.address).expect("it takes them")).collect();
        std::thread::sleep(Duration::from_secs(2));
        let more = self.memory().saturating_sub(before);
        drop(held);
        more.checked_div(u64::try_from(connections).unwrap_or(u64::MAX)).unwrap_or(0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
