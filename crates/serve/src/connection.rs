//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::http_service::{UpgradeSlot, handle};
use crate::meter::OpenConnection;
use crate::state::State;
use crate::websocket;

/// When a connection last did anything.
#[derive(Debug)]
struct Activity {
    running: AtomicUsize,
    /// When the last answer was ready, and whether there was one.
    last: Mutex<(Instant, bool)>,
}

impl Activity {
    fn new() -> Self {
        Self { running: AtomicUsize::new(0), last: Mutex::new((Instant::now(), false)) }
    }

    /// Counts a request until the guard is dropped: also one whose caller gave it up.
    fn begin(self: &Arc<Self>) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }

    /// Waits until the connection was idle for too long: before its first request, or after an answer.
    async fn idle_too_long(&self, first: Duration, later: Duration) {
        loop {
            let (last, has_asked) = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let limit = if has_asked { later } else { first };
            let is_idle = self.running.load(Ordering::Relaxed) == 0;
            let ends = if is_idle { last.checked_add(limit) } else { Instant::now().checked_add(limit) };
            match ends {
                Some(ends) if is_idle && ends <= Instant::now() => return,
                Some(ends) => sleep_until(ends).await,
                None => std::future::pending().await,
            }
        }
    }
}

/// A request that is being answered.
struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = (Instant::now(), true);
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The longest head of a request, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// The most requests of one HTTP/2 connection at a time.
const STREAMS: u32 = 64;

/// Serves a connection until it ends, is idle for too long, or `stop` says so.
pub(crate) async fn serve(state: Arc<State>, stream: TcpStream, mut stop: watch::Receiver<bool>) {
    let _open = OpenConnection::new();
    let _ = stream.set_nodelay(true);
    let slot: UpgradeSlot = UpgradeSlot::default();
    let activity = Arc::new(Activity::new());
    let (first, later) = (state.settings.read_timeout, state.settings.idle_timeout);
    let service = {
        let (state, slot, activity) = (Arc::clone(&state), Arc::clone(&slot), Arc::clone(&activity));
        service_fn(move |request| {
            let (state, slot, running) = (Arc::clone(&state), Arc::clone(&slot), activity.begin());
            async move {
                let reply = handle(&state, &slot, request).await;
                drop(running);
                Ok::<_, Infallible>(reply)
            }
        })
    };
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(later).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .keep_alive_interval(later)
        .keep_alive_timeout(first);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut is_stopping = false;
    loop {
        tokio::select! {
            _ = connection.as_mut() => break,
            _ = stop.wait_for(|is_stopped| *is_stopped), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = activity.idle_too_long(first, later) => return,
        }
    }
    let upgrade = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(upgrade) = upgrade {
        websocket::serve(&state, upgrade, stop).await;
    }
}
