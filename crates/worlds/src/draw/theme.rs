//! The theme of a world: most worlds mix everything, some aim at rare situations.

use saldo_beacon::Fork;

use super::{Kind, choices, lacking, parties, slot_by_slot};
use crate::behaviour::Behaviour;
use crate::party::Party;
use crate::rng::Rng;
use crate::story::Event;
use crate::world::{Start, Step, Table, Wants, World};

/// The theme of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theme {
    Everything,
    /// All providers behave alike.
    Alike,
    /// One provider is honest, the others are not, and the sources are good.
    OneIsHonest,
    /// The honest providers prove only their tip.
    TipOnly,
    /// Reorganisations, while providers fail.
    Reorganisation,
    /// All sources behave alike.
    SourcesAlike,
    /// Every way of starting trust.
    Trust,
    /// The device's clock is off.
    Clock,
    /// It sleeps for hours, or for days.
    Sleep,
    /// The wallet does not know the next fork.
    NewFork,
    /// A minority has a branch of its own, and a source serves it.
    Minority,
    /// Two thirds sign two branches.
    Split,
    /// The deadline is near the moment when the head arrives.
    LastMoment,
    /// Headers with an unknown layout.
    OddHeaders,
    /// All parties fail for a while, and the user reads again and again.
    Outage,
    /// Providers fall behind blocks that were proven already.
    FallingBehind,
    /// No source serves the update with the next committee.
    NoCommitteeUpdate,
    /// A minority names a committee of its own, and a source serves it.
    Usurped,
}

impl Theme {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        rng.weighted(&[
            (48, Self::Everything),
            (8, Self::Alike),
            (12, Self::OneIsHonest),
            (4, Self::TipOnly),
            (6, Self::Reorganisation),
            (3, Self::SourcesAlike),
            (4, Self::Trust),
            (3, Self::Clock),
            (2, Self::Sleep),
            (2, Self::NewFork),
            (3, Self::Minority),
            (3, Self::Split),
            (1, Self::LastMoment),
            (1, Self::OddHeaders),
            (2, Self::Outage),
            (1, Self::FallingBehind),
            (1, Self::NoCommitteeUpdate),
            (1, Self::Usurped),
        ])
    }

    pub(super) fn kind(self, rng: &mut Rng) -> Kind {
        match self {
            Self::Reorganisation => Kind::Reorganised,
            Self::Sleep => rng.pick(&[Kind::Hours, Kind::Days]),
            Self::Trust => rng.pick(&[Kind::Plain, Kind::Days]),
            Self::NewFork => Kind::Crossing,
            Self::Minority => Kind::Minority,
            Self::Split => Kind::Split,
            Self::Usurped => Kind::Usurped,
            Self::OneIsHonest | Self::TipOnly | Self::Alike | Self::Outage => {
                rng.pick(&[Kind::Plain, Kind::Plain, Kind::Eventful])
            }
            Self::SourcesAlike
            | Self::Clock
            | Self::LastMoment
            | Self::OddHeaders
            | Self::FallingBehind
            | Self::NoCommitteeUpdate => Kind::Plain,
            Self::Everything => rng.weighted(&[
                (40, Kind::Plain),
                (35, Kind::Eventful),
                (12, Kind::Reorganised),
                (8, Kind::Crossing),
                (1, Kind::Hours),
                (4, Kind::Minority),
            ]),
        }
    }

    /// Changes `world` to this theme.
    pub(super) fn apply(self, world: &mut World, rng: &mut Rng) {
        match self {
            Self::Everything | Self::Sleep => {}
            Self::Alike => {
                let all = [&Behaviour::FAILURES[..], &Behaviour::OF_PROVIDERS].concat();
                alike(&mut world.providers, rng.pick(&all));
                alike(&mut world.sources, Behaviour::Honest);
            }
            Self::OneIsHonest => one_is_honest(world, rng),
            Self::TipOnly => tip_only(world, rng),
            Self::Reorganisation => reorganisation(world, rng),
            Self::SourcesAlike => {
                let all = [&Behaviour::FAILURES[..], &Behaviour::OF_SOURCES].concat();
                let from = rng.pick(&[0_u64, 0, 14_000]);
                let phases = vec![(0, Behaviour::Honest), (from, rng.pick(&all))];
                world.sources.iter_mut().for_each(|party| party.phases.clone_from(&phases));
            }
            Self::Trust => trust(world, rng),
            Self::Clock => clock(world, rng),
            Self::FallingBehind => falling_behind(world, rng),
            Self::NoCommitteeUpdate => {
                alike(&mut world.sources, Behaviour::NoUpdates);
                alike(&mut world.providers, Behaviour::Honest);
                world.steps = vec![Step::Read(vec![0]), Step::Pass(rng.between(190_000, 400_000))];
                world.steps.extend(slot_by_slot(2));
            }
            Self::NewFork => new_fork(world, rng),
            Self::Usurped => usurped(world, rng),
            Self::Minority | Self::Split => two_branches(world, rng),
            Self::LastMoment => {
                world.sources = vec![Party::always(Behaviour::Lagging(2)), Party::always(Behaviour::Hang)];
                world.sources.iter_mut().for_each(|party| party.latency = rng.between(1_200, 1_900));
                (world.trust, world.wants) = (Start::Given, Wants::USUAL);
            }
            Self::OddHeaders => {
                world.story.fork = Fork::Gloas;
                world.story.next_fork = None;
                alike(&mut world.sources, Behaviour::Honest);
                alike(&mut world.providers, Behaviour::OddHeader);
            }
            Self::Outage => outage(world, rng),
        }
    }
}

