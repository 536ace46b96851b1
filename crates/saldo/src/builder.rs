//! Building a client. It opens no socket and spawns no task.

mod endpoint;
mod error;
#[cfg(feature = "rollup")]
mod rollup;
mod shared;

use std::path::Path;
use std::sync::Arc;

use saldo_beacon::{Checkpoint, Network};
use saldo_chain::Level;
use saldo_chain::rollup::Profile;
use saldo_reading::{Policy, Role};
use saldo_source::{Clock, Directory, Diversity, Endpoint, EndpointError, Io, Listed, SortedSet, Transport};

pub use self::endpoint::IntoEndpointError;
pub use self::error::BuildError;

use self::endpoint::GivenMirror;
use self::shared::{Shared, default_clock, default_transport};
use crate::client::Client;
use crate::head::{Agreement, LEAST_ANSWERS, TrustStart, distinct};
use crate::inner::ClientInner;
#[cfg(feature = "rollup")]
use crate::l1::l1_of;
use crate::networks::Networks;
use crate::storage::{Storage, StorageKey};
use crate::store::Store;
use crate::trust::Trust;

/// Builds a [`Client`]. [`Client::builder`] makes one.
#[must_use]
pub struct ClientBuilder {
    network: Network,
    /// The profile, if the network is a rollup.
    rollup: Option<Profile>,
    execution: Vec<Endpoint>,
    beacon: Vec<Endpoint>,
    checkpoint_sources: Vec<Endpoint>,
    /// Of the sequencer's signatures, if the network is a rollup.
    relays: Vec<Endpoint>,
    checkpoint: Option<Checkpoint>,
    agreement: Option<usize>,
    policy: Policy,
    minimum_operators: usize,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
    storage: Option<Arc<dyn Storage>>,
    storage_key: Option<StorageKey>,
    /// The further networks of the client.
    others: Vec<Self>,
    error: Option<BuildError>,
}

impl Client {
    /// Starts building a client for `network`.
    pub fn builder(network: Network) -> ClientBuilder {
        ClientBuilder::new(network)
    }
}

impl ClientBuilder {
    pub(crate) fn new(network: Network) -> Self {
        Self {
            network,
            rollup: None,
            execution: Vec::new(),
            beacon: Vec::new(),
            checkpoint_sources: Vec::new(),
            relays: Vec::new(),
            checkpoint: None,
            agreement: None,
            policy: Policy::default(),
            minimum_operators: 1,
            transport: None,
            clock: None,
            storage: None,
            storage_key: None,
            others: Vec::new(),
            error: None,
        }
    }

    /// Adds a provider of proofs after those added before. Takes a URL, or an [`Endpoint`] with a name.
    pub fn rpc<E>(mut self, endpoint: E) -> Self
    where
        E: TryInto<Endpoint>,
        E::Error: IntoEndpointError,
    {
        match endpoint.try_into() {
            Ok(endpoint) => self.execution.push(endpoint),
            Err(error) => {
                let position = self.execution.len().saturating_add(1);
                self.note(BuildError::Provider { position, error: error.into_endpoint_error() });
            }
        }
        self
    }

    /// Adds a beacon source of light-client data after those added before. Takes a URL, or an [`Endpoint`] with
    /// a name.
    pub fn beacon<E>(mut self, endpoint: E) -> Self
    where
        E: TryInto<Endpoint>,
        E::Error: IntoEndpointError,
    {
        match endpoint.try_into() {
            Ok(endpoint) => self.beacon.push(endpoint),
            Err(error) => {
                let position = self.beacon.len().saturating_add(1);
                self.note(BuildError::BeaconSource { position, error: error.into_endpoint_error() });
            }
        }
        self
    }

    /// Adds a mirror of light-client data after the beacon sources added before. A mirror is a set of plain
    /// files under a URL; [`mirror`](saldo_source::mirror) lists their names.
    pub fn mirror<E>(self, endpoint: E) -> Self
    where
        E: TryInto<Endpoint>,
        E::Error: IntoEndpointError,
    {
        let mirror = endpoint.try_into().map(Endpoint::mirror);
        self.beacon(GivenMirror(mirror.map_err(IntoEndpointError::into_endpoint_error)))
    }

