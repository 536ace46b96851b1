//! Learns when the sources publish their heads, and asks each of them at its time.

use std::time::Duration;

use saldo_beacon::unit::Slot;
use saldo_source::Endpoint;

use super::Head;
use super::publication::{Moment, Publication, latest};

impl Head {
    /// Number of slots after which other sources are asked again because one has no new head in time.
    const COMPARED_AGAIN: u64 = 32;

    /// The present slot, and the time since it began.
    pub(super) fn moment(&self) -> Option<Moment> {
        let (network, now) = (self.network(), self.time());
        let slot = network.slot_at(now)?;
        Some((slot, now.saturating_sub(network.slot_start(slot))))
    }

    /// The present slot; `None` before the chain began.
    pub(crate) fn present_slot(&self) -> Option<Slot> {
        Some(self.moment()?.0)
    }

    /// Notes that `source` gave the head of the slot `head` to a request that was sent at the moment `asked`.
    pub(super) fn note_publication(&self, source: &Endpoint, asked: Option<Moment>, head: Slot) {
        let Some(asked) = asked else { return };
        let has_head = head.saturating_add(Self::USUAL_LAG) >= asked.0;
        let slot_duration = self.network().slot_duration();
        let mut state = self.state();
        let known = state.publications.entry(source.id().clone()).or_default();
        known.record(asked, has_head, slot_duration);
        state.answered_last = Some(source.id().clone());
    }

    /// Whether the source that answered last has no newer head yet, as far as is known: many calls in a row ask for it once. Until
    /// its time is known, it is not asked again for a sixth of a slot.
    pub(super) fn is_not_published_yet(&self) -> bool {
        let slot_duration = self.network().slot_duration();
        if let Some(next) = self.next_publication() {
            // A clock that was set back must not stop the requests.
            let slots = self.present_slot().and_then(|present| next.0.since(present));
            return slots.is_some_and(|slots| slots <= 1) && !self.until(next).is_zero();
        }
        let pause = slot_duration.checked_div(6).unwrap_or_default();
        let now = self.env.clock().monotonic();
        self.state().heads_answered.is_some_and(|answered| now.saturating_sub(answered) < pause)
    }

    /// Begins a comparison with other sources, if `source`, which has no new head, may be late: another source usually has
    /// it by now, or none was asked for long. Returns whether it began.
    pub(super) fn begin_comparison(&self, source: &Endpoint) -> bool {
        let missing = self.slots_behind().map(|slots| slots.saturating_sub(self.common_lag()));
        let (Some((slot, offset)), Some(1)) = (self.moment(), missing) else { return false };
        let latest = latest(self.network().slot_duration());
        let mut state = self.state();
        let since = state.compared.and_then(|compared| slot.since(compared));
        let is_ahead = |other: &Endpoint| {
            let known = state.publications.get(other.id());
            other.id() != source.id() && known.is_some_and(|known| known.is_usually_there(offset))
        };
        let has_others = self.env.beacon.len() > 1;
        let was_long_ago = since.is_none_or(|slots| slots >= Self::COMPARED_AGAIN);
        let begins = (since != Some(0) && self.env.beacon.iter().any(is_ahead))
            || (has_others && was_long_ago && offset >= latest);
        if begins {
            state.compared = Some(slot);
        }
        begins
    }

    /// When the source that answered last is asked next; `None` until its time is known.
    fn next_publication(&self) -> Option<Moment> {
        let slot_duration = self.network().slot_duration();
        let state = self.state();
        let known = state.publications.get(state.answered_last.as_ref()?)?;
        known.next(slot_duration).filter(|_| known.is_known())
    }

    /// The time until a newer head than that of this slot can have been signed and published.
    pub(crate) fn until_next_head(&self) -> Duration {
        let slot_duration = self.network().slot_duration();
        let offset = {
            let state = self.state();
            let known = state.answered_last.as_ref().and_then(|source| state.publications.get(source));
            known.map_or_else(
                || Publication::default().offset(slot_duration),
                |known| known.offset(slot_duration),
            )
        };
        let next = self.moment().and_then(|(slot, _)| slot.checked_add(1));
        next.map_or(offset, |slot| self.until((slot, offset)))
    }

    /// The time until the sources are asked for a newer head.
    pub(crate) fn until_next_poll(&self) -> Duration {
        let next = self.next_publication().map(|next| self.until(next));
        next.filter(|left| !left.is_zero()).unwrap_or_else(|| self.until_next_head())
    }

    fn until(&self, (slot, offset): Moment) -> Duration {
        self.network().slot_start(slot).saturating_add(offset).saturating_sub(self.time())
    }
}
