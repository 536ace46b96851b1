//! Opens a connection before there is a request for it, so that both handshakes of a read are made at the same time.
//!
//! `reqwest` opens a connection only for a request. So a client without a pool is given one, and the connector keeps its connection
//! and refuses the request. The request is never sent.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::select;
use tokio::runtime::Handle;
use tokio::sync::watch;
use url::Url;

use super::pools::Builder;
use super::progress::Progress;
use super::servers::Servers;

/// A client whose connections all go through the connector.
#[derive(Clone, Debug)]
pub(super) struct EarlyConnections {
    /// Made when it is used first: it reads the certificates of the system again.
    client: Arc<OnceLock<Option<reqwest::Client>>>,
    builder: Builder,
    servers: Arc<Servers>,
}

impl EarlyConnections {
    /// `builder` is that of the client whose requests use the connections.
    pub(super) fn new(builder: Builder, servers: Arc<Servers>) -> Self {
        Self { client: Arc::default(), builder, servers }
    }

    /// Opens a connection to the server of `url` in the background, unless one is expected that was used within `kept`. It is
    /// closed when `transport` is, or if no request comes soon.
    pub(super) fn open(&self, url: &Url, kept: Duration, mut transport: watch::Receiver<()>) {
        let Ok(runtime) = Handle::try_current() else { return };
        let Some(opening) = self.servers.begin_opening(&url.origin(), kept) else { return };
        let (this, url) = (self.clone(), url.clone());
        let open = async move {
            let made = this.client.get_or_init(|| this.builder.make().pool_max_idle_per_host(0).build().ok());
            let Some(client) = made else { return };
            let progress = Arc::new(Progress::opening(&url));
            // The error is that of the connector, which has kept the connection, or has none.
            let _ = progress.scope(client.head(url.clone()).send()).await;
            drop(opening);
            this.servers.close_opened(&url.origin()).await;
        };
        runtime.spawn(async move {
            select(pin!(open), pin!(transport.changed())).await;
        });
    }
}
