//! The parties that are asked: each behaves differently in each phase.

use super::behaviour::Behaviour;

/// A provider or a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The number of its operator.
    pub operator: u64,
    /// The number of its hosting.
    pub hosting: u64,
    /// The latency of each answer without the network, in milliseconds.
    pub latency: u64,
    /// Its rate limit in requests a minute; `None`: none.
    pub limit: Option<u64>,
    /// Whether it is a mirror: a source that serves only files of light-client data.
    pub is_mirror: bool,
    /// Its phases: the behaviour from when on, in milliseconds since the beginning; the first from 0.
    pub phases: Vec<(u64, Behaviour)>,
}

/// A time during which all parties of one operator or hosting fail together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The parties.
    pub scope: Scope,
    /// When it begins, in milliseconds since the beginning.
    pub from: u64,
    /// When it is over.
    pub until: u64,
    /// Their behaviour meanwhile.
    pub how: Behaviour,
}

/// What fails together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of this operator.
    Operator(u64),
    /// All of this hosting.
    Hosting(u64),
}

impl Party {
    /// A party with one phase.
    pub fn always(behaviour: Behaviour) -> Self {
        Self {
            operator: 0,
            hosting: 0,
            latency: 0,
            limit: None,
            is_mirror: false,
            phases: vec![(0, behaviour)],
        }
    }

    /// Its behaviour at that time, in milliseconds since the beginning.
    pub fn at(&self, time: u64, outages: &[Outage]) -> Behaviour {
        let outage = outages.iter().find(|outage| self.suffers(outage) && outage.is_on(time));
        let phase = self.phases.iter().rev().find(|(from, _)| *from <= time);
        outage
            .map(|outage| outage.how)
            .or(phase.map(|(_, behaviour)| *behaviour))
            .unwrap_or(Behaviour::Honest)
    }

    /// Its behaviour, if that is the same from `from` until `until`.
    pub fn during(&self, from: u64, until: u64, outages: &[Outage]) -> Option<Behaviour> {
        let behaviour = self.at(from, outages);
        let changes = self.changes(outages);
        let mut within = changes.into_iter().filter(|change| (from..=until).contains(change));
        within.all(|change| self.at(change, outages) == behaviour).then_some(behaviour)
    }

    /// All its behaviours between `from` and `until`.
    pub fn all_during(&self, from: u64, until: u64, outages: &[Outage]) -> Vec<Behaviour> {
        let changes = self.changes(outages).into_iter().filter(|change| (from..=until).contains(change));
        [from].into_iter().chain(changes).map(|time| self.at(time, outages)).collect()
    }

    /// The times when its behaviour changes.
    pub(super) fn changes(&self, outages: &[Outage]) -> Vec<u64> {
        let phases = self.phases.iter().map(|(from, _)| *from);
        let outages = outages.iter().filter(|outage| self.suffers(outage));
        phases.chain(outages.flat_map(|outage| [outage.from, outage.until])).collect()
    }

    fn suffers(&self, outage: &Outage) -> bool {
        match outage.scope {
            Scope::Operator(operator) => self.operator == operator,
            Scope::Hosting(hosting) => self.hosting == hosting,
        }
    }
}

impl Outage {
    fn is_on(&self, time: u64) -> bool {
        (self.from..self.until).contains(&time)
    }
}
