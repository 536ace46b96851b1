//! A wallet's home screen, opened from storage and read again, on a test chain of mainnet's shape: 100 holdings of the coin, or the coin
//! and 50 tokens of one owner.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, Bytes, U256, keccak256};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use saldo::{
    Checkpoint, Client, Clock, Holding, MemoryStorage, Network, NetworkId, Policy, Request, Response,
    Transport, TransportError, UnixTime,
};
use saldo_drill::simulate::{Internet, Simulation};
use saldo_drill::{BeaconSource, Chain, Preset, Provider};

use crate::Missing;
use crate::row::{Bound, Row, Work};

const HOLDINGS: u64 = 100;

fn holdings() -> Vec<Holding> {
    let owner = |number: u64| Address::from_word(keccak256(number.to_be_bytes()));
    (0..HOLDINGS).map(|number| Holding::native(NetworkId::new(Chain::CHAIN_ID), owner(number))).collect()
}

/// The response to each request, by the request's text.
type Answers = Arc<Mutex<BTreeMap<String, Response>>>;

fn text_of(request: &Request) -> String {
    format!("{} {}", request.url.expose(), String::from_utf8_lossy(&request.body))
}

/// Records the responses of the simulated network.
struct Recorder {
    internet: Internet,
    answers: Answers,
}

impl Transport for Recorder {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        async move {
            let text = text_of(&request);
            let response = self.internet.send(request).await?;
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.insert(text, response.clone());
            Ok(response)
        }
        .boxed()
    }
}

/// Gives the recorded responses immediately.
#[derive(Clone)]
struct Replay(Answers);

impl Transport for Replay {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get(&text_of(&request)).cloned().ok_or(TransportError::Connect);
        ready(answer).boxed()
    }
}

/// A stopped clock.
#[derive(Clone, Copy)]
struct Moment(UnixTime);

impl Clock for Moment {
    fn wall(&self) -> UnixTime {
        self.0
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(1_000_000)
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        pending().boxed()
    }
}

/// A wallet that proved its holdings five minutes ago, and the recorded responses for the next read.
#[derive(Clone)]
pub(crate) struct Wallet {
    holdings: Vec<Holding>,
    network: Network,
    checkpoint: Checkpoint,
    stored: MemoryStorage,
    now: UnixTime,
    answers: Answers,
}

impl Wallet {
    /// With 100 holdings of the coin.
    fn new() -> Result<Self, Missing> {
        let balance = |(number, holding): (u64, &Holding)| (holding.owner(), U256::from(number));
        let accounts: Vec<(Address, U256)> = (1..).zip(&holdings()).map(balance).collect();
        let chain = Chain::builder(1).preset(Preset::Mainnet).mainnet_shape(true).accounts(accounts).build();
        Self::of(&chain, &holdings())
    }

    /// With these holdings on this chain, all of which can be proven.
    pub(crate) fn of(chain: &Chain, holdings: &[Holding]) -> Result<Self, Missing> {
        let simulation = Simulation::new(1, chain);
        simulation.internet().register("http://provider.test", Provider::honest(chain));
        simulation.internet().register("http://source.test", BeaconSource::honest(chain));
        let stored = MemoryStorage::new();
        let wallet = |answers: &Answers| Self {
            holdings: holdings.to_vec(),
            network: chain.network(),
            checkpoint: chain.checkpoint(),
            stored: stored.clone(),
            now: chain.now(),
            answers: Arc::clone(answers),
        };
        let is_proven = |answers: &Answers| -> Result<(), Missing> {
            let wallet = wallet(answers);
            let recorder = Recorder { internet: simulation.internet(), answers: Arc::clone(answers) };
            let client = wallet.client(recorder, simulation.clock())?;
            let readings = simulation.run(client.read(holdings));
            let all = readings.iter().all(|reading| reading.proven().is_some());
            all.then_some(()).ok_or("the test chain's readings are not all proven".into())
        };
        is_proven(&Answers::default())?;
        // By now the wallet also has the next period's committee. It is fetched only once in 27 hours, so it is not
        // measured.
        for _ in 0..3 {
            simulation.pass(Duration::from_secs(300));
            is_proven(&Answers::default())?;
        }
        simulation.pass(Duration::from_secs(300));
        // Copy the storage first: the recorded read writes into the original.
        let before = copy(&stored)?;
        let answers = Answers::default();
        is_proven(&answers)?;
        Ok(Self { stored: before, ..wallet(&answers) })
    }

    fn client(
        &self,
        transport: impl Transport + 'static,
        clock: impl Clock + 'static,
    ) -> Result<Client, Missing> {
        let client = Client::builder(self.network.clone())
            .rpc("http://provider.test")
            .beacon("http://source.test")
            .checkpoint(self.checkpoint)
            .policy(Policy::signed())
            .transport(transport)
            .clock(clock)
            .storage(self.stored.clone())
            .build()?;
        Ok(client)
    }

    /// Opens the client, and checks that every holding has a stored reading.
    fn open(&self) -> Option<Client> {
        let client = self.client(Replay(Arc::clone(&self.answers)), Moment(self.now)).ok()?;
        let is_there = |holding: &Holding| client.last(holding).is_some();
        self.holdings.iter().all(is_there).then_some(client)
    }

    /// Opens the client and proves every holding again, with immediate responses. Each time it starts from the original storage, not from
    /// what was written the last time.
    pub(crate) fn refresh(&self) -> bool {
        let Some(client) = self.fresh().and_then(|wallet| wallet.open()) else { return false };
        let readings = client.read(&self.holdings).now_or_never();
        readings.is_some_and(|readings| readings.iter().all(|reading| reading.proven().is_some()))
    }

    /// Opens the client, as [`Self::refresh`] does.
    pub(crate) fn reopen(&self) -> bool {
        self.fresh().and_then(|wallet| wallet.open()).is_some()
    }

    fn fresh(&self) -> Option<Self> {
        Some(Self { stored: copy(&self.stored).ok()?, ..self.clone() })
    }

    /// The bodies of the responses, with the requests they answer.
    pub(crate) fn responses(&self) -> Vec<(String, Bytes)> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().map(|(request, response)| (request.clone(), response.body.clone().into())).collect()
    }
}

fn copy(storage: &MemoryStorage) -> Result<MemoryStorage, Missing> {
    use saldo::{Storage, Version, Write};
    let copy = MemoryStorage::new();
    let (entries, _) = storage.load().now_or_never().ok_or("memory is ready at once")??;
    let writes = entries.into_iter().map(|(name, value)| Write { name, value: Some(value) });
    copy.apply(writes.collect(), Version::FIRST).now_or_never().ok_or("memory is ready at once")??;
    Ok(copy)
}

/// Opens a client with 100 stored readings, before any request.
pub(crate) fn open() -> Result<Row, Missing> {
    let wallet = Wallet::new()?;
    Ok(Row {
        what: "a client opened with 100 stored readings".to_owned(),
        limit: None,
        peer: None,
        ours: Box::new(move || wallet.open().is_some()),
        bound: Bound::Microseconds(5_000.0),
    })
}

/// Proves the same client's 100 holdings again under the newest head, with immediate responses.
pub(crate) fn refresh() -> Result<Row, Missing> {
    let wallet = Wallet::new()?;
    let opened = wallet.clone();
    let limit: Work = Box::new(move || opened.reopen());
    let ours: Work = Box::new(move || wallet.refresh());
    Ok(Row {
        what: "100 holdings proven again, without opening and transport".to_owned(),
        limit: Some(limit),
        peer: None,
        ours,
        bound: Bound::MoreThanLimit(5_000.0),
    })
}
