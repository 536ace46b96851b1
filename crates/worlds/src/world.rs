//! A world as plain data: its parties, its events, and the steps of the device.

use saldo_beacon::Fork;

use super::party::{Outage, Party};
use super::story::Story;

/// Everything that a run follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// The seed of the network latencies.
    pub seed: u64,
    /// The chain.
    pub story: Story,
    /// The execution providers, in the order in which the wallet names them.
    pub providers: Vec<Party>,
    /// The beacon sources, in the order in which the wallet names them.
    pub sources: Vec<Party>,
    /// The checkpoint sources.
    pub witnesses: Vec<Party>,
    /// Outages of several parties at once.
    pub outages: Vec<Outage>,
    /// Where the wallet's trust starts.
    pub trust: Start,
    /// What the wallet knows of the chain's forks.
    pub table: Table,
    /// What the wallet asks of a reading.
    pub wants: Wants,
    /// What the device does, one after another.
    pub steps: Vec<Step>,
}

/// Where a wallet's trust starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the block that is final when the world begins.
    Given,
    /// The same, with a slot that is wrong.
    GivenWithWrongSlot,
    /// Where this many operators of the checkpoint sources agree.
    Agreement(usize),
    /// At the given block; where they agree, once that is too old.
    Both(usize),
}

/// What a wallet knows of the forks of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// All forks.
    Complete,
    /// That this fork will come, without its epoch.
    WithoutTimeOf(Fork),
    /// Nothing of this fork.
    Without(Fork),
}

/// What a wallet asks of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    /// Whether only finalized amounts count.
    pub finalized: bool,
    /// How many operators may see an address.
    pub operators: usize,
    /// Whether no further operators see it even if none of these proves anything.
    pub strict: bool,
    /// How long a read may take, in milliseconds.
    pub deadline: u64,
}

/// One thing that the device does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It reads these [`HOLDINGS`](super::HOLDINGS).
    Read(Vec<usize>),
    /// It does nothing for this many milliseconds.
    Pass(u64),
    /// It sleeps for this many seconds.
    Sleep(u64),
    /// It loses its network (`true`), or finds it.
    Offline(bool),
    /// The app reports that the network is lost or found, rightly or wrongly.
    Says(bool),
    /// Its clock is off by this many seconds from now on; behind if negative.
    Clock(i64),
    /// The app is killed, and started again with its storage.
    Restart,
}

impl Wants {
    /// The usual demands, with any number of operators.
    pub const USUAL: Self = Self { finalized: false, operators: usize::MAX, strict: false, deadline: 4_000 };

    /// How old a block may be, in seconds, beyond the slots that are allowed for.
    pub fn max_age(&self) -> u64 {
        if self.finalized { 1_800 } else { 300 }
    }
}

impl World {
    /// A world in which the parties never change, and one account is read once.
    pub fn of_one_read(story: Story, providers: Vec<Party>, sources: Vec<Party>) -> Self {
        Self {
            seed: 1,
            story,
            providers,
            sources,
            witnesses: Vec::new(),
            outages: Vec::new(),
            trust: Start::Given,
            table: Table::Complete,
            wants: Wants::USUAL,
            steps: vec![Step::Read(vec![0])],
        }
    }

    /// The number of its parts, which shrinking reduces.
    pub fn size(&self) -> usize {
        let phases = |parties: &[Party]| {
            parties.iter().fold(0_usize, |sum, party| {
                sum.saturating_add(party.phases.len()).saturating_add(1).saturating_add(
                    usize::from(party.latency > 0).saturating_add(usize::from(party.limit.is_some())),
                )
            })
        };
        [
            phases(&self.providers),
            phases(&self.sources),
            phases(&self.witnesses),
            self.outages.len(),
            self.steps.len(),
            self.story.events.len(),
            usize::from(self.story.twin.is_some()),
            usize::from(self.story.stretch.is_some()),
            usize::from(self.story.next_fork.is_some()),
        ]
        .iter()
        .fold(0, |sum, part| sum.saturating_add(*part))
    }
}
