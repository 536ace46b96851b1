//! What all clones of a client share: the owners of its state.

use std::sync::Arc;

use saldo_beacon::{Checkpoint, Network};
use saldo_reading::{Holding, Policy};
use saldo_source::{Deadline, Endpoint, Io};

use crate::env::Env;
use crate::event;
use crate::head::{Head, Synced, TrustStart};
use crate::hub::WatchHub;
use crate::proofs::Proofs;
use crate::readings::Readings;
use crate::store::Store;

/// Shared by all clones of a client.
pub(crate) struct ClientInner {
    pub(crate) env: Arc<Env>,
    /// What the light client and the chain know.
    pub(crate) head: Arc<Head>,
    /// Which proof is asked of which provider.
    pub(crate) proofs: Proofs,
    /// What is proven.
    pub(crate) readings: Readings,
    /// What watches have in common.
    pub(crate) hub: Arc<WatchHub>,
}

impl ClientInner {
    pub(crate) fn new(
        network: Arc<Network>,
        trust_start: TrustStart,
        policy: Policy,
        endpoints: (Vec<Endpoint>, Vec<Endpoint>),
        io: Io,
        store: Option<Store>,
    ) -> Self {
        let (execution, beacon) = endpoints;
        let env = Arc::new(Env::new(io, policy, execution, beacon));
        let head = Arc::new(Head::new(Arc::clone(&env), network, trust_start));
        let keeps_nodes = store.as_ref().is_some_and(Store::takes_anything);
        let proofs = Proofs::new(Arc::clone(&env), Arc::clone(&head), keeps_nodes);
        let hub = Arc::new(WatchHub::default());
        let readings = Readings::new(Arc::clone(&env), Arc::clone(&head), Arc::clone(&hub), store);
        Self { env, head, proofs, readings, hub }
    }

    /// Brings the light client up to date, and the records with it.
    pub(crate) async fn sync(&self, deadline: Deadline) -> Synced {
        let synced = self.head.sync(deadline).await;
        self.readings.review();
        synced
    }

    /// Carries what the light client learned over to the chain and the records.
    pub(crate) fn follow(&self) {
        self.head.follow();
        self.readings.review();
    }

    /// Restarts trust at `checkpoint`.
    pub(crate) fn restart_from(&self, checkpoint: Checkpoint) {
        event::start_again();
        self.readings.restart_from(checkpoint);
        self.proofs.drop_all_pending();
        self.readings.start_removals(&self.proofs);
        self.hub.notify.notify_all();
    }

    /// Drops everything that is known of `holding`.
    pub(crate) fn forget(&self, holding: &Holding) {
        self.proofs.forget(holding);
        self.readings.forget(holding);
        self.readings.start_removals(&self.proofs);
        self.hub.notify.notify_all();
    }

    /// Waits for a storage that was not ready when the client was built, at most until `deadline`.
    pub(crate) async fn open_storage(&self, deadline: Deadline) {
        self.readings.open_storage(&self.proofs, deadline).await;
    }

    /// Waits for `future`, and meanwhile for what the storage was asked for.
    pub(crate) async fn beside_storage<T>(&self, future: impl Future<Output = T> + Send) -> T {
        self.readings.beside_storage(&self.proofs, future).await
    }

    /// Stores what is new, and waits for that at most until `deadline`.
    pub(crate) async fn persist(&self, deadline: Deadline) {
        self.readings.persist(&self.proofs, deadline).await;
    }
}
