//! What one more address costs `saldo balance -`: processor time of the command, user and system, over loopback HTTP.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use saldo::{Address, U256, UnixTime};
use saldo_drill::http::{HttpRequest, Reaction, Service};
use saldo_drill::serve::Server;
use saldo_drill::{BeaconSource, Chain, Preset, Provider};

use crate::address;

type Failure = Box<dyn std::error::Error>;

/// What the runs of one size have in common: how many addresses are read, and how often. The mean of all runs counts.
pub(crate) const SIZES: [(usize, u32); 3] = [(1_000, 20), (10_000, 5), (100_000, 1)];
/// How often the command reads one address, for what each run costs at least.
const STARTS: u32 = 20;
/// How many addresses are read to compare the command with the server, and how often. The median counts.
const COMPARED: (usize, usize) = (10_000, 5);
/// Clock ticks a second in `/proc` (`man 5 proc`; Linux shows 100 to all programs).
const TICKS: u64 = 100;

/// A server, and how long it takes to make its answers.
struct Timed<S> {
    service: S,
    /// In microseconds.
    spent: Arc<AtomicU64>,
}

impl<S: Service> Service for Timed<S> {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let began = Instant::now();
        let answer = self.service.answer(request);
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.spent.fetch_add(took, Ordering::Relaxed);
        answer
    }

    fn refuses(&self) -> bool {
        self.service.refuses()
    }
}

/// A chain served over HTTP, and the command that reads it.
pub(crate) struct Served {
    /// How long the provider took to make its answers, in microseconds.
    spent: Arc<AtomicU64>,
    command: PathBuf,
    provider: Server,
    source: Server,
    network: PathBuf,
    checkpoint: String,
    list: PathBuf,
}

/// Serves a chain until `measure` is over, and measures.
pub(crate) fn with_served<T>(
    command: &Path,
    measure: impl FnOnce(&Served) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let now = || UnixTime::from_secs(UNIX_EPOCH.elapsed().unwrap_or_default().as_secs());
    let slots = 100;
    let chain = Chain::builder(7)
        .preset(Preset::Mainnet)
        .genesis_time(UnixTime::from_secs(now().as_secs().saturating_sub(12 * slots)))
        .history(slots)
        .accounts([(Address::repeat_byte(1), U256::from(1))])
        .build();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let folder = std::env::temp_dir().join(format!("saldo-scale-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let network = folder.join("network.toml");
    std::fs::write(&network, chain.network().to_toml())?;
    let spent: Arc<AtomicU64> = Arc::default();
    let provider = Timed { service: Provider::honest(&chain), spent: Arc::clone(&spent) };
    let served = Served {
        spent,
        command: command.to_owned(),
        provider: runtime.block_on(Server::start(provider))?,
        source: runtime.block_on(Server::start(BeaconSource::honest(&chain)))?,
        network,
        checkpoint: chain.checkpoint().to_string(),
        list: folder.join("addresses"),
    };
    let is_over = AtomicBool::new(false);
    let measured = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                chain.advance_to(now());
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let measured = measure(&served);
        is_over.store(true, Ordering::Relaxed);
        measured
    });
    std::fs::remove_dir_all(&folder)?;
    measured
}

impl Served {
    /// Microseconds that the command needs for one of `addresses`, beyond what it needs for a single one.
    pub(crate) fn micros(&self, addresses: usize, runs: u32) -> Result<f64, Failure> {
        let one = self.mean(1, STARTS)?;
        let all = self.mean(addresses, runs)?;
        Ok((all - one) * 1e6 / f64::from(u32::try_from(addresses)?))
    }

    /// How many times as long as the provider takes to make its answers one run takes, by the clock on the wall: the seconds of
    /// both. The run of the median.
    pub(crate) fn beside_server(&self) -> Result<(f64, f64), Failure> {
        let (addresses, runs) = COMPARED;
        self.write_list(addresses)?;
        let mut measured = Vec::with_capacity(runs);
        for _ in 0..runs {
            let (began, before) = (Instant::now(), self.spent.load(Ordering::Relaxed));
            self.run()?;
            let spent = self.spent.load(Ordering::Relaxed).saturating_sub(before);
            measured.push((began.elapsed().as_secs_f64(), Duration::from_micros(spent).as_secs_f64()));
        }
        measured.sort_by(|(took, of), (other, of_other)| (took / of).total_cmp(&(other / of_other)));
        measured.get(runs / 2).copied().ok_or_else(|| "no run".into())
    }

    fn write_list(&self, addresses: usize) -> Result<(), Failure> {
        let mut list = String::new();
        for number in 0..addresses {
            writeln!(list, "{}", address(number))?;
        }
        Ok(std::fs::write(&self.list, list)?)
    }

    /// Seconds that one run takes with so many addresses.
    fn mean(&self, addresses: usize, runs: u32) -> Result<f64, Failure> {
        self.write_list(addresses)?;
        let before = children()?;
        for _ in 0..runs {
            self.run()?;
        }
        Ok(children()?.saturating_sub(before).as_secs_f64() / f64::from(runs))
    }

    fn run(&self) -> Result<(), Failure> {
        let (provider, source) = (self.provider.url(), self.source.url());
        let output = Command::new(&self.command)
            .arg("balance")
            .args(["--rpc-url", &provider, "--beacon-url", &source, "--checkpoint", &self.checkpoint])
            .args(["--timeout", "5m", "-"])
            .arg("--network")
            .arg(&self.network)
            .stdin(std::fs::File::open(&self.list)?)
            .stdout(std::fs::File::create(self.list.with_extension("out"))?)
            .stderr(Stdio::piped())
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        let printed = std::fs::read_to_string(self.list.with_extension("out"))?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(format!("{}: {error}{}", output.status, printed).into())
    }
}

/// The processor time of all programs that this one ran, user and system (Linux).
fn children() -> io::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name of the program ends with the last parenthesis; the 14th and 15th word behind it are these times.
    let words = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = words.skip(13).take(2).filter_map(|word| word.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks.saturating_mul(1_000 / TICKS)))
}
