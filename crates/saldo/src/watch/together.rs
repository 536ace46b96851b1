//! What the networks of one watch say together, where a change is about all holdings.

use saldo_beacon::unit::UnixTime;
use saldo_reading::ProviderId;

use super::change::{Activity, Change};
use crate::storage::StorageError;

/// The activity and the storage of each network, and what the app was told of them.
pub(super) struct Together {
    activities: Vec<Activity>,
    unwritten: Vec<Option<StorageError>>,
    /// `None` where it was told of nothing, or may have lost it.
    told: (Option<Activity>, Option<Option<StorageError>>),
}

impl Together {
    /// Nothing was told of so many networks.
    pub(super) fn new(networks: usize) -> Self {
        Self {
            activities: vec![Activity::Idle; networks],
            unwritten: vec![None; networks],
            told: (None, None),
        }
    }

    /// What the app is told of `change`, which came from the network at `place`; `None` if it changes nothing for all of them.
    pub(super) fn tell(&mut self, place: usize, change: Change) -> Option<Change> {
        match change {
            Change::Activity(activity) => {
                if let Some(known) = self.activities.get_mut(place) {
                    *known = activity;
                }
                let all = all(&self.activities);
                (self.told.0.replace(all.clone()).as_ref() != Some(&all)).then_some(Change::Activity(all))
            }
            Change::Storage { unwritten } => {
                if let Some(known) = self.unwritten.get_mut(place) {
                    *known = unwritten;
                }
                let unwritten = self.unwritten.iter().flatten().next().copied();
                (self.told.1.replace(unwritten) != Some(unwritten)).then_some(Change::Storage { unwritten })
            }
            change => Some(change),
        }
    }

    /// What was told may be lost, so that it is told again.
    pub(super) fn forget_told(&mut self) {
        self.told = (None, None);
    }
}

/// What a watch of several networks does: it fetches if one of them does; else it says what one of them waits for.
fn all(activities: &[Activity]) -> Activity {
    let mut silent: Option<(Vec<ProviderId>, UnixTime)> = None;
    let mut backing_off: Option<UnixTime> = None;
    for activity in activities {
        match activity {
            Activity::Fetching => return Activity::Fetching,
            Activity::NoNewHeads { sources, until } => {
                let (all, first) = silent.get_or_insert_with(|| (Vec::new(), *until));
                let new = sources.iter().filter(|source| !all.contains(source)).cloned().collect::<Vec<_>>();
                all.extend(new);
                *first = (*first).min(*until);
            }
            Activity::BackingOff { until } => {
                backing_off = Some(backing_off.map_or(*until, |first| first.min(*until)));
            }
            Activity::Idle | Activity::Offline => {}
        }
    }
    let is_idle = activities.contains(&Activity::Idle);
    match (silent, backing_off) {
        // A device that is offline is so for all of them.
        _ if activities.contains(&Activity::Offline) && !is_idle => Activity::Offline,
        (Some((sources, until)), _) => Activity::NoNewHeads { sources, until },
        (None, Some(until)) => Activity::BackingOff { until },
        (None, None) => Activity::Idle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent(source: &str, until: u64) -> Activity {
        let sources = vec![ProviderId::new(source).expect("a name")];
        Activity::NoNewHeads { sources, until: UnixTime::from_secs(until) }
    }

    #[test]
    fn what_one_network_waits_for_is_told_unless_another_fetches() {
        let mut together = Together::new(2);
        let mut tell = |place, activity| together.tell(place, Change::Activity(activity));
        assert_eq!(tell(0, Activity::Fetching), Some(Change::Activity(Activity::Fetching)));
        assert_eq!(tell(1, Activity::Fetching), None, "it was told");
        assert_eq!(tell(1, silent("a", 20)), None, "the other one still fetches");
        assert_eq!(tell(0, Activity::Idle), Some(Change::Activity(silent("a", 20))));
        let Some(Change::Activity(Activity::NoNewHeads { sources, until })) = tell(0, silent("b", 10)) else {
            panic!("both are silent")
        };
        assert_eq!((sources.len(), until), (2, UnixTime::from_secs(10)));
        let offline = tell(1, Activity::Offline);
        assert_eq!(offline, Some(Change::Activity(Activity::Offline)));
        assert_eq!(tell(1, Activity::Idle), Some(Change::Activity(silent("b", 10))));
        assert_eq!(tell(0, Activity::Idle), Some(Change::Activity(Activity::Idle)));
    }

    #[test]
    fn what_may_be_lost_is_told_again() {
        let mut together = Together::new(2);
        let idle = || Change::Activity(Activity::Idle);
        assert_eq!(together.tell(0, idle()), Some(idle()));
        assert_eq!(together.tell(1, idle()), None);
        together.forget_told();
        assert_eq!(together.tell(1, idle()), Some(idle()));
    }

    #[test]
    fn a_storage_keeps_everything_once_no_network_says_otherwise() {
        let mut together = Together::new(2);
        let full = Some(StorageError::Conflict);
        let mut tell = |place, unwritten| together.tell(place, Change::Storage { unwritten }).is_some();
        assert!(tell(0, full));
        assert!(!tell(1, full));
        assert!(!tell(0, None), "the other one still cannot write");
        assert!(tell(1, None));
    }
}
