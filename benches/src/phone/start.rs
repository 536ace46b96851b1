//! Processor time until the first remembered reading.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use saldo::UnixTime;
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Provider};
use saldo_ffi::{
    Checkpoint, ClientConfig, Endpoint, HttpRequest, HttpResponse, HttpTransport, Reading, SaldoClient,
    TransportFailure,
};
use saldo_ffi_scenarios::{CountedHttp, SimulatedClock};

use crate::app::{HOLDINGS, Kept, chain, config, holdings, wait};
use crate::{Failure, Folder, figure_of};

/// The most milliseconds of processor time beyond the bare process.
const MAX_MILLIS: f64 = 20.0;
/// How often each process runs. The median counts.
const RUNS: usize = 11;
/// How many blocks the chain has before the wallet is used.
const SLOTS: u64 = 100;

/// Measures; `false` if the limit is missed.
pub(crate) fn measure() -> Result<bool, Failure> {
    let folder = Folder::new("start")?;
    prepare(folder.path())?;
    let median = |name: &str| -> Result<f64, Failure> {
        let runs = (0..RUNS).map(|_| figure_of(name, folder.path()));
        let mut micros = runs.collect::<Result<Vec<u64>, Failure>>()?;
        micros.sort_unstable();
        let middle = micros.get(RUNS / 2).copied().unwrap_or(u64::MAX);
        Ok(f64::from(u32::try_from(middle)?) / 1_000.0)
    };
    let (bare, open) = (median("bare-start")?, median("start")?);
    let more = open - bare;
    let is_kept = more <= MAX_MILLIS;
    println!(
        "start: {open:.1} ms of processor time until the first of {HOLDINGS} remembered readings, {bare:.1} without saldo: \
         {more:.1} ms more, at most {MAX_MILLIS:.0}{}",
        if is_kept { "" } else { ": MISSED" }
    );
    Ok(is_kept)
}

/// Lets a wallet prove its holdings, and writes what it stored and its settings into `folder`.
fn prepare(folder: &Path) -> Result<(), Failure> {
    let now = UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
    let genesis = UnixTime::from_secs(now.saturating_sub(SLOTS.saturating_mul(12)));
    let chain = chain().genesis_time(genesis).history(SLOTS).build();
    let simulation = Simulation::new(1, &chain);
    simulation.internet().register("http://provider.test", Provider::honest(&chain));
    simulation.internet().register("http://source.test", BeaconSource::honest(&chain));
    let kept = Arc::new(Kept::new());
    let config = config(&chain, "http://provider.test", "http://source.test");
    let checkpoint = config.checkpoint.clone().ok_or("there is a checkpoint")?;
    std::fs::write(folder.join("network"), &config.network)?;
    std::fs::write(folder.join("checkpoint"), &checkpoint.root)?;
    let http = CountedHttp::over(simulation.internet());
    let clock = SimulatedClock::new(&simulation);
    let client = SaldoClient::with_clock(config, clock, http, Some(kept.clone()), None)?;
    // Twice, so that the next committee is stored as well.
    for _ in 0..2 {
        let readings = simulation.run(client.read(holdings(HOLDINGS)));
        if !readings.iter().all(|reading| matches!(reading, Reading::Proven { .. })) {
            return Err("the test chain's readings are not all proven".into());
        }
        simulation.pass(Duration::from_secs(60));
    }
    simulation.run(client.storage_faults());
    std::fs::write(folder.join("entries"), kept.to_text())?;
    Ok(())
}

/// Reads the stored entries and nothing more. Returns the processor time of the process in microseconds.
pub(crate) fn bare(folder: &Path) -> Result<u64, Failure> {
    let kept = Kept::from_text(&std::fs::read_to_string(folder.join("entries"))?)?;
    std::hint::black_box(&kept);
    processor_time()
}

/// Opens a client with the stored entries and gets a remembered reading. Returns the processor time of the process in microseconds.
pub(crate) fn open(folder: &Path) -> Result<u64, Failure> {
    let kept = Kept::from_text(&std::fs::read_to_string(folder.join("entries"))?)?;
    let config = ClientConfig {
        rpc: vec![Endpoint::new("http://provider.test")],
        beacon: vec![Endpoint::new("http://source.test")],
        checkpoint: Some(Checkpoint {
            root: std::fs::read_to_string(folder.join("checkpoint"))?,
            slot: None,
        }),
        ..ClientConfig::new(std::fs::read_to_string(folder.join("network"))?)
    };
    let client = SaldoClient::new(config, Arc::new(NoNetwork), Some(Arc::new(kept)), None)?;
    let last = wait(client.last(holdings(HOLDINGS).pop().ok_or("there are holdings")?));
    let spent = processor_time()?;
    let last = last.ok_or("nothing is remembered")?;
    if last.amount.as_str() != HOLDINGS.to_string() {
        return Err(format!("another amount: {}", last.amount.as_str()).into());
    }
    Ok(spent)
}

/// The processor time of this process, all threads and the loading included, in microseconds.
fn processor_time() -> Result<u64, Failure> {
    let spent = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime))?;
    Ok(u64::try_from(spent.as_micros())?)
}

/// The start makes no request.
struct NoNetwork;

#[async_trait::async_trait]
impl HttpTransport for NoNetwork {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportFailure> {
        Err(TransportFailure::Offline)
    }
}
