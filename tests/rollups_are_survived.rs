//! A wallet of a rollup through outages, liars, a sequencer that stops, and claims that are false or taken back: it shows no amount
//! that L1 does not vouch for, and proves in time what it can. `worlds --rollups N` runs many more scripts.

use saldo_worlds::{RollupGames, RollupOmission, draw_rollup, play_rollup};

#[test]
fn no_world_with_a_rollup_violates_a_promise() {
    let of_thread = |first: u64| {
        for seed in (first..12).step_by(2) {
            let run = play_rollup(&draw_rollup(seed), None);
            assert_eq!(run.violation, None, "seed {seed}: {:#?}", draw_rollup(seed));
        }
    };
    std::thread::scope(|scope| {
        (0..2).for_each(|first| drop(scope.spawn(move || of_thread(first))));
    });
}

/// A holding that was read at each of many blocks kept another one from being proven, that was read at one.
#[test]
fn a_holding_that_is_read_often_delays_no_other() {
    let run = play_rollup(&draw_rollup(8), None);
    assert_eq!(run.violation, None);
    assert!(run.proven > 5, "{run:?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let runs = [(); 2].map(|()| play_rollup(&draw_rollup(0), None));
    assert!(runs[0].answers > 3 && runs[0].proven > 0);
    assert_eq!(runs[0], runs[1]);
    assert_ne!(draw_rollup(0), draw_rollup(1));
}

/// A world of eleven days, in which claims count a week after they were made.
#[test]
fn what_was_read_is_proven_a_week_later() {
    let script = draw_rollup(3);
    assert_eq!(script.games, RollupGames::AfterDays);
    let run = play_rollup(&script, None);
    assert_eq!(run.violation, None);
    assert!(run.proven > 5, "{run:?}");
}

/// The full search is `worlds --rollup-nets 300`. These seeds come from it, in the order of the omissions: where L1 checks a proof of each
/// claim, and where a claim counts after days.
#[test]
fn every_wallet_that_gets_a_rollup_wrong_is_found() {
    for (omission, seeds) in RollupOmission::ALL.into_iter().zip([[0, 3], [20, 31], [1, 3], [0, 3], [0, 11]])
    {
        for (seed, games) in seeds.into_iter().zip(RollupGames::ALL) {
            let script = draw_rollup(seed);
            assert_eq!(script.games, games);
            let run = play_rollup(&script, Some(omission));
            assert!(run.violation.is_some(), "{}: seed {seed}", omission.name());
        }
    }
}
