//! The state of the light client and the chain.

use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{Checkpoint, ConsensusFault, LightClient, Network};
use saldo_chain::{Chain, ChainError};
use saldo_reading::{Attempt, Generation, Now, ProviderId};
use saldo_source::{Clock, SortedMap, SortedSet};

use super::certain_time::CertainTime;
use super::publication::Publication;

/// What L1 is at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PresentL1 {
    /// Its trust start. What followed from an earlier one does not count any more.
    pub(crate) generation: Generation,
    /// Whether it contradicted itself.
    pub(crate) is_faulted: bool,
    /// The time of its newest signed block.
    pub(crate) newest_signed_time: Option<UnixTime>,
}

/// The state that [`Head`](super::Head) owns. Locked for a moment only, never across an await.
#[derive(Default)]
pub(crate) struct HeadState {
    pub(super) light_client: Option<LightClient>,
    /// The probe client: follows the committee updates from an old checkpoint, if the checkpoint sources
    /// disagree. Nothing is proven by it.
    pub(super) probe: Option<LightClient>,
    pub(super) chain: Chain,
    /// Counts the changes of the chain.
    pub(super) revision: u64,
    /// The heads contradicted each other or a final block. Nothing more is proven from this chain until trust
    /// is restarted from another checkpoint.
    pub(super) faulted: bool,
    /// The providers say that the chain id of the network's table is wrong.
    pub(super) has_wrong_chain_id: bool,
    /// The contradiction. It is kept here too because another light client may replace the present one.
    pub(super) fault: Option<ConsensusFault>,
    /// The checkpoint at which the caller restarted trust, instead of the one that the client was built with.
    pub(super) restarted_at: Option<Checkpoint>,
    /// Counts the trust starts. Work that began under an earlier trust start does not count after the next one.
    pub(super) generation: Generation,
    /// The trust start of L1 that the blocks of a rollup follow from.
    pub(super) generation_of_l1: Option<Generation>,
    /// The latest time that a committee's signature proves to have come, although the signed head was refused
    /// as being from the future.
    pub(super) proven_time: Option<UnixTime>,
    /// The time that has certainly come.
    pub(super) certain_time: Option<CertainTime>,
    /// The lag of even the best sources behind the clock, if it was more than usual.
    pub(super) common_lag: Option<CommonLag>,
    /// The sources that did not answer the last request for newer heads.
    pub(super) silent_sources: SortedSet<ProviderId>,
    /// When a source last gave accepted heads, on the monotonic clock.
    pub(super) heads_answered: Option<Duration>,
    /// When in a slot the sources publish its head.
    pub(super) publication: Publication,
    /// What the sources answered to requests for finality updates.
    pub(super) finality: FinalityAnswers,
    /// When each source was last found to serve a light-client route, on the monotonic clock.
    pub(super) served_routes: SortedMap<ProviderId, Duration>,
    /// The sources that had no bootstrap at the last request: the next request to them fetches nothing else
    /// beside it.
    pub(super) without_bootstrap: SortedSet<ProviderId>,
    /// The finalized head whose header was requested before it was needed.
    pub(super) finalized_header_tried: Option<B256>,
    /// The next committee is not requested before this time, on the monotonic clock. `None` until the first
    /// request after the app was opened.
    pub(super) next_committee_after: Option<Duration>,
}

/// What the sources answered to requests for finality updates.
#[derive(Debug, Default)]
pub(super) struct FinalityAnswers {
    /// The attested slot of the newest update that was accepted, even if it finalized nothing new.
    pub(super) attested: Option<Slot>,
    /// The sources whose last answer was not accepted.
    pub(super) failed: SortedMap<ProviderId, Attempt>,
    /// When each source answered last, on the monotonic clock.
    pub(super) answered: SortedMap<ProviderId, Duration>,
}

