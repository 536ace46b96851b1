//! The simulated internet with its bytes counted, as they would be on the wire.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Clock, Request, Response, Transport, TransportError};
use saldo_drill::simulate::{Internet, VirtualClock};

/// The internet with a minimum latency per exchange, so that the elapsed time gives the number of round trips.
#[derive(Clone)]
pub struct Counted {
    internet: Internet,
    clock: VirtualClock,
    way: Duration,
    of_host: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

/// The bytes sent and received. HTTP headers are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// Uncompressed.
    pub plain: usize,
    /// With responses in gzip if that is smaller.
    pub gzip: usize,
    /// The number of exchanges.
    pub requests: usize,
}

impl Counted {
    /// Counts the traffic of `internet`.
    pub fn new(internet: Internet, clock: VirtualClock, way: Duration) -> Self {
        Self { internet, clock, way, of_host: Arc::default() }
    }

    /// The traffic with hosts whose names start with `host`, since the last [`Counted::reset`].
    pub fn of(&self, host: &str) -> Bytes {
        let of_host = self.of_host.lock().unwrap_or_else(PoisonError::into_inner);
        let matching = of_host.iter().filter(|(name, _)| name.starts_with(host)).map(|(_, bytes)| *bytes);
        matching.fold(Bytes::default(), |sum, bytes| Bytes {
            plain: sum.plain + bytes.plain,
            gzip: sum.gzip + bytes.gzip,
            requests: sum.requests + bytes.requests,
        })
    }

    /// The traffic with all hosts.
    pub fn all(&self) -> Bytes {
        self.of("")
    }

    /// Sets all counters to zero.
    pub fn reset(&self) {
        self.of_host.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        let ends = self.clock.monotonic() + self.way;
        let host = request.url.expose().host_str().unwrap_or_default().to_owned();
        let sent = request.url.expose().as_str().len() + request.body.len();
        let response = self.internet.send(request).await?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let packed = encoder.write_all(&response.body).and_then(|()| encoder.finish());
        let gzip = packed.map_or(response.body.len(), |packed| packed.len().min(response.body.len()));
        {
            let mut of_host = self.of_host.lock().unwrap_or_else(PoisonError::into_inner);
            let bytes = of_host.entry(host).or_default();
            bytes.plain += sent + response.body.len();
            bytes.gzip += sent + gzip;
            bytes.requests += 1;
        }
        self.clock.sleep(ends.saturating_sub(self.clock.monotonic())).await;
        Ok(response)
    }
}

impl Transport for Counted {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.carry(request).boxed()
    }
}
