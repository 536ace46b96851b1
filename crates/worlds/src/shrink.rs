//! Makes a failing world smaller, as long as the same check fails.

use super::bound::Bounds;
use super::party::Party;
use super::play::play;
use super::variant::Variant;
use super::verdict::Check;
use super::world::{Step, World};

/// Finds a smaller world than `world` in which `check` still fails. Runs at most `tries` worlds.
pub fn shrink(world: &World, variant: &Variant, bounds: Bounds, check: Check, tries: usize) -> World {
    let fails = |world: &World| {
        play(world, variant, bounds, false).violation.is_some_and(|violation| violation.check == check)
    };
    let mut smallest = world.clone();
    let mut left = tries;
    loop {
        let mut found = None;
        for smaller in smaller_ones(&smallest) {
            let Some(rest) = left.checked_sub(1) else { return smallest };
            left = rest;
            if fails(&smaller) {
                found = Some(smaller);
                break;
            }
        }
        match found {
            Some(smaller) => smallest = smaller,
            None => return smallest,
        }
    }
}

/// Worlds with one part removed each, the largest part first.
fn smaller_ones(world: &World) -> Vec<World> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut World)| {
        let mut smaller = world.clone();
        change(&mut smaller);
        if smaller != *world {
            all.push(smaller);
        }
    };
    let half = world.steps.len() / 2;
    add(&|world| world.steps = world.steps.split_off(half));
    for step in 0..world.steps.len() {
        add(&|world| {
            world.steps.remove(step);
        });
    }
    for index in 0..world.providers.len() {
        add(&|world| remove(&mut world.providers, index));
    }
    for index in 0..world.sources.len() {
        add(&|world| remove(&mut world.sources, index));
    }
    add(&|world| world.outages.clear());
    for index in 0..world.outages.len() {
        add(&|world| {
            world.outages.remove(index);
        });
    }
    add(&|world| world.story.events.clear());
    for index in 0..world.story.events.len() {
        add(&|world| {
            world.story.events.remove(index);
        });
    }
    add(&|world| world.story.twin = None);
    add(&|world| {
        world.story.stretch = None;
        // Without it each slot of the long sleep would have to be made.
        world.steps.retain(|step| !matches!(step, Step::Sleep(seconds) if *seconds > 600));
    });
    add(&|world| world.story.next_fork = None);
    add(&|world| plain(&mut world.providers));
    add(&|world| plain(&mut world.sources));
    for index in 0..world.providers.len() {
        add(&|world| last_spell(&mut world.providers, index));
    }
    for index in 0..world.sources.len() {
        add(&|world| last_spell(&mut world.sources, index));
    }
    for step in 0..world.steps.len() {
        add(&|world| {
            if let Some(Step::Read(owners)) = world.steps.get_mut(step) {
                owners.truncate(1);
            }
        });
    }
    all
}

/// Removes one, unless it is the only one.
fn remove(parties: &mut Vec<Party>, index: usize) {
    if parties.len() > 1 && index < parties.len() {
        parties.remove(index);
    }
}

/// No party is slow, and none has a rate limit.
fn plain(parties: &mut [Party]) {
    for party in parties {
        party.latency = 0;
        party.limit = None;
    }
}

/// Removes the first phase, so that the next one holds from the beginning.
fn last_spell(parties: &mut [Party], index: usize) {
    let Some(party) = parties.get_mut(index).filter(|party| party.phases.len() > 1) else { return };
    party.phases.remove(0);
    if let Some((from, _)) = party.phases.first_mut() {
        *from = 0;
    }
}
