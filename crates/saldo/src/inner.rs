//! The state that all clones of a client share, divided among its owners.

use std::sync::Arc;

use saldo_beacon::{Checkpoint, Network};
#[cfg(feature = "rollup")]
use saldo_chain::rollup::Profile;
use saldo_reading::{Asset, Holding, NetworkId, Policy, Role, Why};
use saldo_source::{Deadline, Diversity, Endpoint, Io, MaybeSend};

use crate::env::Env;
use crate::event;
#[cfg(feature = "rollup")]
use crate::head::AnyL1;
use crate::head::{Head, Synced, TrustStart};
use crate::hub::WatchHub;
use crate::last_answers::LastAnswers;
use crate::proofs::Proofs;
use crate::readings::Readings;
use crate::rollup::{Recorded, Rollup};
#[cfg(feature = "rollup")]
use crate::rollup::{Relays, network_of};
use crate::state::{Bodies, Headers, StateCache, Waves};
use crate::store::Store;

/// Holds the owners of the state. All clones of a client share it.
pub(crate) struct ClientInner {
    pub(crate) env: Arc<Env>,
    /// The light client and the chain.
    pub(crate) head: Arc<Head>,
    /// The provider state and the pending proofs.
    pub(crate) proofs: Proofs,
    /// The records of proven readings.
    pub(crate) readings: Readings,
    /// The last answers, for layers that answer requests.
    pub(crate) answers: LastAnswers,
    /// The state that the watches share.
    pub(crate) hub: Arc<WatchHub>,
    /// What L1 says, where the network is a rollup.
    pub(crate) rollup: Option<Rollup>,
    /// What is proven of the blocks that were asked about.
    pub(crate) states: StateCache,
    /// The requests about the state of blocks that are under way.
    pub(crate) waves: Waves,
    /// The headers of the blocks that were asked about.
    pub(crate) headers: Headers,
    /// The bodies of the blocks that were asked about.
    pub(crate) bodies: Bodies,
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
        Self::of_head(env, head, None, store)
    }

    /// Makes the state of a client of a rollup, whose blocks `l1` vouches for.
    #[cfg(feature = "rollup")]
    pub(crate) fn of_rollup(
        profile: Profile,
        l1: AnyL1,
        policy: Policy,
        (execution, relays): (Vec<Endpoint>, Vec<Endpoint>),
        io: Io,
        store: Option<Store>,
    ) -> Self {
        let env = Arc::new(Env::new(io, policy, execution, Vec::new()));
        let relays = Relays::new(Arc::clone(&env), profile.chain_id(), relays);
        let network = Arc::new(network_of(&profile));
        let head = Arc::new(Head::of_rollup(Arc::clone(&env), network, AnyL1::clone(&l1)));
        let rollup = Rollup::new(Arc::clone(&env), Arc::clone(&head), profile, l1, relays);
        Self::of_head(env, head, Some(rollup), store)
    }

    fn of_head(env: Arc<Env>, head: Arc<Head>, rollup: Option<Rollup>, store: Option<Store>) -> Self {
        let keeps_nodes = store.as_ref().is_some_and(Store::takes_anything);
        let proofs = Proofs::new(Arc::clone(&env), Arc::clone(&head), keeps_nodes);
        let hub = Arc::new(WatchHub::default());
        let readings = Readings::new(Arc::clone(&env), Arc::clone(&head), Arc::clone(&hub), store);
        let (answers, states, waves, headers, bodies) = Default::default();
        Self { env, head, proofs, readings, answers, hub, rollup, states, waves, headers, bodies }
    }

    /// Syncs the light client, or what L1 says of a rollup, and reviews the records.
    pub(crate) async fn sync(&self, deadline: Deadline) -> Synced {
        let synced = match &self.rollup {
            Some(rollup) => {
                let recorded =
                    Recorded { games: self.readings.games(), remembered: self.readings.remembered() };
                rollup.sync(&self.proofs, recorded, deadline).await
            }
            None => self.head.sync(deadline).await,
        };
        self.review();
        synced
    }

    /// Updates the chain from the light client, and reviews the records.
    pub(crate) fn follow(&self) {
        self.head.follow();
        self.review();
    }

    fn review(&self) {
        self.readings.review();
        self.answers.review(&self.head);
    }

    /// The chain id of the L1 of a rollup, or of the network itself.
    pub(crate) fn l1_chain_id(&self) -> u64 {
        let own = || self.head.network().chain_id();
        self.rollup.as_ref().map_or_else(own, |rollup| rollup.profile().l1_chain_id())
    }

    /// Restarts trust from `checkpoint`.
    pub(crate) fn restart_from(&self, checkpoint: Checkpoint) {
        event::start_again();
        self.readings.restart_from(checkpoint);
        self.answers.clear();
        self.proofs.drop_all_pending();
        self.readings.start_removals(&self.proofs);
        self.hub.notify.notify_all();
    }

    /// Drops all data about `holding`.
    pub(crate) fn forget(&self, holding: &Holding) {
        if self.unreadable(holding).is_some() {
            return; // Nothing is known about it. What is known about its owner belongs to another holding.
        }
        self.proofs.forget(holding, !self.readings.has_other_of_owner(holding));
        self.readings.forget(holding);
        // They are kept by the hashes of their questions, so that those of one owner cannot be told from others.
        self.answers.clear();
        self.readings.start_removals(&self.proofs);
        self.hub.notify.notify_all();
    }

    /// Waits for a storage that was not ready when the client was built, at most until `deadline`.
    pub(crate) async fn open_storage(&self, deadline: Deadline) {
        self.readings.open_storage(&self.proofs, deadline).await;
    }

    /// Waits until the storage was read and has removed what it was asked to remove, at most until `deadline`.
    pub(crate) async fn settle_storage(&self, deadline: Deadline) {
        self.readings.settle_storage(&self.proofs, deadline).await;
    }

    /// Waits for `future`, and drives the pending storage operations meanwhile.
    pub(crate) async fn beside_storage<T>(&self, future: impl Future<Output = T> + MaybeSend) -> T {
        self.readings.beside_storage(&self.proofs, future).await
    }

    /// Stores what is new, and waits for that at most until `deadline`.
    pub(crate) async fn persist(&self, deadline: Deadline) {
        self.readings.persist(&self.proofs, deadline).await;
    }

    /// Why this client cannot read `holding`, whatever the providers answer; `None` if it can.
    pub(crate) fn unreadable(&self, holding: &Holding) -> Option<Why> {
        let expected = NetworkId::from(&*self.head.network());
        match holding.asset() {
            _ if holding.network() != expected => Some(Why::NetworkNotConfigured { expected }),
            Asset::Native | Asset::Erc20(_) => None,
            _ => Some(Why::TokenLayoutUnproven),
        }
    }

    /// What the endpoints of each kind depend on, as declared.
    pub(crate) fn diversity(&self) -> Vec<Diversity> {
        let sources: &[Endpoint] = match self.head.trust_start().agreement() {
            Some(agreement) => &agreement.sources,
            None => &[],
        };
        let kinds = [
            (Role::Execution, self.env.execution.as_slice()),
            (Role::Beacon, self.env.beacon.as_slice()),
            (Role::Checkpoint, sources),
        ];
        let given = kinds.into_iter().filter(|(_, endpoints)| !endpoints.is_empty());
        given.map(|(role, endpoints)| Diversity::of(role, endpoints)).collect()
    }
}
