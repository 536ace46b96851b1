//! Setting a client up. Opens no socket and spawns nothing.

use std::convert::Infallible;
use std::sync::Arc;

use saldo_beacon::{Checkpoint, Network};
use saldo_reading::Policy;
use saldo_source::{Clock, Endpoint, EndpointError, Network as Outside, Transport};

use crate::client::Client;
use crate::core::Core;

/// Sets up a [`Client`]. Made by [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    network: Network,
    execution: Vec<Endpoint>,
    beacon: Vec<Endpoint>,
    checkpoint: Option<Checkpoint>,
    policy: Policy,
    transport: Option<Arc<dyn Transport>>,
    clock: Option<Arc<dyn Clock>>,
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
    /// Two providers, or two sources, have one name, so that nobody could tell who answered.
    #[error("two providers or two beacon sources have the same name; give one of them another")]
    SameName,
    /// No provider of proofs.
    #[error("no provider: give at least one execution RPC URL")]
    NoProvider,
    /// No beacon source.
    #[error("no beacon source: give at least one beacon API URL")]
    NoBeaconSource,
    /// A policy that leaves no time, or lets nobody be asked.
    #[error("the policy must leave some time and let at least one operator see an address")]
    Policy,
    /// No checkpoint, and the network has none of its own.
    #[error("no checkpoint: give the root of a finalized block from a source you trust")]
    NoCheckpoint,
    /// No transport, and the feature `http` is off.
    #[error("no transport: give one, or build with the feature `http`")]
    NoTransport,
    /// No clock, and the feature `http` is off.
    #[error("no clock: give one, or build with the feature `http`")]
    NoClock,
    /// TLS cannot be set up on this machine. The machine's fault.
    #[error("TLS cannot be set up on this machine")]
    Tls,
}

impl ClientBuilder {
    pub(crate) fn new(network: Network) -> Self {
        Self {
            checkpoint: network.checkpoint().copied(),
            network,
            execution: Vec::new(),
            beacon: Vec::new(),
            policy: Policy::default(),
            transport: None,
            clock: None,
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

    /// Sets the finalized block that trust starts from, instead of the network's own.
    pub fn checkpoint(mut self, checkpoint: impl Into<Checkpoint>) -> Self {
        self.checkpoint = Some(checkpoint.into());
        self
    }

    /// Sets what a reading must reach, instead of [`Policy::signed`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
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

    /// Sets the client up. Opens no socket: the first read does.
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
        if self.policy.deadline.is_zero() || self.policy.operators_per_address == 0 {
            return Err(BuildError::Policy);
        }
        if has_same_name(&self.execution) || has_same_name(&self.beacon) {
            return Err(BuildError::SameName);
        }
        let checkpoint = self.checkpoint.ok_or(BuildError::NoCheckpoint)?;
        let transport = self.transport.map_or_else(default_transport, Ok)?;
        let clock = self.clock.map_or_else(default_clock, Ok)?;
        let outside = Outside::new(transport, clock);
        Ok(Client::new(Core::new(
            self.network,
            checkpoint,
            self.policy,
            self.execution,
            self.beacon,
            outside,
        )))
    }

    fn note(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
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
