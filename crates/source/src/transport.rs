//! One HTTP request and its response, with a time limit and a size limit. Every request goes this way.

use std::time::Duration;

pub use saldo_reading::{TlsFault, TransportError};

use crate::endpoint::SecretUrl;
use crate::maybe_send::{BoxedFuture, MaybeSend, MaybeSync};

/// The HTTP method of a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// For the routes of the beacon API.
    Get,
    /// For JSON-RPC.
    Post,
}

/// One HTTP request. `Debug` never shows the URL beyond its host.
#[derive(Clone, Debug)]
pub struct Request {
    /// The HTTP method.
    pub method: Method,
    /// The URL; secret, because it may carry an API key.
    pub url: SecretUrl,
    /// Header names (lower case) and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for [`Method::Get`].
    pub body: Vec<u8>,
    /// The time limit, from connecting to the last byte of the response.
    pub timeout: Duration,
    /// The size limit of the response's body after inflating, in bytes.
    pub max_bytes: usize,
}

/// An HTTP response with any status.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The HTTP status code.
    pub status: u16,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// The body after inflating.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of the header `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Sends requests. An app may bring its own, for example a phone's HTTP stack.
///
/// An implementation must keep to [`Request::timeout`] and [`Request::max_bytes`], and must not follow redirects. It returns the
/// body after inflating, where the limit counts. The caller keeps to the time limit as well, so a transport that hangs costs time
/// but never blocks a read.
pub trait Transport: MaybeSend + MaybeSync {
    /// Sends `request` and waits for the whole response. Dropping the future cancels the request.
    ///
    /// # Errors
    /// [`TransportError`] if there is no complete HTTP response. A response with an error status is not an error here.
    fn send(&self, request: Request) -> BoxedFuture<'_, Result<Response, TransportError>>;

    /// Says that a request to the server of `url` follows soon, so that its connection can be opened now. Sends no request, and
    /// returns at once. A transport need not do anything.
    fn open_early(&self, _url: &SecretUrl) {}
}
