//! Calls that overlap: many scripts, one after another from a seed.

use std::collections::BTreeMap;
use std::time::Instant;

use saldo_worlds::{GateOmission, OverlapRun, OverlapWallet, draw_overlap, play_overlap};

use crate::arguments::Arguments;

/// How many failing scripts are printed.
const PRINTED: usize = 3;

/// Runs `count` scripts with the real client; gives whether all is well.
pub(crate) fn run(arguments: &Arguments, count: u64) -> bool {
    let began = Instant::now();
    let (mut answers, mut proven, mut failed) = (0_u64, 0_u64, 0_usize);
    let mut whys: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in (arguments.seed..).take_while(|seed| *seed < arguments.seed.saturating_add(count)) {
        let script = draw_overlap(seed);
        let run: OverlapRun = play_overlap(&script, OverlapWallet::Real);
        answers = answers.saturating_add(run.answers);
        proven = proven.saturating_add(run.proven);
        for (code, more) in run.whys {
            let sum = whys.entry(code).or_default();
            *sum = sum.saturating_add(more);
        }
        if let Some(violation) = run.violation {
            failed = failed.saturating_add(1);
            println!("overlaps: seed {seed}: {violation}");
            if failed <= PRINTED {
                println!("{script:#?}");
            }
        }
    }
    println!("overlaps {count} violations {failed} answers {answers} proven {proven} reasons {whys:?}");
    println!("took {} s", began.elapsed().as_secs());
    failed == 0
}

/// Looks for every wallet that lacks a check of the gate; gives whether each was found, and the one that lacks none was not.
pub(crate) fn nets(arguments: &Arguments, most: u64) -> bool {
    let seeds = || (arguments.seed..).take_while(|seed| *seed < arguments.seed.saturating_add(most));
    let find = |omission: Option<GateOmission>, most: usize| {
        seeds().take(most).find_map(|seed| {
            let run = play_overlap(&draw_overlap(seed), OverlapWallet::Plain(omission));
            run.violation.map(|violation| (seed, violation))
        })
    };
    let sound = find(None, 500);
    println!("{:26} {sound:?}", "gate-with-every-check");
    let mut is_well = sound.is_none();
    for omission in GateOmission::ALL {
        let found = find(Some(omission), usize::MAX);
        match &found {
            Some((seed, violation)) => println!("{:26} found at seed {seed}: {violation}", omission.name()),
            None => println!("{:26} NOT FOUND", omission.name()),
        }
        is_well &= found.is_some();
    }
    is_well
}
