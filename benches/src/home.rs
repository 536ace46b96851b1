//! A wallet's home screen of 100 holdings: opened from storage, and read anew. On a made-up chain of mainnet's shape.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, U256, keccak256};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use saldo::{
    Checkpoint, Client, Clock, Holding, MemoryStorage, Network, Policy, Request, Response, Transport,
    TransportError, UnixTime,
};
use saldo_drill::simulate::{Internet, Simulation};
use saldo_drill::{BeaconSource, Chain, Preset, Provider};

use crate::Missing;
use crate::row::{Bound, Row, Work};

const HOLDINGS: u64 = 100;

fn holdings() -> Vec<Holding> {
    let owner = |number: u64| Address::from_word(keccak256(number.to_be_bytes()));
    (0..HOLDINGS).map(|number| Holding::native(owner(number))).collect()
}

/// What was answered to each request, in the words of a request.
type Answers = Arc<Mutex<BTreeMap<String, Response>>>;

fn words(request: &Request) -> String {
    format!("{} {}", request.url.expose(), String::from_utf8_lossy(&request.body))
}

/// Notes what the simulated world answers.
struct Recorder {
    internet: Internet,
    answers: Answers,
}

impl Transport for Recorder {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        async move {
            let words = words(&request);
            let response = self.internet.send(request).await?;
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.insert(words, response.clone());
            Ok(response)
        }
        .boxed()
    }
}

/// Answers the same at once.
#[derive(Clone)]
struct Replay(Answers);

impl Transport for Replay {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get(&words(&request)).cloned().ok_or(TransportError::Connect);
        ready(answer).boxed()
    }
}

/// No time passes after this moment.
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

/// A wallet that proved its holdings five minutes ago, and what it will be answered when it does so again.
#[derive(Clone)]
struct Wallet {
    network: Network,
    checkpoint: Checkpoint,
    stored: MemoryStorage,
    now: UnixTime,
    answers: Answers,
}

impl Wallet {
    fn new() -> Result<Self, Missing> {
        let balance = |(number, holding): (u64, &Holding)| (holding.owner, U256::from(number));
        let accounts: Vec<(Address, U256)> = (1..).zip(&holdings()).map(balance).collect();
        let chain = Chain::builder(1).preset(Preset::Mainnet).mainnet_shape(true).accounts(accounts).build();
        let simulation = Simulation::new(1, &chain);
        simulation.internet().register("http://provider.test", Provider::honest(&chain));
        simulation.internet().register("http://source.test", BeaconSource::honest(&chain));
        let stored = MemoryStorage::new();
        let wallet = |answers: &Answers| Self {
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
            let readings = simulation.run(client.read(&holdings()));
            let all = readings.iter().all(|reading| reading.proven().is_some());
            all.then_some(()).ok_or("the made-up chain proves nothing".into())
        };
        is_proven(&Answers::default())?;
        // By then it has the committee of the next period as well, which is fetched once in 27 hours.
        for _ in 0..3 {
            simulation.pass(Duration::from_secs(300));
            is_proven(&Answers::default())?;
        }
        simulation.pass(Duration::from_secs(300));
        // A copy: what is recorded is written into the original.
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

    /// Opens the client, and looks at every holding.
    fn opens(&self) -> Option<Client> {
        let client = self.client(Replay(Arc::clone(&self.answers)), Moment(self.now)).ok()?;
        let is_there = |holding: &Holding| client.last(holding).is_some();
        holdings().iter().all(is_there).then_some(client)
    }
}

fn copy(storage: &MemoryStorage) -> Result<MemoryStorage, Missing> {
    use saldo::{Storage, Write};
    let copy = MemoryStorage::new();
    let writes = storage.all()?.into_iter().map(|(name, value)| Write { name, value: Some(value) });
    copy.apply(&writes.collect::<Vec<_>>())?;
    Ok(copy)
}

/// A client opened with 100 stored readings, all of them there, before anybody is asked.
pub(crate) fn open() -> Result<Row, Missing> {
    let wallet = Wallet::new()?;
    Ok(Row {
        what: "a client opened with 100 stored readings".to_owned(),
        limit: None,
        peer: None,
        ours: Box::new(move || wallet.opens().is_some()),
        bound: Bound::Microseconds(5_000.0),
    })
}

/// The same client, and 100 holdings proven anew under the newest head, with answers that are there at once.
pub(crate) fn refresh() -> Result<Row, Missing> {
    let wallet = Wallet::new()?;
    let opened = wallet.clone();
    // Each round begins with what was stored, not with what the round before has written.
    let anew = |wallet: &Wallet| Some(Wallet { stored: copy(&wallet.stored).ok()?, ..wallet.clone() });
    let limit: Work = Box::new(move || anew(&opened).and_then(|wallet| wallet.opens()).is_some());
    let ours: Work = Box::new(move || {
        let Some(client) = anew(&wallet).and_then(|wallet| wallet.opens()) else { return false };
        let readings = client.read(&holdings()).now_or_never();
        readings.is_some_and(|readings| readings.iter().all(|reading| reading.proven().is_some()))
    });
    Ok(Row {
        what: "100 holdings proven anew, beyond opening and transport".to_owned(),
        limit: Some(limit),
        peer: None,
        ours,
        bound: Bound::MoreThanLimit(5_000.0),
    })
}
