//! A layer around the connector of `reqwest`: a request opens a connection only where no other will serve it.
//!
//! `hyper-util` asks for a new connection and looks into its pool at the same time. While this layer waits, the pool may give
//! the request a connection. `hyper-util` then lets the connector end in the background, where it needs nothing any more.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::Connection;
use tokio::time::timeout;
use tower_layer::Layer;
use tower_service::Service;

use super::progress::{CONNECT_TIMEOUT, Progress, Stage};
use super::servers::{Protocol, Servers, Turn};

type BoxError = Box<dyn Error + Send + Sync>;
type Connecting<C> = Pin<Box<dyn Future<Output = Result<C, BoxError>> + Send>>;

/// Puts [`SharedConnector`] around a connector.
#[derive(Clone, Debug)]
pub(super) struct SharedConnections(pub(super) Arc<Servers>);

impl<S> Layer<S> for SharedConnections {
    type Service = SharedConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SharedConnector { inner, servers: Arc::clone(&self.0) }
    }
}

/// A connector that waits while another connection may serve the request.
#[derive(Clone, Debug)]
pub(super) struct SharedConnector<S> {
    inner: S,
    servers: Arc<Servers>,
}

impl<S, R> Service<R> for SharedConnector<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
    S::Response: Connection + Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Connecting<S::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let connecting = self.inner.call(target);
        let servers = Arc::clone(&self.servers);
        Box::pin(async move {
            let progress = Progress::current();
            let longest = progress.as_ref().map_or(CONNECT_TIMEOUT, |progress| progress.connect_timeout());
            // Its time begins when it is polled, so that the wait before does not count.
            let connect = async move { timeout(longest, connecting).await? };
            let Some(progress) = progress else { return connect.await };
            if progress.opens_early() {
                let connection = connect.await?;
                servers.keep_opened(progress.origin(), protocol_of(&connection), Box::new(connection));
                return Err(io::Error::other("the connection waits for its request").into());
            }
            progress.enter(Stage::Waiting);
            let turn = servers.begin_handshake(progress.origin(), progress.is_secure());
            let mut handshake = match in_foreground(turn).await {
                Some(Turn::Connect(handshake)) => handshake,
                Some(Turn::Opened(connection)) => {
                    progress.enter(Stage::Sent);
                    let same = connection.downcast::<S::Response>();
                    return same
                        .map(|connection| *connection)
                        .map_err(|_| io::Error::other("no connection").into());
                }
                None => {
                    progress.enter(Stage::Sent);
                    return Err(io::Error::other("the request has another connection").into());
                }
            };
            progress.enter(Stage::Connecting);
            let mut connect = pin!(connect);
            let connection = poll_fn(|context| {
                if Progress::current().is_none() {
                    handshake.leave();
                }
                connect.as_mut().poll(context)
            });
            let connection = connection.await?;
            handshake.succeed(protocol_of(&connection));
            progress.enter(Stage::Sent);
            Ok(connection)
        })
    }
}

fn protocol_of(connection: &impl Connection) -> Protocol {
    if connection.connected().is_negotiated_h2() { Protocol::Two } else { Protocol::One }
}

/// Waits for `future` as long as the request itself polls it; `None` once the request has gone on without it.
async fn in_foreground<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match Progress::current() {
        Some(_) => future.as_mut().poll(context).map(Some),
        None => Poll::Ready(None),
    })
    .await
}
