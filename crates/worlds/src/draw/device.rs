//! The steps of a device: reads, pauses, sleep, restarts.

use crate::rng::Rng;
use crate::story::Story;
use crate::world::Step;

/// Reads and pauses; sometimes the network is lost, or the clock is set.
pub(super) fn life(rng: &mut Rng, story: &Story) -> Vec<Step> {
    let mut steps = Vec::new();
    if rng.chance(70) {
        steps.push(Step::Pass(rng.below(12_000)));
    }
    let acts = rng.between(2, 7);
    for act in 0..acts {
        if act == 1 {
            steps.extend(leap(rng, story));
        }
        if rng.chance(6) {
            let says = rng.chance(50);
            steps.push(Step::Offline(true));
            steps.extend(says.then_some(Step::Says(false)));
            steps.extend(rng.chance(70).then(|| read(rng)));
            steps.push(Step::Pass(rng.between(100, 30_000)));
            steps.push(Step::Offline(false));
            steps.extend(says.then_some(Step::Says(true)));
        }
        if rng.chance(2) {
            // Not every operating system reports it.
            steps.push(Step::Says(rng.chance(50)));
        }
        if rng.chance(3) {
            steps.push(Step::Sleep(rng.between(10, 240)));
        }
        if rng.chance(8) {
            steps.push(Step::Restart);
        }
        steps.push(read(rng));
        let pause = rng.weighted(&[
            (10, 0),
            (10, 700),
            (15, 4_000),
            (35, 12_000),
            (10, 13_000),
            (10, 24_000),
            (7, 60_000),
            (3, 150_000),
        ]);
        steps.push(Step::Pass(pause));
    }
    steps
}

fn read(rng: &mut Rng) -> Step {
    let owners = rng.weighted(&[(40, vec![0]), (20, vec![2]), (20, vec![1]), (20, vec![0, 1, 2])]);
    Step::Read(owners)
}

/// Sleeps, or reads, over the time that the story skips.
fn leap(rng: &mut Rng, story: &Story) -> Vec<Step> {
    let Some(over) = story.stretch_over_at() else { return Vec::new() };
    let mut steps = vec![Step::Sleep(over.saturating_add(rng.below(20)))];
    if rng.chance(50) {
        // Directly after waking up there is no network.
        steps.splice(0..0, [Step::Offline(true)]);
        steps.extend([read(rng), Step::Offline(false)]);
    }
    // A phone ends an app that is unused for days.
    steps.extend(rng.chance(30).then_some(Step::Restart));
    steps
}
