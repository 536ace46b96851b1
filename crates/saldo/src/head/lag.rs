//! The lag of the newest signed head behind the clock, and what may still be trusted at this time.

use std::time::Duration;

use saldo_beacon::unit::{Slot, UnixTime};
use saldo_chain::Level;
use saldo_reading::Why;

use super::Head;

impl Head {
    /// The time for the protocol's checks.
    pub(crate) fn time(&self) -> UnixTime {
        self.now().time()
    }

    /// The usual lag of the newest signed head, in slots: the signature over the head of one slot is published
    /// with the block of the next.
    pub(super) const USUAL_LAG: u64 = 1;

    /// The lag of the newest signed head beyond [`Self::USUAL_LAG`], in slots; `None` if there is no head.
    pub(crate) fn slots_behind(&self) -> Option<u64> {
        let current = self.network().slot_at(self.time())?;
        let newest = self.newest_slot()?;
        Some(current.since(newest.saturating_add(Self::USUAL_LAG)).unwrap_or(0))
    }

    /// The lag of the newest signed head behind what the sources are known to have, in slots; `None` if there
    /// is no head.
    pub(super) fn slots_missing(&self) -> Option<u64> {
        match self.slots_behind()?.saturating_sub(self.common_lag()) {
            1 if self.was_just_answered() || !self.publication_is_due() => Some(0),
            missing => Some(missing),
        }
    }

    /// Whether a source gave its newest head within the last sixth of a slot. The head of this slot is then not
    /// published yet: many calls in a row ask for it once.
    fn was_just_answered(&self) -> bool {
        let pause = self.network().slot_duration().checked_div(6).unwrap_or_default();
        let now = self.env.clock().monotonic();
        self.state().heads_answered.is_some_and(|answered| now.saturating_sub(answered) < pause)
    }

    /// Whether the sources publish the head of this slot by now, as was learned.
    fn publication_is_due(&self) -> bool {
        self.since_slot_start().is_none_or(|at| self.state().publication.is_due(at))
    }

    fn since_slot_start(&self) -> Option<Duration> {
        let (network, now) = (self.network(), self.time());
        Some(now.saturating_sub(network.slot_start(network.slot_at(now)?)))
    }

    /// Notes what the answer of a source says about when heads are published. The newest head before was that of `before`.
    pub(super) fn note_publication(&self, before: Option<Slot>) {
        let (Some(at), Some(behind)) = (self.since_slot_start(), self.slots_behind()) else { return };
        let (newest, slot) = (self.newest_slot(), self.network().slot_duration());
        let behind = behind.saturating_sub(self.common_lag());
        let mut state = self.state();
        state.publication = match behind {
            0 if newest > before => state.publication.was_out(at, slot),
            1 => state.publication.was_not_yet(at, slot),
            _ => state.publication,
        };
    }

    /// The lag beyond the usual, in slots, up to which no source is asked for a newer head.
    pub(super) fn common_lag(&self) -> u64 {
        let Some(current) = self.network().slot_at(self.time()) else { return 0 };
        self.state().common_lag.filter(|lag| lag.is_believed(current)).map_or(0, |lag| lag.slots)
    }

    /// The slot of the newest signed head.
    pub(super) fn newest_slot(&self) -> Option<Slot> {
        let state = self.state();
        Some(state.light_client.as_ref()?.signed_head()?.slot())
    }

    /// Whether there is a signed head young enough to prove under, even if only its hash is known.
    pub(super) fn knows_young_head(&self) -> bool {
        let slot = match self.env.policy.assurance {
            Level::Finalized => {
                self.state().light_client.as_ref().map(|client| client.finalized_head().slot())
            }
            _ => self.newest_slot(),
        };
        let now = self.now();
        let age = slot.and_then(|slot| now.age_of(self.network().slot_start(slot)));
        age.is_some_and(|age| now.allows(age, &self.env.policy))
    }

    /// Whether a newer finalized head should exist: a block is final two epochs after its own.
    pub(super) fn finality_is_due(&self) -> bool {
        let Some(current) = self.network().slot_at(self.time()) else { return true };
        let current = current.saturating_sub(self.common_lag());
        let state = self.state();
        let Some(light_client) = &state.light_client else { return true };
        let finalized = self.network().epoch_at(light_client.finalized_head().slot());
        light_client.signed_head().is_none() || finalized.saturating_add(2) < self.network().epoch_at(current)
    }

    /// Why the light client is behind, if its lag is more than a few missed slots.
    pub(super) fn lag(&self) -> Option<Why> {
        /// More than three missed slots in a row are rare.
        const MISSED_SLOTS: u64 = 3;
        match self.slots_behind() {
            Some(slots) if slots <= MISSED_SLOTS => None,
            Some(_) => {
                Some(Why::LightClientBehind { newest: self.state().newest_signed_time(&self.network()) })
            }
            None => Some(Why::LightClientBehind { newest: None }),
        }
    }

    pub(super) fn epochs(&self, count: u64) -> Duration {
        let slots = count.saturating_mul(self.network().slots_per_epoch());
        self.network().slot_duration().saturating_mul(u32::try_from(slots).unwrap_or(u32::MAX))
    }

    /// Whether at `now` a finalized block at `slot` is too old to start from.
    pub(super) fn is_beyond_weak_subjectivity(&self, slot: Slot, now: UnixTime) -> bool {
        let (age, limit) = self.age_and_limit(slot, now);
        age > limit
    }

    /// How old a finalized block at `slot` is at `now`, and how old it may be, in epochs.
    pub(super) fn age_and_limit(&self, slot: Slot, now: UnixTime) -> (u64, u64) {
        self.network().checkpoint_age(slot, now)
    }

    /// The time until a proof is taken again at the head of a rollup. Its blocks come faster than anybody looks at them, and L1 vouches
    /// for one of many.
    const PAUSE_OF_ROLLUP: Duration = Duration::from_secs(60);

    /// The time until a newer head can have been signed and published.
    pub(crate) fn until_next_head(&self) -> Duration {
        if self.is_of_rollup() {
            return Self::PAUSE_OF_ROLLUP;
        }
        let wall = self.env.clock().wall();
        let slot_duration = self.network().slot_duration();
        let next = self.network().slot_at(wall).and_then(|slot| slot.checked_add(1));
        let start = next.map_or(wall, |slot| self.network().slot_start(slot));
        // Blocks are published early in their slot. After a third of the slot, most of the committee has
        // settled on a view.
        start.saturating_sub(wall).saturating_add(slot_duration.checked_div(3).unwrap_or_default())
    }
}
