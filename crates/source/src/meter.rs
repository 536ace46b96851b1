//! Counts requests for a recorder of the `metrics` facade, with the feature `metrics`. `docs/metrics.md` lists the names. No label has
//! a URL, an address or text from a provider.

use std::sync::Arc;
use std::time::Duration;

use saldo_reading::Failure;

use crate::clock::Clock;
use crate::endpoint::Endpoint;
use crate::transport::{Method, Request, Response};

/// Adds `$by` to a counter. Without the feature nothing is evaluated.
macro_rules! count {
    ($name:literal, $by:expr, $($label:literal => $value:expr),+) => {
        #[cfg(feature = "metrics")]
        metrics::counter!($name, $($label => $value),+).increment($by);
        #[cfg(not(feature = "metrics"))]
        let _ = || ($by, $($value),+);
    };
}

/// Records a value in a histogram. Without the feature nothing is evaluated.
macro_rules! record {
    ($name:literal, $of:expr, $($label:literal => $value:expr),+) => {
        #[cfg(feature = "metrics")]
        metrics::histogram!($name, $($label => $value),+).record($of);
        #[cfg(not(feature = "metrics"))]
        let _ = || ($of, $($value),+);
    };
}

pub(crate) use count;

/// One HTTP request, which is counted when it ends, also if its future is dropped.
pub(crate) struct Exchange<'a> {
    clock: &'a dyn Clock,
    network: &'a Arc<str>,
    with: &'a Endpoint,
    api: &'static str,
    began: Duration,
    is_counted: bool,
}

impl<'a> Exchange<'a> {
    pub(crate) fn begin(
        clock: &'a dyn Clock,
        network: &'a Arc<str>,
        with: &'a Endpoint,
        request: &Request,
    ) -> Self {
        let api = match request.method {
            Method::Get => "beacon",
            Method::Post => "execution",
        };
        let exchange = Self { clock, network, with, api, began: clock.monotonic(), is_counted: false };
        exchange.count_bytes("sent", request.body.len());
        exchange
    }

    /// Counts how it ended.
    pub(crate) fn end(mut self, result: &Result<Response, Failure>) {
        let outcome = match result {
            Ok(response) => {
                self.count_bytes("received", response.body.len());
                match response.status {
                    200..300 => "answered",
                    429 => "rate_limited",
                    _ => "http_error",
                }
            }
            Err(failure) => failure.code(),
        };
        if result.is_ok() {
            let took = self.clock.monotonic().saturating_sub(self.began);
            record!("saldo_request_seconds", took.as_secs_f64(),
                "network" => Arc::clone(self.network), "provider" => self.provider(), "api" => self.api);
        }
        self.count(outcome);
    }

    fn count(&mut self, outcome: &'static str) {
        self.is_counted = true;
        count!("saldo_requests_total", 1,
            "network" => Arc::clone(self.network), "provider" => self.provider(), "api" => self.api,
            "outcome" => outcome);
    }

    fn count_bytes(&self, direction: &'static str, bytes: usize) {
        count!("saldo_request_bytes_total", u64::try_from(bytes).unwrap_or(u64::MAX),
            "network" => Arc::clone(self.network), "provider" => self.provider(), "api" => self.api,
            "direction" => direction);
    }

    fn provider(&self) -> String {
        self.with.id().to_string()
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.is_counted {
            self.count("cancelled");
        }
    }
}
