//! When in a slot a source publishes its new head, as its answers have shown. Pure: no request, no clock.
//!
//! A source that is asked too early has no new head yet, and must be asked again; one that is asked late gives a head that is
//! old. So the moment is searched between the latest offset at which the head was missing and the earliest at which it was
//! there. A source that publishes late can delay its own heads by [`latest`] at most.

use std::time::Duration;

use saldo_beacon::unit::Slot;

/// How exactly the moment is learned, as a part of a slot.
const STEP: u32 = 48;
/// Number of slots after which an earlier offset is tried.
const STEADY_SLOTS: u32 = 32;
/// The weight of a late head. A head in time weighs one less. Two late heads in a row count, or two of three for long.
const LATE: u32 = 2;
/// The weight of late heads from which on the moment is learned again.
const TOO_LATE: u32 = 2 * LATE;
/// Number of slots without a head, in a row, after which a source is asked once in each slot.
const EMPTY_SLOTS: u32 = 2;

/// The offset at which a source is asked first: blocks are published early in their slot. After a third of it, most of the
/// committee has settled on a view.
fn usual(slot_duration: Duration) -> Duration {
    slot_duration.checked_div(3).unwrap_or_default()
}

/// The latest offset at which a source is asked for the head of a slot.
pub(super) fn latest(slot_duration: Duration) -> Duration {
    slot_duration.checked_div(2).unwrap_or_default()
}

/// A moment: a slot, and the time since it began.
pub(super) type Moment = (Slot, Duration);

/// The last answer of a source.
#[derive(Clone, Copy, Debug)]
struct Answer {
    slot: Slot,
    offset: Duration,
    has_head: bool,
}

/// When in a slot one source publishes its new head.
#[derive(Clone, Debug, Default)]
pub(super) struct Publication {
    /// The earliest offset at which the head was there. `None` until one came in its slot.
    there: Option<Duration>,
    /// The latest offset before that at which it was missing.
    missing: Duration,
    last: Option<Answer>,
    /// The latest offset at which it was missing in the present slot. It says nothing if the slot has no block.
    missing_now: Option<Duration>,
    /// The number of answers without a head in the present slot, from the expected offset on.
    late_answers: u32,
    /// The weight of late heads.
    lateness: u32,
    /// Number of slots in which the head was there at the expected offset.
    steady: u32,
    /// Whether an earlier offset is tried.
    is_trying: bool,
    /// Number of slots without a head, in a row.
    empty: u32,
}

impl Publication {
    /// Records an answer to a request that was sent at `moment`, and whether it had the head that is published in that slot.
    pub(super) fn record(&mut self, (slot, offset): Moment, has_head: bool, slot_duration: Duration) {
        let last = self.last;
        if last.is_none_or(|last| last.slot != slot) {
            self.empty = self.empty.saturating_add(u32::from(last.is_some_and(|last| !last.has_head)));
            (self.missing_now, self.late_answers) = (None, 0);
        } else if last.is_some_and(|last| last.has_head) {
            return; // The head of this slot has come before.
        }
        self.last = Some(Answer { slot, offset, has_head });
        if has_head {
            self.empty = 0;
            self.record_head(offset, slot_duration);
        } else {
            self.missing_now = Some(offset);
            if self.there.is_none_or(|there| offset >= there) {
                self.late_answers = self.late_answers.saturating_add(1);
            }
        }
    }

    fn record_head(&mut self, offset: Duration, slot_duration: Duration) {
        let Some(there) = self.there else {
            (self.there, self.missing) = (Some(offset), self.missing_now.unwrap_or_default());
            return;
        };
        if offset < there {
            // Earlier than ever. If that was tried after a long time, it may be much earlier by now.
            if std::mem::take(&mut self.is_trying) || offset <= self.missing {
                self.missing = Duration::ZERO;
            }
            self.missing = self.missing.max(self.missing_now.unwrap_or_default());
            (self.there, self.steady) = (Some(offset), 0);
            return;
        }
        match self.missing_now {
            Some(missing) if missing >= there => {
                self.lateness = self.lateness.saturating_add(LATE);
                if self.lateness >= TOO_LATE {
                    *self = Self { there: Some(offset), missing, last: self.last, ..Self::default() };
                }
                return;
            }
            Some(missing) => self.missing = self.missing.max(missing),
            None => {}
        }
        self.lateness = self.lateness.saturating_sub(1);
        self.steady = self.steady.saturating_add(1);
        self.is_trying = false;
        if self.steady >= STEADY_SLOTS {
            let step = step(slot_duration);
            self.missing = self.missing.min(there.saturating_sub(step.saturating_mul(2)));
            (self.steady, self.is_trying) = (0, true);
        }
    }

    /// Whether the source has shown when it publishes.
    pub(super) fn is_known(&self) -> bool {
        self.there.is_some() || self.empty >= EMPTY_SLOTS
    }

    /// Whether the source usually has its head by `offset`.
    pub(super) fn is_usually_there(&self, offset: Duration) -> bool {
        self.empty == 0 && self.there.is_some_and(|there| there <= offset)
    }

    /// The offset at which to ask for the head of a slot.
    pub(super) fn offset(&self, slot_duration: Duration) -> Duration {
        let latest = latest(slot_duration);
        let Some(there) = self.there.filter(|_| self.empty < EMPTY_SLOTS) else {
            return if self.empty < EMPTY_SLOTS { usual(slot_duration) } else { latest };
        };
        let gap = there.saturating_sub(self.missing);
        let is_exact = gap <= step(slot_duration);
        let middle = self.missing.saturating_add(gap.checked_div(2).unwrap_or_default());
        if is_exact { there } else { middle }.min(latest)
    }

    /// When to ask next, after the last answer; `None` if there was none.
    pub(super) fn next(&self, slot_duration: Duration) -> Option<Moment> {
        let Answer { slot, offset, has_head } = self.last?;
        let in_next_slot = (slot.saturating_add(1), self.offset(slot_duration));
        let latest = latest(slot_duration);
        if has_head || offset >= latest {
            return Some(in_next_slot);
        }
        if self.empty >= EMPTY_SLOTS {
            return Some((slot, latest));
        }
        let expected = self.there.unwrap_or(usual(slot_duration));
        let doubled = 1_u32.checked_shl(self.late_answers.saturating_sub(1)).unwrap_or(u32::MAX);
        let later = offset.saturating_add(step(slot_duration).saturating_mul(doubled));
        Some((slot, if offset < expected { expected } else { later }.min(latest)))
    }
}

fn step(slot_duration: Duration) -> Duration {
    slot_duration.checked_div(STEP).unwrap_or_default()
}

#[cfg(test)]
#[path = "publication_tests.rs"]
mod tests;
