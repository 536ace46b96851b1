//! When in a slot the sources publish its head: learned from their answers, so that they are not asked before.

use std::time::Duration;

/// How long after the start of a slot the sources are asked for its head. It is sought from both sides: an answer without the head
/// moves it later, and each head that comes moves it a little earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Publication(Duration);

impl Publication {
    /// Whether the sources are asked for the slot's head, `at` after its start.
    pub(super) fn is_due(self, at: Duration) -> bool {
        at >= self.0
    }

    /// A source had no head of the slot `at` after its start. A little before a third of the slot it is asked in any case: who withholds
    /// heads does not win more, and a watch that wakes after a third of the slot always finds a head due.
    pub(super) fn was_not_yet(self, at: Duration, slot: Duration) -> Self {
        let next = at.saturating_add(part(slot, 12));
        let latest = part(slot, 3).saturating_sub(part(slot, 48));
        Self(next.min(latest).max(self.0))
    }

    /// A source gave the head of the slot `at` after its start.
    pub(super) fn was_out(self, at: Duration, slot: Duration) -> Self {
        Self(self.0.min(at).saturating_sub(part(slot, 48)))
    }
}

fn part(slot: Duration, parts: u32) -> Duration {
    slot.checked_div(parts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: Duration = Duration::from_secs(12);

    /// Asks each half second in 40 slots, as a screen with much to read does. Returns how often in the last 30 slots.
    fn asked(published: Duration) -> u32 {
        let (mut publication, mut asked) = (Publication::default(), 0_u32);
        for slot in 0..40 {
            for half_seconds in 0..24 {
                let at = Duration::from_millis(500).saturating_mul(half_seconds);
                if !publication.is_due(at) {
                    continue;
                }
                asked = asked.saturating_add(u32::from(slot >= 10));
                if at >= published {
                    publication = publication.was_out(at, SLOT);
                    break;
                }
                publication = publication.was_not_yet(at, SLOT);
            }
        }
        asked
    }

    #[test]
    fn it_is_learned() {
        for seconds in 0..4 {
            let asked = asked(Duration::from_secs(seconds));
            assert!(asked <= 40, "{asked} requests in 30 slots, where heads come after {seconds} s");
        }
        // A watch wakes after a third of the slot, and its timer may be early by a little.
        assert!(Publication::default().was_not_yet(SLOT, SLOT).is_due(Duration::from_millis(3_990)));
    }

    #[test]
    fn what_was_late_for_a_while_is_forgotten() {
        let mut publication = Publication::default().was_not_yet(Duration::from_secs(3), SLOT);
        for _ in 0..16 {
            publication = publication.was_out(Duration::from_secs(9), SLOT);
        }
        assert_eq!(publication, Publication::default());
    }
}
