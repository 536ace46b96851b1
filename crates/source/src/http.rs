//! The default transport and clock: `reqwest` with rustls, on tokio.

mod cancel;
mod connector;
mod early;
mod exchange;
#[cfg(feature = "http2")]
mod http2;
mod pools;
mod progress;
mod proxy;
mod servers;
mod tls;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use saldo_beacon::unit::UnixTime;
use tokio::sync::watch;

use self::cancel::Cancellable;
use self::connector::SharedConnections;
use self::early::EarlyConnections;
use self::exchange::Exchange;
use self::pools::{Builder, Pools};
use self::progress::CONNECT_TIMEOUT;
use self::progress::Progress;
use self::servers::Servers;
use crate::clock::Clock;
use crate::endpoint::SecretUrl;
use crate::maybe_send::BoxedFuture;
use crate::transport::{Request, Response, Transport, TransportError};

pub use proxy::{Proxies, ProxyError};

/// The time to open a connection. It includes the wait for one that another request opens, and for one that is in use.
const LONGEST_CONNECT: Duration = CONNECT_TIMEOUT.saturating_mul(2);
/// How long a connection is kept without a request. Load balancers and web servers close theirs after 60 seconds or more.
const IDLE_TIMEOUT: Duration = Duration::from_secs(55);

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
/// place. `localhost`, also with a dot at its end, means the two loopback addresses, whatever the hosts file
/// says.
///
/// A short answer whose request is cancelled is read to its end, for two seconds and 64 KiB at most: this keeps an HTTP/1.1
/// connection. It ends when the last clone of the transport is dropped.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    pools: Pools,
    servers: Arc<Servers>,
    /// `None` if the client is the app's own, whose connector is not [`SharedConnections`].
    early: Option<EarlyConnections>,
    /// Closed with the last clone.
    alive: Arc<watch::Sender<()>>,
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
        let servers = Arc::new(Servers::default());
        let builder = Builder::new({
            let servers = Arc::clone(&servers);
            move || builder(&proxies, &servers)
        });
        let client = builder.make().build().map_err(|_| SetupError::Tls)?;
        let early = EarlyConnections::new(builder.clone(), Arc::clone(&servers));
        let pools = Pools::new(client, Some(builder));
        Ok(Self { pools, servers, early: Some(early), alive: Arc::default() })
    }

    /// A transport that uses the app's own client: its pool, proxies, certificates and provider of cryptography.
    ///
    /// Build the client with `redirect(Policy::none())`: one that follows redirects shows the address to hosts that the app did
    /// not choose. Loopback, proxies and `localhost` are then as that client has them.
    #[cfg(feature = "reqwest-client")]
    pub fn from_client(client: reqwest::Client) -> Self {
        Self { pools: Pools::new(client, None), servers: Arc::default(), early: None, alive: Arc::default() }
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxedFuture<'_, Result<Response, TransportError>> {
        let progress = Arc::new(Progress::new(request.url.expose(), request.max_bytes));
        let servers = Arc::clone(&self.servers);
        let exchange = Exchange {
            pools: self.pools.clone(),
            servers: Arc::clone(&servers),
            progress: Arc::clone(&progress),
            knows_connections: self.early.is_some(),
        };
        Box::pin(Cancellable::new(exchange.run(request), progress, servers, self.alive.subscribe()))
    }

    fn open_early(&self, url: &SecretUrl) {
        if let Some(early) = &self.early {
            early.open(url.expose(), IDLE_TIMEOUT, self.alive.subscribe());
        }
    }
}

/// What all clients of a transport have.
fn builder(proxies: &Proxies, servers: &Arc<Servers>) -> reqwest::ClientBuilder {
    let loopback = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))];
    let proxies = proxies.clone();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(LONGEST_CONNECT)
        .connector_layer(SharedConnections(Arc::clone(servers)))
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("saldo/", env!("CARGO_PKG_VERSION")))
        .resolve_to_addrs("localhost", &loopback)
        .resolve_to_addrs("localhost.", &loopback)
        // No other proxy is used.
        .no_proxy()
        .proxy(reqwest::Proxy::custom(move |url| proxies.of(url).cloned()));
    #[cfg(feature = "http2")]
    let builder = http2::limited(builder);
    builder
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
