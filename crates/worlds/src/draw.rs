//! The world of a seed.

mod chain;
mod device;
mod theme;
mod token;

use saldo_beacon::Fork;

use super::behaviour::Behaviour;
use super::party::{Outage, Party, Scope};
use super::rng::Rng;
use super::world::{Start, Step, Table, Wants, World};
use chain::Kind;
use theme::Theme;

/// The world of `seed`.
pub fn draw(seed: u64) -> World {
    let mut rng = Rng::new(seed, "world");
    let theme = Theme::draw(&mut rng);
    let story = chain::story(seed, theme.kind(&mut rng), &mut rng);
    let many = rng.between(1, 6);
    let providers =
        parties(&mut rng, many, &choices(&Behaviour::GOOD_PROVIDERS, &Behaviour::OF_PROVIDERS), 45);
    let many = rng.between(1, 4);
    let sources = parties(&mut rng, many, &choices(&Behaviour::GOOD_SOURCES, &Behaviour::OF_SOURCES), 60);
    let mut world = World {
        seed,
        providers,
        sources,
        witnesses: Vec::new(),
        outages: outages(&mut rng),
        trust: Start::Given,
        table: Table::Complete,
        wants: wants(&mut rng),
        steps: device::life(&mut rng, &story),
        story,
    };
    for source in &mut world.sources {
        source.is_mirror = rng.chance(8);
        // A mirror has SSZ files only, and their names have the forks of their slots.
        let is_odd = |behaviour: &Behaviour| {
            matches!(
                behaviour,
                Behaviour::JsonOnly
                    | Behaviour::WithoutVersion
                    | Behaviour::Relabelled(_)
                    | Behaviour::Capitals
                    | Behaviour::LaterFields
                    | Behaviour::TextAtFirst(_)
                    | Behaviour::PageAtFirst(_)
            )
        };
        let odd = source.phases.iter_mut().filter(|(_, behaviour)| is_odd(behaviour));
        odd.filter(|_| source.is_mirror).for_each(|(_, behaviour)| *behaviour = Behaviour::Honest);
    }
    if rng.chance(12) {
        theme::by_agreement(&mut world, &mut rng);
    }
    theme.apply(&mut world, &mut rng);
    theme::no_conspiracy(&mut world);
    token::read(&mut world);
    world
}

/// The behaviours of one kind of party: the good ones, and all others.
struct Choices {
    good: Vec<Behaviour>,
    bad: Vec<Behaviour>,
}

fn choices(good: &[Behaviour], bad: &[Behaviour]) -> Choices {
    Choices { good: good.to_vec(), bad: [&Behaviour::FAILURES, bad].concat() }
}

impl Choices {
    fn one(&self, rng: &mut Rng, good: u64) -> Behaviour {
        if !rng.chance(good) {
            return rng.pick(&self.bad);
        }
        // Mostly plain honesty.
        if rng.chance(60) { Behaviour::Honest } else { rng.pick(&self.good) }
    }
}

/// Draws this many parties, each good in this percentage of its phases.
fn parties(rng: &mut Rng, many: u64, choices: &Choices, good: u64) -> Vec<Party> {
    (0..many)
        .map(|index| {
            let changes = rng.pick(&[0_u64, 0, 0, 1, 1, 2]);
            let mut phases = vec![(0, choices.one(rng, good))];
            let mut from = 0_u64;
            for _ in 0..changes {
                from = from.saturating_add(rng.between(500, 120_000));
                phases.push((from, choices.one(rng, good)));
            }
            // Sometimes one operator has two names.
            let operator = if rng.chance(15) { 0 } else { index };
            let limit = rng.chance(6).then(|| rng.between(4, 60));
            let latency = rng.pick(&[0, 0, 30, 120, 250]);
            Party { operator, hosting: rng.below(3), latency, limit, is_mirror: false, phases }
        })
        .collect()
}

fn outages(rng: &mut Rng) -> Vec<Outage> {
    let many = rng.pick(&[0_u64, 0, 0, 1, 1, 2]);
    (0..many)
        .map(|_| {
            let scope = match rng.chance(50) {
                true => Scope::Operator(rng.below(6)),
                false => Scope::Hosting(rng.below(3)),
            };
            let from = rng.below(120_000);
            let until = from.saturating_add(rng.between(1_000, 200_000));
            Outage { scope, from, until, how: rng.pick(&Behaviour::FAILURES) }
        })
        .collect()
}

fn wants(rng: &mut Rng) -> Wants {
    Wants {
        finalized: rng.chance(10),
        operators: rng.weighted(&[(85, usize::MAX), (5, 1), (5, 2), (5, 3)]),
        strict: rng.weighted(&[(50, false), (50, true)]),
        deadline: rng.weighted(&[(85, 4_000), (5, 1_500), (10, 20_000)]),
    }
}

/// The part of the fork table that the wallet lacks, where the chain reaches a fork.
fn lacking(rng: &mut Rng, fork: Fork) -> Table {
    if rng.chance(50) { Table::Without(fork) } else { Table::WithoutTimeOf(fork) }
}

/// Reads all accounts once in each of this many slots.
fn slot_by_slot(slots: u64) -> Vec<Step> {
    (0..slots).flat_map(|_| [Step::Read(vec![0]), Step::Pass(12_000)]).collect()
}
