//! A network of named hosts, in memory.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flate2::read::GzDecoder;
use futures_util::future::BoxFuture;
use saldo_source::{Method, Request, Response, Transport, TransportError};
use url::Url;

use super::clock::VirtualClock;
use crate::Seed;
use crate::http::{HttpRequest, Reaction, Reply, Service};

/// Connects a device with the hosts that are registered. A handle: clones are the same network.
///
/// Each exchange takes 20 to 80 ms besides what the host itself takes; how long follows from the seed, the host and
/// the number of the request.
#[derive(Clone)]
pub struct Internet {
    seed: Seed,
    clock: VirtualClock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    hosts: BTreeMap<String, Host>,
    offline: bool,
    log: Vec<Exchange>,
}

struct Host {
    service: Arc<dyn Service>,
    requests: u64,
}

/// One request as the network saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// When it was sent, since the start of the simulation.
    pub at: Duration,
    /// Where to.
    pub host: String,
    /// The path.
    pub path: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Internet {
    /// A network without hosts.
    pub(super) fn new(seed: Seed, clock: VirtualClock) -> Self {
        Self { seed: seed.child("internet"), clock, state: Arc::default() }
    }

    /// Puts `service` at the host of `url`, for example `http://alice.test`.
    ///
    /// # Panics
    /// If `url` is no URL with a host.
    pub fn register(&self, url: &str, service: impl Service + 'static) {
        let host = Url::parse(url).ok().as_ref().and_then(host_of).expect("a host is registered by its URL");
        self.state().hosts.insert(host, Host { service: Arc::new(service), requests: 0 });
    }

    /// Whether the device has no network at all from now on.
    pub fn set_offline(&self, offline: bool) {
        self.state().offline = offline;
    }

    /// All requests so far, in order: what a run did, to compare it with another.
    pub fn log(&self) -> Vec<Exchange> {
        self.state().log.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the network has said what it had to say.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the host and how long the way to it takes, and notes the request.
    fn reach(
        &self,
        host: &str,
        request: &HttpRequest,
    ) -> Result<(Arc<dyn Service>, Duration), TransportError> {
        use saldo_source::Clock;
        let at = self.clock.monotonic();
        let mut state = self.state();
        let (host, path, body) = (host.to_owned(), request.path.clone(), request.body.clone());
        if state.offline {
            return Err(TransportError::Offline);
        }
        let found = state.hosts.get_mut(&host).ok_or(TransportError::Dns)?;
        found.requests = found.requests.saturating_add(1);
        let jitter = self.seed.below(60, &host, found.requests);
        let way = Duration::from_millis(jitter.saturating_add(20));
        let service = Arc::clone(&found.service);
        state.log.push(Exchange { at, host, path, body });
        Ok((service, way))
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let url = request.url.expose();
        let host = host_of(url).ok_or(TransportError::Failed)?;
        let asked = http_request(&request);
        let (service, way) = self.reach(&host, &asked)?;
        let timeout = request.timeout;
        let late = Err(TransportError::Timeout { after: timeout });
        if way >= timeout {
            self.clock.timer(timeout).await;
            return late;
        }
        self.clock.timer(way).await;
        let left = timeout.saturating_sub(way);
        let (wait, outcome) = match service.answer(&asked) {
            Reaction::Refuse => return Err(TransportError::Connect),
            Reaction::Unresolvable => return Err(TransportError::Dns),
            Reaction::BadCertificate => return Err(TransportError::Tls),
            Reaction::Hang => (Duration::MAX, late),
            Reaction::Reset { reply, .. } => (reply.delay, Err(TransportError::Broken)),
            Reaction::Reply(reply) => (reply.delay, receive(reply, request.max_bytes)),
            Reaction::Trickle { reply, bytes_per_second } => {
                let bytes = u64::try_from(reply.body.len()).unwrap_or(u64::MAX);
                let seconds = bytes.div_ceil(u64::from(bytes_per_second.max(1)));
                (reply.delay.saturating_add(Duration::from_secs(seconds)), receive(reply, request.max_bytes))
            }
        };
        if wait >= left {
            self.clock.timer(left).await;
            return Err(TransportError::Timeout { after: timeout });
        }
        self.clock.timer(wait).await;
        outcome
    }
}

impl Transport for Internet {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

impl std::fmt::Debug for Internet {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts: Vec<String> = self.state().hosts.keys().cloned().collect();
        formatter.debug_struct("Internet").field("hosts", &hosts).finish_non_exhaustive()
    }
}

/// The host, with the port where the URL gives one.
fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn http_request(request: &Request) -> HttpRequest {
    let url = request.url.expose();
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    HttpRequest {
        method: method.to_owned(),
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers: request.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        body: request.body.clone(),
    }
}

/// The answer as a transport hands it on: no redirects, inflated, within the limit.
fn receive(reply: Reply, limit: usize) -> Result<Response, TransportError> {
    if (300..400).contains(&reply.status) {
        return Err(TransportError::Redirect { status: reply.status });
    }
    let compressed = reply.headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip");
    let body = if compressed {
        let mut inflated = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let read = GzDecoder::new(reply.body.as_slice()).take(most).read_to_end(&mut inflated);
        read.map_err(|_| TransportError::Encoding)?;
        inflated
    } else {
        reply.body
    };
    if body.len() > limit {
        return Err(TransportError::TooLarge { limit });
    }
    Ok(Response { status: reply.status, headers: reply.headers, body })
}
