//! Connections cost two round trips each with TLS. So each server that is asked has one, which is opened as early as possible
//! and kept: by HTTP/2 for all requests, and by HTTP/1.1 also when an answer is cancelled.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use saldo::Endpoint;
use saldo_drill::serve::Server;
use saldo_drill::{Chain, Provider};
use saldo_source::{HttpTransport, Method, Proxies, Request, Transport};
use saldo_tests::tls_server::{Rounds, Speech, TlsServer};
use saldo_tests::tls_world::{LATENCY, Late, World, run};

#[test]
fn a_first_read_takes_two_round_trips_and_one_handshake_with_each_server() {
    run(|| async {
        let world = World::new(Speech::Two, Duration::ZERO).await;
        world.read("first read, HTTP/2").await;
        assert!(world.rounds.deepest() <= 2, "{} round trips", world.rounds.deepest());
        assert_eq!(world.connections(), [1; 4]);
        // Both are opened at once: no answer had come before.
        assert_eq!((world.provider.round_trips_before(), world.source.round_trips_before()), (0, 0));
        assert_eq!(
            world.provider.connections_of("eth_getProof"),
            [1, 1],
            "the early proof, and the proof at the head"
        );
    });
}

#[test]
fn a_first_read_by_http_1_proves_on_the_connection_of_the_early_proof() {
    run(|| async {
        let world = World::new(Speech::One, Duration::ZERO).await;
        world.read("first read, HTTP/1.1").await;
        assert!(world.rounds.deepest() <= 4, "{} round trips", world.rounds.deepest());
        assert_eq!(world.provider.connections_of("latest"), [1]);
        assert_eq!(world.connections(), [1, 1, 2, 2]);
        assert_eq!(world.provider.round_trips_before_the_first(), 0);
    });
}

/// The early proof takes longer than the head, so that it is cancelled.
#[test]
fn a_cancelled_early_proof_keeps_its_connection() {
    run(|| async {
        for (speech, delay, name) in [(Speech::One, 4, "HTTP/1.1"), (Speech::Two, 8, "HTTP/2")] {
            let world = World::new(speech, LATENCY * delay).await;
            world.read(&format!("early proof cancelled, {name}")).await;
            let of_proofs = world.provider.connections_of("eth_getProof");
            assert_eq!(of_proofs, [1, 1], "{name}");
            assert!(world.provider.connections() <= 2, "{name}");
        }
    });
}

#[test]
fn a_read_after_a_slot_opens_no_connection() {
    run(|| async {
        for (speech, name) in [(Speech::One, "HTTP/1.1"), (Speech::Two, "HTTP/2")] {
            let world = World::new(speech, Duration::ZERO).await;
            world.read(&format!("first read, {name}")).await;
            world.pass_slots(3);
            world.read(&format!("second read, {name}")).await;
            // What these reads fetch for later may still be in flight.
            tokio::time::sleep(Duration::from_secs(1)).await;
            let before = world.connections();
            for _ in 0..3 {
                world.pass_slots(3);
                world.read(&format!("warm read, {name}")).await;
                assert_eq!(world.connections(), before, "{name}");
            }
        }
    });
}

/// A wallet that was started again knows a head, and asks for no early proof. Its connection to the provider is opened while the
/// newer head is fetched.
#[test]
fn a_read_with_a_known_head_opens_both_connections_at_once() {
    run(|| async {
        for (speech, name) in [(Speech::One, "HTTP/1.1"), (Speech::Two, "HTTP/2")] {
            let mut world = World::new(speech, Duration::ZERO).await;
            world.read(&format!("first read, {name}")).await;
            world.restart().await;
            world.pass_slots(3);
            let before = world.provider.connections();
            world.read(&format!("read after a restart, {name}")).await;
            assert_eq!(
                world.provider.connections_of("latest").len(),
                1,
                "only the first read has an early proof"
            );
            assert_eq!(world.provider.connections(), before + 1, "{name}");
            assert_eq!(world.provider.round_trips_before(), 0, "{name}: before the answer of the source");
        }
    });
}

#[test]
fn a_connection_that_is_opened_early_has_no_request_and_is_closed() {
    run(|| async {
        for speech in [Speech::One, Speech::Two] {
            let provider = Provider::honest(&Chain::new(1));
            let server = TlsServer::start(provider, speech, Duration::ZERO, &Rounds::default()).await;
            let transport = HttpTransport::with_proxies(Proxies::none()).unwrap();
            let open_early = || transport.open_early(&request(&server.url()).url);
            // It is used by the next request, and not opened twice.
            open_early();
            open_early();
            server.until_open(1).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert_eq!((server.handshakes(), server.requests()), (1, 0));
            assert_eq!(transport.send(request(&server.url())).await.unwrap().status, 200);
            open_early();
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert_eq!((server.connections(), server.requests()), (1, 1));
            // Without a request, or a transport, it is closed.
            for drops in [false, true] {
                let other = HttpTransport::with_proxies(Proxies::none()).unwrap();
                other.open_early(&request(&server.url()).url);
                server.until_open(2).await;
                if drops {
                    drop(other);
                    assert!(server.until_open(1).await < Duration::from_secs(2));
                } else {
                    server.until_open(1).await;
                }
            }
            assert_eq!(server.requests(), 1);
        }
    });
}

