//! Tokens: what happens to them, who reads them, and which provider lies about them.
//!
//! The choices have a seed of their own, so that everything else in a world stays as it was without tokens.

use crate::behaviour::{Behaviour, Worth};
use crate::rng::Rng;
use crate::story::Event;
use crate::token::{Target, TokenEvent};
use crate::world::{Step, World};

/// The places of the tokens in [`HOLDINGS`](crate::HOLDINGS).
const TOKENS: [usize; 11] = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
/// The places whose owners hold tokens with a known layout, at least at first.
const PROVABLE: [usize; 8] = [3, 4, 5, 6, 7, 8, 11, 12];

/// What happens to the tokens of a story.
pub(super) fn events(story: &str, pool: u64, slots: u64) -> Vec<(u64, Event)> {
    let mut rng = Rng::new(pool, &format!("tokens of story {story}"));
    let mut events = Vec::new();
    for slot in 1..=slots {
        if rng.chance(25) {
            let units = rng.pick(&[0, 1, 7_000_000_000, u64::MAX]);
            let units = TokenEvent::Units { place: rng.pick(&PROVABLE), units, is_blocked: rng.chance(40) };
            events.push((slot, Event::Token(units)));
        }
        if rng.chance(9) {
            let target = rng.weighted(&[
                (35, Target::First),
                (35, Target::OtherSlot),
                (12, Target::Unknown),
                (6, Target::NotRun),
                (12, Target::NoCode),
            ]);
            events.push((slot, Event::Token(TokenEvent::Upgrade(target))));
        }
        if rng.chance(6) {
            events.push((slot, Event::Token(TokenEvent::Deprecated(rng.chance(50)))));
        }
    }
    events
}

/// In some worlds tokens are read, beside the coin or in its place, and some liars lie about them.
pub(super) fn read(world: &mut World) {
    let mut rng = Rng::new(world.seed, "tokens");
    if rng.chance(55) {
        return;
    }
    let usual = places(&mut rng);
    for step in &mut world.steps {
        let Step::Read(places) = step else { continue };
        match rng.below(10) {
            0 | 1 => {}
            2 => *places = self::places(&mut rng),
            3 => places
                .extend(usual.iter().filter(|place| !places.contains(place)).copied().collect::<Vec<_>>()),
            _ => places.clone_from(&usual),
        }
    }
    for party in &mut world.providers {
        for (_, behaviour) in &mut party.phases {
            let is_lie = behaviour.worth() == Worth::False && *behaviour != Behaviour::Twin;
            if is_lie && rng.chance(50) {
                *behaviour = rng.pick(&Behaviour::ABOUT_TOKENS);
            }
        }
    }
}

/// One token, two, or all of them.
fn places(rng: &mut Rng) -> Vec<usize> {
    match rng.below(10) {
        0 => TOKENS.to_vec(),
        1 => vec![5, 6],
        2 | 3 => {
            let (first, second) = (rng.pick(&TOKENS), rng.pick(&TOKENS));
            if first == second { vec![first] } else { vec![first, second] }
        }
        4..=6 => vec![rng.pick(&PROVABLE)],
        _ => vec![rng.pick(&TOKENS)],
    }
}
