//! Why the light client is behind.

use std::time::Duration;

use saldo_beacon::{AdvanceError, BootstrapError};
use saldo_reading::{Attempt, Failure, TransportError, Why};

use crate::core::Core;
use crate::sync::Need;

impl Core {
    pub(crate) fn epochs(&self, count: u64) -> Duration {
        let slots = count.saturating_mul(self.network().slots_per_epoch());
        self.network().slot_duration().saturating_mul(u32::try_from(slots).unwrap_or(u32::MAX))
    }

    /// Why the light client is behind, if it is by more than a missed slot or two.
    pub(crate) fn lag(&self) -> Option<Why> {
        /// Slots without a block follow one another rarely.
        const PATIENCE: u64 = 3;
        match self.slots_behind() {
            Some(slots) if slots <= PATIENCE => None,
            Some(_) => {
                Some(Why::LightClientBehind { newest: self.known().newest_signed_time(&self.network()) })
            }
            None => Some(Why::LightClientBehind { newest: None }),
        }
    }

    /// The one reason for a round that nobody won.
    pub(crate) fn problem(&self, need: &Need, round: &[Attempt]) -> Option<Why> {
        let failures = || round.iter().filter_map(|attempt| attempt.outcome.failure());
        if let Some(telling) = failures().find_map(|failure| self.telling(failure)) {
            return Some(telling);
        }
        let all = |test: fn(&Failure) -> bool| {
            !round.is_empty() && failures().count() == round.len() && failures().all(test)
        };
        if all(|failure| *failure == Failure::Transport(TransportError::Offline)) {
            return Some(Why::DeviceOffline);
        }
        // One source alone can label its data as it likes: it must be what all of them say.
        let reached: Vec<_> = failures().filter(|failure| !failure.is_unreachable()).collect();
        let is_alone = reached.len() == 1 && round.len() > 1;
        if !reached.is_empty() && !is_alone && reached.into_iter().all(is_of_unknown_fork) {
            return Some(Why::UnknownFork);
        }
        match need {
            Need::Start if all(|failure| matches!(failure, Failure::NotServed { .. })) => {
                Some(Why::CheckpointNotServed)
            }
            Need::Start if failures().any(is_refusal) => Some(Why::HeadsRefused),
            Need::Start => Some(Why::LightClientBehind { newest: None }),
            Need::Updates { .. } if all(Failure::is_unreachable) => self.lag(),
            Need::Updates { .. } if all(|failure| failure.is_unreachable() || is_refusal(failure)) => {
                Some(Why::HeadsRefused)
            }
            Need::Updates { start, .. } => Some(Why::HandOverMissing { period: *start }),
            Need::Heads if self.lag().is_some() && failures().any(is_refusal) => Some(Why::HeadsRefused),
            Need::Heads | Need::Nothing | Need::StartAgain { .. } => self.lag(),
        }
    }

    /// What a single failure says of the whole, because it was verified: the same would be true whoever had been asked.
    fn telling(&self, failure: &Failure) -> Option<Why> {
        match failure {
            Failure::Bootstrap(BootstrapError::CheckpointTooOld { age_epochs, limit_epochs }) => {
                Some(Why::CheckpointTooOld {
                    age: self.epochs(*age_epochs),
                    limit: self.epochs(*limit_epochs),
                })
            }
            Failure::Bootstrap(BootstrapError::WrongSlot { .. }) => Some(Why::CheckpointSlotWrong),
            Failure::Bootstrap(BootstrapError::FromFuture { .. }) => Some(Why::ClockOff),
            Failure::Update(AdvanceError::ConsensusFault(_)) => Some(Why::ConsensusFault),
            Failure::Update(AdvanceError::FromFuture { .. }) if self.lag().is_some() => Some(Why::ClockOff),
            _ => None,
        }
    }
}

fn is_of_unknown_fork(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::UnknownFork
            | Failure::Bootstrap(BootstrapError::UnknownFork(_))
            | Failure::Update(AdvanceError::UnknownFork(_) | AdvanceError::UnsettledFork { .. })
    )
}

/// Whether data came and was refused, rather than not coming at all.
fn is_refusal(failure: &Failure) -> bool {
    matches!(failure, Failure::Update(_) | Failure::Bootstrap(_) | Failure::Malformed { .. })
}
