//! Setting a client up. Opens no socket and spawns nothing.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;

use saldo_beacon::{Checkpoint, Network};
use saldo_reading::{Policy, Role};
use saldo_source::{Clock, Directory, Diversity, Endpoint, EndpointError, Io, Listed, Transport};

use crate::client::Client;
use crate::head::{Agreement, LEAST_ANSWERS, TrustStart, distinct};
use crate::inner::ClientInner;
use crate::storage::{Storage, StorageKey, StorageRefusal};
use crate::store::Store;
use crate::trust::Trust;

/// Sets up a [`Client`]. Made by [`Client::builder`].
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
    error: Option<BuildError>,
}

/// Why a client could not be set up. The caller's fault, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A provider's URL or name cannot be used.
    #[error("provider {position}: {error}")]
    Provider {
        /// Which of the providers given, from 1 on.
        position: usize,
        /// What is wrong with it.
        error: EndpointError,
    },
    /// A beacon source's URL or name cannot be used.
    #[error("beacon source {position}: {error}")]
    BeaconSource {
        /// Which of the sources given, from 1 on.
        position: usize,
        /// What is wrong with it.
        error: EndpointError,
    },
    /// A checkpoint source's URL or name cannot be used.
    #[error("checkpoint source {position}: {error}")]
    CheckpointSource {
        /// Which of the sources given, from 1 on.
        position: usize,
        /// What is wrong with it.
        error: EndpointError,
    },
    /// Two providers, or two sources of a kind, have one name, so that nobody could tell who answered.
    #[error("two providers or two sources have the same name; give one of them another")]
    SameName,
    /// No provider of proofs.
    #[error("no provider: give at least one execution RPC URL")]
    NoProvider,
    /// No beacon source.
    #[error("no beacon source: give at least one beacon API URL, or a mirror")]
    NoBeaconSource,
    /// A policy that leaves no time, or lets nobody be asked.
    #[error("the policy must leave some time and let at least one operator see an address")]
    Policy,
    /// Nothing to start trust from: no checkpoint, no checkpoint sources, and the network has no checkpoint of its own.
    #[error(
        "no checkpoint: give the root of a finalized block from a source you trust, or at least {} checkpoint sources run \
         by different operators",
        LEAST_ANSWERS
    )]
    NoCheckpoint,
    /// The checkpoint sources are run by too few operators: two names of one operator are one witness.
    #[error("the checkpoint sources are run by {operators} operators, and at least {needed} are needed")]
    TooFewCheckpointOperators {
        /// How many operators there are, as declared, else by host.
        operators: usize,
        /// How many are needed.
        needed: usize,
    },
    /// An agreement of one, which is none, or of more operators than there are.
    #[error("an agreement of {k} among {operators} operators: at least 2 must agree, and at most all")]
    Agreement {
        /// How many shall agree.
        k: usize,
        /// How many operators the checkpoint sources have.
        operators: usize,
    },
    /// The providers, or the beacon sources, are run by fewer operators than the app requires.
    #[error("the {} endpoints are run by {operators} operators, and at least {needed} are required", role.code())]
    TooFewOperators {
        /// Providers of proofs, or beacon sources.
        role: Role,
        /// How many operators there are, as declared, else by host.
        operators: usize,
        /// How many are required.
        needed: usize,
    },
    /// No transport, and the feature `http` is off.
    #[error("no transport: give one, or build with the feature `http`")]
    NoTransport,
    /// No clock, and the feature `http` is off.
    #[error("no clock: give one, or build with the feature `http`")]
    NoClock,
    /// The storage is of another chain, or of a later version of saldo. Nothing of it was changed.
    #[error(transparent)]
    Storage(StorageRefusal),
    /// TLS cannot be set up on this machine. The machine's fault.
    #[error("TLS cannot be set up on this machine")]
    Tls,
}