/// One provider proves its tip, and the others prove nothing.
fn tip_only(world: &mut World, rng: &mut Rng) {
    let others = [Behaviour::Refuse, Behaviour::Status(503), Behaviour::NoProofs];
    world.providers.iter_mut().for_each(|party| *party = Party::always(rng.pick(&others)));
    let index = rng.below(u64::try_from(world.providers.len()).unwrap_or(1));
    put(&mut world.providers, index, Behaviour::TipOnly);
    alike(&mut world.sources, Behaviour::Honest);
    (world.outages, world.wants, world.trust) = (Vec::new(), Wants::USUAL, Start::Given);
    world.steps = slot_by_slot(rng.between(4, 7));
}

/// The clock is set early, and sometimes corrected at the end.
fn clock(world: &mut World, rng: &mut Rng) {
    let off = rng.pick(&[-864_000, -3_600, -120, -30, -12, 5, 12, 60, 300, 1_000, 864_000]);
    let place = usize::try_from(rng.below(3)).unwrap_or(0).min(world.steps.len());
    world.steps.insert(place, Step::Clock(off));
    if rng.chance(50) {
        world.steps.extend([Step::Clock(0), Step::Read(vec![0])]);
    }
}

/// After some reads all providers fall behind.
fn falling_behind(world: &mut World, rng: &mut Rng) {
    let behind = Behaviour::Lagging(world.story.tip_lead.saturating_add(rng.between(1, 3)));
    let from = rng.between(26_000, 50_000);
    for party in &mut world.providers {
        party.phases = vec![(0, Behaviour::Honest), (from, behind)];
    }
    alike(&mut world.sources, Behaviour::Honest);
    world.steps = slot_by_slot(6);
}

/// The wallet reads before and after a fork that its table lacks.
fn new_fork(world: &mut World, rng: &mut Rng) {
    let fork = world.story.next_fork.map_or(Fork::Gloas, |(fork, _)| fork);
    world.table = lacking(rng, fork);
    alike(&mut world.sources, Behaviour::Honest);
    world.steps = vec![
        Step::Read(vec![0]),
        Step::Pass(200_000),
        Step::Read(vec![0]),
        Step::Pass(250_000),
        Step::Read(vec![0, 1]),
    ];
}

/// Some sources and providers serve the other branch from some time on.
fn two_branches(world: &mut World, rng: &mut Rng) {
    let twin = |party: &mut Party| party.phases.push((rng.below(30_000), Behaviour::Twin));
    world.sources.iter_mut().chain(&mut world.providers).take(4).for_each(twin);
    rng.chance(50).then(|| world.sources.reverse());
    for party in world.sources.iter_mut().chain(&mut world.providers) {
        party.phases.sort_by_key(|(from, _)| *from);
    }
}

/// All providers fail in the same way for a while, and the wallet reads every three seconds.
fn outage(world: &mut World, rng: &mut Rng) {
    let until = rng.between(20_000, 90_000);
    let failure = rng.pick(&Behaviour::FAILURES);
    for party in &mut world.providers {
        party.phases = vec![(0, Behaviour::Honest), (14_000, failure), (until, Behaviour::Honest)];
    }
    alike(&mut world.sources, Behaviour::Honest);
    world.steps = (0..30).flat_map(|_| [Step::Read(vec![0]), Step::Pass(3_000)]).collect();
}

/// All sources, or all but one, and some providers serve the usurpers' branch around the end of the period.
fn usurped(world: &mut World, rng: &mut Rng) {
    alike(&mut world.sources, Behaviour::Twin);
    if rng.chance(40) {
        put(&mut world.sources, rng.below(4), Behaviour::Honest);
    }
    for party in &mut world.providers {
        party.phases = vec![(0, rng.pick(&[Behaviour::Twin, Behaviour::Honest]))];
    }
    (world.outages, world.wants, world.trust) = (Vec::new(), Wants::USUAL, Start::Given);
    world.steps = slot_by_slot(12);
}

