//! The device's clock beside the `Date` headers of servers. It explains a failure; nothing is proven by it.

use std::time::Duration;

use saldo_beacon::unit::UnixTime;

use crate::clock::Clock;
use crate::date::unix_seconds;
use crate::endpoint::{Endpoint, SecretUrl};
use crate::sorted::{SortedMap, SortedSet};
use crate::transport::Response;

/// The last date that each server gave, by its origin.
#[derive(Debug, Default)]
pub(crate) struct ServerDates {
    of: SortedMap<String, Seen>,
}

/// A date, and the device's clocks when it came.
#[derive(Clone, Copy, Debug)]
struct Seen {
    date: u64,
    wall: UnixTime,
    monotonic: Duration,
}

impl ServerDates {
    /// The least number of operators that must agree.
    const OPERATORS: usize = 2;
    /// The least difference that counts, in seconds. A date has whole seconds, and an answer takes some.
    const FAST: i64 = 60;
    /// The longest time for which a date is compared.
    const FRESH: Duration = Duration::from_secs(120);
    /// The most by which the two clocks of the device may differ since then: more means that it slept, or that its clock was set.
    const DRIFT: Duration = Duration::from_secs(5);

    /// Notes the date of an answer. That of a cached answer is older than the answer.
    pub(crate) fn note(&mut self, url: &SecretUrl, response: &Response, clock: &dyn Clock) {
        let is_cached = response.header("age").is_some_and(|age| age.trim() != "0");
        if let Some(date) = response.header("date").and_then(unix_seconds).filter(|_| !is_cached) {
            let seen = Seen { date, wall: clock.wall(), monotonic: clock.monotonic() };
            self.of.insert(origin(url), seen);
        }
    }

    /// Whether this device's clock is ahead of the dates that all of `endpoints` gave, as far as they gave one, and enough operators
    /// did.
    ///
    /// One server alone decides nothing. A server on this device has the device's clock, so it says nothing about it.
    pub(crate) fn show_fast_clock<'a>(
        &self,
        endpoints: impl Iterator<Item = &'a Endpoint>,
        clock: &dyn Clock,
    ) -> bool {
        is_clock_fast(endpoints.filter_map(|endpoint| {
            let seen = self.of.get(&origin(endpoint.url())).filter(|seen| seen.is_fresh(clock))?;
            let ahead = i128::from(seen.wall.as_secs()).saturating_sub(i128::from(seen.date));
            Some((endpoint, i64::try_from(ahead).unwrap_or(i64::MAX)))
        }))
    }
}

/// Whether this device's clock is fast: `dated` has servers, each with the seconds by which this clock is ahead of its date. All of them
/// must show it, and at least two operators. A server on this device has its clock, so it is left out.
pub fn is_clock_fast<'a>(dated: impl Iterator<Item = (&'a Endpoint, i64)>) -> bool {
    let mut operators = SortedSet::new();
    for (endpoint, ahead) in dated.filter(|(endpoint, _)| !endpoint.is_on_this_device()) {
        if ahead < ServerDates::FAST {
            return false;
        }
        operators.insert(endpoint.operator_key());
    }
    operators.len() >= ServerDates::OPERATORS
}

impl Seen {
    fn is_fresh(&self, clock: &dyn Clock) -> bool {
        let passed = clock.monotonic().saturating_sub(self.monotonic);
        let expected = self.wall.saturating_add(passed);
        let wall = clock.wall();
        let drift = wall.saturating_sub(expected).max(expected.saturating_sub(wall));
        passed <= ServerDates::FRESH && drift <= ServerDates::DRIFT
    }
}

fn origin(url: &SecretUrl) -> String {
    url.expose().origin().ascii_serialization()
}

#[cfg(test)]
#[path = "server_dates_tests.rs"]
mod tests;
