//! What the networks of one client share, and what is taken where the caller gives nothing.

use std::sync::Arc;

use saldo_source::{Clock, Transport};

use super::error::BuildError;
use crate::storage::{SharedStorage, Storage, StorageKey};

/// What the first network gives to the others.
pub(super) struct Shared {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    storage: Option<Arc<SharedStorage>>,
    storage_key: Option<StorageKey>,
}

impl Shared {
    pub(super) fn new(
        transport: Option<Arc<dyn Transport>>,
        clock: Option<Arc<dyn Clock>>,
        storage: Option<Arc<dyn Storage>>,
        storage_key: Option<StorageKey>,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            transport: transport.map_or_else(default_transport, Ok)?,
            clock: clock.map_or_else(default_clock, Ok)?,
            storage: storage.map(SharedStorage::new),
            storage_key,
        })
    }

    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The part of the first network in the storage.
    pub(super) fn first_storage(&self) -> Option<Arc<dyn Storage>> {
        self.storage.as_ref().map(SharedStorage::first)
    }

    /// The part of the network with this chain id, and its key.
    pub(super) fn storage(&self, chain_id: u64) -> (Option<Arc<dyn Storage>>, Option<StorageKey>) {
        let part = self.storage.as_ref().map(|storage| storage.part(chain_id));
        (part, self.storage_key.as_ref().map(|key| key.of_network(chain_id)))
    }
}

#[cfg(feature = "_transport")]
pub(super) fn default_transport() -> Result<Arc<dyn Transport>, BuildError> {
    let transport = saldo_source::HttpTransport::new().map_err(|error| match error {
        saldo_source::SetupError::Proxy(error) => BuildError::Proxy(error),
        _ => BuildError::Tls,
    })?;
    Ok(Arc::new(transport))
}

#[cfg(not(feature = "_transport"))]
pub(super) fn default_transport() -> Result<Arc<dyn Transport>, BuildError> {
    Err(BuildError::NoTransport)
}

#[cfg(feature = "_transport")]
pub(super) fn default_clock() -> Result<Arc<dyn Clock>, BuildError> {
    Ok(Arc::new(saldo_source::SystemClock::new()))
}

#[cfg(not(feature = "_transport"))]
pub(super) fn default_clock() -> Result<Arc<dyn Clock>, BuildError> {
    Err(BuildError::NoClock)
}
