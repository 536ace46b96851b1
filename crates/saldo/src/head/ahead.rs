//! Fetches what a light client needs right after its start beside the bootstrap: one round trip instead of
//! three.

use futures_util::future::{Either, join3, select};
use saldo_beacon::decode;
use saldo_beacon::unit::Slot;
use saldo_chain::Level;
use saldo_reading::Failure;
use saldo_source::beacon::{Data, MAX_UPDATES, Route};
use saldo_source::{Deadline, Endpoint};

use super::Head;
use super::publication::Moment;
use crate::env::Env;

/// Light-client data that cannot be verified before there is a light client.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// When the newest head was requested.
    asked: Option<Moment>,
    updates: Option<Data>,
    finality: Option<Data>,
    optimistic: Option<Data>,
}

impl Head {
    /// Fetches the committee updates since the block at `slot`, if there are any, and the newest head. Over HTTP/1.1 one answer
    /// follows another, so that only what a proof needs is requested: a finality update is not, unless the policy asks for it
    /// ([`Head::learn_finality_beside`]).
    pub(super) async fn fetch_ahead(&self, source: &Endpoint, slot: Slot, deadline: Deadline) -> Ahead {
        let (network, asked) = (self.network(), self.moment());
        let start = network.period_at(slot);
        let present = network.slot_at(self.now().time()).map(|present| network.period_at(present));
        let missing = present.and_then(|present| present.get().checked_sub(start.get())).unwrap_or(0);
        let updates = async {
            let route = Route::Updates { start, count: missing.min(MAX_UPDATES) };
            if missing == 0 {
                return None;
            }
            self.fetch(source, route, deadline).await.ok()
        };
        let finality = async {
            let is_needed = self.env.policy.assurance == Level::Finalized;
            if is_needed { self.fetch(source, Route::FinalityUpdate, deadline).await.ok() } else { None }
        };
        let optimistic = self.fetch(source, Route::OptimisticUpdate, deadline);
        let (optimistic, updates, finality) = join3(optimistic, updates, finality).await;
        Ahead { asked, updates, finality, optimistic: optimistic.ok() }
    }

    /// Uses the data that was fetched ahead, if it comes within the grace time. Refused data is requested again
    /// in the usual way.
    pub(super) async fn take_ahead(&self, source: &Endpoint, ahead: impl Future<Output = Ahead> + Unpin) {
        let Either::Left((ahead, _)) = select(ahead, self.env.clock().sleep(Env::GRACE)).await else {
            return;
        };
        let network = self.network();
        if let Some(Data { bytes, encoding, .. }) = &ahead.updates {
            let updates = decode::updates(bytes, *encoding, &network).unwrap_or_default();
            // After the first refused update, the committee to check the others is missing.
            let _ = updates.into_iter().try_for_each(|update| self.advance(update));
        }
        let fork = |data: &Data| data.fork.clone();
        if let Some(data) = &ahead.finality
            && let Ok(update) =
                decode::finality_update(&data.bytes, data.encoding, fork(data).as_deref(), &network)
        {
            let _ = self.advance(update);
        }
        if ahead.finality.is_none() && self.env.policy.assurance == Level::Finalized {
            return; // A newer head would hide that there is no newer final one yet.
        }
        let newest = ahead.optimistic.as_ref().map(|data| -> Result<Slot, Failure> {
            let fork = fork(data);
            let update = decode::optimistic_update(&data.bytes, data.encoding, fork.as_deref(), &network)?;
            let slot = update.attested_slot();
            self.advance(update).map(|()| slot)
        });
        if let Some(Ok(slot)) = newest {
            self.note_publication(source, ahead.asked, slot);
            self.state().heads_answered = Some(self.env.clock().monotonic());
        }
    }
}
