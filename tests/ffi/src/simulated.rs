//! What an app gives to a client in the drill's simulated network: HTTP and the clock. An hour takes seconds, because time passes
//! only when every call waits.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use saldo::{Clock as _, Endpoint, Method, Request, Transport, TransportError};
use saldo_drill::simulate::{Simulation, VirtualClock};
use saldo_ffi::{Clock, HttpHeader, HttpRequest, HttpResponse, HttpTransport, TransportFailure};

/// The HTTP stack of an app. It counts what passes.
pub struct CountedHttp {
    transport: Box<dyn Transport>,
    hangs: AtomicBool,
    in_progress: AtomicUsize,
    traffic: Mutex<Traffic>,
}

/// What has passed. Headers are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The number of requests.
    pub requests: u64,
    /// The bytes of the bodies and the URLs of the requests.
    pub sent: usize,
    /// The bytes of the bodies of the responses, by gzip where that is smaller.
    pub received: usize,
}

/// Counts a request in progress, also if it is cancelled.
struct InProgress<'a>(&'a AtomicUsize);

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl CountedHttp {
    /// HTTP over `transport`: that of the simulation, for example.
    pub fn over(transport: impl Transport + 'static) -> Arc<Self> {
        Arc::new(Self {
            transport: Box::new(transport),
            hangs: AtomicBool::new(false),
            in_progress: AtomicUsize::new(0),
            traffic: Mutex::default(),
        })
    }

    /// From now on no request is answered, or each is.
    pub fn set_hanging(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::SeqCst);
    }

    /// The requests that it is sending.
    pub fn in_progress(&self) -> usize {
        self.in_progress.load(Ordering::SeqCst)
    }

    /// What has passed until now.
    pub fn traffic(&self) -> Traffic {
        *self.counted()
    }

    fn counted(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl HttpTransport for CountedHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportFailure> {
        self.in_progress.fetch_add(1, Ordering::SeqCst);
        let _counted = InProgress(&self.in_progress);
        if self.hangs.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        let sent = request.url.len().saturating_add(request.body.len());
        {
            let mut traffic = self.counted();
            traffic.requests = traffic.requests.saturating_add(1);
            traffic.sent = traffic.sent.saturating_add(sent);
        }
        let url = Endpoint::new(request.url.as_str()).map_err(|_| TransportFailure::Dns)?;
        let request = Request {
            method: if request.method == "GET" { Method::Get } else { Method::Post },
            url: url.url().clone(),
            headers: request.headers.into_iter().filter_map(known).collect(),
            body: request.body,
            timeout: Duration::from_millis(request.timeout_ms),
            max_bytes: usize::try_from(request.max_bytes).unwrap_or(usize::MAX),
        };
        let response = self.transport.send(request).await.map_err(failure)?;
        let received = packed(&response.body);
        {
            let mut traffic = self.counted();
            traffic.received = traffic.received.saturating_add(received);
        }
        let header = |(name, value)| HttpHeader { name, value };
        let headers = response.headers.into_iter().map(header).collect();
        Ok(HttpResponse { status: response.status, headers, body: response.body })
    }
}

/// The bytes of `body` on the wire.
fn packed(body: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(body).and_then(|()| encoder.finish());
    packed.map_or(body.len(), |packed| packed.len().min(body.len()))
}

/// The headers that the drill's servers look at.
fn known(header: HttpHeader) -> Option<(&'static str, String)> {
    let name = ["accept", "content-type"].into_iter().find(|known| *known == header.name)?;
    Some((name, header.value))
}

fn failure(error: TransportError) -> TransportFailure {
    match error {
        TransportError::Offline => TransportFailure::Offline,
        TransportError::Timeout { .. } => TransportFailure::Timeout,
        TransportError::TooLarge { .. } => TransportFailure::TooLarge,
        _ => TransportFailure::Connect,
    }
}

/// The clock of the simulation. It counts the moments at which it wakes the client.
pub struct SimulatedClock {
    clock: VirtualClock,
    woken: Mutex<BTreeSet<Duration>>,
}

impl SimulatedClock {
    /// The clock of `simulation`.
    pub fn new(simulation: &Simulation) -> Arc<Self> {
        Arc::new(Self { clock: simulation.clock(), woken: Mutex::default() })
    }

    /// The number of moments at which a timer has ended until now.
    pub fn wake_ups(&self) -> usize {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[async_trait::async_trait]
impl Clock for SimulatedClock {
    fn wall_ms(&self) -> u64 {
        self.clock.wall().as_millis()
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.clock.monotonic().as_millis()).unwrap_or(u64::MAX)
    }

    async fn sleep(&self, milliseconds: u64) {
        self.clock.sleep(Duration::from_millis(milliseconds)).await;
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).insert(self.clock.monotonic());
    }
}
