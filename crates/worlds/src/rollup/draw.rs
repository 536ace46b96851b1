//! Draws a script from a seed.

mod days;

use super::script::{ACCOUNTS, Act, Games, Mood, PROVIDERS, Script};
use crate::rng::Rng;

const MINUTE: u64 = 60;

/// The script of a seed.
pub fn draw_rollup(seed: u64) -> Script {
    match Games::of(seed) {
        Games::ProofChecked => draw_hours(seed),
        Games::AfterDays => days::draw(seed),
    }
}

fn draw_hours(seed: u64) -> Script {
    let mut rng = Rng::new(seed, "rollup");
    let operators = rng.between(1, PROVIDERS);
    let mut acts = Vec::new();
    for _ in 0..rng.between(3, 6) {
        for _ in 0..rng.below(3) {
            acts.push((rng.below(3 * MINUTE), event(&mut rng)));
        }
        for _ in 0..rng.between(1, 3) {
            let wait = rng.pick(&[0, MINUTE, 5 * MINUTE, 12 * MINUTE, 30 * MINUTE]);
            acts.push((wait, call(&mut rng)));
        }
        let pause = rng.pick(&[MINUTE, 15 * MINUTE, 40 * MINUTE, 80 * MINUTE, 200 * MINUTE]);
        acts.push((pause, Act::Read(some(&mut rng))));
    }
    let games = Games::ProofChecked;
    Script { seed, games, operators, has_branch: true, has_challenger: false, is_anchored: false, acts }
}

fn some(rng: &mut Rng) -> Vec<u64> {
    (0..rng.between(1, 3)).map(|_| rng.below(ACCOUNTS)).collect()
}

fn call(rng: &mut Rng) -> Act {
    match rng.below(8) {
        0..=4 => Act::Read(some(rng)),
        5..=6 => Act::Watch(some(rng), rng.between(MINUTE, 30 * MINUTE)),
        _ => Act::Restart,
    }
}

fn event(rng: &mut Rng) -> Act {
    let moods = [
        Mood::Honest,
        Mood::Honest,
        Mood::Hang,
        Mood::Error,
        Mood::NoProofs,
        Mood::OtherAccount,
        Mood::Truncated,
        Mood::Zero,
        Mood::Branch,
    ];
    match rng.below(20) {
        0..=4 => Act::Provider(rng.below(PROVIDERS), rng.pick(&moods)),
        5..=6 => Act::Balance(rng.below(2), rng.below(1_000_000)),
        7 => Act::L1(rng.chance(60)),
        8 => Act::Reorg(rng.between(1, 4)),
        9 => Act::Claims(rng.chance(60)),
        10..=11 => Act::FalseClaims(rng.chance(60)),
        12..=13 => Act::Blacklist,
        14..=15 => Act::Refute,
        16 => Act::Retire,
        17 => Act::Pause(rng.chance(50)),
        _ => Act::Sequencer(rng.chance(60)),
    }
}
