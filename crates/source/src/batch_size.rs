//! How many calls in one request a provider takes, as its answers have shown. Pure.

use std::time::Duration;

/// The most calls in one request.
pub const LARGEST_BATCH: usize = 100;

/// How many calls in one request a provider takes.
///
/// Free tiers and clients limit batches, and say so in many ways: by an error for the whole request, by one for each call, or by
/// a closed connection. A smaller request then shows what the provider takes. Nothing of this counts against the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize {
    /// The size to use.
    size: usize,
    /// The largest size that was answered; 0 if none was.
    taken: usize,
    /// The least size that was refused.
    refused: Option<usize>,
    /// How many calls used the whole size since the last trial of a larger one.
    used: u8,
    /// How many batches in a row were answered with a rate limit.
    limited: u8,
    /// The number of calls of the last one; 0 if there was none.
    limited_calls: usize,
    /// Whether the provider counts the calls inside a batch: it takes `size` of them in a second.
    is_paced: bool,
}

impl Default for BatchSize {
    fn default() -> Self {
        Self::known(LARGEST_BATCH)
    }
}

impl BatchSize {
    /// So many calls use the size before a larger one is tried.
    const USES_BEFORE_TRIAL: u8 = 4;
    /// So many rate limits in a row, and no answer, halve the size: some providers name a limit of batches so.
    const LIMITS_BEFORE_HALF: u8 = 2;
    /// The sizes to try after a refusal.
    const STEPS: [usize; 2] = [3, 10];
    /// After the first rate limit a quarter of the batch is tried, and after each further one half of that.
    const PARTS_AFTER_LIMIT: [usize; 2] = [4, 2];
    /// The pause between batches to a provider that counts the calls inside them. Limits are mostly per second.
    pub(crate) const PACE: Duration = Duration::from_millis(1_050);

    /// A size that was learned before, between 1 and [`LARGEST_BATCH`].
    pub fn known(size: usize) -> Self {
        Self {
            size: size.clamp(1, LARGEST_BATCH),
            taken: 0,
            refused: None,
            used: 0,
            limited: 0,
            limited_calls: 0,
            is_paced: false,
        }
    }

    /// The same, and whether the provider was learned to count the calls inside a batch.
    #[must_use]
    pub fn paced(self, is_paced: bool) -> Self {
        Self { is_paced, ..self }
    }

    /// Returns the largest number of calls to send in one request.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether batches are sent one after another with a pause, because the provider counts the calls inside them.
    pub fn is_paced(&self) -> bool {
        self.is_paced
    }

    /// The number of calls to try first after a batch of `calls` calls was answered with a rate limit: the provider may count calls.
    pub(crate) fn part_after_limit(&self, calls: usize) -> Option<usize> {
        let limited = self.limited_calls.min(calls);
        let [first, later] = Self::PARTS_AFTER_LIMIT;
        let part = limited.checked_div(if self.limited == 1 { first } else { later });
        part.map(|part| part.max(1)).filter(|_| self.limited > 0 && limited > 1)
    }

    /// Whether a batch of `calls` calls was answered before, so that a failure now has another cause.
    pub(crate) fn has_taken(&self, calls: usize) -> bool {
        calls <= self.taken
    }

    /// A larger size that may be tried for one request of a call with `calls` calls.
    pub(crate) fn trial(&self, calls: usize) -> Option<usize> {
        if self.used < Self::USES_BEFORE_TRIAL || calls <= self.size {
            return None;
        }
        let refused = self.refused.unwrap_or(LARGEST_BATCH.saturating_add(1));
        let middle = self.size.saturating_add(refused.saturating_sub(self.size) / 2);
        let next = self.size.saturating_mul(2).min(middle).min(calls);
        (next > self.size && next < refused).then_some(next)
    }

    /// The sizes to try at once after a batch of `refused` calls was refused, next to one call alone. `named` is the limit in the
    /// error's text.
    pub(crate) fn probes(refused: usize, named: Option<usize>) -> Vec<usize> {
        let sizes = match named.filter(|named| *named < refused) {
            Some(named) => [3.min(named), named],
            None => Self::STEPS.map(|size| size.min(refused.saturating_sub(1))),
        };
        let mut sizes: Vec<usize> = sizes.into_iter().filter(|size| *size > 1).collect();
        sizes.dedup();
        sizes
    }

    /// Records that a batch of `calls` calls was answered.
    pub(crate) fn record_taken(&mut self, calls: usize) {
        if self.limited > 0 && calls < self.limited_calls {
            self.record_refused(self.limited_calls, calls);
            self.is_paced = true;
        } else if calls > self.size {
            self.is_paced = false;
        }
        self.limited = 0;
        self.taken = self.taken.max(calls);
        self.refused = self.refused.filter(|refused| *refused > calls);
        if calls > self.size {
            (self.size, self.used) = (calls, 0);
        }
    }

    /// Records that a batch of `calls` calls failed as in an outage. If the next one fails too, its size may be the reason.
    pub(crate) fn record_failed(&mut self, calls: usize) {
        self.taken = self.taken.min(calls.saturating_sub(1));
    }

    /// Records that one call of this provider used the whole size.
    pub(crate) fn record_use(&mut self) {
        self.used = self.used.saturating_add(1);
    }

