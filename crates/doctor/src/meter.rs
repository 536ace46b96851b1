//! A transport that measures one host: the number of requests, the latency, and the offset of its clock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use saldo_source::date::unix_seconds;
use saldo_source::{Clock, Request, Response, Transport, TransportError};

const PAYMENT_REQUIRED: u16 = 402;

/// The measurements of one host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// How many requests were sent.
    pub(crate) requests: u32,
    took: Vec<Duration>,
    offsets: Vec<i64>,
    /// No further request will be sent: the host answered 402, or its limit of the rate leaves no time.
    pub(crate) stopped: bool,
}

impl Seen {
    /// The median time to an answer.
    pub(crate) fn latency(&self) -> Option<Duration> {
        median(&self.took)
    }

    /// By how many seconds the host's clock is ahead of the device's: the median.
    pub(crate) fn clock_offset(&self) -> Option<i64> {
        median(&self.offsets)
    }
}

/// Sends requests to one host, up to a maximum number, and none after it answered 402.
pub(crate) struct Meter {
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    most: u32,
    seen: Mutex<Seen>,
}

impl Meter {
    pub(crate) fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>, most: u32) -> Self {
        Self { transport, clock, most, seen: Mutex::default() }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    /// Whether no further request will be sent.
    pub(crate) fn is_closed(&self) -> bool {
        let seen = self.lock();
        seen.stopped || seen.requests >= self.most
    }

    /// Sends no further request.
    pub(crate) fn close(&self) {
        self.lock().stopped = true;
    }

    /// Allows further requests after the host refused one for a reason that may not concern others.
    pub(crate) fn reopen(&self) {
        self.lock().stopped = false;
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        if self.is_closed() {
            return Err(TransportError::Failed);
        }
        {
            let mut seen = self.lock();
            seen.requests = seen.requests.saturating_add(1);
        }
        let begun = self.clock.monotonic();
        let response = self.transport.send(request).await?;
        let took = self.clock.monotonic().saturating_sub(begun);
        let now = self.clock.wall();
        let mut seen = self.lock();
        seen.took.push(took);
        if let Some(theirs) = response.header("date").and_then(unix_seconds) {
            // The host wrote the answer before it arrived: about half of the round trip before.
            let ours = i64::try_from(now.as_secs().saturating_sub(took.as_secs() / 2)).unwrap_or(i64::MAX);
            let theirs = i64::try_from(theirs).unwrap_or(i64::MAX);
            seen.offsets.push(theirs.saturating_sub(ours));
        }
        seen.stopped |= response.status == PAYMENT_REQUIRED;
        drop(seen);
        Ok(response)
    }
}

impl Transport for Meter {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.carry(request))
    }
}

/// Requests JSON, whatever the `accept` header says.
pub(crate) struct AsJson(pub(crate) Arc<Meter>);

impl Transport for AsJson {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        for (name, value) in &mut request.headers {
            if *name == "accept" {
                "application/json".clone_into(value);
            }
        }
        self.0.send(request)
    }
}

fn median<T: Copy + Ord>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}
