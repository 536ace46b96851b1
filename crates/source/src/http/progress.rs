//! How far one request is. The connector finds it by the task that polls the request.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use url::{Origin, Url};

/// A host that accepts no connection within this time, TLS included, counts as not reached: it has not seen the request. A
/// handshake takes two round trips, and a bad mobile link has one of four seconds. Other providers are asked meanwhile.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The same where the request may use another connection, which is silent but perhaps alive.
pub(super) const SHORT_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

tokio::task_local! {
    static CURRENT: Arc<Progress>;
}

/// The most bytes that are read of an answer after its request was cancelled.
const LONGEST_DRAIN: usize = 64 * 1024;

/// Where a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits for a connection that is free soon.
    Waiting,
    /// It opens a connection.
    Connecting,
    /// It has a connection, and the server may have seen it.
    Sent,
}

/// How far one request is.
#[derive(Debug)]
pub(super) struct Progress {
    origin: Origin,
    is_secure: bool,
    /// Whether it only opens a connection, and is never sent.
    opens_early: bool,
    stage: Mutex<(Stage, Instant)>,
    /// Whether it opened a connection.
    has_connected: AtomicBool,
    /// Whether it may use another connection if it cannot open one.
    has_other: AtomicBool,
    /// The bytes of the body that were read, after inflating.
    read: AtomicUsize,
    /// The most bytes that are read.
    limit: AtomicUsize,
    is_cancelled: AtomicBool,
}

impl Progress {
    /// A request to `url` that has not begun, and reads at most `max_bytes`.
    pub(super) fn new(url: &Url, max_bytes: usize) -> Self {
        Self {
            origin: url.origin(),
            is_secure: url.scheme() == "https",
            opens_early: false,
            stage: Mutex::new((Stage::Sent, Instant::now())),
            has_connected: AtomicBool::new(false),
            has_other: AtomicBool::new(false),
            read: AtomicUsize::new(0),
            limit: AtomicUsize::new(max_bytes),
            is_cancelled: AtomicBool::new(false),
        }
    }

    /// A request that only opens a connection to the server of `url`.
    pub(super) fn opening(url: &Url) -> Self {
        Self { opens_early: true, ..Self::new(url, 0) }
    }

    /// The request that the present task polls.
    pub(super) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Lets [`Progress::current`] find this request while `future` is polled.
    pub(super) fn scope<F: Future>(self: Arc<Self>, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn is_secure(&self) -> bool {
        self.is_secure
    }

    pub(super) fn opens_early(&self) -> bool {
        self.opens_early
    }

    /// The time to open a connection.
    pub(super) fn connect_timeout(&self) -> Duration {
        if self.has_other.load(Ordering::Relaxed) { SHORT_CONNECT_TIMEOUT } else { CONNECT_TIMEOUT }
    }

    /// Says whether it may use another connection if it cannot open one.
    pub(super) fn set_has_other(&self, has_other: bool) {
        self.has_other.store(has_other, Ordering::Relaxed);
    }

    pub(super) fn enter(&self, stage: Stage) {
        if stage == Stage::Connecting {
            self.has_connected.store(true, Ordering::Relaxed);
        }
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = (stage, Instant::now());
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// When the present stage began.
    pub(super) fn stage_began(&self) -> Instant {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Whether it opened a connection. If not, the connection that it had was kept from an earlier request.
    pub(super) fn has_connected(&self) -> bool {
        self.has_connected.load(Ordering::Relaxed)
    }

    /// Counts `bytes` of the body. Whether they are within the limit.
    pub(super) fn count(&self, bytes: usize) -> bool {
        let read = self.read.load(Ordering::Relaxed).saturating_add(bytes);
        self.read.store(read, Ordering::Relaxed);
        read <= self.limit.load(Ordering::Relaxed)
    }

    /// Limits what is still read, because the caller has gone.
    pub(super) fn limit_rest(&self) {
        let most = self.read.load(Ordering::Relaxed).saturating_add(LONGEST_DRAIN);
        self.limit.fetch_min(most, Ordering::Relaxed);
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the caller has gone.
    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}
