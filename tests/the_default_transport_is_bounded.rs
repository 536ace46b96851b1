//! Promise 7 on real sockets: whatever a server does, the default transport ends in time, within its size limit, and
//! gives the reason.

use std::time::{Duration, Instant};

use saldo::{Endpoint, TlsFault, TransportError};
use saldo_drill::serve::Server;
use saldo_drill::{Chain, Fault, Provider};
use saldo_source::{HttpTransport, Method, Request, Response, Transport};

const TIMEOUT: Duration = Duration::from_millis(700);
const LIMIT: usize = 100_000;

fn request(url: &str) -> Request {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#;
    Request {
        method: Method::Post,
        url: Endpoint::new(url).unwrap().url().clone(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
        timeout: TIMEOUT,
        max_bytes: LIMIT,
    }
}

fn with_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .unwrap()
        .block_on(future)
}

async fn ask(fault: Option<Fault>) -> Result<Response, TransportError> {
    let provider = Provider::honest(&Chain::new(1));
    fault.into_iter().for_each(|fault| provider.add(fault));
    let server = Server::start(provider).await.unwrap();
    // A port closes only a moment later.
    tokio::time::sleep(Duration::from_millis(50)).await;
    HttpTransport::new().unwrap().send(request(&server.url())).await
}

#[test]
fn an_answer_arrives() {
    let answer = with_runtime(ask(None)).unwrap();
    assert_eq!(answer.status, 200);
    assert!(String::from_utf8(answer.body).unwrap().contains("0x7a69"));
}

#[test]
fn every_fault_ends_in_time_with_its_reason() {
    let timeout = TransportError::Timeout { after: TIMEOUT };
    let too_large = TransportError::TooLarge { limit: LIMIT };
    for (fault, expected) in [
        (Fault::Refuse, TransportError::Connect),
        (Fault::Hang, timeout),
        (Fault::Trickle { bytes_per_second: 1 }, timeout),
        (Fault::Reset { after: 5 }, TransportError::Broken),
        (Fault::Huge { bytes: 50_000_000 }, too_large),
        (Fault::GzipBomb { bytes: 5_000_000 }, too_large),
    ] {
        let started = Instant::now();
        let refusal = with_runtime(ask(Some(fault.clone()))).unwrap_err();
        assert_eq!(refusal, expected, "{fault:?}");
        // This is not a measurement: it only shows that the transport does not wait for the server's whole answer.
        assert!(started.elapsed() < Duration::from_secs(20), "{fault:?}");
    }
}

/// A redirect is returned unchanged and never followed: following it would show the address to a host that was not
/// configured.
#[test]
fn redirects_are_not_followed() {
    with_runtime(async {
        let other_server = Provider::honest(&Chain::new(2));
        let trap = Server::start(other_server.clone()).await.unwrap();
        let answer = ask(Some(Fault::Redirect(trap.url()))).await.unwrap();
        assert_eq!(answer.status, 302);
        assert!(other_server.requests().is_empty());
    });
}

#[test]
fn an_unresolvable_name_has_its_own_error() {
    let refusal = with_runtime(async {
        HttpTransport::new().unwrap().send(request("http://saldo-no-such-host.invalid/")).await
    });
    assert!(matches!(refusal, Err(TransportError::Dns | TransportError::Timeout { .. })), "{refusal:?}");
}

/// A server that sends `answer` to every connection, without reading the request.
async fn serve_blindly(answer: Vec<u8>) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(&answer).await;
        // The connection stays open, so its end does not end the request.
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    address.to_string()
}

#[test]
fn plain_http_behind_https_is_a_tls_failure() {
    let refusal = with_runtime(async {
        let address = serve_blindly(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
        HttpTransport::new().unwrap().send(request(&format!("https://{address}/"))).await
    });
    assert_eq!(refusal.unwrap_err(), TransportError::Unsecured(TlsFault::PlainHttp));
}

#[test]
fn invalid_compression_has_its_own_error() {
    let refusal = with_runtime(async {
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 20\r\n\r\nthis is not gzip at ";
        let address = serve_blindly(answer.to_vec()).await;
        HttpTransport::new().unwrap().send(request(&format!("http://{address}/"))).await
    });
    assert_eq!(refusal.unwrap_err(), TransportError::Encoding);
}

/// Thousands of headers cannot fill the memory.
#[test]
fn a_flood_of_headers_is_refused() {
    let refusal = with_runtime(async {
        let mut answer = b"HTTP/1.1 200 OK\r\n".to_vec();
        for number in 0..100_000_u32 {
            answer.extend(format!("x-flood-{number}: {}\r\n", "y".repeat(100)).into_bytes());
        }
        let address = serve_blindly(answer).await;
        HttpTransport::new().unwrap().send(request(&format!("http://{address}/"))).await
    });
    assert_eq!(refusal.unwrap_err(), TransportError::Broken);
}
