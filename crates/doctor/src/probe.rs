//! Sends requests to one host within its limits.

use std::sync::Arc;
use std::time::Duration;

use saldo_reading::{Failure, TransportError};
use saldo_source::beacon::{Data, Route, fetch};
use saldo_source::execution::ask_method;
use saldo_source::{Clock, Deadline, Endpoint, Io, Method, Request, Transport, mirror};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::kind::{Kind, only_kind};
use crate::meter::{AsJson, Meter};

/// Sends requests to one host within its limits of number and time.
pub(crate) struct ProbeClient<'a> {
    pub(crate) endpoint: &'a Endpoint,
    schedule: &'a saldo_beacon::Network,
    pub(crate) io: Io,
    in_json: Io,
    pub(crate) meter: Arc<Meter>,
    deadline: Deadline,
    request: Duration,
}

impl<'a> ProbeClient<'a> {
    pub(crate) fn new(
        endpoint: &'a Endpoint,
        schedule: &'a saldo_beacon::Network,
        meter: Meter,
        clock: &Arc<dyn Clock>,
        deadline: Deadline,
        request: Duration,
    ) -> Self {
        let meter = Arc::new(meter);
        let transport: Arc<dyn Transport> = meter.clone();
        let io = Io::new(transport, Arc::clone(clock));
        let in_json = Io::new(Arc::new(AsJson(Arc::clone(&meter))), Arc::clone(clock));
        Self { endpoint, schedule, io, in_json, meter, deadline, request }
    }

    /// The time limit of the next request.
    pub(crate) fn request_timeout(&self) -> Duration {
        self.deadline.left(self.io.clock()).min(self.request)
    }

    /// Whether no further request may be sent.
    pub(crate) fn is_over(&self) -> bool {
        self.meter.is_closed() || self.request_timeout() == Duration::ZERO
    }

    /// Whether a request failed only because the limits were used up, at a host that does answer.
    pub(crate) fn ran_out(&self, failure: &Failure) -> bool {
        let cut_short = match failure {
            Failure::Transport(TransportError::Timeout { after }) => *after < self.request,
            Failure::Transport(TransportError::Failed) => self.meter.is_closed(),
            _ => false,
        };
        cut_short && self.meter.seen().latency().is_some()
    }

    /// One JSON-RPC call.
    pub(crate) async fn call(
        &self,
        method: &'static str,
        params: Value,
        max_bytes: usize,
    ) -> Result<Box<RawValue>, Failure> {
        ask_method(&self.io, self.endpoint, method, params, max_bytes, self.request_timeout()).await
    }

    /// One JSON-RPC call whose result is a number.
    pub(crate) async fn number(&self, method: &'static str) -> Result<u64, Failure> {
        const SMALL: usize = 4 * 1024;
        let result = self.call(method, Value::Array(Vec::new()), SMALL).await?;
        quantity(result.get()).ok_or(Failure::Malformed { what: "not a number" })
    }

    /// One route of the beacon API, or a mirror's file for it.
    pub(crate) async fn fetch(&self, route: Route) -> Result<Data, Failure> {
        if self.endpoint.is_mirror() {
            let now = self.io.clock().wall();
            let (io, timeout) = (&self.io, self.request_timeout());
            return mirror::fetch(io, self.schedule, now, self.endpoint, route, timeout).await;
        }
        fetch(&self.io, self.endpoint, route, self.request_timeout()).await
    }

    /// The same route in JSON.
    pub(crate) async fn fetch_json(&self, route: Route) -> Result<Data, Failure> {
        fetch(&self.in_json, self.endpoint, route, self.request_timeout()).await
    }

    /// The only kind of server that answers at the endpoint's URL; `None` also if no further request may be sent.
    pub(crate) async fn only_kind(&self) -> Option<Kind> {
        if self.is_over() {
            return None;
        }
        only_kind(&self.io, self.endpoint, self.request_timeout()).await
    }

    /// Several JSON-RPC calls in one request. Returns the answer's body unchecked.
    pub(crate) async fn batch(&self, body: &Value, max_bytes: usize) -> Result<Vec<u8>, Failure> {
        let timeout = self.request_timeout();
        let request = Request {
            method: Method::Post,
            url: self.endpoint.url().clone(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            timeout,
            max_bytes,
        };
        let late = self.io.clock().sleep(timeout);
        let answer = self.meter.send(request);
        match futures_util::future::select(answer, late).await {
            futures_util::future::Either::Left((Ok(response), _)) if response.body.len() > max_bytes => {
                Err(TransportError::TooLarge { limit: max_bytes }.into())
            }
            futures_util::future::Either::Left((Ok(response), _)) => Ok(response.body),
            futures_util::future::Either::Left((Err(error), _)) => Err(error.into()),
            futures_util::future::Either::Right(_) => Err(TransportError::Timeout { after: timeout }.into()),
        }
    }
}

/// Parses a `QUANTITY` as JSON contains it.
pub(crate) fn quantity(json: &str) -> Option<u64> {
    let digits = json.strip_prefix("\"0x")?.strip_suffix('"')?;
    u64::from_str_radix(digits, 16).ok()
}

/// Whether a later request to the same host would fail as well.
pub(crate) fn is_final(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Transport(_) | Failure::RateLimited { .. } | Failure::QuotaExhausted | Failure::Http { .. }
    )
}
