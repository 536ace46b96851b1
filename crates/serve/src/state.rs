//! What all connections of a server share.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Access;
use crate::network::Network;
use crate::settings::Settings;

/// What all connections of a server share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) access: Access,
    pub(crate) settings: Settings,
    /// By path, without a slash at its end: the empty path is `/`.
    pub(crate) networks: BTreeMap<String, Arc<Network>>,
    /// The bytes of bodies that may be held at a time.
    memory: Arc<Semaphore>,
    /// The bytes of answers that may be held at a time, until they are sent.
    answers: Arc<Semaphore>,
    /// The bodies that may be answered at a time.
    pub(crate) running: Semaphore,
}

impl State {
    /// The most bytes of one body.
    pub(crate) const MAX_BODY: usize = 1 << 20;
    /// The most bytes of all bodies together.
    const MEMORY: usize = 64 << 20;
    /// The most bytes of all answers together.
    const ANSWERS: usize = 256 << 20;

    pub(crate) fn new(settings: Settings, networks: BTreeMap<String, Arc<Network>>) -> Self {
        let access = Access::new(&settings.allowed_hosts, &settings.allowed_origins);
        let running = Semaphore::new(settings.max_running.clamp(1, Semaphore::MAX_PERMITS));
        Self {
            access,
            settings,
            networks,
            memory: Arc::new(Semaphore::new(Self::MEMORY)),
            answers: Arc::new(Semaphore::new(Self::ANSWERS)),
            running,
        }
    }

    /// Counts so many bytes of a body until the permit is dropped; `None` if there are too many.
    pub(crate) fn hold(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.memory).try_acquire_many_owned(bytes).ok()
    }

    /// Counts so many bytes of an answer until the permit is dropped; `None` if there are too many.
    pub(crate) fn hold_answer(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        Arc::clone(&self.answers).try_acquire_many_owned(bytes).ok()
    }

    /// The network that is served at `path`.
    pub(crate) fn network(&self, path: &str) -> Option<&Arc<Network>> {
        self.networks.get(path.strip_suffix('/').unwrap_or(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bodies_of_all_callers_are_limited_together() {
        let state = State::new(Settings::default(), BTreeMap::new());
        let mut held: Vec<_> = (0..64).map(|_| state.hold(State::MAX_BODY).expect("64 MiB")).collect();
        assert!(state.hold(1).is_none());
        held.pop();
        assert!(state.hold(State::MAX_BODY).is_some() && state.hold(State::MAX_BODY + 1).is_none());
    }
}