    /// Adds a mirror in a folder of this device, with the name `folder`. To use another name, pass
    /// [`Endpoint::folder`] to [`ClientBuilder::beacon`].
    pub fn mirror_folder(self, path: impl AsRef<Path>) -> Self {
        self.beacon(GivenMirror(Endpoint::folder(path)))
    }

    /// Adds a checkpoint source: a beacon node or a checkpoint-sync server. All checkpoint sources are asked
    /// which block trust starts from. Each operator ([`Endpoint::operator`], else the host) has one vote, and
    /// at least 3 operators are needed.
    ///
    /// The URL must use https, or point to this machine. Over plain HTTP, one attacker on the network path
    /// could answer for all of them.
    pub fn checkpoint_source<E>(mut self, endpoint: E) -> Self
    where
        E: TryInto<Endpoint>,
        E::Error: IntoEndpointError,
    {
        match endpoint.try_into() {
            Ok(endpoint) => self.checkpoint_sources.push(endpoint),
            Err(error) => {
                let position = self.checkpoint_sources.len().saturating_add(1);
                self.note(BuildError::CheckpointSource { position, error: error.into_endpoint_error() });
            }
        }
        self
    }

    /// Adds all endpoints of a directory after those added before: providers, beacon sources and checkpoint
    /// sources. [`Directory::of`] has public endpoints for the built-in networks. Their operators see the
    /// addresses of requests, as many operators as [`Policy::operators_per_address`] allows.
    pub fn directory(mut self, directory: &Directory) -> Self {
        let endpoints =
            |listed: &[Listed]| listed.iter().map(|listed| listed.endpoint().clone()).collect::<Vec<_>>();
        self.execution.extend(endpoints(directory.rpc()));
        self.beacon.extend(endpoints(directory.beacon()));
        self.checkpoint_sources.extend(endpoints(directory.checkpoint_sources()));
        self
    }

    /// Sets the trust start: a given finalized block, or a block that `k` operators of the checkpoint sources
    /// agree on. Call it twice to set both: then the agreement is used once the given block is too old.
    ///
    /// If neither is set, the operators of the checkpoint sources decide, and [`Trust::DEFAULT_AGREEMENT`] of
    /// them must agree. The sources are those added, else those listed for the network ([`Directory::of`]).
    /// They learn no address. If there are none, the network's own checkpoint is used
    /// ([`Network::checkpoint`]).
    pub fn checkpoint(mut self, trust: impl Into<Trust>) -> Self {
        match trust.into() {
            Trust::Given(checkpoint) => self.checkpoint = Some(checkpoint),
            Trust::Agreement { k } => self.agreement = Some(k),
        }
        self
    }

    /// Sets what a reading must satisfy. The default is [`Policy::signed`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Requires at least this number of operators ([`Endpoint::operator`], else the host) for the providers,
    /// and for the beacon sources, so that no single operator can stop the wallet. The default is 1.
    /// [`Client::diversity`] says what a configuration depends on.
    pub fn minimum_operators(mut self, operators: usize) -> Self {
        self.minimum_operators = operators;
        self
    }

    /// Sets the transport. The default is HTTP with rustls.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Sets the clock. The default is the device's clock.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets the storage. The client keeps there: the light client, the last proven readings with their proofs,
    /// the provider state, and the disclosure sets. Without storage, all of it is lost with the client.
    ///
    /// [`ClientBuilder::build`] loads what is stored and checks it as far as possible. [`Client::last`] then
    /// returns it, marked as [restored](saldo_reading::Proven::is_restored). If the storage is not ready at
    /// once, the first call that awaits loads it. A client continues from the stored light client, whatever
    /// [`ClientBuilder::checkpoint`] says, unless that light client is too old.
    pub fn storage(mut self, storage: impl Storage + 'static) -> Self {
        self.storage = Some(Arc::new(storage));
        self
    }

    /// Adds an authentication code to every stored record; only this key can make it. Records without a valid
    /// code are dropped.
    pub fn storage_key(mut self, key: StorageKey) -> Self {
        self.storage_key = Some(key);
        self
    }

