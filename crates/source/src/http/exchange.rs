//! One request over `reqwest`, and the class of its failure.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pools::Pools;
use super::progress::{Progress, Stage};
use super::servers::{Pool, Protocol, Servers};
use super::tls;
use crate::transport::{Method, Request, Response, TlsFault, TransportError};

/// How often a request is sent again after its kept connection was lost. HTTP/1.1 may have kept several.
const MOST_RESENDS: usize = 2;

/// What one request needs.
pub(super) struct Exchange {
    pub(super) pools: Pools,
    pub(super) servers: Arc<Servers>,
    pub(super) progress: Arc<Progress>,
    /// Whether [`Progress::has_connected`] is known.
    pub(super) knows_connections: bool,
}

impl Exchange {
    /// Sends the request and reads the answer within its limits.
    pub(super) async fn run(self, request: Request) -> Result<Response, TransportError> {
        let Request { method, url, headers, body, timeout, max_bytes } = request;
        let is_plain = url.expose().scheme() == "http";
        let began = Instant::now();
        let failed = |error: reqwest::Error| match classify(&error, timeout, is_plain) {
            // The server has not seen it.
            TransportError::Timeout { .. } if self.progress.stage() == Stage::Connecting => {
                TransportError::Connect
            }
            // A ping of HTTP/2 was not answered in time.
            TransportError::Timeout { .. } if began.elapsed() < timeout => TransportError::Broken,
            other => other,
        };
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut builder =
            self.pools.first().request(method, url.expose().clone()).timeout(timeout).body(body);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        let request = builder.build().map_err(failed)?;
        let active = self.servers.begin_request(self.progress.origin());
        let mut answer = self.send_by_best(request, timeout).await.map_err(failed)?;
        let (status, is_kept) = (answer.status().as_u16(), keeps_connection(&answer));
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if !self.progress.count(chunk.len()) {
                return Err(TransportError::TooLarge { limit: max_bytes });
            }
            body.extend_from_slice(&chunk);
        }
        active.succeed(self.progress.stage_began(), is_kept);
        if is_plain && tls::asks_for_tls(status, &body) {
            return Err(TransportError::Unsecured(TlsFault::TlsExpected));
        }
        Ok(Response { status, headers, body })
    }

    /// Sends the request by the pool whose connection is probably alive.
    async fn send_by_best(
        &self,
        request: reqwest::Request,
        timeout: Duration,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let began = Instant::now();
        let (pool, is_other_doubtful) = self.servers.pool(self.progress.origin());
        let again = request.try_clone();
        self.progress.set_has_other(is_other_doubtful);
        let outcome = self.send_by(pool, request, timeout).await;
        // The link is slow or dead: a new connection cannot be opened, but the silent one may still be alive.
        match (&outcome, again) {
            (Err(error), Some(mut again)) if is_other_doubtful && error.is_connect() => {
                let left = timeout.saturating_sub(began.elapsed());
                *again.timeout_mut() = Some(left);
                self.progress.set_has_other(false);
                self.send_by(pool.other(), again, left).await
            }
            _ => outcome,
        }
    }

    /// Sends the request by one pool, and takes note of its answer.
    async fn send_by(
        &self,
        pool: Pool,
        request: reqwest::Request,
        timeout: Duration,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let sent = Sent::new(self);
        let answer = self.send(self.pools.of(pool), request, timeout).await?;
        let is_two = answer.version() == reqwest::Version::HTTP_2;
        let protocol = if is_two { Protocol::Two } else { Protocol::One };
        self.servers.note_answer(self.progress.origin(), protocol, pool);
        drop(sent);
        Ok(answer)
    }

    /// Sends the request. A server may close a kept connection in the moment in which the request is sent, so that it is sent
    /// again on another one. All requests here only read (RFC 9110, section 9.2.2).
    async fn send(
        &self,
        client: &reqwest::Client,
        mut request: reqwest::Request,
        timeout: Duration,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let began = Instant::now();
        for sent in 0..MOST_RESENDS {
            let Some(again) = request.try_clone() else { break };
            match client.execute(request).await {
                Err(error) if began.elapsed() < timeout && self.may_resend(&error, sent) => {}
                outcome => return outcome,
            }
            request = again;
            *request.timeout_mut() = Some(timeout.saturating_sub(began.elapsed()));
        }
        client.execute(request).await
    }

    /// Whether the request failed because the connection, which was kept from an earlier request, was lost.
    fn may_resend(&self, error: &reqwest::Error, sent: usize) -> bool {
        // A reset of one request looks the same as a lost connection. Of HTTP/2 there is only one connection.
        let may_be_lost = sent == 0 || self.servers.protocol(self.progress.origin()) != Some(Protocol::Two);
        let was_kept = self.knows_connections && !self.progress.has_connected();
        was_kept && may_be_lost && !self.progress.is_cancelled() && error.is_request()
    }
}

/// Whether the server keeps the connection open after its answer (RFC 9112, section 9.3).
fn keeps_connection(answer: &reqwest::Response) -> bool {
    let options = answer.headers().get_all(reqwest::header::CONNECTION);
    let options = options.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut options = options.map(str::trim);
    match answer.version() {
        reqwest::Version::HTTP_09 | reqwest::Version::HTTP_10 => {
            options.any(|option| option.eq_ignore_ascii_case("keep-alive"))
        }
        _ => !options.any(|option| option.eq_ignore_ascii_case("close")),
    }
}

/// A request that has no answer yet.
struct Sent<'a> {
    exchange: &'a Exchange,
    number: u64,
}

impl<'a> Sent<'a> {
    fn new(exchange: &'a Exchange) -> Self {
        Self { exchange, number: exchange.servers.note_sent(exchange.progress.origin()) }
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        self.exchange.servers.note_no_answer(self.exchange.progress.origin(), self.number);
    }
}

/// The class of an error. Its text is dropped, because it holds the URL.
fn classify(error: &reqwest::Error, timeout: Duration, is_plain: bool) -> TransportError {
    if error.is_timeout() {
        return if error.is_connect() {
            TransportError::Connect
        } else {
            TransportError::Timeout { after: timeout }
        };
    }
    let mut innermost_io = None;
    let mut mentions_dns = false;
    for cause in causes(error) {
        if let Some(refused) = cause.downcast_ref::<rustls::Error>() {
            // Once there was a connection the request may have been seen.
            return if error.is_connect() { tls::fault(refused) } else { TransportError::Broken };
        }
        if is_plain && tls::is_record(cause) {
            return TransportError::Unsecured(TlsFault::TlsExpected);
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            innermost_io = Some(io.kind());
        }
        // The resolver's errors have no kind; the text that the connector puts before them is the only public sign.
        mentions_dns |= cause.to_string().starts_with("dns error");
    }
    match innermost_io {
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown) => TransportError::Offline,
        _ if error.is_connect() && mentions_dns => TransportError::Dns,
        _ if error.is_connect() => TransportError::Connect,
        // Invalid data cannot be inflated; any other failure while inflating comes from the connection.
        Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) if error.is_decode() => {
            TransportError::Encoding
        }
        _ if error.is_decode() || error.is_body() || error.is_request() => TransportError::Broken,
        _ => TransportError::Failed,
    }
}

/// All causes of an error, outermost first. Includes the error that an I/O error wraps, which `source` leaves out.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn next<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    }
    std::iter::successors(next(error), |error| next(*error))
}
