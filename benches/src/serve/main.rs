//! How many proven balances a second `saldo serve` answers from the cache of one block, beside a server that does nothing.
//!
//!     cargo run --release -p saldo-benches --bin serve [-- --check] [-- --seconds 30] [-- --idle 9000]
//!     cargo run --release -p saldo-benches --bin serve -- --soak 30 --command target/release/saldo
//!
//! Each server is a process of its own, with two threads. Callers keep their connections, ask for one of 100 balances at the newest
//! block, and wait for the answer. The chain goes on meanwhile, so that each slot's first reads go to a provider. With `--soak` the command itself runs for some minutes while providers fail and lie.

mod load;
mod process;
mod server;
mod soak;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::load::Measured;
use crate::process::Process;

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
    /// Let this many minutes pass with faults and lies, in place of the measurements; needs the command.
    #[arg(long, value_name = "MINUTES", requires = "command")]
    soak: Option<u64>,
    /// The program `saldo`.
    #[arg(long, value_name = "PROGRAM")]
    command: Option<PathBuf>,
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
    if let (Some(minutes), Some(command)) = (arguments.soak, &arguments.command) {
        let holds = runtime.block_on(soak::run(command, minutes));
        println!(
            "bound: nothing wrong or broken, memory and files bounded, all proven at the end: {}",
            word(holds)
        );
        return if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    println!(
        "{:<10}{:>10}{:>12}{:>10}{:>10}{:>12}",
        "", "asked/s", "answered/s", "p50", "p99", "CPU us each"
    );
    let mut holds = true;
    for role in [Role::Nothing, Role::Saldo] {
        let (process, address) = start(role);
        let measure = |rate| {
            let (before, length) = (process.cpu(), Duration::from_secs(arguments.seconds));
            let measured = runtime.block_on(load::run(address, arguments.callers, rate, length));
            report(role, rate, &measured, process.cpu().saturating_sub(before));
            measured
        };
        // The first reads begin trust, and fill the cache.
        runtime.block_on(load::warm_up(address));
        let at_rate = measure(Some(RATE));
        measure(None);
        let bytes = process.idle(address, arguments.idle);
        println!("{role:?}: {bytes} bytes for each of {} idle connections", arguments.idle);
        if role == Role::Saldo {
            let all = at_rate.failed == 0 && at_rate.rate() >= f64::from(RATE) * 0.99;
            holds = all && at_rate.percentile(99) < P99 && bytes < BYTES;
        }
    }
    println!("bound: {RATE} a second, each proven, p99 below {P99:?}, {BYTES} bytes: {}", word(holds));
    if arguments.check && !holds { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn word(holds: bool) -> &'static str {
    if holds { "holds" } else { "missed" }
}

/// Starts this program as a server.
fn start(role: Role) -> (Process, SocketAddr) {
    let program = std::env::current_exe().expect("this program has a path");
    let mut process =
        Process::start(Command::new(program).args(["--role", &format!("{role:?}").to_lowercase()]));
    let address = process.line().parse().expect("an address");
    (process, address)
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