    /// Adds another network to the client, with endpoints, trust and policy of its own. A [`Holding`](crate::Holding) names its
    /// network, so calls about holdings take those of all networks together; calls that name none are about the first network
    /// ([`Client::on`], [`Client::networks`]). An outage, a fault or an expired checkpoint of one network touches no other.
    ///
    /// The networks share the transport, the clock and the storage of the first one, unless `network` has its own. Keep the first
    /// network the first: in a shared storage the others are under their chain ids.
    pub fn and(mut self, network: Self) -> Self {
        self.others.push(network);
        self
    }

    /// Builds the client, from the storage if it has data. It opens no socket: the first read does.
    ///
    /// # Errors
    /// [`BuildError`] if a setting is missing or cannot be used.
    pub fn build(self) -> Result<Client, BuildError> {
        let mut places = Vec::new();
        let (rollups, others): (Vec<_>, Vec<_>) =
            self.apart()?.into_iter().enumerate().partition(|(_, network)| network.rollup.is_some());
        for (place, network) in others {
            places.push((place, Arc::new(network.build_one()?)));
        }
        for (place, network) in rollups {
            let built: Vec<_> = places.iter().map(|(_, network)| Arc::clone(network)).collect();
            places.push((place, Arc::new(network.build_rollup(&built)?)));
        }
        places.sort_by_key(|(place, _)| *place);
        let networks = places.into_iter().map(|(_, network)| network);
        Client::new(Networks::new(networks)).ok_or(BuildError::NoProvider)
    }

    fn build_one(mut self) -> Result<ClientInner, BuildError> {
        self.check(Level::Signed)?;
        let trust_start = self.trust_start()?;
        let (io, store) = (self.io()?, self.store());
        let (network, endpoints) = (Arc::new(self.network), (self.execution, self.beacon));
        let inner = ClientInner::new(network, trust_start, self.policy, endpoints, io, store);
        inner.readings.load_storage(&inner.proofs).map_err(BuildError::Storage)?;
        Ok(inner)
    }

    #[cfg(feature = "rollup")]
    fn build_rollup(mut self, built: &[Arc<ClientInner>]) -> Result<ClientInner, BuildError> {
        let profile = self.rollup.take().ok_or(BuildError::NoProvider)?;
        let (chain_id, l1) = (profile.chain_id(), profile.l1_chain_id());
        let l1 = l1_of(&profile, built).ok_or(BuildError::NoL1 { chain_id, l1 })?;
        self.check(Level::L1ProofChecked)?;
        let (io, store) = (self.io()?, self.store());
        let endpoints = (self.execution, self.relays);
        let inner = ClientInner::of_rollup(profile, l1, self.policy, endpoints, io, store);
        inner.readings.load_storage(&inner.proofs).map_err(BuildError::Storage)?;
        Ok(inner)
    }

    /// There is no way to a builder of a rollup.
    #[cfg(not(feature = "rollup"))]
    fn build_rollup(self, _: &[Arc<ClientInner>]) -> Result<ClientInner, BuildError> {
        self.build_one()
    }

