//! The default transport and clock: `reqwest` with rustls, on tokio.

mod proxy;
mod tls;

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use saldo_beacon::unit::UnixTime;

use crate::clock::Clock;
use crate::maybe_send::BoxedFuture;
use crate::transport::{Method, Request, Response, TlsFault, Transport, TransportError};

pub use proxy::{Proxies, ProxyError};

/// A host that accepts no connection within this time, TLS included, counts as not reached: it has not seen the request.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

#[cfg(not(any(feature = "http", feature = "aws-lc-rs")))]
compile_error!("`_transport` has no cryptography: turn on the feature `http` or `aws-lc-rs`");

/// The provider of cryptography. `http` is on by default, and an app that names `aws-lc-rs` wants that one.
#[cfg(feature = "aws-lc-rs")]
fn cryptography() -> rustls::crypto::CryptoProvider {
    rustls::crypto::aws_lc_rs::default_provider()
}

#[cfg(not(feature = "aws-lc-rs"))]
fn cryptography() -> rustls::crypto::CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// Why the default transport cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A proxy variable cannot be understood. Fault: the caller.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// TLS cannot be set up, often because the system has no store of certificates. Fault: the device.
    #[error("TLS cannot be set up on this device")]
    Tls,
}

/// Sends requests with `reqwest` and rustls; needs a tokio runtime. It follows no redirect. It applies the size limit while
/// inflating, so that a small reply cannot fill the memory.
///
/// It trusts the issuers in the system's store; on Linux the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name others in their
/// place. `localhost` means the two loopback addresses, whatever the hosts file says.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// A transport with a connection pool of its own, and the proxies of the environment.
    ///
    /// # Errors
    /// [`SetupError`] if a proxy variable cannot be understood, or TLS cannot be set up.
    pub fn new() -> Result<Self, SetupError> {
        Self::with_proxies(Proxies::from_env()?)
    }

    /// A transport with a connection pool of its own, and these proxies instead of those of the environment.
    ///
    /// # Errors
    /// [`SetupError::Tls`] if TLS cannot be set up.
    pub fn with_proxies(proxies: Proxies) -> Result<Self, SetupError> {
        // The first provider of cryptography that a process installs stays: an app that chose one keeps it.
        let _ = cryptography().install_default();
        let loopback =
            [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("saldo/", env!("CARGO_PKG_VERSION")))
            .resolve_to_addrs("localhost", &loopback)
            // No other proxy is used.
            .no_proxy()
            .proxy(reqwest::Proxy::custom(move |url| proxies.of(url).cloned()))
            .build()
            .map(|client| Self { client })
            .map_err(|_| SetupError::Tls)
    }

    /// A transport that uses the app's own client: its pool, proxies, certificates and provider of cryptography.
    ///
    /// Build the client with `redirect(Policy::none())`: one that follows redirects shows the address to hosts that the app did
    /// not choose. Loopback, proxies and `localhost` are then as that client has them.
    #[cfg(feature = "reqwest-client")]
    pub fn from_client(client: reqwest::Client) -> Self {
        Self { client }
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let Request { method, url, headers, body, timeout, max_bytes } = request;
        let is_plain = url.expose().scheme() == "http";
        let failed = |error: reqwest::Error| classify(&error, timeout, is_plain);
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
        if is_plain && tls::asks_for_tls(status, &body) {
            return Err(TransportError::Unsecured(TlsFault::TlsExpected));
        }
        Ok(Response { status, headers, body })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxedFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }
}

/// The class of an error. Its text is dropped, because it holds the URL.
fn classify(error: &reqwest::Error, timeout: Duration, is_plain: bool) -> TransportError {
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
        if let Some(refused) = cause.downcast_ref::<rustls::Error>() {
            // Once there was a connection the request may have been seen.
            return if error.is_connect() { tls::fault(refused) } else { TransportError::Broken };
        }
        if is_plain && tls::is_record(cause) {
            return TransportError::Unsecured(TlsFault::TlsExpected);
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            innermost_io = Some(io.kind());
        }
        // The resolver's errors have no kind; the text that the connector puts before them is the only public sign.
        mentions_dns |= cause.to_string().starts_with("dns error");
    }
    match innermost_io {
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown) => TransportError::Offline,
        _ if error.is_connect() && mentions_dns => TransportError::Dns,
        _ if error.is_connect() => TransportError::Connect,
        // Invalid data cannot be inflated; any other failure while inflating comes from the connection.
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) if error.is_decode() => {
            TransportError::Encoding
        }
        _ if error.is_decode() || error.is_body() || error.is_request() => TransportError::Broken,
        _ => TransportError::Failed,
    }
}

/// All causes of an error, outermost first. Includes the error that an I/O error wraps, which `source` leaves out.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    }
    std::iter::successors(next(error), |error| next(*error))
}

/// The device's own clocks, and tokio's timer.
#[derive(Clone, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time begins now.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_cryptography_is_used() {
        let random = format!("{:?}", cryptography().secure_random).to_lowercase();
        let expected = if cfg!(feature = "aws-lc-rs") { "aws" } else { "ring" };
        assert!(random.contains(expected), "{random}");
        assert!(HttpTransport::with_proxies(Proxies::none()).is_ok());
        let installed = rustls::crypto::CryptoProvider::get_default();
        let installed = installed.map(|one| format!("{:?}", one.secure_random).to_lowercase());
        assert!(installed.as_deref().is_some_and(|name| name.contains(expected)), "{installed:?}");
    }
}
