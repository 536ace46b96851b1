//! Counts calls and connections for a recorder of the `metrics` facade, with the feature `metrics`. `docs/metrics.md` lists the names.

use std::time::Duration;

use saldo::Client;

/// Counts a call of `method`, and how it ended.
pub(crate) fn called(client: &Client, method: &'static str, outcome: &'static str, took: Duration) {
    #[cfg(feature = "metrics")]
    {
        let network = client.network().name().to_owned();
        metrics::counter!("saldo_serve_calls_total",
            "network" => network.clone(), "method" => method, "outcome" => outcome)
        .increment(1);
        metrics::histogram!("saldo_serve_seconds", "network" => network, "method" => method)
            .record(took.as_secs_f64());
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (client, method, outcome, took);
}

/// Counts a connection that was taken, until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenConnection;

impl OpenConnection {
    pub(crate) fn new() -> Self {
        #[cfg(feature = "metrics")]
        {
            metrics::counter!("saldo_serve_connections_opened_total").increment(1);
            metrics::gauge!("saldo_serve_connections").increment(1.0);
        }
        Self
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        metrics::gauge!("saldo_serve_connections").decrement(1.0);
    }
}

/// Counts a connection that was one too many.
pub(crate) fn connection_refused() {
    #[cfg(feature = "metrics")]
    metrics::counter!("saldo_serve_connections_refused_total").increment(1);
}
