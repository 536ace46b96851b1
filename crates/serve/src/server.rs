//! The server: its port, its connections, and its end.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::future::{join_all, pending};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::accept::accept;
use crate::connection;
use crate::meter;
use crate::network::Network;
use crate::route::Route;
use crate::serve_error::ServeError;
use crate::settings::Settings;
use crate::state::State;

/// A server that listens, and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    state: Arc<State>,
}

impl Server {
    /// Listens at `address`; at a free port of it if that is 0.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn bind(
        address: SocketAddr,
        settings: Settings,
        routes: Vec<Route>,
    ) -> Result<Self, ServeError> {
        if !address.ip().is_loopback() && settings.allowed_hosts.is_empty() {
            return Err(ServeError::OpenToOthers);
        }
        let given = routes.len();
        let networks: BTreeMap<String, Arc<Network>> = routes
            .into_iter()
            .map(|route| (route.path, Arc::new(Network::new(route.client, route.pass_through))))
            .collect();
        if networks.is_empty() || networks.len() < given {
            return Err(ServeError::Paths);
        }
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, state: Arc::new(State::new(settings, networks)) })
    }

    /// Returns the address that it listens at.
    ///
    /// # Errors
    /// If the system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is over. Then it takes no new connection, ends what is in progress, and returns.
    ///
    /// Nothing that it began is left when it returns, or when it is dropped.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, state } = self;
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let feeds = join_all(state.networks.values().map(|network| network.feed.run(&network.client)));
        tokio::pin!(stop, feeds);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = &mut feeds => pending().await,
                Some(_) = connections.join_next() => {}
                stream = accept(&listener) => {
                    // One that is too many is dropped, and so closed.
                    if connections.len() < state.settings.max_connections {
                        connections.spawn(connection::serve(Arc::clone(&state), stream, stopped.clone()));
                    } else {
                        meter::connection_refused();
                        tracing::debug!("a connection too many was closed");
                    }
                }
            }
        }
        drop(listener);
        stopping.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        let is_drained = timeout(state.settings.drain_timeout, drained).await.is_ok();
        tracing::debug!(is_drained, "the server has stopped");
    }
}
