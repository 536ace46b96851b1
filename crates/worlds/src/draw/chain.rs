//! The chain of a world: one of a pool, so that each is recorded only once.

use saldo_beacon::Fork;

use super::token;
use crate::rng::Rng;
use crate::story::{Event, Story, Stretch, Twin};

/// What happens to a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Balances change, and slots stay empty now and then.
    Plain,
    /// Also: finality stalls, too few sign, blocks are reorganised.
    Eventful,
    /// Many reorganisations.
    Reorganised,
    /// It reaches another fork.
    Crossing,
    /// Two hours pass in one leap.
    Hours,
    /// Ten days pass in one leap.
    Days,
    /// A minority continues a branch of its own.
    Minority,
    /// Two thirds sign two branches.
    Split,
    /// A minority continues a branch of its own, and names the next committee there.
    Usurped,
}

impl Kind {
    /// Number of stories of this kind in a pool.
    fn many(self) -> u64 {
        match self {
            Self::Plain => 12,
            Self::Eventful => 12,
            Self::Reorganised => 8,
            Self::Crossing => 6,
            Self::Hours | Self::Days => 2,
            Self::Minority => 4,
            Self::Split | Self::Usurped => 3,
        }
    }
}

/// A story for the world of `seed`.
pub(super) fn story(seed: u64, kind: Kind, rng: &mut Rng) -> Story {
    /// Number of seeds that share one pool.
    const WORLDS_OF_A_POOL: u64 = 4_096;
    let pool = seed / WORLDS_OF_A_POOL;
    let number = rng.below(kind.many());
    write(pool, kind, number)
}

fn write(pool: u64, kind: Kind, number: u64) -> Story {
    let mut rng = Rng::new(pool, &format!("story {kind:?} {number}"));
    let (fork, next_fork) = match kind {
        // A world begins in epoch 6 or 7 and sees eight more; a period is eight epochs.
        Kind::Crossing => rng.pick(&[
            (Fork::Fulu, Some((Fork::Gloas, 7))),
            (Fork::Fulu, Some((Fork::Gloas, 9))),
            (Fork::Electra, Some((Fork::Fulu, 7))),
            (Fork::Deneb, Some((Fork::Electra, 8))),
        ]),
        Kind::Plain | Kind::Eventful | Kind::Reorganised => {
            (rng.weighted(&[(75, Fork::Fulu), (20, Fork::Gloas), (5, Fork::Electra)]), None)
        }
        _ => (Fork::Fulu, None),
    };
    let mut story = Story {
        seed: rng.below(1 << 40),
        fork,
        next_fork,
        tip_lead: rng.weighted(&[(70, 1), (20, 2), (10, 3)]),
        history: if kind == Kind::Crossing { 48 } else { rng.between(48, 62) },
        slots: 64,
        events: Vec::new(),
        stretch: None,
        twin: None,
    };
    story.events = events(&mut rng, kind, &story);
    story.events.extend(token::events(&format!("{kind:?} {number}"), pool, story.slots));
    keep_what_is_final(&mut story);
    match kind {
        Kind::Hours => story.stretch = Some(Stretch { after: 4, slots: 540, pace: 8 }),
        Kind::Days => story.stretch = Some(Stretch { after: 4, slots: 72_000, pace: 0 }),
        Kind::Minority => {
            let signers = Some(rng.pick(&[1_usize, 10, 21]));
            story.twin = Some(Twin { after: rng.between(0, 6), signers, usurps: false });
        }
        Kind::Usurped => {
            // The period ends with slot 63; before that a block of the branch must have been signed.
            story.history = rng.between(52, 57);
            let signers = Some(rng.pick(&[10_usize, 21]));
            story.twin = Some(Twin { after: rng.below(2), signers, usurps: true });
        }
        Kind::Split => {
            story.twin = Some(Twin { after: rng.between(1, 6), signers: None, usurps: false });
            // If the newest head is behind the clock, all sources are asked, and contradict each other.
            story.tip_lead = rng.between(2, 3);
        }
        _ => {}
    }
    if story.stretch.is_some() {
        story.slots = 16;
    }
    story
}

fn events(rng: &mut Rng, kind: Kind, story: &Story) -> Vec<(u64, Event)> {
    let mut events = Vec::new();
    for slot in 1..=story.slots {
        if rng.chance(25) {
            let wei = rng.pick(&[0, 1, 7_000_000_000, 1_500_000_000_000_000_000, u64::MAX]);
            let owner = rng.pick(&[0_usize, 0, 1, 2]);
            events.push((slot, Event::Balance { owner, wei }));
        }
        let skip = if kind == Kind::Eventful { 15 } else { 4 };
        if rng.chance(skip) {
            events.push((slot, Event::Skip));
        }
        let abandon = match kind {
            Kind::Reorganised => 12,
            Kind::Eventful => 3,
            _ => 0,
        };
        if rng.chance(abandon) {
            events.push((slot, Event::Abandon { depth: rng.between(1, story.tip_lead.saturating_add(2)) }));
        }
        if story.fork >= Fork::Gloas && rng.chance(5) {
            events.push((slot, Event::Withhold));
        }
    }
    if kind == Kind::Eventful {
        let from = rng.between(1, 40);
        let until = from.saturating_add(rng.between(2, 20));
        if rng.chance(50) {
            let few = rng.pick(&[1_usize, 15, 21]);
            events.extend([(from, Event::Signers(Some(few))), (until, Event::Signers(None))]);
        } else {
            events.extend([(from, Event::Stall(true)), (until, Event::Stall(false))]);
        }
    }
    events
}

/// Removes events that would replace finalized blocks: only a consensus fault does that.
fn keep_what_is_final(story: &mut Story) {
    /// Slots in an epoch. An epoch is final two epochs after its end.
    const EPOCH: u64 = 8;
    let mut blocks: Vec<u64> = (0..=story.history).collect();
    let mut too_deep: Vec<u64> = Vec::new();
    for slot in 1..=story.slots {
        let here = || story.events.iter().filter(|(at, _)| *at == slot).map(|(_, event)| *event);
        let now = story.history.saturating_add(slot);
        let newest_final = (now.saturating_sub(1) / EPOCH).saturating_sub(2).saturating_mul(EPOCH);
        let depth = here().find_map(|event| match event {
            Event::Abandon { depth } => usize::try_from(depth).ok(),
            _ => None,
        });
        if let Some(depth) = depth {
            let left = blocks.len().saturating_sub(depth);
            let newest_left = left.checked_sub(1).and_then(|place| blocks.get(place));
            if newest_left.is_some_and(|newest| *newest >= newest_final) {
                blocks.truncate(left);
            } else {
                too_deep.push(slot);
            }
        }
        if here().all(|event| event != Event::Skip) {
            blocks.push(now);
        }
    }
    let is_abandon = |event: &Event| matches!(event, Event::Abandon { .. });
    story.events.retain(|(at, event)| !(is_abandon(event) && too_deep.contains(at)));
}
