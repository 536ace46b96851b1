//! The transport and the clock, and the limits that hold whatever a transport does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryFutureExt;
use futures_util::future::{Either, select};
use saldo_reading::{Failure, ProviderId};

use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::meter::Exchange;
use crate::server_dates::ServerDates;
use crate::sorted::SortedSet;
use crate::transport::{Request, Response, Transport, TransportError};

/// A transport and a clock.
#[derive(Clone)]
pub struct Io {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    next_id: Arc<AtomicU64>,
    /// The beacon sources that refused to send SSZ.
    without_ssz: Arc<Mutex<SortedSet<ProviderId>>>,
    dates: Arc<Mutex<ServerDates>>,
    network: Arc<str>,
}

impl Io {
    /// Uses `transport` for every request and `clock` for every wait.
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        let next_id = Arc::new(AtomicU64::new(1));
        Self {
            transport,
            clock,
            next_id,
            without_ssz: Arc::default(),
            dates: Arc::default(),
            network: "".into(),
        }
    }

    /// Names the network that the requests are about, for what is counted of them.
    #[must_use]
    pub fn of_network(self, name: &str) -> Self {
        Self { network: name.into(), ..self }
    }

    /// The name of the network that the requests are about; empty if none was given.
    pub fn network(&self) -> &Arc<str> {
        &self.network
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

    /// Whether this device's clock is ahead of the `Date` headers that all of `endpoints` gave within the last two minutes, as far as
    /// they gave one. At least two operators must have given one. It is a hint for the user; nothing may be proven by it.
    ///
    /// Source: RFC 9110, section 6.6.1.
    pub fn dates_show_fast_clock<'a>(&self, endpoints: impl Iterator<Item = &'a Endpoint>) -> bool {
        let dates = self.dates.lock().unwrap_or_else(PoisonError::into_inner);
        dates.show_fast_clock(endpoints, self.clock())
    }

    /// Says that a request to `endpoint` follows soon, so that its connection can be opened now. Sends no request.
    pub fn open_early(&self, endpoint: &Endpoint) {
        self.transport.open_early(endpoint.url());
    }

    /// Sends a request to `endpoint` and waits for the response. The request's limits hold even if the transport ignores them.
    pub(crate) async fn exchange(&self, endpoint: &Endpoint, request: Request) -> Result<Response, Failure> {
        let counted = Exchange::begin(self.clock(), &self.network, endpoint, &request);
        let result = self.send(request).await;
        counted.end(&result);
        result
    }

    async fn send(&self, request: Request) -> Result<Response, Failure> {
        let (timeout, limit) = (request.timeout, request.max_bytes);
        if timeout == Duration::ZERO {
            return Err(TransportError::Timeout { after: timeout }.into());
        }
        let url = request.url.clone();
        let answer = self.transport.send(request).inspect_ok(|response| {
            let mut dates = self.dates.lock().unwrap_or_else(PoisonError::into_inner);
            dates.note(&url, response, self.clock());
        });
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
