//! HTTP as the kit sees it: what was asked, and what happens then. Carriers ([`serve`](crate::serve) over loopback,
//! [`simulate`](crate::simulate) in memory) only carry it out.

use std::time::Duration;

use futures_util::future::{BoxFuture, ready};

/// One request, already read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The path, beginning with `/`, without the query.
    pub path: String,
    /// The query's pairs, decoded.
    pub query: Vec<(String, String)>,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The first value of the header `name` (lower case), or an empty string.
    pub fn header(&self, name: &str) -> &str {
        find(&self.headers, name).unwrap_or_default()
    }

    /// The first value of `name` in the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }
}

/// A complete answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status code.
    pub status: u16,
    /// Header names in lower case, and values. `content-length` is the carrier's business.
    pub headers: Vec<(String, String)>,
    /// The body as it goes over the wire, compressed if `content-encoding` says so.
    pub body: Vec<u8>,
    /// How long the answer takes.
    pub delay: Duration,
}

impl Reply {
    /// An answer with that content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), delay: Duration::ZERO }
    }

    /// An answer in JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It is answered.
    Reply(Reply),
    /// It is answered, slowly.
    Trickle {
        /// The answer.
        reply: Reply,
        /// How fast the body comes, at least 1.
        bytes_per_second: u32,
    },
    /// The connection breaks in the middle of the answer.
    Reset {
        /// The answer, of which not all arrives.
        reply: Reply,
        /// How many bytes of the body arrive.
        after: usize,
    },
    /// The connection is accepted, and then nothing.
    Hang,
    /// There is no connection.
    Refuse,
    /// The host's name does not resolve. Over loopback the same as [`Reaction::Refuse`].
    Unresolvable,
    /// The TLS handshake fails. Over loopback the connection just breaks.
    BadCertificate,
}

/// Something that answers HTTP requests.
pub trait Service: Send + Sync {
    /// Decides what happens to `request`. Never waits.
    fn answer(&self, request: &HttpRequest) -> Reaction;

    /// Whether connections are refused right now.
    fn refuses(&self) -> bool;
}

/// Something that answers HTTP requests, and may ask another server first. Every [`Service`] is one.
pub trait Relay: Send + Sync {
    /// Decides what happens to `request`.
    fn relay(&self, request: HttpRequest) -> BoxFuture<'_, Reaction>;

    /// Whether connections are refused right now.
    fn refuses(&self) -> bool;
}

impl<S: Service> Relay for S {
    fn relay(&self, request: HttpRequest) -> BoxFuture<'_, Reaction> {
        Box::pin(ready(self.answer(&request)))
    }

    fn refuses(&self) -> bool {
        Service::refuses(self)
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
