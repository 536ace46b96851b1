//! The world of a seed.

mod chain;
mod device;
mod theme;

use saldo_beacon::Fork;

use super::behaviour::Behaviour;
use super::dice::Dice;
use super::party::{Outage, Party, Scope};
use super::world::{Start, Step, Table, Wants, World};
use chain::Kind;
use theme::Theme;

/// The world of `seed`.
pub fn draw(seed: u64) -> World {
    let mut dice = Dice::new(seed, "world");
    let theme = Theme::draw(&mut dice);
    let story = chain::story(seed, theme.kind(&mut dice), &mut dice);
    let many = dice.between(1, 6);
    let providers =
        parties(&mut dice, many, &choices(&Behaviour::GOOD_PROVIDERS, &Behaviour::OF_PROVIDERS), 45);
    let many = dice.between(1, 4);
    let sources = parties(&mut dice, many, &choices(&Behaviour::GOOD_SOURCES, &Behaviour::OF_SOURCES), 60);
    let mut world = World {
        seed,
        providers,
        sources,
        witnesses: Vec::new(),
        outages: outages(&mut dice),
        trust: Start::Given,
        table: Table::Complete,
        wants: wants(&mut dice),
        steps: device::life(&mut dice, &story),
        story,
    };
    for source in &mut world.sources {
        source.is_mirror = dice.chance(8);
        // A file is SSZ or nothing.
        let odd = source.spells.iter_mut().filter(|(_, behaviour)| *behaviour == Behaviour::JsonOnly);
        odd.filter(|_| source.is_mirror).for_each(|(_, behaviour)| *behaviour = Behaviour::Honest);
    }
    if dice.chance(12) {
        theme::by_agreement(&mut world, &mut dice);
    }
    theme.bend(&mut world, &mut dice);
    theme::no_conspiracy(&mut world);
    world
}

/// What one may be like: as good as any, or anything else.
struct Choices {
    good: Vec<Behaviour>,
    bad: Vec<Behaviour>,
}

fn choices(good: &[Behaviour], bad: &[Behaviour]) -> Choices {
    Choices { good: good.to_vec(), bad: [&Behaviour::FAILURES, bad].concat() }
}

impl Choices {
    fn one(&self, dice: &mut Dice, good: u64) -> Behaviour {
        if !dice.chance(good) {
            return dice.pick(&self.bad);
        }
        // The plain one most of the time.
        if dice.chance(60) { Behaviour::Honest } else { dice.pick(&self.good) }
    }
}

/// So many parties, each of which is good in so many of a hundred spells.
fn parties(dice: &mut Dice, many: u64, choices: &Choices, good: u64) -> Vec<Party> {
    (0..many)
        .map(|index| {
            let changes = dice.pick(&[0_u64, 0, 0, 1, 1, 2]);
            let mut spells = vec![(0, choices.one(dice, good))];
            let mut from = 0_u64;
            for _ in 0..changes {
                from = from.saturating_add(dice.between(500, 120_000));
                spells.push((from, choices.one(dice, good)));
            }
            // Two names of one operator now and then.
            let operator = if dice.chance(15) { 0 } else { index };
            let limit = dice.chance(6).then(|| dice.between(4, 60));
            let latency = dice.pick(&[0, 0, 30, 120, 250]);
            Party { operator, hosting: dice.below(3), latency, limit, is_mirror: false, spells }
        })
        .collect()
}

fn outages(dice: &mut Dice) -> Vec<Outage> {
    let many = dice.pick(&[0_u64, 0, 0, 1, 1, 2]);
    (0..many)
        .map(|_| {
            let scope = match dice.chance(50) {
                true => Scope::Operator(dice.below(6)),
                false => Scope::Hosting(dice.below(3)),
            };
            let from = dice.below(120_000);
            let until = from.saturating_add(dice.between(1_000, 200_000));
            Outage { scope, from, until, how: dice.pick(&Behaviour::FAILURES) }
        })
        .collect()
}

fn wants(dice: &mut Dice) -> Wants {
    Wants {
        finalized: dice.chance(10),
        operators: dice.weighted(&[(85, usize::MAX), (5, 1), (5, 2), (5, 3)]),
        strict: dice.weighted(&[(50, false), (50, true)]),
        deadline: dice.weighted(&[(85, 4_000), (5, 1_500), (10, 20_000)]),
    }
}

/// What the wallet's table lacks, where the chain comes to a fork.
fn lacking(dice: &mut Dice, fork: Fork) -> Table {
    if dice.chance(50) { Table::Without(fork) } else { Table::WithoutTimeOf(fork) }
}

/// Reads all accounts once in each of so many slots.
fn slot_by_slot(slots: u64) -> Vec<Step> {
    (0..slots).flat_map(|_| [Step::Read(vec![0]), Step::Pass(12_000)]).collect()
}
