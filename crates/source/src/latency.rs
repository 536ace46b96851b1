//! How long the accepted answers of each provider took, and what follows: the hedge delay, and speed as a rank.

use std::collections::VecDeque;
use std::time::Duration;

use saldo_reading::{ProviderId, Role};

use crate::sorted::{SortedMap, sort_by_key};

type Key = (Role, ProviderId);

/// The latest accepted answers of each provider. All moments are on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    of: SortedMap<Key, Latency>,
}

#[derive(Debug, Default)]
struct Latency {
    last_accepted: Option<Duration>,
    /// How long the latest accepted answers took, by method, oldest first.
    samples: SortedMap<&'static str, VecDeque<Duration>>,
}

impl Latencies {
    /// The hedge delay of a provider with too few samples.
    pub(crate) const DEFAULT_HEDGE_DELAY: Duration = Duration::from_millis(400);
    const SHORTEST_HEDGE_DELAY: Duration = Duration::from_millis(150);
    const LONGEST_HEDGE_DELAY: Duration = Duration::from_secs(2);
    /// Samples kept of each method.
    const KEPT_SAMPLES: usize = 32;
    /// Fewer samples than this say nothing.
    const FEWEST_SAMPLES: usize = 3;

    /// Records an accepted answer.
    pub(crate) fn record_accepted(&mut self, key: Key, method: &'static str, took: Duration, now: Duration) {
        let latency = self.of.entry(key).or_default();
        latency.last_accepted = Some(now);
        let samples = latency.samples.entry(method).or_default();
        samples.push_back(took);
        while samples.len() > Self::KEPT_SAMPLES {
            samples.pop_front();
        }
    }

    /// Drops all samples: over another network every provider has another latency.
    pub(crate) fn network_changed(&mut self) {
        self.of.values_mut().for_each(|latency| latency.samples.clear());
    }

    /// When an answer of this provider was accepted last.
    pub(crate) fn last_accepted(&self, key: &Key) -> Option<Duration> {
        self.of.get(key).and_then(|latency| latency.last_accepted)
    }

    /// How long to wait for this provider before another is asked as well: the time within which nine in ten of its accepted
    /// answers came, from 150 ms to 2 s.
    pub(crate) fn hedge_delay(&self, key: &Key, method: &'static str) -> Duration {
        let nine_in_ten = self.sorted(key, method).and_then(|sorted| percentile(&sorted, 9));
        nine_in_ten.map_or(Self::DEFAULT_HEDGE_DELAY, |took| {
            took.clamp(Self::SHORTEST_HEDGE_DELAY, Self::LONGEST_HEDGE_DELAY)
        })
    }

    /// How often the provider's median latency doubles 100 ms, rounded up; 0 below 100 ms and with too few samples.
    ///
    /// Providers within a factor of two are equally fast, so that small differences do not change the wallet's order.
    pub(crate) fn doublings(&self, key: &Key, method: &'static str) -> u32 {
        let median = self.sorted(key, method).and_then(|sorted| sorted.get(sorted.len() / 2).copied());
        let hundreds = median.map_or(0, |median| u32::try_from(median.as_millis() / 100).unwrap_or(u32::MAX));
        hundreds.checked_ilog2().map_or(0, |doublings| doublings.saturating_add(1))
    }

    /// The median latency over all methods.
    pub(crate) fn median(&self, key: &Key) -> Option<Duration> {
        let mut sorted: Vec<Duration> = self.of.get(key)?.samples.values().flatten().copied().collect();
        sort_by_key(&mut sorted, |it| *it);
        percentile(&sorted, 5)
    }

    /// The samples from fast to slow, if there are enough.
    fn sorted(&self, key: &Key, method: &'static str) -> Option<Vec<Duration>> {
        let samples = self.of.get(key)?.samples.get(method)?;
        let mut sorted: Vec<Duration> = samples.iter().copied().collect();
        sort_by_key(&mut sorted, |it| *it);
        (sorted.len() >= Self::FEWEST_SAMPLES).then_some(sorted)
    }
}

/// The smallest of the `sorted` durations that `tenths` in ten do not exceed.
fn percentile(sorted: &[Duration], tenths: usize) -> Option<Duration> {
    let rank = sorted.len().saturating_mul(tenths).div_ceil(10);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: &str = "eth_getProof";

    fn key(name: &str) -> Key {
        (Role::Execution, ProviderId::new(name).unwrap())
    }

    fn latencies(name: &str, millis: &[u64]) -> Latencies {
        let mut latencies = Latencies::default();
        for took in millis {
            latencies.record_accepted(key(name), METHOD, Duration::from_millis(*took), Duration::ZERO);
        }
        latencies
    }

    #[test]
    fn the_hedge_delay_is_what_nine_in_ten_answers_take() {
        let of = |millis: &[u64]| latencies("a", millis).hedge_delay(&key("a"), METHOD);
        assert_eq!(of(&[700, 200, 300, 250, 220, 210, 230, 240, 260, 270]), Duration::from_millis(300));
        assert_eq!(of(&[20; 3]), Duration::from_millis(150));
        assert_eq!(of(&[9_000; 40]), Duration::from_secs(2));
    }

    #[test]
    fn too_few_samples_say_nothing() {
        for millis in [&[][..], &[900; 2]] {
            let latencies = latencies("a", millis);
            assert_eq!(latencies.hedge_delay(&key("a"), METHOD), Latencies::DEFAULT_HEDGE_DELAY);
            assert_eq!(latencies.doublings(&key("a"), METHOD), 0);
        }
        let other_method = latencies("a", &[900; 3]).hedge_delay(&key("a"), "eth_getBlockByHash");
        assert_eq!(other_method, Latencies::DEFAULT_HEDGE_DELAY);
    }

    #[test]
    fn only_the_latest_samples_count() {
        let mut latencies = latencies("a", &[9_000; 40]);
        for _ in 0..Latencies::KEPT_SAMPLES {
            latencies.record_accepted(key("a"), METHOD, Duration::from_millis(200), Duration::ZERO);
        }
        assert_eq!(latencies.hedge_delay(&key("a"), METHOD), Duration::from_millis(200));
    }

    #[test]
    fn speed_counts_by_doublings_of_100_ms() {
        for (millis, doublings) in [(90, 0), (100, 1), (199, 1), (200, 2), (399, 2), (400, 3), (1_600, 5)] {
            assert_eq!(latencies("a", &[millis; 3]).doublings(&key("a"), METHOD), doublings, "{millis} ms");
        }
    }

    #[test]
    fn the_median_is_over_all_methods_and_another_network_clears_it() {
        let mut latencies = latencies("a", &[100, 300]);
        let at = Duration::from_secs(5);
        latencies.record_accepted(key("a"), "eth_getBlockByHash", Duration::from_millis(200), at);
        assert_eq!(latencies.median(&key("a")), Some(Duration::from_millis(200)));
        assert_eq!(latencies.last_accepted(&key("a")), Some(at));
        latencies.network_changed();
        assert_eq!(latencies.median(&key("a")), None);
        assert_eq!(latencies.last_accepted(&key("a")), Some(at));
        assert_eq!((latencies.median(&key("b")), latencies.last_accepted(&key("b"))), (None, None));
    }
}
