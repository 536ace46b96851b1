//! The real wallet: `saldo`'s client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Change, Checkpoint, Client, Holding, MemoryStorage, Network, Policy, Reading, Storage};
use saldo::{StorageError, Version, Write};
use saldo_drill::Chain;
use saldo_drill::simulate::Simulation;

use super::number;
use super::script::{PROVIDERS, SOURCES, Script};
use super::wallet::{Amount, Answer, Overlapping, Told};
/// The client, and the storage that it has.
pub(super) struct Real {
    client: Client,
    network: Network,
    storage: Late,
    /// Whether a reading has said that the chain id is wrong.
    has_wrong_chain_id: AtomicBool,
}

/// Storage that cannot be read at first, as before a phone is unlocked.
#[derive(Clone)]
struct Late {
    storage: MemoryStorage,
    is_locked: Arc<AtomicBool>,
}

type Loaded = Result<(Vec<(String, Vec<u8>)>, Version), StorageError>;

impl Storage for Late {
    fn load(&self) -> BoxFuture<'_, Loaded> {
        if self.is_locked.load(Ordering::Relaxed) {
            let kind = std::io::ErrorKind::PermissionDenied;
            return futures_util::future::ready(Err(StorageError::Io { kind })).boxed();
        }
        self.storage.load()
    }

    fn apply(&self, changes: Vec<Write>, expected: Version) -> BoxFuture<'_, Result<Version, StorageError>> {
        self.storage.apply(changes, expected)
    }
}

impl Real {
    /// A client at the start of a script. Where something was stored before, a client before this one has done it.
    pub(super) fn new(script: &Script, chain: &Chain, simulation: &Simulation) -> Self {
        let is_locked = Arc::new(AtomicBool::new(false));
        let storage = Late { storage: MemoryStorage::new(), is_locked };
        let network = super::table(script, chain);
        if script.stored {
            let before = client(script, network.clone(), chain, simulation, storage.clone());
            let holdings: Vec<Holding> =
                script.holdings().into_iter().map(|number| super::holding(&network, number)).collect();
            let _ = simulation.run(before.read(&holdings));
            drop(before);
            simulation.pass(Duration::from_secs(script.away));
            storage.is_locked.store(true, Ordering::Relaxed);
        }
        let client = client(script, network.clone(), chain, simulation, storage.clone());
        Self { client, network, storage, has_wrong_chain_id: AtomicBool::new(false) }
    }

    fn holding(&self, number: u64) -> Holding {
        super::holding(&self.network, number)
    }

    fn answer(&self, reading: &Reading) -> Answer {
        let answer = Answer::of(reading);
        if answer.why == Some("wrong_chain") {
            self.has_wrong_chain_id.store(true, Ordering::Relaxed);
        }
        answer
    }
}

fn client(
    script: &Script,
    network: Network,
    chain: &Chain,
    simulation: &Simulation,
    storage: Late,
) -> Client {
    let policy = Policy {
        max_age: Duration::from_secs(script.max_age),
        deadline: Duration::from_millis(script.deadline),
        operators_per_address: 2,
        ..Policy::signed()
    };
    let builder = Client::builder(network)
        .checkpoint(chain.checkpoint())
        .policy(policy)
        .transport(simulation.internet())
        .clock(simulation.clock())
        .storage(storage);
    let builder = (0..PROVIDERS).fold(builder, |builder, index| {
        builder.rpc(format!("provider{index}={}", super::run::provider_url(index)))
    });
    let builder = (0..SOURCES).fold(builder, |builder, index| {
        builder.beacon(format!("source{index}={}", super::run::source_url(index)))
    });
    builder.build().expect("a script's wallet has all it needs")
}

impl Overlapping for Real {
    fn read<'a>(&'a self, holdings: &'a [u64], finalized: bool) -> BoxFuture<'a, Vec<Answer>> {
        async move {
            let holdings: Vec<Holding> = holdings.iter().map(|number| self.holding(*number)).collect();
            let readings = match finalized {
                true => self.client.finalized(&holdings).await,
                false => self.client.read(&holdings).await,
            };
            readings.iter().map(|reading| self.answer(reading)).collect()
        }
        .boxed()
    }

    fn refresh(&self) -> BoxFuture<'_, Vec<(u64, Answer)>> {
        async move {
            let all = self.client.refresh(self.client.policy().deadline).await;
            all.iter().map(|(holding, reading)| (number(holding), self.answer(reading))).collect()
        }
        .boxed()
    }

    fn watch<'a>(&'a self, holdings: &'a [u64], tell: &'a (dyn Fn(Told) + Send + Sync)) -> BoxFuture<'a, ()> {
        async move {
            let mut watch = self.client.watch(holdings.iter().map(|number| self.holding(*number)));
            loop {
                match watch.next().await {
                    Change::Reading { holding, reading, .. } => {
                        tell(Told::Answer(number(&holding), self.answer(&reading)));
                    }
                    Change::Remembered { holding, last, .. } => {
                        let last = last.as_ref().map(Amount::of);
                        tell(Told::Answer(number(&holding), Answer { last, ..Answer::default() }));
                    }
                    Change::Withdrawn { holding, withdrawn, last, .. } => {
                        tell(Told::Withdrawn(number(&holding), Amount::of(&withdrawn)));
                        let last = last.as_ref().map(Amount::of);
                        tell(Told::Answer(number(&holding), Answer { last, ..Answer::default() }));
                    }
                    _ => {}
                }
            }
        }
        .boxed()
    }

    fn last(&self, number: u64) -> Option<Amount> {
        self.client.last(&self.holding(number)).as_ref().map(Amount::of)
    }

    fn forget(&self, number: u64) {
        self.client.forget(&self.holding(number));
    }

    fn restart(&self, checkpoint: Checkpoint) {
        self.client.start_again(checkpoint);
    }

    fn adopt(&self) {
        let _ = self.client.adopt(self.network.clone());
    }

    fn unlock(&self) {
        self.storage.is_locked.store(false, Ordering::Relaxed);
    }

    fn is_faulted(&self) -> bool {
        self.client.consensus_fault().is_some()
    }

    fn has_wrong_chain_id(&self) -> bool {
        self.has_wrong_chain_id.load(Ordering::Relaxed)
    }
}