    /// Checks the settings of one network, whose weakest level is `least`.
    fn check(&mut self, least: Level) -> Result<(), BuildError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.execution.is_empty() {
            return Err(BuildError::NoProvider);
        }
        let is_rollup = least.is_of_rollup();
        if self.beacon.is_empty() && !is_rollup {
            return Err(BuildError::NoBeaconSource);
        }
        let mirror = |endpoints: &[Endpoint]| {
            endpoints.iter().position(Endpoint::is_mirror).map(|index| index.saturating_add(1))
        };
        if let Some(position) = mirror(&self.execution) {
            return Err(BuildError::Provider { position, error: EndpointError::Mirror });
        }
        if let Some(position) = mirror(&self.checkpoint_sources) {
            return Err(BuildError::CheckpointSource { position, error: EndpointError::Mirror });
        }
        let is_usable = self.policy.assurance.meets(least);
        if self.policy.deadline.is_zero() || self.policy.operators_per_address == 0 || !is_usable {
            return Err(BuildError::Policy);
        }
        if !is_rollup && !self.relays.is_empty() {
            return Err(BuildError::NoRollup);
        }
        if let Some(position) = mirror(&self.relays) {
            return Err(BuildError::Relay { position, error: EndpointError::Mirror });
        }
        let kinds = [&self.execution, &self.beacon, &self.checkpoint_sources, &self.relays];
        if kinds.into_iter().any(|endpoints| has_same_name(endpoints)) {
            return Err(BuildError::SameName);
        }
        for (role, endpoints) in [(Role::Execution, &self.execution), (Role::Beacon, &self.beacon)] {
            let operators = Diversity::of(role, endpoints).operators.len();
            let is_needed = role == Role::Execution || !is_rollup;
            if is_needed && operators < self.minimum_operators {
                return Err(BuildError::TooFewOperators { role, operators, needed: self.minimum_operators });
            }
        }
        Ok(())
    }

    fn io(&mut self) -> Result<Io, BuildError> {
        let transport = self.transport.take().map_or_else(default_transport, Ok)?;
        let clock = self.clock.take().map_or_else(default_clock, Ok)?;
        Ok(Io::new(transport, clock).of_network(self.network.name()))
    }

    fn store(&mut self) -> Option<Store> {
        let storage = self.storage.take()?;
        Some(Store::new(storage, self.storage_key.take()))
    }

    /// The builder of each network, with what it shares with the first one.
    fn apart(mut self) -> Result<Vec<Self>, BuildError> {
        let mut open = std::mem::take(&mut self.others);
        let mut networks = vec![self];
        open.reverse();
        while let Some(mut other) = open.pop() {
            open.extend(std::mem::take(&mut other.others).into_iter().rev());
            networks.push(other);
        }
        let mut chain_ids = SortedSet::new();
        for chain_id in networks.iter().map(|network| network.network.chain_id()) {
            if !chain_ids.insert(chain_id) {
                return Err(BuildError::SameNetwork { chain_id });
            }
        }
        if let [first, others @ ..] = networks.as_mut_slice()
            && !others.is_empty()
        {
            let transport = first.transport.clone();
            let shared =
                Shared::new(transport, first.clock.clone(), first.storage.take(), first.storage_key.clone())?;
            first.storage = shared.first_storage();
            for other in others {
                other.transport.get_or_insert_with(|| shared.transport());
                other.clock.get_or_insert_with(|| shared.clock());
                if other.storage.is_none() {
                    let (storage, key) = shared.storage(other.network.chain_id());
                    other.storage = storage;
                    other.storage_key = other.storage_key.take().or(key);
                }
            }
            (first.transport, first.clock) = (Some(shared.transport()), Some(shared.clock()));
        }
        Ok(networks)
    }

    fn trust_start(&self) -> Result<TrustStart, BuildError> {
        let mut sources = self.checkpoint_sources.clone();
        if sources.is_empty() && (self.checkpoint.is_none() || self.agreement.is_some()) {
            let listed = Directory::of(&self.network);
            sources.extend(listed.checkpoint_sources().iter().map(|source| source.endpoint().clone()));
        }
        if sources.is_empty() && self.agreement.is_none() {
            let own = self.network.checkpoint().copied();
            return self.checkpoint.or(own).map(TrustStart::Given).ok_or(BuildError::NoCheckpoint);
        }
        if let Some(open) = sources.iter().position(|source| !source.is_private()) {
            let position = open.saturating_add(1);
            return Err(BuildError::CheckpointSource { position, error: EndpointError::Unencrypted });
        }
        let operators = distinct(sources.iter().map(Endpoint::run_by));
        if operators < LEAST_ANSWERS {
            return Err(BuildError::TooFewCheckpointOperators { operators, needed: LEAST_ANSWERS });
        }
        let k = self.agreement.unwrap_or(Trust::DEFAULT_AGREEMENT);
        if k < 2 || k > operators {
            return Err(BuildError::Agreement { k, operators });
        }
        let agreement = Agreement { k, sources };
        // The network's own checkpoint may have expired long ago. It is used only to decide where the sources
        // disagree.
        Ok(TrustStart::Agreement { given: self.checkpoint, agreement })
    }

    fn note(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }
}

fn has_same_name(endpoints: &[Endpoint]) -> bool {
    let mut names = SortedSet::new();
    endpoints.iter().any(|endpoint| !names.insert(endpoint.id()))
}
