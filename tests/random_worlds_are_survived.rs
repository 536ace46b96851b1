//! Every promise at once: random worlds from a seed, with a judge that knows the truth. `worlds` runs many more
//! (`cargo run --release -p saldo-worlds --bin worlds -- --count 2000`).

use saldo_worlds::{Bounds, Check, Variant, draw, play, shrink};

const BOUNDS: Bounds = Bounds::USUAL;

#[test]
fn no_world_violates_a_promise() {
    let of_thread = |first: u64| {
        for seed in (first..200).step_by(2) {
            let run = play(&draw(seed), &Variant::REAL, BOUNDS, false);
            assert_eq!(run.violation, None, "seed {seed}: worlds --trace {seed}");
        }
    };
    std::thread::scope(|scope| {
        (0..2).for_each(|first| drop(scope.spawn(move || of_thread(first))));
    });
}

/// A true claim is never called different, a false one never confirmed, and a zero that is not proven is not either.
#[test]
fn no_world_makes_a_verdict_wrong() {
    let of_thread = |first: u64| {
        for seed in (first..200).step_by(2) {
            let run = play(&draw(seed), &Variant::CHECKER, BOUNDS, false);
            assert_eq!(run.violation, None, "seed {seed}: worlds --trace {seed} --variant checker");
        }
    };
    std::thread::scope(|scope| {
        (0..2).for_each(|first| drop(scope.spawn(move || of_thread(first))));
    });
}

/// Seeds with which longer runs found a violation, of the wallet or of the simulation itself.
#[test]
fn no_formerly_failing_world_violates_a_promise() {
    for seed in [7_031_635, 11_012_013] {
        let run = play(&draw(seed), &Variant::REAL, BOUNDS, false);
        assert_eq!(run.violation, None, "seed {seed}: worlds --trace {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 12, 19, 30] {
        let once = play(&draw(seed), &Variant::REAL, BOUNDS, true);
        let again = play(&draw(seed), &Variant::REAL, BOUNDS, true);
        assert!(once.requests > 0 && once.trace.len() > 5, "seed {seed}");
        assert_eq!(once, again, "seed {seed}");
    }
    assert_ne!(draw(3), draw(12));
}

/// The full search, with up to 2,000 worlds per variant, is `worlds --nets 2000`. These seeds come from it.
#[test]
fn broken_wallets_are_caught() {
    assert_eq!(Variant::BROKEN.len(), 41);
    let search = |variant: &Variant| {
        // First the seeds that find most variants, then the others.
        let found = (0..40).chain(120..200).chain(40..120).find_map(|seed| {
            let run = play(&draw(seed), variant, BOUNDS, false);
            run.violation.map(|violation| (seed, violation))
        });
        let (seed, violation) = found.unwrap_or_else(|| panic!("{} was not found", variant.name));
        assert!(variant.checks.contains(&violation.check), "{}: seed {seed}: {violation}", variant.name);
    };
    std::thread::scope(|scope| {
        for some in Variant::BROKEN.chunks(Variant::BROKEN.len().div_ceil(2)) {
            scope.spawn(move || some.iter().for_each(search));
        }
    });
}

#[test]
fn a_failing_world_is_shrunk() {
    let variant = Variant::named("zero-screen").unwrap();
    let seed = (0..100).find(|seed| play(&draw(*seed), &variant, BOUNDS, false).violation.is_some()).unwrap();
    let world = draw(seed);
    let small = shrink(&world, &variant, BOUNDS, Check::Truth, 60);
    assert!(small.size() < world.size());
    let violation = play(&small, &variant, BOUNDS, true).violation.unwrap();
    assert_eq!(violation.check, Check::Truth);
}
