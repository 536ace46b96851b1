//! Many worlds, on several threads: each world on one alone, so that it can be replayed.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use saldo_worlds::{Bounds, Run, Variant, draw, play};

use crate::arguments::Arguments;
use crate::report;

/// How many failing worlds are told of in full.
const TOLD: usize = 3;

/// What came of many worlds.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) worlds: u64,
    pub(crate) readings: u64,
    pub(crate) proven: u64,
    pub(crate) requests: u64,
    pub(crate) whys: BTreeMap<&'static str, u64>,
    /// The seeds that failed, and in which check.
    pub(crate) failed: BTreeMap<u64, &'static str>,
    pub(crate) took: Duration,
}

impl Tally {
    fn add(&mut self, seed: u64, run: Run) {
        let sum = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        sum(&mut self.worlds, 1);
        sum(&mut self.readings, run.readings);
        sum(&mut self.proven, run.proven);
        sum(&mut self.requests, run.requests);
        for (code, count) in run.whys {
            sum(self.whys.entry(code).or_default(), count);
        }
        if let Some(violation) = run.violation {
            self.failed.insert(seed, violation.check.name());
        }
    }

    /// How many worlds a second.
    pub(crate) fn per_second(&self) -> u64 {
        let millis = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX).max(1);
        self.worlds.saturating_mul(1_000).checked_div(millis).unwrap_or(0)
    }
}

/// Runs `count` worlds; gives whether all is well.
pub(crate) fn run(arguments: &Arguments, count: u64) -> bool {
    let tally = worlds(arguments, &arguments.variant, count, false);
    for seed in tally.failed.keys().take(TOLD) {
        report::failure(arguments, *seed);
    }
    report::tally(arguments, &tally);
    let missing = if arguments.all_whys { report::missing_whys(&tally) } else { Vec::new() };
    if !missing.is_empty() {
        eprintln!("worlds: no reading had these reasons: {}", missing.join(", "));
    }
    tally.failed.is_empty() && missing.is_empty()
}

/// Looks for every broken wallet; gives whether each was found, and the plain one that is not broken was not.
pub(crate) fn nets(arguments: &Arguments, most: u64) -> bool {
    let mut all_well = true;
    for variant in [Variant::LOOSE, Variant::CHECKER] {
        let sound = worlds(arguments, &variant, most.min(500), true);
        all_well &= report::net(arguments, &variant, &sound, false);
    }
    for variant in Variant::BROKEN {
        let tally = worlds(arguments, variant, most, true);
        all_well &= report::net(arguments, variant, &tally, true);
    }
    all_well
}

/// Runs the worlds from the first seed on; with `stops` no further than to the first that fails.
fn worlds(arguments: &Arguments, variant: &Variant, count: u64, stops: bool) -> Tally {
    let began = Instant::now();
    let tally = Mutex::new(Tally::default());
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| work(arguments, variant, count, stops, &next, &tally));
        }
    });
    let mut tally = tally.into_inner().unwrap_or_default();
    tally.took = began.elapsed();
    tally
}

fn work(
    arguments: &Arguments,
    variant: &Variant,
    count: u64,
    stops: bool,
    next: &AtomicU64,
    tally: &Mutex<Tally>,
) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return;
        }
        let seed = arguments.seed.saturating_add(number);
        let run = play(&draw(seed), variant, Bounds::USUAL, false);
        if let Some(violation) = run.violation.as_ref().filter(|_| !stops) {
            eprintln!("worlds: seed {seed}: {violation}");
        }
        let Ok(mut tally) = tally.lock() else { return };
        tally.add(seed, run);
        if stops && !tally.failed.is_empty() {
            next.store(count, Ordering::Relaxed);
            return;
        }
        if tally.worlds.is_multiple_of(5_000) && count > 5_000 {
            eprintln!("worlds: {} of {count}, {} failed", tally.worlds, tally.failed.len());
        }
    }
}
