//! A wallet that reads over TLS connections on which each byte takes its time, and its two servers.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use saldo::{Checkpoint, Client, Clock, MemoryStorage, Policy, UnixTime};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::{BeaconSource, Chain, Provider};
use saldo_source::{HttpTransport, Proxies};

use crate::scene::{ALICE, BEFORE};
use crate::tls_server::{Rounds, Speech, TlsServer, trusting};

/// How long a byte takes in each direction, unless a test says otherwise.
pub const LATENCY: Duration = Duration::from_millis(40);
/// The deadline of a read.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A clock whose wall clock follows a chain, and whose timer is real.
#[derive(Clone)]
pub struct ChainClock {
    chain: Chain,
    started: Instant,
    skipped: Arc<AtomicU64>,
}

impl ChainClock {
    /// A clock of `chain`.
    pub fn of(chain: &Chain) -> Self {
        Self { chain: chain.clone(), started: Instant::now(), skipped: Arc::default() }
    }
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
pub struct Late<S> {
    /// Who answers.
    pub service: S,
    /// The delay of requests whose body has this text.
    pub of: &'static str,
    /// How late.
    pub delay: Duration,
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
pub struct World {
    chain: Chain,
    clock: ChainClock,
    storage: MemoryStorage,
    checkpoint: Checkpoint,
    /// How far the conversation is.
    pub rounds: Rounds,
    /// The execution provider.
    pub provider: TlsServer,
    /// The beacon source.
    pub source: TlsServer,
    client: Client,
}

impl World {
    /// Proofs at the tip take `delay`.
    pub async fn new(speech: Speech, delay: Duration) -> Self {
        Self::over(LATENCY, speech, delay).await
    }

    /// The same over a link on which a byte takes `latency` in each direction.
    pub async fn over(latency: Duration, speech: Speech, delay: Duration) -> Self {
        let chain = Chain::builder(1).accounts([(ALICE, BEFORE)]).build();
        let checkpoint = chain.checkpoint();
        chain.advance(40);
        let rounds = Rounds::default();
        let provider = Late { service: Provider::honest(&chain), of: "latest", delay };
        let provider = TlsServer::start(provider, speech.clone(), latency, &rounds).await;
        let source = TlsServer::start(BeaconSource::honest(&chain), speech, latency, &rounds).await;
        let clock = ChainClock::of(&chain);
        let storage = MemoryStorage::new();
        let client = client(&chain, &provider, &source, &clock, &storage, checkpoint);
        Self { chain, clock, storage, checkpoint, rounds, provider, source, client }
    }

    /// Starts the wallet again, with its storage and without a connection.
    pub async fn restart(&mut self) {
        self.client.settle_storage(Duration::from_secs(5)).await;
        self.client =
            client(&self.chain, &self.provider, &self.source, &self.clock, &self.storage, self.checkpoint);
    }

    /// Lets slots pass.
    pub fn pass_slots(&self, slots: u64) {
        self.chain.advance(slots);
        let slot = u64::try_from(self.chain.network().slot_duration().as_millis()).expect("a short slot");
        let passed = slot * slots;
        self.clock.skipped.fetch_add(passed, Ordering::SeqCst);
    }

    /// Reads Alice's balance, which must be proven.
    ///
    /// # Panics
    /// If it is not.
    pub async fn read(&self, name: &str) {
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

    /// The connections and handshakes of the provider, and those of the source.
    pub fn connections(&self) -> [usize; 4] {
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
        .policy(Policy { deadline: DEADLINE, ..Policy::signed() })
        .transport(HttpTransport::with_proxies(Proxies::none()).unwrap())
        .clock(clock.clone())
        .storage(storage.clone())
        .build()
        .unwrap()
}

/// Runs `test` in a process that trusts the servers.
///
/// # Panics
/// If `test` does.
pub fn run<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    trusting(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(test());
    });
}
