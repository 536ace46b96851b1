//! What happens in a world with a rollup, as plain data.

use crate::rng::Rng;

/// How many accounts of the rollup are read: two that have coins, and one that does not exist.
pub(super) const ACCOUNTS: u64 = 3;
/// How many providers the rollup has.
pub(super) const PROVIDERS: u64 = 3;
/// How many blocks a claim is about, as on Base: twenty minutes of the rollup.
pub(super) const INTERVAL: u64 = 100;
const MINUTE: u64 = 60;

/// How a provider of the rollup answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Honest,
    /// Not at all.
    Hang,
    /// With HTTP status 500.
    Error,
    /// Without proofs.
    NoProofs,
    /// With the proof of another account.
    OtherAccount,
    /// With proofs that end too early.
    Truncated,
    /// That every balance is zero.
    Zero,
    /// Truly, about a branch of the rollup that its sequencer does not build on.
    Branch,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The app reads these accounts.
    Read(Vec<u64>),
    /// The app watches these accounts for so many seconds.
    Watch(Vec<u64>, u64),
    /// The app starts again, with the storage that it had.
    Restart,
    /// An account of the rollup holds so many wei from the next block on.
    Balance(u64, u64),
    /// A provider of the rollup answers differently from now on.
    Provider(u64, Mood),
    /// The provider and the source of L1 can be reached, or not.
    L1(bool),
    /// L1 passes over its last blocks.
    Reorg(u64),
    /// The rollup's blocks are claimed on L1, or not.
    Claims(bool),
    /// The blocks of the branch are claimed on L1 too, or not.
    FalseClaims(bool),
    /// The guardian takes back the newest claim.
    Blacklist,
    /// A proof shows that the newest claim is false.
    Refute,
    /// The guardian retires all claims that were made.
    Retire,
    /// The guardian pauses the rollup's system, or goes on.
    Pause(bool),
    /// The sequencer makes blocks, or not.
    Sequencer(bool),
}

/// Everything that a run follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Makes the keys and the times that answers take.
    pub seed: u64,
    /// How many operators are asked about an address.
    pub operators: u64,
    /// What happens, each with the seconds that pass before.
    pub acts: Vec<(u64, Act)>,
}

/// The script of a seed.
pub fn draw_rollup(seed: u64) -> Script {
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
    Script { seed, operators, acts }
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
