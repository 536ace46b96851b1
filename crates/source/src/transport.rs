//! The only way out: one request, one answer, with a time limit and a size limit.

use std::time::Duration;

pub use saldo_reading::TransportError;

use crate::endpoint::SecretUrl;
use crate::maybe_send::BoxedFuture;

/// The HTTP method of a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Beacon REST routes.
    Get,
    /// JSON-RPC.
    Post,
}

/// One HTTP request. `Debug` never shows the URL beyond its host.
#[derive(Clone, Debug)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// Where to; secret, because it may carry an API key.
    pub url: SecretUrl,
    /// Header names (lower case) and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for [`Method::Get`].
    pub body: Vec<u8>,
    /// The whole exchange, from connecting to the last byte, must be over within this time.
    pub timeout: Duration,
    /// The answer's body, after inflating, may be at most this many bytes.
    pub max_bytes: usize,
}

/// An HTTP answer, whatever its status.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// The body, inflated.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of the header `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Carries requests. The app may bring its own, for example a phone's HTTP stack.
///
/// An implementation must keep to [`Request::timeout`] and [`Request::max_bytes`], must not follow redirects,
/// and must give the answer's body inflated (with the limit counted after inflating). The caller also enforces
/// the time limit, so one that hangs costs time but never the read.
pub trait Transport: Send + Sync {
    /// Sends `request` and waits for the whole answer. Dropping the future gives the request up.
    ///
    /// # Errors
    /// [`TransportError`] if there is no complete HTTP answer; an answer with an error status is not an error here.
    fn send(&self, request: Request) -> BoxedFuture<'_, Result<Response, TransportError>>;
}
