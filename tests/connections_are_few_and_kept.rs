//! Connections cost two round trips each with TLS. So each server that is asked has one, which is opened as early as possible
//! and kept: by HTTP/2 for all requests, and by HTTP/1.1 also when an answer is cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, join_all};
use saldo::{Checkpoint, Client, Clock, Endpoint, MemoryStorage, Policy, UnixTime};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::{BeaconSource, Chain, Provider};
use saldo_source::{HttpTransport, Method, Proxies, Request, Transport};
use saldo_tests::scene::{ALICE, BEFORE};
use saldo_tests::tls_server::{Rounds, Speech, TlsServer, trusting};

/// One way.
const LATENCY: Duration = Duration::from_millis(40);

/// A clock whose wall clock follows a chain, and whose timer is real.
#[derive(Clone)]
struct ChainClock {
    chain: Chain,
    started: Instant,
    skipped: Arc<AtomicU64>,
}

impl Clock for ChainClock {
    fn wall(&self) -> UnixTime {
        self.chain.now()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed() + Duration::from_millis(self.skipped.load(Ordering::SeqCst))
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// Answers some requests late.
struct Late<S> {
    service: S,
    /// The delay of requests whose body has this text.
    of: &'static str,
    delay: Duration,
}

impl<S: Service> Service for Late<S> {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let is_late = String::from_utf8_lossy(&request.body).contains(self.of);
        match self.service.answer(request) {
            Reaction::Reply(reply) if is_late => Reaction::Reply(Reply { delay: self.delay, ..reply }),
            other => other,
        }
    }

    fn refuses(&self) -> bool {
        self.service.refuses()
    }
}

/// A wallet, one provider and one beacon source.
struct World {
    chain: Chain,
    clock: ChainClock,
    storage: MemoryStorage,
    checkpoint: Checkpoint,
    rounds: Rounds,
    provider: TlsServer,
    source: TlsServer,
    client: Client,
}

impl World {
    /// Proofs at the tip take `delay`.
    async fn new(speech: Speech, delay: Duration) -> Self {
        let chain = Chain::builder(1).accounts([(ALICE, BEFORE)]).build();
        let checkpoint = chain.checkpoint();
        chain.advance(40);
        let rounds = Rounds::default();
        let provider = Late { service: Provider::honest(&chain), of: "latest", delay };
        let provider = TlsServer::start(provider, speech.clone(), LATENCY, &rounds).await;
        let source = TlsServer::start(BeaconSource::honest(&chain), speech, LATENCY, &rounds).await;
        let clock = ChainClock { chain: chain.clone(), started: Instant::now(), skipped: Arc::default() };
        let storage = MemoryStorage::new();
        let client = client(&chain, &provider, &source, &clock, &storage, checkpoint);
        Self { chain, clock, storage, checkpoint, rounds, provider, source, client }
    }

    /// Starts the wallet again, with its storage and without a connection.
    async fn restart(&mut self) {
        self.client.settle_storage(Duration::from_secs(5)).await;
        self.client =
            client(&self.chain, &self.provider, &self.source, &self.clock, &self.storage, self.checkpoint);
    }

    fn pass_slots(&self, slots: u64) {
        self.chain.advance(slots);
        let slot = u64::try_from(self.chain.network().slot_duration().as_millis()).expect("a short slot");
        let passed = slot * slots;
        self.clock.skipped.fetch_add(passed, Ordering::SeqCst);
    }

    /// Reads Alice's balance, which must be proven.
    async fn read(&self, name: &str) {
        self.rounds.reset();
        let began = Instant::now();
        let reading = self.client.balance(ALICE).await;
        let took = began.elapsed();
        let proven =
            reading.proven().unwrap_or_else(|| panic!("{:?} {:?}", reading.why(), reading.attempts()));
        assert_eq!(proven.amount().base_units(), BEFORE);
        println!(
            "{name}: {took:?}, {} round trips; connections {} + {}, handshakes {} + {}, requests {} + {}",
            self.rounds.deepest(),
            self.provider.connections(),
            self.source.connections(),
            self.provider.handshakes(),
            self.source.handshakes(),
            self.provider.requests(),
            self.source.requests(),
        );
    }

    fn connections(&self) -> [usize; 4] {
        let (provider, source) = (&self.provider, &self.source);
        [provider.connections(), provider.handshakes(), source.connections(), source.handshakes()]
    }
}

fn client(
    chain: &Chain,
    provider: &TlsServer,
    source: &TlsServer,
    clock: &ChainClock,
    storage: &MemoryStorage,
    checkpoint: Checkpoint,
) -> Client {
    Client::builder(chain.network())
        .rpc(provider.url())
        .beacon(source.url())
        .checkpoint(checkpoint)
        .policy(Policy { deadline: Duration::from_secs(20), ..Policy::signed() })
        .transport(HttpTransport::with_proxies(Proxies::none()).unwrap())
        .clock(clock.clone())
        .storage(storage.clone())
        .build()
        .unwrap()
}

/// Runs `test` in a process that trusts the servers.
fn run<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    trusting(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(test());
    });
}

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

/// The source gets four requests at one time. Three of them follow one another on the first connection, and take as long as a
/// second handshake and the fourth.
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
        for (requests, connections) in [(1, 1), (4, 4)] {
            let answers = join_all((0..requests).map(|_| transport.send(request(&server.url())))).await;
            assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.status == 200)));
            assert_eq!(server.connections(), connections);
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
