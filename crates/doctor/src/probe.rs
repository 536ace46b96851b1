//! Sends requests to one host within its limits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use saldo_reading::{Failure, TransportError};
use saldo_source::beacon::{Data, Route, fetch};
use saldo_source::execution::ask_method;
use saldo_source::{Clock, Deadline, Endpoint, Io, Method, Request, Response, Transport, mirror};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::kind::{Kind, only_kind};
use crate::meter::{AsJson, Meter};
use crate::pace::{Pace, Rate};

const TOO_MANY_REQUESTS: u16 = 429;

/// Sends requests to one host within its limits of number and time.
pub(crate) struct ProbeClient<'a> {
    pub(crate) endpoint: &'a Endpoint,
    schedule: &'a saldo_beacon::Network,
    pub(crate) io: Io,
    in_json: Io,
    pub(crate) meter: Arc<Meter>,
    pace: Mutex<Pace>,
    is_impatient: AtomicBool,
    routes: Mutex<LimitedRoutes>,
    deadline: Deadline,
    request: Duration,
}

/// What is known of limits that concern one route of the beacon API alone.
#[derive(Default)]
struct LimitedRoutes {
    /// The route of the last request, if that request was refused because of the rate to the end.
    refused: Option<&'static str>,
    /// The first route that was refused so while the host answered the next request.
    alone: Option<&'static str>,
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
        Self {
            endpoint,
            schedule,
            io,
            in_json,
            meter,
            pace: Mutex::default(),
            is_impatient: AtomicBool::new(false),
            routes: Mutex::default(),
            deadline,
            request,
        }
    }

    /// The time limit of the next request.
    pub(crate) fn request_timeout(&self) -> Duration {
        self.deadline.left(self.io.clock()).min(self.request)
    }

    /// Whether no further request may be sent.
    pub(crate) fn is_over(&self) -> bool {
        self.meter.is_closed() || self.request_timeout() == Duration::ZERO
    }

    /// Whether the rest of the time is left to the checks that a balance needs, because the host limits the rate of requests.
    pub(crate) fn is_short_of_time(&self) -> bool {
        if self.routes().refused.is_some() {
            // One more request tells whether the host refuses that route alone.
            return self.request_timeout() == Duration::ZERO;
        }
        let reserved = self.request.saturating_mul(2);
        self.is_over() || (self.rate().is_some() && self.deadline.left(self.io.clock()) < reserved)
    }

    /// The rate of requests that the host takes; `None` if it refused none because of the rate.
    pub(crate) fn rate(&self) -> Option<Rate> {
        self.pace().rate()
    }

    /// Decides whether a request that is refused because of the rate is sent again.
    pub(crate) fn set_impatient(&self, is_impatient: bool) {
        self.is_impatient.store(is_impatient, Ordering::Relaxed);
    }

    /// The first route of the beacon API that the host refused because of the rate while it answered another one.
    pub(crate) fn limited_route(&self) -> Option<&'static str> {
        self.routes().alone
    }

    fn routes(&self) -> MutexGuard<'_, LimitedRoutes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends `ask`, and again after each pause that the host asks for, as long as there is time. A patient read does the same.
    pub(crate) async fn patiently<T>(
        &self,
        ask: impl AsyncFn(Duration) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        loop {
            self.wait_for_turn().await?;
            let outcome = ask(self.request_timeout()).await;
            let Err(Failure::RateLimited { retry_after }) = outcome else {
                self.pace().record_taken();
                return outcome;
            };
            let pause = self.pace().record_refused(retry_after);
            if self.is_impatient.load(Ordering::Relaxed) || !self.rest(pause).await {
                return outcome;
            }
        }
    }

    /// Waits until the host takes the next request.
    async fn wait_for_turn(&self) -> Result<(), Failure> {
        let early = self.pace().until_next(self.io.clock().monotonic());
        if !self.rest(early).await {
            return Err(TransportError::Failed.into());
        }
        self.pace().record_sent(self.io.clock().monotonic());
        Ok(())
    }

    /// Waits for `pause`. Returns false at once if no request could be sent afterwards: then none is sent any more.
    async fn rest(&self, pause: Duration) -> bool {
        if pause == Duration::ZERO {
            return true;
        }
        if self.meter.is_closed() || pause >= self.deadline.left(self.io.clock()) {
            self.meter.close();
            return false;
        }
        self.io.clock().sleep(pause).await;
        true
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
        let ask = async |timeout| {
            ask_method(&self.io, self.endpoint, method, params.clone(), max_bytes, timeout).await
        };
        self.patiently(ask).await
    }

    /// One JSON-RPC call whose result is a number.
    pub(crate) async fn number(&self, method: &'static str) -> Result<u64, Failure> {
        const SMALL: usize = 4 * 1024;
        let result = self.call(method, Value::Array(Vec::new()), SMALL).await?;
        quantity(result.get()).ok_or(Failure::Malformed { what: "not a number" })
    }

    /// One route of the beacon API, or a mirror's file for it.
    pub(crate) async fn fetch(&self, route: Route) -> Result<Data, Failure> {
        let io = &self.io;
        if self.endpoint.is_mirror() {
            let now = io.clock().wall();
            let fetch =
                async |timeout| mirror::fetch(io, self.schedule, now, self.endpoint, route, timeout).await;
            return self.on_route(route, fetch).await;
        }
        self.on_route(route, async |timeout| fetch(io, self.endpoint, route, timeout).await).await
    }

    /// The same route in JSON.
    pub(crate) async fn fetch_json(&self, route: Route) -> Result<Data, Failure> {
        self.on_route(route, async |timeout| fetch(&self.in_json, self.endpoint, route, timeout).await).await
    }

    /// The same route, once: a refusal because of the rate is not waited for.
    pub(crate) async fn fetch_once(&self, route: Route) -> Result<Data, Failure> {
        self.set_impatient(true);
        let answer = self.fetch(route).await;
        self.set_impatient(false);
        answer
    }

    /// Sends `ask` for `route`. Where the host refused the route before to the end because of the rate, `ask` is sent once and at
    /// once: a balance asks for several routes concurrently, and a host may limit one of them alone.
    async fn on_route<T>(
        &self,
        route: Route,
        ask: impl AsyncFn(Duration) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let refused = self.routes().refused.take().filter(|refused| *refused != route.name());
        let Some(refused) = refused else {
            let answer = self.patiently(ask).await;
            if matches!(answer, Err(Failure::RateLimited { .. })) {
                self.routes().refused = Some(route.name());
            }
            return answer;
        };
        self.meter.reopen();
        self.pace().record_sent(self.io.clock().monotonic());
        let answer = ask(self.request_timeout()).await;
        match answer {
            // The host limits all routes.
            Err(Failure::RateLimited { .. }) => self.meter.close(),
            Err(Failure::Transport(_)) => {}
            _ => {
                self.pace().forget_refusals();
                self.routes().alone.get_or_insert(refused);
            }
        }
        answer
    }

    /// The only kind of server that answers at the endpoint's URL; `None` also if no further request may be sent.
    pub(crate) async fn only_kind(&self) -> Option<Kind> {
        if self.is_over() {
            return None;
        }
        only_kind(&self.io, self.endpoint, self.request_timeout()).await
    }

    /// Several JSON-RPC calls in one request. Returns the answer's body unchecked.
    ///
    /// HTTP 429 may be about the batch or about the rate. So the same batch is sent once more after a pause, and nothing is learned
    /// of the rate.
    pub(crate) async fn batch(&self, body: &Value, max_bytes: usize) -> Result<Vec<u8>, Failure> {
        const PAUSE: Duration = Duration::from_secs(1);
        for may_repeat in [true, false] {
            self.wait_for_turn().await?;
            let response = self.send_batch(body, max_bytes, self.request_timeout()).await?;
            if response.status != TOO_MANY_REQUESTS {
                match body.as_array().map_or(0, Vec::len) {
                    0 | 1 => self.pace().record_taken(),
                    _ => self.pace().record_batch(),
                }
                return Ok(response.body);
            }
            let is_impatient = self.is_impatient.load(Ordering::Relaxed);
            if is_impatient || !may_repeat || !self.rest(PAUSE).await {
                break;
            }
        }
        Err(Failure::RateLimited { retry_after: None })
    }

    /// Waits until a limit of calls in a second has room again. Returns false if no request could be sent afterwards.
    pub(crate) async fn let_a_second_pass(&self) -> bool {
        const PAUSE: Duration = Duration::from_millis(1_100);
        self.rest(PAUSE).await
    }

    /// The same calls in one request, sent once and at once. Nothing is learned of the rate.
    pub(crate) async fn batch_once(&self, calls: &[Value], max_bytes: usize) -> Result<Vec<u8>, Failure> {
        let body = Value::Array(calls.to_vec());
        let response = self.send_batch(&body, max_bytes, self.request_timeout()).await?;
        if response.status == TOO_MANY_REQUESTS {
            return Err(Failure::RateLimited { retry_after: None });
        }
        Ok(response.body)
    }

    async fn send_batch(
        &self,
        body: &Value,
        max_bytes: usize,
        timeout: Duration,
    ) -> Result<Response, Failure> {
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
            futures_util::future::Either::Left((Ok(response), _)) => Ok(response),
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
    is_of_host(failure) || matches!(failure, Failure::Http { .. })
}

/// Whether a failure is the host's as a whole, whatever is asked.
pub(crate) fn is_of_host(failure: &Failure) -> bool {
    matches!(failure, Failure::Transport(_) | Failure::RateLimited { .. } | Failure::QuotaExhausted)
}
