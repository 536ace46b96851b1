//! HTTP by the app's own stack.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use saldo::{BoxedFuture, Method, Request, Response, TlsFault, Transport, TransportError};

use crate::clock::Timer;
use crate::maybe_send::Shared;
use crate::number::{millis, narrow};

/// Sends HTTP requests for saldo.
///
/// An implementation follows no redirect, returns the body after inflating, and cancels the request when its task or coroutine is
/// cancelled. If it never answers, saldo goes on after `timeout_ms`.
#[uniffi::export(with_foreign)]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
pub trait HttpTransport: Shared {
    /// Sends `request` and waits for the whole response. A response with an error status is a response.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportFailure>;
}

/// One HTTP request.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug, Display)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: String,
    /// The URL. It is a secret, because it may carry an API key: do not log it.
    pub url: String,
    /// The headers.
    pub headers: Vec<HttpHeader>,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
    /// The time limit, from connecting to the last byte of the response, in milliseconds.
    pub timeout_ms: u64,
    /// The size limit of the response's body after inflating, in bytes. Stop reading beyond it.
    pub max_bytes: u64,
}

/// One header.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpHeader {
    /// The name. Its case does not matter.
    pub name: String,
    /// The value.
    pub value: String,
}

/// An HTTP response with any status.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HttpResponse {
    /// The HTTP status code.
    pub status: u16,
    /// The headers.
    #[uniffi(default = [])]
    pub headers: Vec<HttpHeader>,
    /// The body after inflating.
    pub body: Vec<u8>,
}

/// Why there is no HTTP response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
pub enum TransportFailure {
    /// The device has no network.
    #[error("this device has no network")]
    Offline,
    /// The host name did not resolve.
    #[error("the host name does not resolve")]
    Dns,
    /// No connection could be made; it was refused, for example.
    #[error("no connection")]
    Connect,
    /// The connection could not be secured, for another reason than those below.
    #[error("the TLS handshake failed")]
    Tls,
    /// This device does not trust the issuer of the certificate.
    #[error("the certificate's issuer is not trusted")]
    TlsUntrustedIssuer,
    /// The certificate is for other host names.
    #[error("the certificate is for another host")]
    TlsOtherName,
    /// The certificate has expired, by this device's clock.
    #[error("the certificate has expired")]
    TlsExpired,
    /// The certificate is not valid yet, by this device's clock.
    #[error("the certificate is not valid yet")]
    TlsNotYetValid,
    /// The issuer has revoked the certificate.
    #[error("the certificate was revoked")]
    TlsRevoked,
    /// The server has no TLS 1.2 or later.
    #[error("the server has no TLS 1.2 or later")]
    TlsOldVersion,
    /// The server speaks no TLS at this port, though the URL begins with `https`.
    #[error("the server speaks plain HTTP")]
    TlsPlainHttp,
    /// The server expects TLS at this port, though the URL begins with `http`.
    #[error("the server expects TLS")]
    TlsExpected,
    /// The time limit passed.
    #[error("no complete answer within the time limit")]
    Timeout,
    /// The connection broke before the response was complete.
    #[error("the connection broke")]
    Broken,
    /// The response is a redirect that the HTTP stack reports as an error.
    #[error("redirect (HTTP {status})")]
    Redirect {
        /// The HTTP status code.
        status: u16,
    },
    /// The body is larger than `HttpRequest::max_bytes`.
    #[error("the response is too large")]
    TooLarge,
    /// The body could not be inflated.
    #[error("the response's content encoding cannot be read")]
    Encoding,
    /// Anything else, also whatever an implementation throws without naming it.
    #[error("unexpected: {detail}")]
    Unexpected {
        /// What happened, in one line. saldo does not show it.
        detail: String,
    },
}

/// Shows neither the URL nor the body, which has the address, also in the other languages.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({}, {} bytes)", self.method, self.body.len())
    }
}

impl fmt::Display for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl From<uniffi::UnexpectedUniFFICallbackError> for TransportFailure {
    fn from(error: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unexpected { detail: first_line(&error.reason) }
    }
}

/// The first line, at most 200 characters: some languages give a whole stack trace.
pub(crate) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

impl TransportFailure {
    fn error(&self, timeout: Duration, limit: usize) -> TransportError {
        let unsecured = TransportError::Unsecured;
        match self {
            Self::Offline => TransportError::Offline,
            Self::Dns => TransportError::Dns,
            Self::Connect => TransportError::Connect,
            Self::Tls => TransportError::Tls,
            Self::TlsUntrustedIssuer => unsecured(TlsFault::UntrustedIssuer),
            Self::TlsOtherName => unsecured(TlsFault::OtherName),
            Self::TlsExpired => unsecured(TlsFault::Expired { since: None }),
            Self::TlsNotYetValid => unsecured(TlsFault::NotYetValid { from: None }),
            Self::TlsRevoked => unsecured(TlsFault::Revoked),
            Self::TlsOldVersion => unsecured(TlsFault::OldVersion),
            Self::TlsPlainHttp => unsecured(TlsFault::PlainHttp),
            Self::TlsExpected => unsecured(TlsFault::TlsExpected),
            Self::Timeout => TransportError::Timeout { after: timeout },
            Self::Broken => TransportError::Broken,
            Self::Redirect { status } => TransportError::Redirect { status: *status },
            Self::TooLarge => TransportError::TooLarge { limit },
            Self::Encoding => TransportError::Encoding,
            Self::Unexpected { .. } => TransportError::Failed,
        }
    }
}

/// The app's transport, as saldo calls it.
pub(crate) struct ForeignTransport {
    inner: Arc<dyn HttpTransport>,
    timer: Timer,
}

impl ForeignTransport {
    /// How much longer than the request's own limit an implementation may take. It then has not kept to the limit.
    const GRACE: Duration = Duration::from_millis(250);
    /// The most headers of a response that are read. No provider sends as many.
    const HEADERS: usize = 256;

    pub(crate) fn new(inner: Arc<dyn HttpTransport>, timer: Timer) -> Self {
        Self { inner, timer }
    }

    async fn exchange(&self, request: Request) -> Result<Response, TransportError> {
        let Request { method, url, headers, body, timeout, max_bytes } = request;
        let request = HttpRequest {
            method: match method {
                Method::Get => "GET".to_owned(),
                Method::Post => "POST".to_owned(),
            },
            url: url.expose().as_str().to_owned(),
            headers: headers
                .into_iter()
                .map(|(name, value)| HttpHeader { name: name.to_owned(), value })
                .collect(),
            body,
            timeout_ms: millis(timeout),
            max_bytes: narrow(max_bytes),
        };
        // What an implementation does is its own affair: also a panic is only a failed request.
        let answer = AssertUnwindSafe(async { self.inner.send(request).await }).catch_unwind();
        let response = match self.timer.within(timeout.saturating_add(Self::GRACE), answer).await {
            None => return Err(TransportError::Timeout { after: timeout }),
            Some(Err(_)) => return Err(TransportError::Failed),
            Some(Ok(Err(failure))) => return Err(failure.error(timeout, max_bytes)),
            Some(Ok(Ok(response))) => response,
        };
        if response.body.len() > max_bytes {
            return Err(TransportError::TooLarge { limit: max_bytes });
        }
        let headers = response.headers.into_iter().take(Self::HEADERS);
        let headers = headers.map(|header| (header.name.to_ascii_lowercase(), header.value)).collect();
        Ok(Response { status: response.status, headers, body: response.body })
    }
}

impl Transport for ForeignTransport {
    fn send(&self, request: Request) -> BoxedFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.exchange(request))
    }
}
