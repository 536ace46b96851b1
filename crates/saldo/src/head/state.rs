//! What the light client and the chain know.

use std::collections::BTreeSet;
use std::time::Duration;

use alloy_primitives::B256;
use saldo_beacon::unit::{Slot, UnixTime};
use saldo_beacon::{Checkpoint, ConsensusFault, LightClient, Network};
use saldo_chain::{Chain, ChainError};
use saldo_reading::{Generation, Now, ProviderId};
use saldo_source::Clock;

use super::certain_time::CertainTime;

/// The state that [`Head`](super::Head) owns. Locked for a moment only, never across an await.
#[derive(Default)]
pub(crate) struct HeadState {
    pub(super) light_client: Option<LightClient>,
    /// Follows the committee updates from an old checkpoint, where the checkpoint sources disagree. Nothing is proven by it.
    pub(super) probe: Option<LightClient>,
    pub(super) chain: Chain,
    /// Counts what was taken into the chain.
    pub(super) revision: u64,
    /// The heads contradicted each other or what is final. Nothing more is proven from this chain until trust is restarted
    /// at another checkpoint.
    pub(super) faulted: bool,
    /// The contradiction itself, kept beside the light client in case another light client takes its place.
    pub(super) fault: Option<ConsensusFault>,
    /// Where the caller restarted trust, instead of where the client was set up to start.
    pub(super) restarted_at: Option<Checkpoint>,
    /// Counts the trust starts: what was under way before the last one does not count after it.
    pub(super) generation: Generation,
    /// The latest time that a committee's signature proves to have come, although the head that it signs was refused as being
    /// from the future.
    pub(super) proven_time: Option<UnixTime>,
    /// The time that has certainly come.
    pub(super) certain_time: Option<CertainTime>,
    /// By how many slots more than usual even the best sources were behind the clock, if they were.
    pub(super) common_lag: Option<CommonLag>,
    /// The sources that did not answer when newer heads were asked for last.
    pub(super) silent_sources: BTreeSet<ProviderId>,
    /// When a source last gave heads that were not refused, on the monotonic clock.
    pub(super) heads_answered: Option<Duration>,
    /// The sources that had no bootstrap when they were last asked for one: nothing is fetched from them beside the next.
    pub(super) without_bootstrap: BTreeSet<ProviderId>,
    /// The finalized head whose header was fetched before it was needed.
    pub(super) finalized_header_tried: Option<B256>,
    /// Until when the period's next committee is not asked for again, on the monotonic clock. `None` from the start of the app
    /// until it is asked for.
    pub(super) next_committee_after: Option<Duration>,
}

/// By how many slots more than usual all sources that answered were behind the clock. Then the clock is fast, or the chain
/// stands still, and asking all of them again and again brings nothing.
#[derive(Clone, Copy)]
pub(super) struct CommonLag {
    pub(super) slots: u64,
    /// The slot in which that was learned.
    pub(super) since: Slot,
    /// For how many slots it is believed: a source that was unreachable may know better.
    pub(super) lasts: u64,
}

impl CommonLag {
    /// Counts slots, because the monotonic clock stands still while the device sleeps.
    pub(super) fn is_believed(&self, current: Slot) -> bool {
        current.since(self.since).is_some_and(|passed| passed <= self.lasts)
    }
}

impl HeadState {
    /// Proves nothing more from this chain: it contradicted what is final.
    pub(super) fn stop(&mut self) {
        self.faulted = true;
        self.light_client.iter_mut().for_each(LightClient::stop_for_reverted_finality);
    }

    /// Carries what the light client learned over to the chain. Gives the slot of a contradiction that was not known before.
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

    /// Notes what became of taking something into the chain: a contradiction of what is final stops everything.
    pub(super) fn attached<T>(&mut self, attached: &Result<T, ChainError>) -> bool {
        self.revision = self.revision.wrapping_add(1);
        if let Err(ChainError::ConsensusFault { .. }) = attached {
            self.stop();
        }
        attached.is_ok()
    }

    /// The time by the wall clock, the newest signed block, and what has passed since that became known.
    pub(super) fn now(&mut self, network: &Network, clock: &dyn Clock) -> Now {
        let certain = self.certain_time(network, clock.monotonic());
        Now::new(clock.wall(), certain, network.slot_duration())
    }

    /// The time that has certainly come: that of the newest block that is known to be signed, and what has passed since then
    /// on the `monotonic` clock, which nobody sets back.
    fn certain_time(&mut self, network: &Network, monotonic: Duration) -> Option<UnixTime> {
        let newest = self.newest_signed_time(network)?;
        let certain = CertainTime::after(self.certain_time, newest, monotonic);
        self.certain_time = Some(certain);
        Some(certain.at(monotonic))
    }

    /// The time of the newest block that is known to be signed.
    pub(super) fn newest_signed_time(&self, network: &Network) -> Option<UnixTime> {
        let light_client = self.light_client.as_ref()?;
        let signed = light_client.signed_head().map(|head| head.slot());
        let newest = network.slot_start(signed.unwrap_or_else(|| light_client.finalized_head().slot()));
        Some(self.proven_time.map_or(newest, |proven| proven.max(newest)))
    }
}
