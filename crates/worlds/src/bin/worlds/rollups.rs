//! Worlds with a rollup: many scripts, from a seed on.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use saldo_worlds::{RollupGames, RollupOmission, draw_rollup, play_rollup};

use crate::arguments::Arguments;

/// How many failing scripts are printed.
const PRINTED: usize = 3;

#[derive(Default)]
struct Tally {
    answers: u64,
    proven: u64,
    whys: BTreeMap<&'static str, u64>,
    failed: usize,
}

/// Runs `count` scripts with the real client; gives whether all is well.
pub(crate) fn run(arguments: &Arguments, count: u64) -> bool {
    let began = Instant::now();
    let (tally, next) = (Mutex::new(Tally::default()), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads {
            scope.spawn(|| work(arguments.seed, count, &next, &tally));
        }
    });
    let Tally { answers, proven, whys, failed } = tally.into_inner().unwrap_or_default();
    println!("rollups {count} violations {failed} answers {answers} proven {proven} reasons {whys:?}");
    println!("took {} s", began.elapsed().as_secs());
    failed == 0
}

fn work(first: u64, count: u64, next: &AtomicU64, tally: &Mutex<Tally>) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return;
        }
        let seed = first.saturating_add(number);
        let script = draw_rollup(seed);
        let run = play_rollup(&script, None);
        let Ok(mut tally) = tally.lock() else { return };
        tally.answers = tally.answers.saturating_add(run.answers);
        tally.proven = tally.proven.saturating_add(run.proven);
        for (code, more) in run.whys {
            let sum = tally.whys.entry(code).or_default();
            *sum = sum.saturating_add(more);
        }
        if let Some(violation) = run.violation {
            tally.failed = tally.failed.saturating_add(1);
            println!("rollups: seed {seed}: {violation}");
            if tally.failed <= PRINTED {
                println!("{script:#?}");
            }
        }
    }
}

/// Looks for every wallet that gets something wrong; gives whether each was found.
pub(crate) fn nets(arguments: &Arguments, most: u64) -> bool {
    let seeds = || (arguments.seed..).take_while(|seed| *seed < arguments.seed.saturating_add(most));
    let mut is_well = true;
    let each = RollupOmission::ALL.into_iter().flat_map(|of| RollupGames::ALL.map(|games| (of, games)));
    for (omission, games) in each {
        let found = seeds().filter(|seed| RollupGames::of(*seed) == games).find_map(|seed| {
            let run = play_rollup(&draw_rollup(seed), Some(omission));
            run.violation.map(|violation| (seed, violation))
        });
        match &found {
            Some((seed, violation)) => {
                println!("{:34} {games:?} found at seed {seed}: {violation}", omission.name());
            }
            None => println!("{:34} {games:?} NOT FOUND", omission.name()),
        }
        is_well &= found.is_some();
    }
    is_well
}
