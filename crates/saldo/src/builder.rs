//! Building a client. It opens no socket and spawns no task.

mod endpoint;
mod several;

use std::path::Path;
use std::sync::Arc;

use saldo_beacon::{Checkpoint, Network};
use saldo_reading::{Policy, Role};
use saldo_source::{Clock, Directory, Diversity, Endpoint, EndpointError, Io, Listed, SortedSet, Transport};

pub use self::endpoint::IntoEndpointError;

use self::endpoint::GivenMirror;
use crate::client::Client;
use crate::head::{Agreement, LEAST_ANSWERS, TrustStart, distinct};
use crate::inner::ClientInner;
use crate::networks::Networks;
use crate::storage::{Storage, StorageKey, StorageRefusal};
use crate::store::Store;
use crate::trust::Trust;

/// Builds a [`Client`]. [`Client::builder`] makes one.
#[must_use]
pub struct ClientBuilder {
    network: Network,
    execution: Vec<Endpoint>,
    beacon: Vec<Endpoint>,
    checkpoint_sources: Vec<Endpoint>,
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

/// Says why a client could not be built. It is the caller's fault, unless a variant says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A provider's URL or name cannot be used.
    #[error("provider {position}: {error}")]
    Provider {
        /// The position of the provider among those given, counted from 1.
        position: usize,
        /// What is wrong with its URL or name.
        error: EndpointError,
    },
    /// A beacon source's URL or name cannot be used.
    #[error("beacon source {position}: {error}")]
    BeaconSource {
        /// The position of the source among those given, counted from 1.
        position: usize,
        /// What is wrong with its URL or name.
        error: EndpointError,
    },
    /// A checkpoint source's URL or name cannot be used.
    #[error("checkpoint source {position}: {error}")]
    CheckpointSource {
        /// The position of the source among those given, counted from 1.
        position: usize,
        /// What is wrong with its URL or name.
        error: EndpointError,
    },
    /// Two providers, or two sources of one kind, have the same name. Answers could not be attributed to one of
    /// them.
    #[error("two providers or two sources have the same name; give one of them another")]
    SameName,
    /// No provider of proofs was given.
    #[error("no provider: give at least one execution RPC URL")]
    NoProvider,
    /// No beacon source was given.
    #[error("no beacon source: give at least one beacon API URL, or a mirror")]
    NoBeaconSource,
    /// Two networks of the client have the same chain id, so that a holding does not tell them apart.
    #[error("two networks of one client have the chain id {chain_id}")]
    SameNetwork {
        /// The chain id.
        chain_id: u64,
    },
    /// The policy has a deadline of zero, or lets no operator see an address.
    #[error("the policy must leave some time and let at least one operator see an address")]
    Policy,
    /// There is no trust start: no checkpoint, no checkpoint sources, and the network has no checkpoint of its
    /// own.
    #[error(
        "no checkpoint: give the root of a finalized block from a source you trust, or at least {} checkpoint sources run \
         by different operators",
        LEAST_ANSWERS
    )]
    NoCheckpoint,
    /// Too few operators run the checkpoint sources. Two sources of one operator count as one witness.
    #[error("too few operators run the checkpoint sources: {operators}, and at least {needed} are needed")]
    TooFewCheckpointOperators {
        /// The number of operators, as declared, else counted by host.
        operators: usize,
        /// The number of operators needed.
        needed: usize,
    },
    /// `k` is less than 2, which is no agreement, or more than the number of operators.
    #[error("an agreement of {k} among {operators}: at least 2 operators must agree, and at most all")]
    Agreement {
        /// The number of operators that must agree.
        k: usize,
        /// The number of operators that run the checkpoint sources.
        operators: usize,
    },
    /// Fewer operators than the app requires run the providers, or the beacon sources.
    #[error("too few operators run the {} endpoints: {operators}, and at least {needed} are required", role.code())]
    TooFewOperators {
        /// The role of the endpoints: providers of proofs, or beacon sources.
        role: Role,
        /// The number of operators, as declared, else counted by host.
        operators: usize,
        /// The number of operators required.
        needed: usize,
    },
    /// No transport was given, and the feature `http` is off.
    #[error("no transport: give one, or build with the feature `http`")]
    NoTransport,
    /// No clock was given, and the feature `http` is off.
    #[error("no clock: give one, or build with the feature `http`")]
    NoClock,
    /// The storage belongs to another chain, or a later version of saldo wrote it. It was not changed.
    #[error(transparent)]
    Storage(StorageRefusal),
    /// A proxy variable of the environment cannot be understood. The caller's fault.
    #[cfg(feature = "_transport")]
    #[error(transparent)]
    Proxy(saldo_source::ProxyError),
    /// TLS cannot be set up on this machine. It is the machine's fault.
    #[error("TLS cannot be set up on this machine")]
    Tls,
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
            execution: Vec::new(),
            beacon: Vec::new(),
            checkpoint_sources: Vec::new(),
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
        let networks = self.apart()?.into_iter().map(Self::build_one).collect::<Result<Vec<_>, _>>()?;
        Client::new(Networks::new(networks)).ok_or(BuildError::NoProvider)
    }

    fn build_one(self) -> Result<ClientInner, BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.execution.is_empty() {
            return Err(BuildError::NoProvider);
        }
        if self.beacon.is_empty() {
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
        if self.policy.deadline.is_zero() || self.policy.operators_per_address == 0 {
            return Err(BuildError::Policy);
        }
        let kinds = [&self.execution, &self.beacon, &self.checkpoint_sources];
        if kinds.into_iter().any(|endpoints| has_same_name(endpoints)) {
            return Err(BuildError::SameName);
        }
        for (role, endpoints) in [(Role::Execution, &self.execution), (Role::Beacon, &self.beacon)] {
            let operators = Diversity::of(role, endpoints).operators.len();
            if operators < self.minimum_operators {
                return Err(BuildError::TooFewOperators { role, operators, needed: self.minimum_operators });
            }
        }
        let trust_start = self.trust_start()?;
        let transport = self.transport.map_or_else(default_transport, Ok)?;
        let clock = self.clock.map_or_else(default_clock, Ok)?;
        let network = Arc::new(self.network);
        let store = self.storage.map(|storage| Store::new(storage, self.storage_key));
        let io = Io::new(transport, clock).of_network(network.name());
        let endpoints = (self.execution, self.beacon);
        let inner = ClientInner::new(network, trust_start, self.policy, endpoints, io, store);
        inner.readings.load_storage(&inner.proofs).map_err(BuildError::Storage)?;
        Ok(inner)
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

#[cfg(feature = "_transport")]
fn default_transport() -> Result<Arc<dyn Transport>, BuildError> {
    let transport = saldo_source::HttpTransport::new().map_err(|error| match error {
        saldo_source::SetupError::Proxy(error) => BuildError::Proxy(error),
        _ => BuildError::Tls,
    })?;
    Ok(Arc::new(transport))
}

#[cfg(not(feature = "_transport"))]
fn default_transport() -> Result<Arc<dyn Transport>, BuildError> {
    Err(BuildError::NoTransport)
}

#[cfg(feature = "_transport")]
fn default_clock() -> Result<Arc<dyn Clock>, BuildError> {
    Ok(Arc::new(saldo_source::SystemClock::new()))
}

#[cfg(not(feature = "_transport"))]
fn default_clock() -> Result<Arc<dyn Clock>, BuildError> {
    Err(BuildError::NoClock)
}
