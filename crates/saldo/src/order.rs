//! Whom to ask first.

use std::collections::BTreeMap;
use std::time::Duration;

use saldo_reading::{Attempt, Failure, Outcome, ProviderId, Role};
use saldo_source::Endpoint;

/// Remembers who failed or kept silent: they are asked last, the latest to fail the very last, until they serve again.
/// All others are asked in the order in which the wallet named them.
#[derive(Default)]
pub(crate) struct Order {
    unwell: BTreeMap<(Role, ProviderId), u64>,
    noted: u64,
}

impl Order {
    /// Takes note of how a race went. Who was overtaken only after `patience` kept silent.
    pub(crate) fn note(&mut self, attempts: &[Attempt], patience: Duration) {
        for attempt in attempts {
            let key = (attempt.role, attempt.provider.clone());
            match &attempt.outcome {
                Outcome::Joined | Outcome::Accepted | Outcome::Parked => {
                    self.unwell.remove(&key);
                }
                // Not having a block, or no longer, is no illness.
                Outcome::Failed(
                    Failure::NotSynced
                    | Failure::ProofWindowMissed
                    | Failure::OldBlock { .. }
                    | Failure::Behind { .. }
                    | Failure::UnknownFork,
                ) => {}
                Outcome::Overtaken if attempt.took < patience => {}
                _ => {
                    self.noted = self.noted.saturating_add(1);
                    self.unwell.insert(key, self.noted);
                }
            }
        }
    }

    /// The `endpoints` in the order in which to ask them.
    pub(crate) fn of<'a>(&self, role: Role, endpoints: &'a [Endpoint]) -> Vec<&'a Endpoint> {
        let mut ordered: Vec<&Endpoint> = endpoints.iter().collect();
        ordered.sort_by_key(|endpoint| self.unwell.get(&(role, endpoint.id().clone())).copied().unwrap_or(0));
        ordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_goes_to_the_back_until_he_serves() {
        let endpoints =
            ["a=http://a", "b=http://b", "c=http://c"].map(|url| url.parse::<Endpoint>().unwrap());
        let patience = Duration::from_millis(400);
        let mut order = Order::default();
        let note = |order: &mut Order, index: usize, outcome: Outcome, millis| {
            let provider = endpoints[index].id().clone();
            let took = Duration::from_millis(millis);
            order.note(&[Attempt { provider, role: Role::Execution, outcome, took }], patience);
        };
        let names = |order: &Order, role| -> String {
            order.of(role, &endpoints).iter().map(|endpoint| endpoint.id().as_str().to_owned()).collect()
        };
        note(&mut order, 0, Outcome::Failed(Failure::Http { status: 503 }), 10);
        assert_eq!(names(&order, Role::Execution), "bca");
        assert_eq!(names(&order, Role::Beacon), "abc");
        note(&mut order, 1, Outcome::Overtaken, 900);
        assert_eq!(names(&order, Role::Execution), "cab");
        note(&mut order, 2, Outcome::Overtaken, 100);
        note(&mut order, 2, Outcome::Failed(Failure::NotSynced), 100);
        assert_eq!(names(&order, Role::Execution), "cab");
        note(&mut order, 0, Outcome::Joined, 100);
        assert_eq!(names(&order, Role::Execution), "acb");
    }
}