fn alike(parties: &mut [Party], behaviour: Behaviour) {
    parties.iter_mut().for_each(|party| party.phases = vec![(0, behaviour)]);
}

fn put(parties: &mut [Party], index: u64, behaviour: Behaviour) {
    if let Some(party) = usize::try_from(index).ok().and_then(|index| parties.get_mut(index)) {
        *party = Party::always(behaviour);
    }
}

fn one_is_honest(world: &mut World, rng: &mut Rng) {
    let choices = choices(&[Behaviour::Honest], &Behaviour::OF_PROVIDERS);
    let many = rng.between(2, 6);
    world.providers = parties(rng, many, &choices, 0);
    put(&mut world.providers, rng.below(many), Behaviour::Honest);
    for party in &mut world.sources {
        if rng.chance(60) {
            party.phases = vec![(0, Behaviour::Honest)];
        }
    }
    put(&mut world.sources, rng.below(4), Behaviour::Honest);
    world.outages.clear();
    world.wants.operators = usize::MAX;
}

/// Blocks are replaced, and no provider is reachable to prove the new ones.
fn reorganisation(world: &mut World, rng: &mut Rng) {
    let deep = world.story.tip_lead;
    let passed_over = world.story.events.iter().find_map(|(at, event)| match event {
        Event::Abandon { depth } if *depth > deep => Some(*at),
        _ => None,
    });
    let at = passed_over.unwrap_or(4).min(12);
    let down = at.saturating_mul(12_000).saturating_sub(rng.below(6_000));
    for party in &mut world.providers {
        party.phases = vec![(0, Behaviour::Honest), (down, Behaviour::Status(503))];
    }
    alike(&mut world.sources, Behaviour::Honest);
    // From a little before to a little after.
    world.steps =
        vec![Step::Pass(at.saturating_sub(3).saturating_mul(12_000).saturating_add(rng.below(4_000)))];
    world.steps.extend(slot_by_slot(deep.saturating_add(7)));
    world.outages.clear();
    world.wants = Wants::USUAL;
}

fn trust(world: &mut World, rng: &mut Rng) {
    match rng.below(4) {
        0 => world.trust = Start::GivenWithWrongSlot,
        1 => alike(&mut world.sources, Behaviour::NoBootstrap),
        _ => by_agreement(world, rng),
    }
    if rng.chance(30) {
        // The first read comes after the leap: the given checkpoint is old by then.
        let over = world.story.stretch_over_at().unwrap_or(0);
        let steps = std::mem::take(&mut world.steps);
        let rest = steps.into_iter().filter(|step| !matches!(step, Step::Sleep(_)));
        world.steps = [Step::Sleep(over)].into_iter().chain(rest).collect();
    }
}

/// Trust starts where checkpoint sources agree.
pub(super) fn by_agreement(world: &mut World, rng: &mut Rng) {
    let many = rng.between(3, 5);
    let bad = [
        Behaviour::OtherRoot,
        Behaviour::OtherRoot,
        Behaviour::OtherChain,
        Behaviour::OtherChain,
        Behaviour::NotFinalized,
        Behaviour::NoRoute,
    ];
    let choices = choices(&[Behaviour::Honest], &bad);
    let good = rng.pick(&[20_u64, 80, 95]);
    world.witnesses = parties(rng, many, &choices, good);
    (0..).zip(&mut world.witnesses).for_each(|(index, party)| party.operator = index);
    world.trust = if rng.chance(50) { Start::Agreement(2) } else { Start::Both(2) };
    world.table = Table::Complete;
}

/// If trust starts from agreement, fewer sources name the same wrong block than are needed to agree: against more there is no
/// defence.
pub(super) fn no_conspiracy(world: &mut World) {
    let needed = match world.trust {
        Start::Agreement(needed) | Start::Both(needed) => needed,
        Start::Given | Start::GivenWithWrongSlot => return,
    };
    // Sources with the same fault name the same block.
    for lie in [Behaviour::OtherRoot, Behaviour::OtherChain] {
        for outage in world.outages.iter_mut().filter(|outage| outage.how == lie) {
            outage.how = Behaviour::Hang;
        }
        // A source that lies in any phase counts in all.
        let may_lie = needed.saturating_sub(1);
        let is_liar = |party: &Party| party.phases.iter().any(|(_, behaviour)| *behaviour == lie);
        for party in world.witnesses.iter_mut().filter(|party| is_liar(party)).skip(may_lie) {
            for (_, behaviour) in party.phases.iter_mut().filter(|(_, behaviour)| *behaviour == lie) {
                *behaviour = Behaviour::NotFinalized;
            }
        }
    }
}
