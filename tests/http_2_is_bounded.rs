//! All requests to a server share one connection of HTTP/2. Whatever the server does on it, each request ends in time, and a
//! connection that is dead is replaced.

use std::future::Future;
use std::time::{Duration, Instant};

use saldo::{Endpoint, TransportError};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_source::{HttpTransport, Method, Proxies, Request, Response, Transport};
use saldo_tests::tls_server::{Rounds, Speech, TlsServer, trusting};

/// Longer than any wait that is tested, so that a busy machine decides nothing.
const SLACK: Duration = Duration::from_secs(10);

/// Answers by the path: `/reset` not at all, `/headers` with many headers, `/hang` never, others at once.
struct Paths;

impl Service for Paths {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let reply = Reply::new(200, "application/json", "1");
        match request.path.as_str() {
            "/reset" => Reaction::Reset { reply, after: 0 },
            "/headers" => {
                let add =
                    |reply: Reply, number: usize| reply.header(&format!("x-{number}"), &"y".repeat(1_000));
                Reaction::Reply((0..100).fold(reply, add))
            }
            "/hang" => Reaction::Reply(Reply { delay: Duration::from_secs(600), ..reply }),
            _ => Reaction::Reply(reply),
        }
    }

    fn refuses(&self) -> bool {
        false
    }
}

fn run<F: Future<Output = ()>>(test: impl FnOnce(HttpTransport) -> F) {
    trusting(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(test(HttpTransport::with_proxies(Proxies::none()).unwrap()));
    });
}

async fn start(speech: Speech) -> TlsServer {
    TlsServer::start(Paths, speech, Duration::ZERO, &Rounds::default()).await
}

async fn ask(
    transport: &HttpTransport,
    server: &TlsServer,
    path: &str,
    timeout: Duration,
) -> Result<Response, TransportError> {
    let url = Endpoint::new(&format!("{}{path}", server.url())).unwrap().url().clone();
    let (headers, body, max_bytes) = (Vec::new(), Vec::new(), 100_000);
    transport.send(Request { method: Method::Get, url, headers, body, timeout, max_bytes }).await
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[test]
fn a_dead_connection_is_replaced() {
    run(|transport| async move {
        let server = start(Speech::TwoThenSilence(1)).await;
        assert!(ask(&transport, &server, "now", SLACK).await.is_ok());
        // Nothing tells that the connection is dead: pings find it.
        let began = Instant::now();
        assert!(ask(&transport, &server, "now", 3 * SLACK).await.is_ok());
        assert!(began.elapsed() < SLACK, "{:?}", began.elapsed());
        assert_eq!(server.connections(), 2);
    });
}

/// A link on which a round trip takes two to four seconds is slow, and alive.
#[test]
fn a_slow_link_is_not_cut() {
    run(|transport| async move {
        let server = start(Speech::Two).await;
        assert!(ask(&transport, &server, "now", SLACK).await.is_ok());
        for one_way in [1_000, 2_000, 1_500, 2_000] {
            server.change_latency(Duration::from_millis(one_way));
            let began = Instant::now();
            let answer = ask(&transport, &server, "now", 3 * SLACK).await;
            assert_eq!(answer.map(|answer| answer.status), Ok(200), "{one_way} ms");
            println!("{one_way} ms in each direction: {:?}", began.elapsed());
        }
        assert_eq!(server.connections(), 1);
    });
}

/// The link becomes slow while several requests are sent. No new connection can be opened: its handshake takes too long.
#[test]
fn requests_on_a_slow_link_end_on_the_connection_that_is_alive() {
    run(|transport| async move {
        let server = start(Speech::Two).await;
        assert!(ask(&transport, &server, "now", SLACK).await.is_ok());
        server.change_latency(Duration::from_secs(2));
        let late = async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            ask(&transport, &server, "now", 3 * SLACK).await
        };
        let first = ask(&transport, &server, "now", 3 * SLACK);
        let (first, second) = futures_util::future::join(first, late).await;
        let status = |answer: Result<Response, TransportError>| answer.map(|answer| answer.status);
        assert_eq!((status(first), status(second)), (Ok(200), Ok(200)));
        assert_eq!((server.connections(), server.handshakes()), (2, 1));
    });
}

