//! A short answer whose request was cancelled is read to its end, so that its HTTP/1.1 connection is kept. A long answer, or one
//! that does not end, is cut off: it costs at most 64 KiB and two seconds, and nothing outlives the transport.

use std::future::Future;
use std::time::{Duration, Instant};

use saldo::Endpoint;
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_source::{HttpTransport, Method, Proxies, Request, Transport};
use saldo_tests::tls_server::{Rounds, Speech, TlsServer, trusting};
use tokio::time::{sleep, timeout};

/// How long a cancelled answer is read at most, and how long the connection then takes to close on a busy machine.
const MOST: Duration = Duration::from_secs(5);
const LONG: usize = 64 << 20;

/// Answers by the path: `/late` after 200 ms, `/long` with a long body, `/slow` with a slow one, `/hang` never, others at once.
struct Paths;

impl Service for Paths {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let reply = |body: Vec<u8>| Reply::new(200, "application/json", body);
        match request.path.as_str() {
            "/late" => {
                Reaction::Reply(Reply { delay: Duration::from_millis(200), ..reply(vec![b'1'; 10_000]) })
            }
            "/long" => Reaction::Reply(reply(vec![b'1'; LONG])),
            "/slow" => Reaction::Trickle { reply: reply(vec![b'1'; 10_000]), bytes_per_second: 20 },
            "/hang" => Reaction::Hang,
            _ => Reaction::Reply(reply(vec![b'1'])),
        }
    }

    fn refuses(&self) -> bool {
        false
    }
}

fn request(server: &TlsServer, path: &str) -> Request {
    Request {
        method: Method::Get,
        url: Endpoint::new(&format!("{}{path}", server.url())).unwrap().url().clone(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout: Duration::from_secs(30),
        max_bytes: 2 * LONG,
    }
}

/// Runs `test` with a transport and a server of HTTP/1.1.
fn run<F: Future<Output = ()>>(test: impl FnOnce(HttpTransport, TlsServer) -> F) {
    trusting(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(async {
            let server = TlsServer::start(Paths, Speech::One, Duration::ZERO, &Rounds::default()).await;
            test(HttpTransport::with_proxies(Proxies::none()).unwrap(), server).await;
        });
    });
}

/// Sends a request, and cancels it once the server has it.
async fn cancel(transport: &HttpTransport, server: &TlsServer, path: &str) {
    let before = server.requests();
    let seen = async {
        while server.requests() == before {
            sleep(Duration::from_millis(1)).await;
        }
    };
    let answer = transport.send(request(server, path));
    assert!(timeout(MOST, futures_util::future::select(answer, Box::pin(seen))).await.is_ok());
}

async fn ask(transport: &HttpTransport, server: &TlsServer) {
    assert_eq!(transport.send(request(server, "now")).await.unwrap().status, 200);
}

#[test]
fn a_short_answer_is_read_to_its_end() {
    run(|transport, server| async move {
        cancel(&transport, &server, "late").await;
        sleep(Duration::from_secs(1)).await;
        ask(&transport, &server).await;
        assert_eq!((server.connections(), server.requests()), (1, 2));
    });
}

#[test]
fn a_long_answer_is_cut_off() {
    run(|transport, server| async move {
        cancel(&transport, &server, "long").await;
        let took = server.until_open(0).await;
        // Most of what was written is in the buffers of this machine.
        assert!(took < MOST && server.written() < LONG / 2, "{took:?}, {} bytes", server.written());
        ask(&transport, &server).await;
        assert_eq!(server.connections(), 2);
    });
}

#[test]
fn an_answer_that_does_not_end_is_cut_off() {
    run(|transport, server| async move {
        for path in ["slow", "hang"] {
            cancel(&transport, &server, path).await;
            sleep(Duration::from_millis(500)).await;
            assert_eq!(server.open(), 1, "{path}: it is read for two seconds");
            assert!(server.until_open(0).await < MOST, "{path}");
        }
    });
}

#[test]
fn few_answers_are_read_at_one_time() {
    run(|transport, server| async move {
        // Nothing waits for a handshake once the server is known to speak HTTP/1.1.
        ask(&transport, &server).await;
        let all = (0..20).map(|_| cancel(&transport, &server, "hang"));
        futures_util::future::join_all(all).await;
        let asked = Instant::now();
        while server.open() > 8 && asked.elapsed() < Duration::from_secs(1) {
            sleep(Duration::from_millis(5)).await;
        }
        assert!(server.open() <= 8, "{}", server.open());
        assert!(server.until_open(0).await < MOST);
    });
}

#[test]
fn nothing_outlives_the_transport() {
    run(|transport, server| async move {
        cancel(&transport, &server, "hang").await;
        let other = transport.clone();
        drop(transport);
        sleep(Duration::from_millis(200)).await;
        assert_eq!(server.open(), 1, "a clone is left");
        drop(other);
        let took = server.until_open(0).await;
        assert!(took < Duration::from_secs(1), "{took:?}");
    });
}

#[test]
fn a_request_that_never_began_leaves_nothing() {
    run(|transport, server| async move {
        drop(transport.send(request(&server, "hang")));
        sleep(Duration::from_millis(200)).await;
        assert_eq!((server.connections(), server.requests()), (0, 0));
    });
}