    /// Records that a batch of `calls` calls was refused although smaller requests are answered. `taken` is the largest of these.
    pub(crate) fn record_refused(&mut self, calls: usize, taken: usize) {
        self.refused = Some(self.refused.map_or(calls, |refused| refused.min(calls)));
        if self.size >= calls {
            self.size = taken.clamp(1, calls.saturating_sub(1).max(1));
        }
        self.taken = self.taken.min(self.size);
        self.used = 0;
    }

    /// Records that a batch of `calls` calls was answered with a rate limit.
    pub(crate) fn record_limited(&mut self, calls: usize) {
        self.limited = self.limited.saturating_add(1);
        self.limited_calls = calls;
        if self.limited >= Self::LIMITS_BEFORE_HALF {
            self.record_refused(calls, calls / 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_refusal_three_and_ten_are_tried_or_the_size_in_the_text() {
        assert_eq!(BatchSize::probes(60, None), [3, 10]);
        assert_eq!(BatchSize::probes(60, Some(5)), [3, 5]);
        assert_eq!(BatchSize::probes(60, Some(3)), [3]);
        assert_eq!(BatchSize::probes(60, Some(2)), [2]);
        assert_eq!(BatchSize::probes(60, Some(1)), [0; 0]);
        assert_eq!(BatchSize::probes(60, Some(80)), [3, 10], "a number that was refused says nothing");
        assert_eq!(BatchSize::probes(10, None), [3, 9]);
        assert_eq!(BatchSize::probes(3, None), [2]);
        assert_eq!(BatchSize::probes(2, None), [0; 0]);
    }

    #[test]
    fn the_size_is_what_was_answered_and_grows_again_later() {
        let mut batch = BatchSize::default();
        batch.record_taken(3);
        batch.record_refused(10, 3);
        assert_eq!((batch.size(), batch.trial(60)), (3, None));
        (0..3).for_each(|_| batch.record_use());
        assert_eq!(batch.trial(60), None);
        batch.record_use();
        assert_eq!((batch.trial(60), batch.trial(4), batch.trial(3)), (Some(6), Some(4), None));
        batch.record_taken(6);
        assert_eq!((batch.size(), batch.trial(60)), (6, None));
        (0..4).for_each(|_| batch.record_use());
        assert_eq!(batch.trial(60), Some(8));
        batch.record_refused(8, 6);
        assert_eq!(batch.size(), 6);
        (0..4).for_each(|_| batch.record_use());
        assert_eq!(batch.trial(60), Some(7));
        batch.record_refused(7, 6);
        (0..9).for_each(|_| batch.record_use());
        assert_eq!((batch.size(), batch.trial(60)), (6, None));
    }

    #[test]
    fn a_size_from_before_a_restart_doubles_at_most() {
        let mut batch = BatchSize::known(4);
        (0..4).for_each(|_| batch.record_use());
        assert_eq!(batch.trial(60), Some(8));
        let mut largest = BatchSize::known(1_000);
        (0..4).for_each(|_| largest.record_use());
        assert_eq!((largest.size(), largest.trial(1_000)), (LARGEST_BATCH, None));
        assert_eq!(BatchSize::known(0).size(), 1);
        // A pace from before a restart ends as one that was just learned: when a larger batch is answered.
        let mut paced = BatchSize::known(15).paced(true);
        paced.record_taken(15);
        assert!(paced.is_paced());
        paced.record_taken(30);
        assert_eq!((paced.size(), paced.is_paced()), (30, false));
    }

    #[test]
    fn two_rate_limits_in_a_row_halve_the_size() {
        let mut batch = BatchSize::default();
        batch.record_limited(60);
        batch.record_taken(60);
        batch.record_limited(60);
        assert_eq!(batch.size(), 100);
        batch.record_limited(60);
        assert_eq!(batch.size(), 30);
    }

    /// A quarter of a batch that met a rate limit is tried. If it is answered, the provider counts calls.
    #[test]
    fn a_part_that_is_answered_after_a_rate_limit_sets_the_pace() {
        let mut batch = BatchSize::default();
        assert_eq!(batch.part_after_limit(60), None);
        batch.record_limited(60);
        assert_eq!(
            [60, 30, 3, 1].map(|calls| batch.part_after_limit(calls)),
            [Some(15), Some(7), Some(1), None]
        );
        assert!(!batch.is_paced());
        batch.record_taken(15);
        assert_eq!((batch.size(), batch.is_paced(), batch.part_after_limit(45)), (15, true, None));
        // A larger batch is answered later: the calls are not counted any more.
        (0..4).for_each(|_| batch.record_use());
        assert_eq!(batch.trial(60), Some(30));
        batch.record_taken(30);
        assert_eq!((batch.size(), batch.is_paced()), (30, false));
        // The whole batch is answered after the pause: it was a limit of requests.
        let mut batch = BatchSize::default();
        batch.record_limited(2);
        batch.record_taken(2);
        assert_eq!((batch.size(), batch.is_paced()), (100, false));
    }

    #[test]
    fn a_size_that_was_answered_and_is_refused_now_is_no_longer_known() {
        let mut batch = BatchSize::default();
        batch.record_taken(50);
        assert!(batch.has_taken(50) && !batch.has_taken(51));
        batch.record_refused(20, 10);
        assert!(batch.has_taken(10) && !batch.has_taken(20));
        assert_eq!(batch.size(), 10);
    }
}
