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
use crate::env::Env;

/// Light-client data that cannot be verified before there is a light client.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    updates: Option<Data>,
    finality: Option<Data>,
    optimistic: Option<Data>,
}

impl Head {
    /// Fetches the committee updates since the block at `slot`, if there are any, and the newest heads.
    pub(super) async fn fetch_ahead(&self, source: &Endpoint, slot: Slot, deadline: Deadline) -> Ahead {
        let network = self.network();
        let start = network.period_at(slot);
        let present = network.slot_at(self.now().time()).map(|present| network.period_at(present));
        let missing = present.and_then(|present| present.get().checked_sub(start.get())).unwrap_or(0);
        let updates = async {
            let route = Route::Updates { start, count: missing.min(MAX_UPDATES) };
            if missing == 0 { None } else { self.fetch(source, route, deadline).await.ok() }
        };
        let finality = self.fetch(source, Route::FinalityUpdate, deadline);
        let optimistic = self.fetch(source, Route::OptimisticUpdate, deadline);
        let (updates, finality, optimistic) = join3(updates, finality, optimistic).await;
        Ahead { updates, finality: finality.ok(), optimistic: optimistic.ok() }
    }

    /// Uses the data that was fetched ahead, if it comes within the grace time. Refused data is requested again
    /// in the usual way.
    pub(super) async fn take_ahead(&self, ahead: impl Future<Output = Ahead> + Unpin) {
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
        let newest = ahead.optimistic.as_ref().map(|data| -> Result<(), Failure> {
            let fork = fork(data);
            let update = decode::optimistic_update(&data.bytes, data.encoding, fork.as_deref(), &network)?;
            self.advance(update)
        });
        if let Some(Ok(())) = newest {
            self.state().heads_answered = Some(self.env.clock().monotonic());
        }
    }
}
