//! The transport and the clock, and the limits that hold whatever a transport does.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use saldo_reading::{Failure, ProviderId};

use crate::clock::Clock;
use crate::transport::{Request, Response, Transport, TransportError};

/// A transport and a clock.
#[derive(Clone)]
pub struct Io {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    next_id: Arc<AtomicU64>,
    /// The beacon sources that refused to send SSZ.
    without_ssz: Arc<Mutex<BTreeSet<ProviderId>>>,
}

impl Io {
    /// Uses `transport` for every request and `clock` for every wait.
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Self { transport, clock, next_id: Arc::new(AtomicU64::new(1)), without_ssz: Arc::default() }
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// A JSON-RPC id that no other request of this client has.
    pub(crate) fn fresh_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether this beacon source has refused to send SSZ.
    pub(crate) fn is_without_ssz(&self, source: &ProviderId) -> bool {
        self.without_ssz.lock().unwrap_or_else(PoisonError::into_inner).contains(source)
    }

    /// Remembers that this beacon source refuses to send SSZ.
    pub(crate) fn remember_without_ssz(&self, source: &ProviderId) {
        self.without_ssz.lock().unwrap_or_else(PoisonError::into_inner).insert(source.clone());
    }

    /// Sends a request and waits for the response. The request's limits hold even if the transport ignores them.
    pub(crate) async fn exchange(&self, request: Request) -> Result<Response, Failure> {
        let (timeout, limit) = (request.timeout, request.max_bytes);
        if timeout == Duration::ZERO {
            return Err(TransportError::Timeout { after: timeout }.into());
        }
        let answer = self.transport.send(request);
        match select(answer, self.clock.sleep(timeout)).await {
            Either::Left((Ok(response), _)) if response.body.len() > limit => {
                Err(TransportError::TooLarge { limit }.into())
            }
            Either::Left((Ok(response), _)) if (300..400).contains(&response.status) => {
                Err(TransportError::Redirect { status: response.status }.into())
            }
            Either::Left((outcome, _)) => Ok(outcome?),
            Either::Right(((), _)) => Err(TransportError::Timeout { after: timeout }.into()),
        }
    }
}

impl std::fmt::Debug for Io {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Io").finish_non_exhaustive()
    }
}
