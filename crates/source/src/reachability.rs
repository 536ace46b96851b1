//! Whether it is this device that has no network, rather than the providers that fail.

use std::time::Duration;

use crate::sorted::SortedSet;
use saldo_reading::{Attempt, Failure, ProviderId, TransportError};

/// What shows whether the device has a network. All moments are on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Reachability {
    /// Whether the app said that the device is offline.
    is_offline: bool,
    /// When any provider answered last.
    last_answer: Option<Duration>,
    /// The folders of this device: that they answer says nothing of the network.
    local: SortedSet<ProviderId>,
}

impl Reachability {
    /// An answer this recent shows that there is a network.
    const RECENT: Duration = Duration::from_secs(10);

    /// Marks a provider as a folder of this device.
    pub(crate) fn mark_local(&mut self, id: &ProviderId) {
        self.local.insert(id.clone());
    }

    /// Takes the app's word for whether there is a network.
    pub(crate) fn network_changed(&mut self, online: bool) {
        self.is_offline = !online;
    }

    /// Whether the app said that the device is offline, and no accepted answer has shown otherwise.
    pub(crate) fn is_offline(&self) -> bool {
        self.is_offline
    }

    /// Records an answer of `id`, or the failure in place of one. Connections that fail are no answer.
    pub(crate) fn record_answer(&mut self, id: &ProviderId, failure: Option<&Failure>, now: Duration) {
        let is_no_answer = |failure: &Failure| {
            matches!(failure, Failure::Transport(_) | Failure::Spared { .. } | Failure::Quarantined)
        };
        if !self.local.contains(id) && !failure.is_some_and(is_no_answer) {
            self.last_answer = Some(now);
        }
    }

    /// Records an accepted answer: whatever the app said, there is a network.
    pub(crate) fn record_accepted(&mut self, id: &ProviderId) {
        if !self.local.contains(id) {
            self.is_offline = false;
        }
    }

    /// Whether these attempts say that this device has no network: at least two providers were asked, no connection came
    /// about, some hosts were not found at all, and no provider answered within the last ten seconds.
    ///
    /// Refused connections alone are no sign: those hosts were found.
    pub(crate) fn is_cut_off(&self, attempts: &[Attempt], now: Duration) -> bool {
        let errors: Vec<(&ProviderId, Option<TransportError>)> = attempts
            .iter()
            .filter(|attempt| !self.local.contains(&attempt.provider))
            .map(|attempt| (&attempt.provider, transport_error(attempt)))
            .collect();
        let asked: SortedSet<&ProviderId> = errors.iter().map(|(provider, _)| *provider).collect();
        let is_recent = self.last_answer.is_some_and(|answer| now < answer.saturating_add(Self::RECENT));
        asked.len() >= 2
            && !is_recent
            && errors.iter().all(|(_, error)| error.is_some_and(is_unconnected))
            && errors.iter().any(|(_, error)| error.is_some_and(is_unfound))
    }
}

fn transport_error(attempt: &Attempt) -> Option<TransportError> {
    match attempt.outcome.failure() {
        Some(Failure::Transport(error)) => Some(*error),
        _ => None,
    }
}

fn is_unconnected(error: TransportError) -> bool {
    is_unfound(error) || error == TransportError::Connect
}

fn is_unfound(error: TransportError) -> bool {
    matches!(error, TransportError::Offline | TransportError::Dns)
}

#[cfg(test)]
mod tests {
    use saldo_reading::{Outcome, Role};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn id(name: &str) -> ProviderId {
        ProviderId::new(name).unwrap()
    }

    fn failed(name: &str, failure: impl Into<Failure>) -> Attempt {
        let outcome = Outcome::Failed(failure.into());
        Attempt { provider: id(name), role: Role::Execution, outcome, took: SECOND, over_policy: false }
    }

    fn down() -> [Attempt; 2] {
        [failed("a", TransportError::Dns), failed("b", TransportError::Connect)]
    }

    #[test]
    fn no_connection_and_a_host_that_is_not_found_is_the_device() {
        let reachability = Reachability::default();
        assert!(reachability.is_cut_off(&down(), SECOND));
        let one_answered = [down()[0].clone(), failed("b", Failure::NoResult)];
        let refused = ["a", "b"].map(|name| failed(name, TransportError::Connect));
        let twice_the_same = [down()[0].clone(), down()[0].clone()];
        for others in [&one_answered[..], &refused, &down()[..1], &twice_the_same, &[]] {
            assert!(!reachability.is_cut_off(others, SECOND), "{others:?}");
        }
    }

    #[test]
    fn an_answer_within_ten_seconds_shows_a_network() {
        let mut reachability = Reachability::default();
        reachability.record_answer(&id("a"), Some(&TransportError::Dns.into()), SECOND);
        assert!(reachability.is_cut_off(&down(), SECOND), "a failed connection is no answer");
        reachability.record_answer(&id("a"), Some(&Failure::NoResult), SECOND);
        assert!(!reachability.is_cut_off(&down(), SECOND * 10));
        assert!(reachability.is_cut_off(&down(), SECOND * 11));
    }

    #[test]
    fn a_folder_of_this_device_says_nothing_of_the_network() {
        let mut reachability = Reachability::default();
        reachability.mark_local(&id("folder"));
        reachability.record_answer(&id("folder"), None, SECOND);
        reachability.network_changed(false);
        reachability.record_accepted(&id("folder"));
        assert!(reachability.is_offline());
        assert!(reachability.is_cut_off(&[down(), down()].concat(), SECOND));
        reachability.record_accepted(&id("a"));
        assert!(!reachability.is_offline());
    }
}
