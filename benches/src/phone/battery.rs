//! Requests, wake-ups and bytes of an hour in each pace, in virtual time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use saldo::Clock as _;
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Provider};
use saldo_ffi::{Change, Pace, Reading, SaldoClient, Watch};
use saldo_ffi_scenarios::{CountedHttp, SimulatedClock, Traffic};

use crate::Failure;
use crate::app::{chain, config, holdings};

const HOUR: Duration = Duration::from_secs(3_600);
/// How long the start may take. It does not count.
const START: Duration = Duration::from_secs(30);
const PACES: [Pace; 3] = [Pace::Foreground, Pace::Background, Pace::Paused];
const SIZES: [u64; 3] = [1, 10, 100];
const DOCUMENT: &str = include_str!("../../../docs/mobile.md");

/// What an hour costs.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Cost {
    requests: u64,
    /// Moments at which a timer of the client ended.
    wake_ups: u64,
    sent_kb: u64,
    received_kb: u64,
}

/// A row of the table in the document.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requests, wake_ups, sent_kb, received_kb } = self;
        write!(f, "{requests} | {wake_ups} | {sent_kb} KB | {received_kb} KB |")
    }
}

/// Measures and prints the table; `false` if the document has another one, or a paused watch sends anything.
pub(crate) fn measure() -> Result<bool, Failure> {
    println!("battery: an hour of a watch");
    println!("| pace | holdings | requests | wake-ups | sent | received |");
    let mut is_kept = true;
    for pace in PACES {
        for size in SIZES {
            let cost = hour(size, pace)?;
            let begin = format!("| {} | {size} | ", format!("{pace:?}").to_lowercase());
            let is_documented = documented(&begin).is_some_and(|documented| documented.is_near(cost));
            let is_silent = (cost.requests, cost.sent_kb, cost.received_kb) == (0, 0, 0);
            let is_right = is_documented && (is_silent || pace != Pace::Paused);
            println!(
                "{begin}{cost}{}",
                if is_right { "" } else { "  MISSED: docs/mobile.md says otherwise" }
            );
            is_kept &= is_right;
        }
    }
    Ok(is_kept)
}

/// The document's row that begins so.
fn documented(begin: &str) -> Option<Cost> {
    let row = DOCUMENT.lines().find_map(|line| line.strip_prefix(begin))?;
    let mut numbers = row.split('|').map(|cell| cell.trim().trim_end_matches(" KB").replace(',', ""));
    let mut number = || numbers.next()?.parse().ok();
    Some(Cost { requests: number()?, wake_ups: number()?, sent_kb: number()?, received_kb: number()? })
}

impl Cost {
    /// Allows a tenth, or two.
    fn is_near(self, other: Self) -> bool {
        let is_near = |one: u64, other: u64| one.abs_diff(other) <= (one / 10).max(2);
        is_near(self.requests, other.requests)
            && is_near(self.wake_ups, other.wake_ups)
            && is_near(self.sent_kb, other.sent_kb)
            && is_near(self.received_kb, other.received_kb)
    }
}

/// An app in the simulated network.
struct App {
    simulation: Simulation,
    http: Arc<CountedHttp>,
    clock: Arc<SimulatedClock>,
    watch: Arc<Watch>,
    received: u64,
}

impl App {
    /// Shows what comes for so long, and returns how many readings were proven.
    fn show(&mut self, time: Duration) -> usize {
        let clock = self.simulation.clock();
        let end = clock.monotonic().saturating_add(time);
        let (watch, received) = (&self.watch, &mut self.received);
        self.simulation.run(async {
            let mut proven = 0_usize;
            loop {
                let left = end.saturating_sub(clock.monotonic());
                let next = watch.next_all(*received).boxed();
                let Either::Left((changes, _)) = select(next, clock.sleep(left)).await else { return proven };
                *received = changes.number;
                let is_proven = |change: &&Change| {
                    matches!(change, Change::Reading { reading: Reading::Proven { .. }, .. })
                };
                proven = proven.saturating_add(changes.changes.iter().filter(is_proven).count());
            }
        })
    }

    fn used(&self) -> (Traffic, usize) {
        (self.http.traffic(), self.clock.wake_ups())
    }
}

/// Watches so many holdings for an hour, after they were all proven.
fn hour(size: u64, pace: Pace) -> Result<Cost, Failure> {
    let chain = chain().build();
    let simulation = Simulation::new(size, &chain);
    simulation.internet().register("http://provider.test", Provider::honest(&chain));
    simulation.internet().register("http://source.test", BeaconSource::honest(&chain));
    let http = CountedHttp::over(simulation.internet());
    let clock = SimulatedClock::new(&simulation);
    let config = config(&chain, "http://provider.test", "http://source.test");
    let client = SaldoClient::with_clock(config, clock.clone(), http.clone(), None, None)?;
    let watch = client.watch(holdings(size));
    let mut app = App { simulation, http, clock, watch, received: 0 };
    let proven = app.show(START);
    if proven < usize::try_from(size)? {
        return Err(format!("only {proven} of {size} holdings were proven at the start").into());
    }
    client.set_pace(pace);
    let before = app.used();
    let times = app.show(HOUR);
    let after = app.used();
    let least = match pace {
        Pace::Foreground => 11,
        Pace::Background => 1,
        Pace::Paused => 0,
    };
    if u64::try_from(times)? < size.saturating_mul(least) {
        return Err(format!("{pace:?}: {times} readings of {size} holdings in an hour").into());
    }
    let kilobytes = |of: fn(&Traffic) -> usize| -> Result<u64, Failure> {
        Ok(u64::try_from(of(&after.0).saturating_sub(of(&before.0)))?.div_ceil(1_000))
    };
    Ok(Cost {
        requests: after.0.requests.saturating_sub(before.0.requests),
        wake_ups: u64::try_from(after.1.saturating_sub(before.1))?,
        sent_kb: kilobytes(|traffic| traffic.sent)?,
        received_kb: kilobytes(|traffic| traffic.received)?,
    })
}
