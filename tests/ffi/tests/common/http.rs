//! An HTTP stack with a switch: it sends requests, or misbehaves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use saldo_ffi::{HttpHeader, HttpRequest, HttpResponse, HttpTransport, TransportFailure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::runtime;

/// An HTTP stack on the runtime of the test, as an app has one of its own.
#[derive(Default)]
pub struct Http {
    does: Mutex<String>,
    in_progress: Arc<AtomicUsize>,
    sent: AtomicUsize,
}

/// Counts a request in progress, also if it is cancelled.
struct InProgress(Arc<AtomicUsize>);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Http {
    /// From now on it does `what`, as the step `transport` of the table names it.
    pub fn set(&self, what: &str) {
        what.clone_into(&mut self.does.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The requests that it is sending.
    pub fn in_progress(&self) -> usize {
        self.in_progress.load(Ordering::SeqCst)
    }

    /// The requests so far.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl HttpTransport for Http {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportFailure> {
        self.in_progress.fetch_add(1, Ordering::SeqCst);
        self.sent.fetch_add(1, Ordering::SeqCst);
        let _counted = InProgress(Arc::clone(&self.in_progress));
        let does = self.does.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match does.as_str() {
            "" | "pass" => pass(request).await,
            "panics" => panic!("an HTTP stack that panics"),
            "hangs" => std::future::pending().await,
            "floods" => {
                let body = vec![b' '; usize::try_from(request.max_bytes).expect("a size") + 1];
                Ok(HttpResponse { status: 200, headers: Vec::new(), body })
            }
            "throws" => Err(TransportFailure::Unexpected { detail: "something without a name".to_owned() }),
            name => Err(failure(name)),
        }
    }
}

/// The failure of that name.
pub fn failure(name: &str) -> TransportFailure {
    match name {
        "offline" => TransportFailure::Offline,
        "dns" => TransportFailure::Dns,
        "connect" => TransportFailure::Connect,
        "tls" => TransportFailure::Tls,
        "tls_untrusted_issuer" => TransportFailure::TlsUntrustedIssuer,
        "tls_other_name" => TransportFailure::TlsOtherName,
        "tls_expired" => TransportFailure::TlsExpired,
        "tls_not_yet_valid" => TransportFailure::TlsNotYetValid,
        "tls_revoked" => TransportFailure::TlsRevoked,
        "tls_old_version" => TransportFailure::TlsOldVersion,
        "tls_plain_http" => TransportFailure::TlsPlainHttp,
        "tls_expected" => TransportFailure::TlsExpected,
        "timeout" => TransportFailure::Timeout,
        "broken" => TransportFailure::Broken,
        "redirect" => TransportFailure::Redirect { status: 302 },
        "too_large" => TransportFailure::TooLarge,
        "encoding" => TransportFailure::Encoding,
        other => panic!("the runner knows no failure {other}"),
    }
}

/// Ends the request when the client drops it.
struct Cancelled(tokio::task::AbortHandle);

impl Drop for Cancelled {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn pass(request: HttpRequest) -> Result<HttpResponse, TransportFailure> {
    let limit = Duration::from_millis(request.timeout_ms);
    let task = runtime().spawn(async move {
        tokio::time::timeout(limit, exchange(request)).await.unwrap_or(Err(TransportFailure::Timeout))
    });
    let _cancelled = Cancelled(task.abort_handle());
    task.await.unwrap_or(Err(TransportFailure::Broken))
}

async fn exchange(request: HttpRequest) -> Result<HttpResponse, TransportFailure> {
    let rest = request.url.strip_prefix("http://").expect("the drill serves plain HTTP");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = TcpStream::connect(host).await.map_err(|_| TransportFailure::Connect)?;
    let mut head = format!("{} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n", request.method);
    for header in &request.headers {
        head += &format!("{}: {}\r\n", header.name, header.value);
    }
    head += &format!("content-length: {}\r\n\r\n", request.body.len());
    let broken = |_| TransportFailure::Broken;
    stream.write_all(head.as_bytes()).await.map_err(broken)?;
    stream.write_all(&request.body).await.map_err(broken)?;
    let limit = request.max_bytes + 65_536;
    let mut reply = Vec::new();
    (&mut stream).take(limit).read_to_end(&mut reply).await.map_err(broken)?;
    response(&reply, request.max_bytes).ok_or(TransportFailure::Broken)?
}

/// Reads a whole response; `None` if a part is missing.
fn response(bytes: &[u8], limit: u64) -> Option<Result<HttpResponse, TransportFailure>> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<HttpHeader> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| HttpHeader { name: name.to_owned(), value: value.trim().to_owned() })
        .collect();
    let body = bytes[end + 4..].to_vec();
    if u64::try_from(body.len()).ok()? > limit {
        return Some(Err(TransportFailure::TooLarge));
    }
    let length = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    if let Some(length) = length
        && length.value.parse() != Ok(body.len())
    {
        return None;
    }
    Some(Ok(HttpResponse { status, headers, body }))
}
