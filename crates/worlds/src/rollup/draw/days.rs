//! Scripts of nine to twelve days, in which a claim counts seven days after it was made.

use crate::rng::Rng;
use crate::rollup::script::{ACCOUNTS, Act, Games, Mood, PROVIDERS, Script};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// How long all is well, so that something must be proven: a claim counts after seven days, and proofs are kept for one in 16 hours.
const CALM: u64 = 8 * 24 * HOUR + 4 * HOUR;

pub(super) fn draw(seed: u64) -> Script {
    let mut rng = Rng::new(seed, "rollup of days");
    let mut script = Script {
        seed,
        games: Games::AfterDays,
        operators: rng.between(1, PROVIDERS),
        has_branch: rng.chance(30),
        has_challenger: rng.chance(80),
        is_anchored: rng.chance(50),
        acts: Vec::new(),
    };
    let accounts: Vec<u64> = match rng.chance(50) {
        true => vec![rng.below(ACCOUNTS)],
        false => vec![0, rng.between(1, 2)],
    };
    let trouble = rng.below(14);
    for _ in 0..trouble {
        happen(&mut rng, &mut script, 50, event);
        visit(&mut rng, &mut script, &accounts);
    }
    if trouble > 0 {
        script.acts.extend(healed().map(|act| (0, act)));
    }
    let mut calm = 0;
    let has_harm = rng.chance(25);
    while calm < CALM {
        happen(&mut rng, &mut script, 10, if has_harm { event } else { harmless });
        calm = calm.saturating_add(visit(&mut rng, &mut script, &accounts));
    }
    for _ in 0..rng.below(18) {
        happen(&mut rng, &mut script, 60, event);
        visit(&mut rng, &mut script, &accounts);
    }
    script
}

fn happen(rng: &mut Rng, script: &mut Script, percent: u64, event: fn(&mut Rng, &Script) -> Act) {
    if rng.chance(percent) {
        let act = event(rng, script);
        script.acts.push((rng.below(20 * MINUTE), act));
    }
}

/// The app is opened, and reads. Returns how many seconds pass before.
fn visit(rng: &mut Rng, script: &mut Script, accounts: &[u64]) -> u64 {
    let wait = rng.between(HOUR, 2 * HOUR + 15 * MINUTE);
    let act = match rng.below(20) {
        0 => Act::Restart,
        1 => Act::Watch(accounts.to_vec(), rng.between(MINUTE, 10 * MINUTE)),
        _ => Act::Read(accounts.to_vec()),
    };
    let is_read = matches!(act, Act::Read(_));
    script.acts.push((wait, act));
    if !is_read {
        script.acts.push((MINUTE, Act::Read(accounts.to_vec())));
    }
    wait
}

/// After these all is well.
fn healed() -> impl Iterator<Item = Act> {
    let providers = (0..PROVIDERS).map(|index| Act::Provider(index, Mood::Honest));
    providers.chain([
        Act::L1(true),
        Act::Claims(true),
        Act::FalseClaims(false),
        Act::Pause(false),
        Act::Sequencer(true),
    ])
}

/// What must not keep a wallet from its amounts.
fn harmless(rng: &mut Rng, _: &Script) -> Act {
    let moods = [
        Mood::Honest,
        Mood::Hang,
        Mood::Error,
        Mood::NoProofs,
        Mood::OtherAccount,
        Mood::Truncated,
        Mood::Zero,
    ];
    match rng.below(8) {
        0..=3 => Act::Provider(rng.between(1, PROVIDERS.saturating_sub(1)), rng.pick(&moods)),
        4 => Act::Balance(rng.below(2), rng.below(1_000_000)),
        _ => Act::FalseClaims(rng.chance(60)),
    }
}

fn event(rng: &mut Rng, script: &Script) -> Act {
    match rng.below(20) {
        0..=6 => harmless(rng, script),
        7 if script.has_branch => Act::Provider(rng.below(PROVIDERS), Mood::Branch),
        7..=8 => Act::Provider(0, rng.pick(&[Mood::Honest, Mood::Error, Mood::NoProofs])),
        9..=10 => Act::L1(rng.chance(60)),
        11 => Act::Claims(rng.chance(60)),
        12..=13 => Act::Blacklist,
        14..=15 => Act::Refute,
        16 => Act::Retire,
        17 => Act::Pause(rng.chance(50)),
        _ => Act::Sequencer(rng.chance(60)),
    }
}
