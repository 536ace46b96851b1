//! The default transport and clock: `reqwest` with rustls, on tokio.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use saldo_beacon::unit::UnixTime;

use crate::clock::Clock;
use crate::maybe_send::BoxedFuture;
use crate::transport::{Method, Request, Response, Transport, TransportError};

/// A host that does not accept a connection within this time, TLS included, counts as not reached: so it has not seen
/// what would have been asked.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Sends requests with `reqwest` and rustls; needs a tokio runtime. Follows no redirect, and counts the size limit
/// while inflating, so that a small answer cannot become a large one.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// A transport with a connection pool of its own.
    ///
    /// # Errors
    /// [`TransportError::Failed`] if TLS cannot be set up on this machine.
    pub fn new() -> Result<Self, TransportError> {
        // Only the first provider of cryptography that a process installs is used: an app that chose one keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("saldo/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(|client| Self { client })
            .map_err(|_| TransportError::Failed)
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let Request { method, url, headers, body, timeout, max_bytes } = request;
        let failed = |error: reqwest::Error| classify(&error, timeout);
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut builder = self.client.request(method, url.expose().clone()).timeout(timeout).body(body);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let mut answer = builder.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len().saturating_add(chunk.len()) > max_bytes {
                return Err(TransportError::TooLarge { limit: max_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers, body })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxedFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

/// Puts an error into a class. Nothing of its text is kept: it holds the URL.
fn classify(error: &reqwest::Error, timeout: Duration) -> TransportError {
    if error.is_timeout() {
        return if error.is_connect() {
            TransportError::Connect
        } else {
            TransportError::Timeout { after: timeout }
        };
    }
    let mut innermost_io = None;
    let mut mentions_dns = false;
    for cause in causes(error) {
        if cause.is::<rustls::Error>() {
            // Once there was a connection the request may have been seen.
            return if error.is_connect() { TransportError::Tls } else { TransportError::Broken };
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            innermost_io = Some(io.kind());
        }
        // The resolver's errors have no kind of their own; the connector's name for them is the one public sign.
        mentions_dns |= cause.to_string().starts_with("dns error");
    }
    match innermost_io {
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown) => TransportError::Offline,
        _ if error.is_connect() && mentions_dns => TransportError::Dns,
        _ if error.is_connect() => TransportError::Connect,
        // What cannot be inflated is data of a wrong kind; any other failure while inflating is the connection's.
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) if error.is_decode() => {
            TransportError::Encoding
        }
        _ if error.is_decode() || error.is_body() || error.is_request() => TransportError::Broken,
        _ => TransportError::Failed,
    }
}

/// All causes of an error, outermost first. What an I/O error wraps is its cause, which `source` leaves out.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    }
    std::iter::successors(next(error), |error| next(*error))
}

/// The device's own clocks, waiting on tokio's timer.
#[derive(Clone, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[allow(clippy::new_without_default, reason = "a clock that starts when it is made is no default value")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> UnixTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxedFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
