//! The files of a mirror: their names, and their possible forks.

use alloy_primitives::B256;
use saldo_beacon::unit::{Epoch, Period, Slot, UnixTime};
use saldo_beacon::{Network as Schedule, ScheduledFork};

/// A light-client object that is a file of a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// The bootstrap of the block with this root.
    Bootstrap(B256),
    /// An update of this period, with the next committee.
    Update(Period),
    /// The newest finality update.
    FinalityUpdate,
    /// The newest optimistic update.
    OptimisticUpdate,
}

impl File {
    /// The object's path, if it is of this fork, relative to the mirror's URL or folder.
    pub fn path(&self, fork: &str) -> String {
        format!("{}{}", self.stem(), Self::ending(fork))
    }

    /// The part of the object's path before the fork's name.
    pub(super) fn stem(&self) -> String {
        match self {
            Self::Bootstrap(root) => format!("bootstrap/{root}"),
            Self::Update(period) => format!("updates/{period}"),
            Self::FinalityUpdate => "finality_update".to_owned(),
            Self::OptimisticUpdate => "optimistic_update".to_owned(),
        }
    }

    pub(super) fn ending(fork: &str) -> String {
        format!(".{}.ssz", fork.to_ascii_lowercase())
    }

    /// The possible forks of the object at `now`, the most likely first.
    ///
    /// An object has the form of the fork at its slot or, because fork times change after a release, of the next fork. No file of
    /// another fork can be read, so it is not looked for.
    pub(super) fn forks<'a>(&self, schedule: &'a Schedule, now: UnixTime) -> Vec<&'a ScheduledFork> {
        let present = schedule.slot_at(now).unwrap_or(Slot::new(0));
        let current = at(schedule, schedule.epoch_at(present));
        let before = |fork: Option<&ScheduledFork>| {
            let earlier = fork?.epoch()?.checked_sub(1)?;
            at(schedule, earlier)
        };
        let possible = match self {
            Self::Update(period) => {
                let first = schedule.period_start(*period);
                let last = schedule.period_start(period.saturating_add(1)).saturating_sub(1);
                vec![
                    at(schedule, schedule.epoch_at(first)),
                    at(schedule, schedule.epoch_at(last)),
                    schedule.fork_after(last),
                    schedule.fork_after(first),
                ]
            }
            // The newest object may be from before a fork: just after the fork, or if the mirror is not kept fresh.
            Self::FinalityUpdate | Self::OptimisticUpdate => {
                vec![current, schedule.fork_after(present), before(current)]
            }
            // The root does not say how old the block is.
            Self::Bootstrap(_) => {
                let previous = before(current);
                vec![current, previous, schedule.fork_after(present), before(previous)]
            }
        };
        let mut forks: Vec<&ScheduledFork> = Vec::new();
        for fork in possible.into_iter().flatten() {
            if !forks.contains(&fork) {
                forks.push(fork);
            }
        }
        forks
    }
}

fn at(schedule: &Schedule, epoch: Epoch) -> Option<&ScheduledFork> {
    schedule.forks().iter().rfind(|fork| fork.epoch().is_some_and(|start| start <= epoch))
}

#[cfg(test)]
mod tests {
    use saldo_beacon::Network;

    use super::*;

    fn names(file: File, slot: u64) -> Vec<String> {
        let network = Network::mainnet();
        let now = network.slot_start(Slot::new(slot));
        file.forks(&network, now).iter().map(|fork| fork.name().to_owned()).collect()
    }

    #[test]
    fn a_name_has_the_object_and_the_fork() {
        let root = B256::repeat_byte(0xab);
        let hex = "ab".repeat(32);
        assert_eq!(File::Bootstrap(root).path("fulu"), format!("bootstrap/0x{hex}.fulu.ssz"));
        assert_eq!(File::Update(Period::new(1423)).path("Electra"), "updates/1423.electra.ssz");
        assert_eq!(File::FinalityUpdate.path("gloas"), "finality_update.gloas.ssz");
        assert_eq!(File::OptimisticUpdate.path("gloas"), "optimistic_update.gloas.ssz");
    }

    /// On mainnet Electra begins at epoch 364032, and Fulu at 411392; each is the first of a period.
    #[test]
    fn the_most_likely_fork_comes_first() {
        let (electra, fulu) = (364_032 * 32, 411_392 * 32);
        assert_eq!(names(File::FinalityUpdate, electra + 5)[..3], ["electra", "fulu", "deneb"]);
        assert_eq!(names(File::OptimisticUpdate, fulu - 1)[..3], ["electra", "fulu", "deneb"]);
        assert_eq!(names(File::OptimisticUpdate, fulu)[..1], ["fulu"]);
        let root = B256::ZERO;
        assert_eq!(names(File::Bootstrap(root), electra)[..], ["electra", "deneb", "fulu", "capella"]);
        let update = |epoch: u64| names(File::Update(Period::new(epoch / 256)), fulu);
        assert_eq!(update(364_031), ["deneb", "electra"]);
        assert_eq!(update(364_032), ["electra", "fulu"]);
        // At most four names are tried, whatever the clock says.
        for slot in [0, electra, fulu, u64::MAX / 64] {
            assert!(names(File::Bootstrap(root), slot).len() <= 4);
            assert!(names(File::FinalityUpdate, slot).len() <= 3);
        }
    }
}
