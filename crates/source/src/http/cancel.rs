//! What becomes of a cancelled request. Over HTTP/1.1 an answer that is not read to its end costs its connection, and the next
//! request another handshake. So a short answer is read to its end in the background.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use super::progress::{Progress, Stage};
use super::servers::{Protocol, Servers};
use crate::transport::{Response, TransportError};

/// How long a cancelled answer is read at most.
const LONGEST_DRAIN: Duration = Duration::from_secs(2);

type Exchange = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send>>;

/// A request that can be dropped without losing its connection.
pub(super) struct Cancellable {
    /// `None` once it has ended.
    exchange: Option<Exchange>,
    progress: Arc<Progress>,
    servers: Arc<Servers>,
    /// Closed when the transport is dropped.
    transport: watch::Receiver<()>,
    /// The runtime that has polled it.
    runtime: Option<Handle>,
}

impl Cancellable {
    pub(super) fn new(
        exchange: impl Future<Output = Result<Response, TransportError>> + Send + 'static,
        progress: Arc<Progress>,
        servers: Arc<Servers>,
        transport: watch::Receiver<()>,
    ) -> Self {
        let exchange = Box::pin(Arc::clone(&progress).scope(exchange));
        Self { exchange: Some(exchange), progress, servers, transport, runtime: None }
    }

    /// Whether the connection is worth reading the rest of the answer.
    fn is_worth_draining(&self) -> bool {
        match self.progress.stage() {
            Stage::Waiting => false,
            // A handshake takes longer than the answer. The caller has counted the request already.
            Stage::Connecting => true,
            // HTTP/2 resets the one stream, and keeps the connection.
            Stage::Sent => self.servers.protocol(self.progress.origin()) != Some(Protocol::Two),
        }
    }
}

impl Future for Cancellable {
    type Output = Result<Response, TransportError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.runtime.is_none() {
            self.runtime = Handle::try_current().ok();
        }
        let Some(exchange) = &mut self.exchange else { return Poll::Pending };
        let outcome = exchange.as_mut().poll(context);
        if outcome.is_ready() {
            self.exchange = None;
        }
        outcome
    }
}

impl Drop for Cancellable {
    fn drop(&mut self) {
        let (Some(exchange), Some(runtime)) = (self.exchange.take(), &self.runtime) else { return };
        if !self.is_worth_draining() {
            return;
        }
        let Some(drain) = self.servers.begin_drain(self.progress.origin()) else { return };
        self.progress.limit_rest();
        let mut transport = self.transport.clone();
        runtime.spawn(async move {
            let rest = pin!(timeout(LONGEST_DRAIN, exchange));
            if let Either::Left((Ok(Ok(_)), _)) = select(rest, pin!(transport.changed())).await {
                drain.succeed();
            }
        });
    }
}