impl Client {
    /// Begins setting up a client for `network`.
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
            error: None,
        }
    }

    /// Adds a provider of proofs, after those added before: a URL, or an [`Endpoint`] with a name.
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

    /// Adds a source of light-client data, after those added before: a URL, or an [`Endpoint`] with a name.
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

    /// Adds a source of light-client data, after those added before, that is no beacon node but a mirror: plain files under a
    /// URL, of which [`mirror`](saldo_source::mirror) has the names.
    pub fn mirror<E>(self, endpoint: E) -> Self
    where
        E: TryInto<Endpoint>,
        E::Error: IntoEndpointError,
    {
        let mirror = endpoint.try_into().map(Endpoint::mirror);
        self.beacon(GivenMirror(mirror.map_err(IntoEndpointError::into_endpoint_error)))
    }

    /// Adds a mirror in a folder of this device, called `folder`; [`Endpoint::folder`] can be given another name, and to
    /// [`ClientBuilder::beacon`].
    pub fn mirror_folder(self, path: impl AsRef<Path>) -> Self {
        self.beacon(GivenMirror(Endpoint::folder(path)))
    }

    /// Adds a source that is asked, with all others of its kind, which block trust shall start from: any beacon node, or
    /// a checkpoint-sync server. What it says is one operator's word
    /// ([`Endpoint::operator`], else the host), so at least 3 operators are needed. It must be https, or on this machine:
    /// over plain HTTP, one who is on the way could speak for all of them.
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

    /// Adds all endpoints of a directory, after those added before: providers, beacon sources and checkpoint sources.
    /// [`Directory::of`] has public ones for the built-in networks; their operators see the addresses that are asked
    /// about, as many as [`Policy::operators_per_address`] allows.
    pub fn directory(mut self, directory: &Directory) -> Self {
        let endpoints =
            |listed: &[Listed]| listed.iter().map(|listed| listed.endpoint().clone()).collect::<Vec<_>>();
        self.execution.extend(endpoints(directory.rpc()));
        self.beacon.extend(endpoints(directory.beacon()));
        self.checkpoint_sources.extend(endpoints(directory.checkpoint_sources()));
        self
    }

    /// Sets where trust starts: at a finalized block that is given, or at one that so many operators of the checkpoint
    /// sources agree on. Called once with each, the agreement takes over when the given block has become too old.
    ///
    /// Without it, the operators of the checkpoint sources decide ([`Trust::DEFAULT_AGREEMENT`] must agree): those added,
    /// else those listed for the network ([`Directory::of`]), which learn nothing of any address. Where none are, the
    /// network's own checkpoint is taken ([`Network::checkpoint`]).
    pub fn checkpoint(mut self, trust: impl Into<Trust>) -> Self {
        match trust.into() {
            Trust::Given(checkpoint) => self.checkpoint = Some(checkpoint),
            Trust::Agreement { k } => self.agreement = Some(k),
        }
        self
    }

    /// Sets what a reading must reach, instead of [`Policy::signed`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Requires that the providers, and the beacon sources, are run by at least so many operators each
    /// ([`Endpoint::operator`], else the host), so that no single one can stop the wallet. 1 if not said;
    /// [`Client::diversity`] tells what a configuration depends on.
    pub fn minimum_operators(mut self, operators: usize) -> Self {
        self.minimum_operators = operators;
        self
    }

    /// Sets the transport, instead of HTTP with rustls.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Sets the clock, instead of the device's own.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets where the client keeps what it must not forget: the light client, the readings that were proven last, with
    /// their proofs, what is known of providers, and which operators know which address. Without it, all of that lasts as
    /// long as the client.
    ///
    /// What is there is read, and checked as far as it can be, in [`ClientBuilder::build`]; [`Client::last`] then has it,
    /// marked as [restored](saldo_reading::Proven::is_restored). Where the storage is not ready at once, the first call that
    /// awaits does that. A client goes on from the stored light client, whatever [`ClientBuilder::checkpoint`] says, unless
    /// that one is too old.
    pub fn storage(mut self, storage: impl Storage + 'static) -> Self {
        self.storage = Some(Arc::new(storage));
        self
    }

    /// Adds a code to everything that is stored, which cannot be made without this key. Records without it are dropped.
    pub fn storage_key(mut self, key: StorageKey) -> Self {
        self.storage_key = Some(key);
        self
    }

    /// Sets the client up, from what is in the storage if there is any. Opens no socket: the first read does.
    ///
    /// # Errors
    /// [`BuildError`] if something is missing or cannot be used.
    pub fn build(self) -> Result<Client, BuildError> {
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
        let io = Io::new(transport, clock);
        let endpoints = (self.execution, self.beacon);
        let inner = ClientInner::new(network, trust_start, self.policy, endpoints, io, store);
        inner.readings.load_storage(&inner.proofs).map_err(BuildError::Storage)?;
        Ok(Client::new(inner))
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
        // The network's own may be long expired: it only decides where the sources disagree.
        Ok(TrustStart::Agreement { given: self.checkpoint, agreement })
    }

    fn note(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }
}

/// A mirror, or why it cannot be one.
struct GivenMirror(Result<Endpoint, EndpointError>);

impl TryFrom<GivenMirror> for Endpoint {
    type Error = EndpointError;

    fn try_from(given: GivenMirror) -> Result<Self, EndpointError> {
        given.0
    }
}

/// What can go wrong in becoming an [`Endpoint`]: nothing, or an [`EndpointError`].
pub trait IntoEndpointError {
    /// The error.
    fn into_endpoint_error(self) -> EndpointError;
}

impl IntoEndpointError for EndpointError {
    fn into_endpoint_error(self) -> EndpointError {
        self
    }
}

impl IntoEndpointError for Infallible {
    fn into_endpoint_error(self) -> EndpointError {
        match self {}
    }
}

fn has_same_name(endpoints: &[Endpoint]) -> bool {
    let mut names: Vec<_> = endpoints.iter().map(Endpoint::id).collect();
    names.sort();
    names.windows(2).any(|pair| matches!(pair, [first, second] if first == second))
}

#[cfg(feature = "http")]
fn default_transport() -> Result<Arc<dyn Transport>, BuildError> {
    let transport = saldo_source::HttpTransport::new().map_err(|_| BuildError::Tls)?;
    Ok(Arc::new(transport))
}

#[cfg(not(feature = "http"))]
fn default_transport() -> Result<Arc<dyn Transport>, BuildError> {
    Err(BuildError::NoTransport)
}

#[cfg(feature = "http")]
fn default_clock() -> Result<Arc<dyn Clock>, BuildError> {
    Ok(Arc::new(saldo_source::SystemClock::new()))
}

#[cfg(not(feature = "http"))]
fn default_clock() -> Result<Arc<dyn Clock>, BuildError> {
    Err(BuildError::NoClock)
}