/// The lag beyond the usual of all sources that answered. It means that the clock is fast, or that the chain
/// stands still. Asking all sources repeatedly would not help.
#[derive(Clone, Copy)]
pub(super) struct CommonLag {
    pub(super) slots: u64,
    /// The slot in which the lag was learned.
    pub(super) since: Slot,
    /// Number of slots for which the lag is believed. A source that was unreachable may have newer heads.
    pub(super) lasts: u64,
}

impl CommonLag {
    /// Measures in slots, because the monotonic clock stops while the device sleeps.
    pub(super) fn is_believed(&self, current: Slot) -> bool {
        current.since(self.since).is_some_and(|passed| passed <= self.lasts)
    }
}

impl HeadState {
    /// Takes over what L1 is at this moment. Where its trust was restarted, what it vouched for before does not count any more. A time
    /// that L1's committee signed has come for the rollup too.
    pub(super) fn follow_l1(&mut self, present: &PresentL1) {
        let of_l1 = present.generation;
        if self.generation_of_l1.is_some_and(|known| known > of_l1) {
            return; // Another call saw a later moment.
        }
        if self.generation_of_l1.is_some_and(|known| known < of_l1) {
            let generation = self.generation.next();
            *self = Self { generation, ..Self::default() };
        }
        self.generation_of_l1 = Some(of_l1);
        self.faulted = present.is_faulted;
        self.proven_time = self.proven_time.max(present.newest_signed_time);
    }

    /// Stops this chain: it contradicted a final block, so nothing more is proven from it.
    pub(super) fn stop(&mut self) {
        self.faulted = true;
        self.light_client.iter_mut().for_each(LightClient::stop_for_reverted_finality);
    }

    /// Updates the chain from the light client. Returns the slot of a contradiction that was not known before.
    pub(super) fn follow(&mut self) -> Option<Slot> {
        let was_at_fault = self.fault.is_some();
        if let Some(light_client) = &mut self.light_client {
            if !self.faulted && self.chain.follow(light_client).is_err() {
                light_client.stop_for_reverted_finality();
                self.faulted = true;
            }
            self.faulted |= light_client.consensus_fault().is_some();
            self.fault = self.fault.take().or_else(|| light_client.consensus_fault().cloned());
        }
        self.revision = self.revision.wrapping_add(1);
        self.fault.as_ref().filter(|_| !was_at_fault).map(ConsensusFault::slot)
    }

    /// Notes the result of attaching to the chain. A contradiction of a final block stops the chain.
    pub(super) fn attached<T>(&mut self, attached: &Result<T, ChainError>) -> bool {
        self.revision = self.revision.wrapping_add(1);
        if let Err(ChainError::ConsensusFault { .. }) = attached {
            self.stop();
        }
        attached.is_ok()
    }

    /// The time by the wall clock, the time of the newest signed block, and how long that has been known.
    pub(super) fn now(&mut self, network: &Network, clock: &dyn Clock) -> Now {
        let certain = self.certain_time(network, clock.monotonic());
        Now::new(clock.wall(), certain, network.slot_duration())
    }

    /// The time that has certainly come: the time of the newest signed block, plus what has passed since on the
    /// `monotonic` clock, which cannot be set back.
    fn certain_time(&mut self, network: &Network, monotonic: Duration) -> Option<UnixTime> {
        let newest = self.newest_signed_time(network)?;
        let certain = CertainTime::after(self.certain_time, newest, monotonic);
        self.certain_time = Some(certain);
        Some(certain.at(monotonic))
    }

    /// The time of the newest block that is known to be signed.
    pub(super) fn newest_signed_time(&self, network: &Network) -> Option<UnixTime> {
        let Some(light_client) = &self.light_client else {
            return self.proven_time.filter(|_| self.generation_of_l1.is_some());
        };
        let signed = light_client.signed_head().map(|head| head.slot());
        let newest = network.slot_start(signed.unwrap_or_else(|| light_client.finalized_head().slot()));
        Some(self.proven_time.map_or(newest, |proven| proven.max(newest)))
    }
}
