//! Random durations, the same again for the same seed.

use std::time::Duration;

/// Draws durations, so that many devices do not come back at the same moment. Not for secrets: SplitMix64.
#[derive(Debug)]
pub(crate) struct Jitter(u64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A duration from zero to `longest`, in whole milliseconds ("full jitter").
    pub(crate) fn up_to(&mut self, longest: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Duration::from_millis(mixed.checked_rem(millis).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_stay_within_the_limit_and_use_all_of_it() {
        let longest = Duration::from_millis(10);
        let mut jitter = Jitter::new(1);
        let drawn: Vec<Duration> = (0..1_000).map(|_| jitter.up_to(longest)).collect();
        assert_eq!(drawn.iter().min(), Some(&Duration::ZERO));
        assert_eq!(drawn.iter().max(), Some(&longest));
        assert_eq!(jitter.up_to(Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_seed_repeats_its_durations() {
        let draw = |seed| {
            let mut jitter = Jitter::new(seed);
            [(); 8].map(|()| jitter.up_to(Duration::from_secs(300)))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }
}
