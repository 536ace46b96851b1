//! In which order providers are asked.

use saldo_reading::{ProviderId, Role};

use crate::endpoint::Endpoint;
use crate::latency::Latencies;
use crate::sorted::{SortedMap, sort_by_key};

/// `eth_getProof` at a finalized block. Ranked apart: a provider that proves the head may not reach back so far.
pub const FINAL_PROOFS: &str = "eth_getProof at a finalized block";

type Key = (Role, ProviderId);

/// Ranks providers by the answers that were accepted.
///
/// A provider whose last answer to a method failed is asked last, the latest failure the very last, until an answer is
/// accepted again. So a provider that hangs or lies costs time once. The others are ranked by speed.
#[derive(Debug, Default)]
pub(crate) struct Ranking {
    of: SortedMap<Key, Failures>,
    /// Numbers the failures, so that the later of two is known.
    recorded: u64,
}

#[derive(Debug, Default)]
struct Failures {
    /// The methods whose last answer failed, with the failure's number.
    by_method: SortedMap<&'static str, u64>,
    /// The number of the failure after which the provider was unreachable or silent: that counts for every method.
    unreachable: Option<u64>,
}

impl Failures {
    /// The number of the latest failure that counts for `method`; 0 if there is none.
    fn latest(&self, method: &'static str) -> u64 {
        self.by_method.get(method).copied().max(self.unreachable).unwrap_or(0)
    }
}

impl Ranking {
    /// The `endpoints` in the order in which to ask them for `method`, best first. Equals keep the wallet's order.
    pub(crate) fn order<'a>(
        &self,
        latencies: &Latencies,
        role: Role,
        method: &'static str,
        endpoints: &'a [Endpoint],
    ) -> Vec<&'a Endpoint> {
        let rank = |endpoint: &'a Endpoint| {
            let key = (role, endpoint.id().clone());
            ((self.latest_failure(&key, method), latencies.doublings(&key, method)), endpoint)
        };
        let mut ordered: Vec<_> = endpoints.iter().map(rank).collect();
        sort_by_key(&mut ordered, |(rank, _)| *rank);
        ordered.into_iter().map(|(_, endpoint)| endpoint).collect()
    }

    /// Whether the provider's last answer to `method` failed.
    pub(crate) fn has_failed(&self, key: &Key, method: &'static str) -> bool {
        self.latest_failure(key, method) != 0
    }

    /// Records an accepted answer: the provider can be reached, and answers this method.
    pub(crate) fn record_accepted(&mut self, key: &Key, method: &'static str) {
        if let Some(failures) = self.of.get_mut(key) {
            failures.by_method.remove(method);
            failures.unreachable = None;
        }
    }

    /// Records that no answer to `method` was accepted; `is_unreachable` if none came at all.
    pub(crate) fn record_failure(&mut self, key: Key, method: &'static str, is_unreachable: bool) {
        self.recorded = self.recorded.saturating_add(1);
        let failures = self.of.entry(key).or_default();
        failures.by_method.insert(method, self.recorded);
        if is_unreachable {
            failures.unreachable = Some(self.recorded);
        }
    }

    /// Forgets the failures of providers that were unreachable: over another network they may be reached.
    pub(crate) fn network_changed(&mut self) {
        for failures in self.of.values_mut() {
            if failures.unreachable.take().is_some() {
                failures.by_method.clear();
            }
        }
    }

    fn latest_failure(&self, key: &Key, method: &'static str) -> u64 {
        self.of.get(key).map_or(0, |failures| failures.latest(method))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const METHOD: &str = "eth_getProof";
    const OTHER: &str = "eth_getBlockByHash";

    fn key(name: &str) -> Key {
        (Role::Execution, ProviderId::new(name).unwrap())
    }

    fn order_at(ranking: &Ranking, latencies: &Latencies, method: &'static str) -> String {
        let endpoints = ["a=http://a", "b=http://b", "c=http://c"].map(|url| url.parse().unwrap());
        let ordered = ranking.order(latencies, Role::Execution, method, &endpoints);
        ordered.iter().map(|endpoint| endpoint.id().as_str()).collect()
    }

    fn order(ranking: &Ranking, method: &'static str) -> String {
        order_at(ranking, &Latencies::default(), method)
    }

    #[test]
    fn a_failed_provider_is_asked_last_until_an_answer_is_accepted() {
        let mut ranking = Ranking::default();
        assert_eq!(order(&ranking, METHOD), "abc");
        ranking.record_failure(key("a"), METHOD, false);
        ranking.record_failure(key("b"), METHOD, false);
        assert_eq!(order(&ranking, METHOD), "cab");
        assert!(ranking.has_failed(&key("a"), METHOD) && !ranking.has_failed(&key("c"), METHOD));
        ranking.record_accepted(&key("b"), METHOD);
        assert_eq!(order(&ranking, METHOD), "bca");
    }

    #[test]
    fn a_failure_counts_for_its_method_and_silence_for_all() {
        let mut ranking = Ranking::default();
        ranking.record_failure(key("a"), METHOD, false);
        assert_eq!((order(&ranking, METHOD), order(&ranking, OTHER)), ("bca".to_owned(), "abc".to_owned()));
        ranking.record_failure(key("b"), METHOD, true);
        assert_eq!((order(&ranking, METHOD), order(&ranking, OTHER)), ("cab".to_owned(), "acb".to_owned()));
        // An answer to another method shows that it can be reached again, but not that it answers this one.
        ranking.record_accepted(&key("b"), OTHER);
        assert_eq!((order(&ranking, METHOD), order(&ranking, OTHER)), ("cab".to_owned(), "abc".to_owned()));
    }

    #[test]
    fn another_network_clears_what_was_unreachable_and_nothing_else() {
        let mut ranking = Ranking::default();
        ranking.record_failure(key("a"), METHOD, true);
        ranking.record_failure(key("b"), METHOD, false);
        ranking.network_changed();
        assert_eq!(order(&ranking, METHOD), "acb");
    }

    #[test]
    fn speed_decides_among_those_that_did_not_fail() {
        let (mut ranking, mut latencies) = (Ranking::default(), Latencies::default());
        for (name, millis) in [("a", 390), ("b", 210), ("c", 90)] {
            for _ in 0..3 {
                latencies.record_accepted(key(name), METHOD, Duration::from_millis(millis), Duration::ZERO);
            }
        }
        // 390 ms and 210 ms are within a factor of two, so the wallet's order stays.
        assert_eq!(order_at(&ranking, &latencies, METHOD), "cab");
        ranking.record_failure(key("c"), METHOD, false);
        assert_eq!(order_at(&ranking, &latencies, METHOD), "abc");
    }
}