/// The first request waits for its dead connection. A request that follows does not.
#[test]
fn a_request_after_a_silence_uses_a_new_connection() {
    run(|transport| async move {
        let server = start(Speech::TwoThenSilence(1)).await;
        assert!(ask(&transport, &server, "now", SLACK).await.is_ok());
        let lost = tokio::time::timeout(Duration::from_millis(1_500), ask(&transport, &server, "now", SLACK));
        assert!(lost.await.is_err(), "the connection is dead");
        let began = Instant::now();
        assert!(ask(&transport, &server, "now", SLACK).await.is_ok());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}: pings take eight seconds", began.elapsed());
        assert_eq!(server.connections(), 2);
    });
}

#[test]
fn a_silent_answer_costs_no_connection() {
    run(|transport| async move {
        let server = start(Speech::Two).await;
        let timeout = Duration::from_millis(300);
        assert_eq!(
            ask(&transport, &server, "hang", timeout).await.unwrap_err(),
            TransportError::Timeout { after: timeout }
        );
        let _ = tokio::time::timeout(timeout, ask(&transport, &server, "hang", SLACK)).await;
        assert!(ask(&transport, &server, "now", SLACK).await.is_ok());
        assert_eq!(server.connections(), 1);
    });
}

#[test]
fn a_reset_and_too_many_headers_are_refused() {
    run(|transport| async move {
        let server = start(Speech::Two).await;
        for path in ["reset", "headers"] {
            let before = server.requests();
            let refused = ask(&transport, &server, path, SLACK).await;
            assert_eq!(refused.unwrap_err(), TransportError::Broken, "{path}");
            assert!(server.requests() <= before + 2, "{path}: it is sent again once at most");
            assert!(ask(&transport, &server, "now", SLACK).await.is_ok(), "{path}");
        }
    });
}

#[test]
fn floods_end_in_time() {
    let settings = frame(4, 0, 0, &[]);
    let with = |more: Vec<u8>| [settings.clone(), more].concat();
    // `:status: 200`, and a header `x: y` that is never indexed (RFC 7541, section 6.2.3).
    let (status, header) = (&[0x88][..], b"\x10\x01x\x01y".repeat(1_000));
    let unfinished = frame(1, 0, 1, status);
    let began = frame(1, 4, 1, status);
    let floods = [
        ("pings", with(Vec::new()), frame(6, 0, 0, &[7; 8])),
        ("settings", with(Vec::new()), settings.clone()),
        ("headers without an end", with(unfinished), frame(9, 0, 1, &header)),
        ("empty data", with(began.clone()), frame(0, 0, 1, &[])),
        ("data without an end", with(began), frame(0, 0, 1, &[b'1'; 10_000])),
        ("resets", with(Vec::new()), frame(3, 0, 1, &[0, 0, 0, 8])),
        ("farewells", with(Vec::new()), frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])),
        ("unknown frames", with(Vec::new()), frame(200, 0, 0, &[1; 100])),
        ("frames that are too long", with(Vec::new()), frame(0, 0, 1, &[1; 100_000])),
        ("no frames", b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), b"nonsense".to_vec()),
    ];
    run(|transport| async move {
        for (name, first, endless) in floods {
            let server = start(Speech::Raw(first, endless.repeat(20))).await;
            let began = Instant::now();
            let timeout = Duration::from_secs(1);
            let refusal = ask(&transport, &server, "now", timeout).await.unwrap_err();
            println!("{name}: {refusal:?} after {:?}", began.elapsed());
            let expected = [
                TransportError::Broken,
                TransportError::Timeout { after: timeout },
                TransportError::TooLarge { limit: 100_000 },
            ];
            assert!(expected.contains(&refusal), "{name}: {refusal:?}");
            assert!(began.elapsed() < SLACK, "{name}: {:?}", began.elapsed());
        }
    });
}
