//! A client without a thread, as in a browser: the calls do the work, and the app gives the clock. In a file of its own: it looks for
//! threads of the process.

mod common;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, join, join_all, select};
use saldo::{Clock as _, U256};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Provider};
use saldo_ffi::{Change, Checkpoint, ClientConfig, Endpoint, Reading, SaldoClient};
use saldo_ffi_scenarios::{CountedHttp, SimulatedClock};

use common::log::Log;
use common::memory::Memory;
use common::why;

const OWNER: &str = "0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";

/// A chain in the simulated network, and an app.
struct App {
    simulation: Simulation,
    chain: Chain,
    http: Arc<CountedHttp>,
    memory: Arc<Memory>,
    log: Arc<Log>,
}

impl App {
    fn new() -> Self {
        let chain = Chain::builder(5).accounts([(OWNER.parse().unwrap(), U256::from(7))]).build();
        let simulation = Simulation::new(5, &chain);
        simulation.internet().register("http://provider.test", Provider::honest(&chain));
        simulation.internet().register("http://source.test", BeaconSource::honest(&chain));
        let http = CountedHttp::over(simulation.internet());
        Self { simulation, chain, http, memory: Arc::default(), log: Arc::default() }
    }

    fn client(&self) -> Arc<SaldoClient> {
        let checkpoint = self.chain.checkpoint();
        let config = ClientConfig {
            rpc: vec![Endpoint::new("http://provider.test")],
            beacon: vec![Endpoint::new("http://source.test")],
            checkpoint: Some(Checkpoint {
                root: checkpoint.root.to_string(),
                slot: checkpoint.slot.map(|slot| slot.get()),
            }),
            log_level: "debug".to_owned(),
            ..ClientConfig::new(self.chain.network().to_toml())
        };
        let clock = SimulatedClock::new(&self.simulation);
        let (storage, log) = (self.memory.clone(), self.log.clone());
        SaldoClient::with_clock(config, clock, self.http.clone(), Some(storage), Some(log)).unwrap()
    }

    fn balance(&self, client: &SaldoClient) -> Reading {
        self.simulation.run(client.balance(OWNER.to_owned()))
    }
}

#[track_caller]
fn amount(reading: &Reading) -> String {
    match reading {
        Reading::Proven { proven } => proven.amount.as_str().to_owned(),
        other => panic!("it is not proven: {other:?}"),
    }
}

/// The client's threads: they have its name.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let name =
        |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    tasks.filter_map(Result::ok).map(name).filter(|name| name.trim() == "saldo").count()
}

#[test]
fn a_balance_is_proven_stored_and_remembered() {
    let app = App::new();
    let client = app.client();
    assert_eq!(app.http.traffic().requests, 0);
    assert_eq!(amount(&app.balance(&client)), "7");
    assert_eq!(threads(), 0);
    // No later call is needed: the page may be closed now.
    assert!(app.memory.writes() > 0 && !app.memory.entries().is_empty());
    assert!(!app.log.0.lock().unwrap().is_empty());
    drop(client);

    app.simulation.internet().set_offline(true);
    let client = app.client();
    let last = app.simulation.run(client.last(client.native(OWNER.to_owned()))).unwrap();
    assert_eq!((last.amount.as_str(), last.is_restored), ("7", true));
    assert_eq!(why(&app.balance(&client)), "device_offline");
}

#[test]
fn a_read_ends_at_its_deadline_by_the_clock_of_the_app() {
    let app = App::new();
    let client = app.client();
    app.http.set_hanging(true);
    let began = app.simulation.clock().monotonic();
    let reading = app.balance(&client);
    assert!(matches!(reading, Reading::Unknown { .. }), "{reading:?}");
    let took = app.simulation.clock().monotonic() - began;
    assert!((Duration::from_secs(3)..Duration::from_secs(5)).contains(&took), "{took:?}");
    assert_eq!(app.http.in_progress(), 0);
}

#[test]
fn a_dropped_read_cancels_its_requests_at_once() {
    let app = App::new();
    let client = app.client();
    app.http.set_hanging(true);
    let second = app.simulation.clock().sleep(Duration::from_secs(1));
    let read = client.balance(OWNER.to_owned()).boxed_local();
    let read = match app.simulation.run(select(read, second)) {
        Either::Right(((), read)) => read,
        Either::Left((reading, _)) => panic!("nothing answers: {reading:?}"),
    };
    assert!(app.http.in_progress() > 0);
    drop(read);
    assert_eq!(app.http.in_progress(), 0);
    app.http.set_hanging(false);
    assert_eq!(amount(&app.balance(&client)), "7");
}

#[test]
fn many_reads_at_the_same_time_do_each_others_work() {
    let app = App::new();
    let client = app.client();
    assert_eq!(amount(&app.balance(&client)), "7");
    let before = app.http.traffic().requests;
    let reads = (0..200).map(|_| client.balance(OWNER.to_owned()));
    let readings = app.simulation.run(join_all(reads));
    assert_eq!(readings.iter().map(amount).filter(|amount| amount == "7").count(), 200);
    assert!(app.http.traffic().requests - before < 400, "{:?}", app.http.traffic());
}

#[test]
fn a_watch_goes_on_while_the_app_waits_and_ends_with_the_client() {
    let app = App::new();
    let client = app.client();
    let watch = client.watch(vec![client.native(OWNER.to_owned())]);
    let mut received = 0;
    let mut proven = 0;
    while proven < 3 {
        let changes = app.simulation.run(watch.next(received));
        received = changes.number;
        proven += changes
            .changes
            .iter()
            .filter(|change| matches!(change, Change::Reading { reading: Reading::Proven { .. }, .. }))
            .count();
    }
    // One call of the app waits, and another one ends the client.
    let waiting = watch.next(received);
    let end = async {
        app.simulation.clock().sleep(Duration::from_millis(1)).await;
        client.shutdown().await;
    };
    let (changes, ()) = app.simulation.run(join(waiting, end));
    assert_eq!((changes.number, changes.changes), (0, Vec::new()));
    assert_eq!(app.simulation.run(watch.next(received)).changes, Vec::new());
    assert_eq!(why(&app.balance(&client)), "closed");
    assert_eq!(app.http.in_progress(), 0);
}
