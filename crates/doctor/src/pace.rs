//! How often a host takes requests, learned where it limits their rate.

use std::fmt;
use std::time::Duration;

use crate::counted::counted;

/// How often a host takes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The number of requests.
    pub requests: u32,
    /// The time in which it takes them.
    pub within: Duration,
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requests = counted(self.requests.into(), "request");
        let millis = self.within.as_millis();
        match millis {
            1_000 => write!(formatter, "{requests} a second"),
            _ if millis.is_multiple_of(1_000) => {
                write!(formatter, "{requests} in {} s", self.within.as_secs())
            }
            _ => write!(formatter, "{requests} in {millis} ms"),
        }
    }
}

/// The requests that a host took and refused, and the pause before the next one. All moments are on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the requests were sent that it did not refuse.
    taken: Vec<Duration>,
    last_sent: Duration,
    /// When it took the last batch of several calls.
    last_batch: Option<Duration>,
    /// How often in a row it has refused the present request.
    refusals: u32,
    /// The pauses since the first of these refusals, together.
    within: Duration,
    rate: Option<Rate>,
    /// The time between two requests.
    spacing: Duration,
    /// The end of the pause that it asked for last.
    paused_until: Duration,
}

impl Pace {
    /// The first pause, unless the host asks for a longer one; it doubles each time.
    const FIRST_PAUSE: Duration = Duration::from_secs(1);
    /// A request that is a little late is not refused. One that is a little early is.
    const MARGIN: u32 = 8;

    /// The rate that was learned; `None` if no request was refused.
    pub(crate) fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// How long to wait at `now` before the next request.
    pub(crate) fn until_next(&self, now: Duration) -> Duration {
        let next = match self.spacing {
            Duration::ZERO => Duration::ZERO,
            spacing => self.last_sent.saturating_add(spacing),
        };
        next.max(self.paused_until).saturating_sub(now)
    }

    /// Notes that a request is sent at `now`.
    pub(crate) fn record_sent(&mut self, now: Duration) {
        self.last_sent = now;
    }

    /// Notes that the host did not refuse the last request because of the rate.
    pub(crate) fn record_taken(&mut self) {
        (self.refusals, self.within) = (0, Duration::ZERO);
        self.taken.push(self.last_sent);
    }

    /// Notes that the last request was a batch of several calls, and was taken.
    pub(crate) fn record_batch(&mut self) {
        self.record_taken();
        self.last_batch = Some(self.last_sent);
    }

    /// Notes a refusal, and returns the pause after which the same request is tried again: as long as the host asks for, or one that
    /// grows.
    pub(crate) fn record_refused(&mut self, asked_for: Option<Duration>) -> Duration {
        let doubled = Self::FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.refusals));
        let pause = asked_for.unwrap_or_default().max(doubled);
        self.paused_until = self.last_sent.saturating_add(pause);
        let is_another_time = self.refusals == 0 && self.rate.is_some();
        self.refusals = self.refusals.saturating_add(1);
        self.within = self.within.saturating_add(pause);
        // The host may count the calls of the batch just before: that says nothing of requests.
        let is_near = |batch: Duration| self.last_sent.saturating_sub(batch) < Self::FIRST_PAUSE;
        if self.last_batch.is_some_and(is_near) {
            return pause;
        }
        let rate = Rate { requests: self.taken_within(self.within).max(1), within: self.within };
        // One refusal may be a coincidence. From the second one on, requests keep a distance.
        if is_another_time {
            let each = rate.within.checked_div(rate.requests).unwrap_or_default();
            self.spacing = each.saturating_add(each.checked_div(Self::MARGIN).unwrap_or_default());
        }
        self.rate = Some(rate);
        pause
    }

    /// Notes that the host took another request during the pause: its refusals say nothing of the host.
    pub(crate) fn forget_refusals(&mut self) {
        (self.rate, self.spacing, self.paused_until) = (None, Duration::ZERO, Duration::ZERO);
        self.record_taken();
    }

    /// How many requests it took in that time before the last request.
    fn taken_within(&self, time: Duration) -> u32 {
        let is_within = |sent: &&Duration| self.last_sent.saturating_sub(**sent) < time;
        u32::try_from(self.taken.iter().filter(is_within).count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TENTH: Duration = Duration::from_millis(100);

    /// Requests that are taken, one in each tenth of a second from `from` on.
    fn take(pace: &mut Pace, from: Duration, requests: u32) {
        for number in 0..requests {
            pace.record_sent(from.saturating_add(TENTH.saturating_mul(number)));
            pace.record_taken();
        }
    }

    fn shown(pace: &Pace) -> String {
        pace.rate().map(|rate| rate.to_string()).unwrap_or_default()
    }

    #[test]
    fn pauses_are_as_long_as_asked_for_and_grow() {
        let mut pace = Pace::default();
        take(&mut pace, Duration::ZERO, 3);
        let asked_for = [None, Some(SECOND), Some(30 * SECOND), None].map(|asked| pace.record_refused(asked));
        assert_eq!(asked_for, [1, 2, 30, 8].map(Duration::from_secs));
        pace.record_taken();
        assert_eq!(pace.record_refused(None), SECOND, "it begins again after an answer");
    }

    #[test]
    fn the_rate_is_what_was_taken_in_the_time_of_the_pause() {
        let mut pace = Pace::default();
        assert_eq!(pace.rate(), None);
        take(&mut pace, SECOND, 4);
        take(&mut pace, SECOND * 3, 3);
        pace.record_sent(SECOND * 3 + SECOND / 2);
        pace.record_refused(None);
        assert_eq!(shown(&pace), "3 requests a second");
        pace.record_refused(Some(SECOND * 9));
        assert_eq!(shown(&pace), "7 requests in 10 s", "the pauses together");
        let odd = Rate { requests: 1, within: Duration::from_millis(1_500) };
        assert_eq!(odd.to_string(), "1 request in 1500 ms");
    }

    #[test]
    fn a_refusal_just_after_a_batch_says_nothing_of_requests() {
        let mut pace = Pace::default();
        take(&mut pace, Duration::ZERO, 2);
        pace.record_sent(SECOND);
        pace.record_batch();
        pace.record_sent(SECOND * 3 / 2);
        assert_eq!((pace.record_refused(None), pace.rate()), (SECOND, None));
        pace.record_sent(SECOND * 3);
        pace.record_refused(None);
        assert!(pace.rate().is_some());
    }

    #[test]
    fn a_request_that_is_taken_in_the_pause_ends_it() {
        let mut pace = Pace::default();
        take(&mut pace, Duration::ZERO, 2);
        pace.record_sent(SECOND);
        pace.record_refused(Some(SECOND * 60));
        assert_eq!(pace.until_next(SECOND), SECOND * 60);
        pace.forget_refusals();
        assert_eq!((pace.until_next(SECOND), pace.rate()), (Duration::ZERO, None));
    }

    #[test]
    fn requests_keep_a_distance_from_the_second_time_on() {
        let mut pace = Pace::default();
        take(&mut pace, Duration::ZERO, 2);
        for _ in 0..3 {
            pace.record_refused(None);
        }
        pace.record_sent(SECOND * 7);
        pace.record_taken();
        assert_eq!(pace.until_next(SECOND * 7), Duration::ZERO, "one refusal may be a coincidence");
        pace.record_sent(SECOND * 7 + TENTH);
        pace.record_refused(None);
        pace.record_sent(SECOND * 9);
        let distance = pace.until_next(SECOND * 9);
        assert!(distance > SECOND && distance < SECOND * 2, "{distance:?}");
        assert_eq!(pace.until_next(SECOND * 20), Duration::ZERO);
    }
}
