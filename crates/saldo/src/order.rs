//! Whom to ask first.

use std::collections::BTreeMap;
use std::time::Duration;

use saldo_reading::{Attempt, Outcome, ProviderId, Role};
use saldo_source::Endpoint;

/// Remembers who was asked without winning: they are asked last, the latest the very last, until they win again. So a
/// provider that hangs, lies or has nothing costs time once, and nobody keeps a place that is of no use. All others are
/// asked in the order in which the wallet named them.
#[derive(Default)]
pub(crate) struct Order {
    behind: BTreeMap<(Role, ProviderId), u64>,
    noted: u64,
}

impl Order {
    /// Takes note of how a race went. Who was overtaken before `patience` was over had no chance, and keeps his place.
    pub(crate) fn note(&mut self, attempts: &[Attempt], patience: Duration) {
        for attempt in attempts {
            let key = (attempt.role, attempt.provider.clone());
            match &attempt.outcome {
                Outcome::Joined | Outcome::Accepted => {
                    self.behind.remove(&key);
                }
                Outcome::Overtaken if attempt.took < patience => {}
                _ => {
                    self.noted = self.noted.saturating_add(1);
                    self.behind.insert(key, self.noted);
                }
            }
        }
    }

    /// The `endpoints` in the order in which to ask them.
    pub(crate) fn of<'a>(&self, role: Role, endpoints: &'a [Endpoint]) -> Vec<&'a Endpoint> {
        let mut ordered: Vec<&Endpoint> = endpoints.iter().collect();
        ordered.sort_by_key(|endpoint| self.behind.get(&(role, endpoint.id().clone())).copied().unwrap_or(0));
        ordered
    }
}

#[cfg(test)]
mod tests {
    use saldo_reading::Failure;

    use super::*;

    #[test]
    fn who_does_not_win_goes_to_the_back_until_he_does() {
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
        assert_eq!(names(&order, Role::Execution), "cab");
        note(&mut order, 2, Outcome::Parked, 100);
        assert_eq!(names(&order, Role::Execution), "abc");
        note(&mut order, 1, Outcome::Joined, 100);
        assert_eq!(names(&order, Role::Execution), "bac");
    }
}