/// Where no connection is kept, the requests that wait for their turn go on as soon as another one has ended.
#[test]
fn a_server_that_keeps_no_connection_delays_no_request() {
    run(|| async {
        const REQUESTS: usize = 60;
        let server = Server::start(Provider::honest(&Chain::new(1))).await.unwrap();
        let transport = HttpTransport::with_proxies(Proxies::none()).unwrap();
        let began = Instant::now();
        let answers = join_all((0..REQUESTS).map(|_| transport.send(request(&server.url())))).await;
        assert!(answers.into_iter().all(|answer| answer.is_ok_and(|answer| answer.status == 200)));
        // Six at a time: ten turns, of which none may wait for a second.
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    });
}

/// Each second request on a connection is lost with the connection.
#[test]
fn a_server_that_closes_kept_connections_is_asked_on_new_ones() {
    run(|| async {
        let world = World::new(Speech::OneThenClose, Duration::ZERO).await;
        for number in 0..4 {
            world.read(&format!("read {number}, kept connections are closed")).await;
            world.pass_slots(3);
        }
        assert!(world.provider.requests() > world.provider.connections(), "no kept connection was used");
    });
}

fn request(url: &str) -> Request {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}"#;
    Request {
        method: Method::Post,
        url: Endpoint::new(url).unwrap().url().clone(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
        timeout: Duration::from_secs(10),
        max_bytes: 100_000,
    }
}

#[test]
fn requests_at_one_time_share_a_connection_of_http_2() {
    run(|| async {
        let provider = || Provider::honest(&Chain::new(1));
        for (speech, most) in [(Speech::Two, 1), (Speech::One, 6)] {
            let server = TlsServer::start(provider(), speech.clone(), LATENCY, &Rounds::default()).await;
            let transport = HttpTransport::with_proxies(Proxies::none()).unwrap();
            let answers = join_all((0..20).map(|_| transport.send(request(&server.url())))).await;
            assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status == 200)));
            assert_eq!(server.requests(), 20);
            let connections = server.connections();
            assert!(connections <= most && (most == 1 || connections > 1), "{speech:?}: {connections}");
        }
    });
}

/// Where an answer takes longer than a handshake, each request has its own connection.
#[test]
fn slow_answers_by_http_1_are_not_waited_for() {
    run(|| async {
        let slow = Late { service: Provider::honest(&Chain::new(1)), of: "eth_", delay: LATENCY * 28 };
        let server = TlsServer::start(slow, Speech::One, LATENCY, &Rounds::default()).await;
        let transport = HttpTransport::with_proxies(Proxies::none()).unwrap();
        for (requests, at_most) in [(1, 1), (4, 5)] {
            let answers = join_all((0..requests).map(|_| transport.send(request(&server.url())))).await;
            assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status == 200)));
            // If the kept connection is not free yet when the four look for it, they open one more.
            let connections = server.connections();
            assert!((requests..=at_most).contains(&connections), "{requests}: {connections}");
        }
    });
}

/// Requests whose answers never come keep their connections, and hinder no other for longer than a second.
#[test]
fn lost_requests_by_http_1_hinder_no_other() {
    run(|| async {
        let lost =
            Late { service: Provider::honest(&Chain::new(1)), of: "eth_getProof", delay: LATENCY * 1_000 };
        let server = TlsServer::start(lost, Speech::One, LATENCY, &Rounds::default()).await;
        let transport = HttpTransport::with_proxies(Proxies::none()).unwrap();
        let lost = |mut request: Request| {
            request.body =
                String::from_utf8(request.body).unwrap().replace("chainId", "getProof").into_bytes();
            request
        };
        let all = join_all((0..6).map(|_| transport.send(lost(request(&server.url())))));
        let mut all = std::pin::pin!(all);
        let _ = tokio::time::timeout(Duration::from_secs(3), &mut all).await;
        assert_eq!(server.connections(), 6);
        let began = Instant::now();
        assert_eq!(transport.send(request(&server.url())).await.unwrap().status, 200);
        assert_eq!(server.connections(), 7);
        println!("beside six lost requests: {:?}", began.elapsed());
    });
}
