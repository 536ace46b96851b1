//! Does the steps of a scenario, as the runner of every language does.

mod compare;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use saldo_ffi::{Amount, Changes, Claim, Holding, SaldoClient, Watch};
use saldo_ffi_scenarios::Scenario;
use serde_json::Value;

use crate::common::{Scene, checkpoint, runtime, wait};
use compare::Difference;

/// How long the runner pauses before it repeats a step.
const PAUSE: Duration = Duration::from_millis(100);

/// A scenario in progress.
struct Run {
    scene: Scene,
    client: Arc<SaldoClient>,
    watch: Option<Open>,
}

/// The watch of a scenario.
struct Open {
    watch: Arc<Watch>,
    received: u64,
    /// Changes that were received and not looked at.
    left: Vec<saldo_ffi::Change>,
}

/// Runs `scenario`.
///
/// # Panics
/// If a step does not show what it must.
pub fn run(scenario: &Scenario) {
    let scene = Scene::of(scenario);
    let told = scene.served.lock().unwrap().told();
    let client = scene.client();
    let mut run = Run { scene, client, watch: None };
    for (index, step) in told["steps"].as_array().expect("steps").iter().enumerate() {
        if let Err(difference) = run.step(step) {
            panic!("{}, step {}: {difference}\n{step}", scenario.name, index + 1);
        }
    }
    wait(run.client.shutdown());
}

impl Run {
    fn step(&mut self, step: &Value) -> Result<(), Difference> {
        let within = step["within_ms"].as_u64().map(Duration::from_millis);
        let began = Instant::now();
        let end = began + within.unwrap_or_default();
        if step["call"] == "watch_until" {
            return self.watch_until(step, end);
        }
        loop {
            let done = self.once(step);
            if let Some(limit) = step["at_most_ms"].as_u64() {
                assert!(began.elapsed() <= Duration::from_millis(limit), "it took {:?}", began.elapsed());
            }
            if done.is_ok() || Instant::now() >= end {
                return done;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn once(&mut self, step: &Value) -> Result<(), Difference> {
        let expect = &step["expect"];
        let text = |name: &str| step[name].as_str().unwrap_or_else(|| panic!("the step has no {name}"));
        match text("call") {
            "balance" => compare::reading(&wait(self.on(step).balance(text("owner").to_owned())), expect),
            "account" => compare::account(&wait(self.client.account(text("owner").to_owned())), expect),
            "read" => compare::readings(&wait(self.client.read(holdings(step))), expect),
            "read_patiently" => {
                let patience = step["patience_ms"].as_u64().expect("milliseconds");
                compare::readings(&wait(self.client.read_patiently(holdings(step), patience)), expect)
            }
            "finalized" => compare::readings(&wait(self.client.finalized(holdings(step))), expect),
            "last" => compare::last(wait(self.client.last(holding(&step["holding"]))).as_ref(), expect),
            "withdrawn" => {
                compare::last(wait(self.client.withdrawn(holding(&step["holding"]))).as_ref(), expect)
            }
            "check" => compare::verdicts(&wait(self.client.check(claims(step))), expect),
            "totals" => compare::totals(&wait(self.client.totals(holdings(step))), expect),
            "token" => compare::token(&wait(self.client.token(text("token").to_owned())), expect),
            "token_list" => {
                let list = wait(self.client.token_list(text("json").as_bytes().to_vec()));
                compare::token_list(&list.expect("a list"), expect)
            }
            "freshness" => {
                let last = wait(self.client.last(holding(&step["holding"]))).expect("a proven amount");
                let (block, level) = (&last.block, last.block.assurance.level.clone());
                let freshness = wait(self.client.freshness(block.chain_id, block.timestamp, level));
                compare::same("freshness", &Value::from(freshness.code), expect)
            }
            "health" => compare::health(&wait(self.on(step).health()), expect),
            "evidence" => compare::count(wait(self.client.evidence()).len(), expect),
            "consensus_fault" => compare::presence(wait(self.client.consensus_fault()).is_some(), expect),
            "storage_faults" => compare::faults(&wait(self.client.storage_faults()), expect),
            "cancel" => self.cancel(step),
            "watch_ended" => {
                let changes = self.next();
                compare::same("changes", &changes.changes.len(), &0)
            }
            _ => {
                self.act(step);
                Ok(())
            }
        }
    }

    /// The client for calls about the network of the step.
    fn on(&self, step: &Value) -> Arc<SaldoClient> {
        match step["network_id"].as_u64() {
            Some(network_id) => self.client.on(network_id).expect("a network of the client"),
            None => Arc::clone(&self.client),
        }
    }

    /// Does a step that shows nothing.
    fn act(&mut self, step: &Value) {
        let text = |name: &str| step[name].as_str().unwrap_or_else(|| panic!("the step has no {name}"));
        match text("call") {
            "watch_open" => {
                let watch = self.client.watch(holdings(step));
                self.watch = Some(Open { watch, received: 0, left: Vec::new() });
            }
            "watch_cancel" => {
                for _ in 0..step["times"].as_u64().expect("a number") {
                    self.cancel_next(after(step));
                }
            }
            "transport" => self.scene.http.set(text("does")),
            "storage" => self.scene.memory.set(text("does")),
            "event" => {
                self.scene.happen(text("at"));
            }
            "network_changed" => {
                self.client.network_changed(step["is_online"].as_bool().expect("a truth value"));
            }
            "start_again" => {
                wait(self.client.start_again(checkpoint(&step["checkpoint"]))).expect("a checkpoint");
            }
            "adopt" => wait(self.client.adopt(text("network").to_owned())).expect("a network"),
            "forget" => wait(self.client.forget(holding(&step["holding"]))),
            "restart" => {
                wait(self.client.shutdown());
                self.client = self.scene.client();
            }
            "shutdown" => wait(self.client.shutdown()),
            other => panic!("the runner does not know the step {other}"),
        }
    }

    /// Cancels a read, and looks whether its requests end.
    fn cancel(&self, step: &Value) -> Result<(), Difference> {
        let read = Box::pin(self.client.balance(step["owner"].as_str().expect("an owner").to_owned()));
        let sleep = Box::pin(sleep(after(step)));
        match wait(select(read, sleep)) {
            Either::Left((reading, _)) => panic!("the read ended before it was cancelled: {reading:?}"),
            Either::Right(((), read)) => {
                assert!(self.scene.http.in_progress() > 0, "the read made no request");
                drop(read);
            }
        }
        let end = Instant::now() + Duration::from_secs(1);
        while self.scene.http.in_progress() > 0 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let left = step["expect"]["requests_left"].as_u64().expect("a number");
        compare::same("requests_left", &u64::try_from(self.scene.http.in_progress()).expect("few"), &left)
    }

    fn open(&mut self) -> &mut Open {
        self.watch.as_mut().expect("an open watch")
    }

    fn next(&mut self) -> Changes {
        let open = self.open();
        let changes = wait(open.watch.next_all(open.received));
        open.received = changes.number;
        changes
    }

    /// Waits for the next changes, and drops the wait after `time`: what it gave in that moment is lost.
    fn cancel_next(&mut self, time: Duration) {
        let open = self.open();
        let next = Box::pin(open.watch.next_all(open.received));
        // What came in time is not acknowledged either: the next wait reports it again.
        drop(wait(select(next, Box::pin(sleep(time)))));
    }

    fn watch_until(&mut self, step: &Value, end: Instant) -> Result<(), Difference> {
        let mut seen = Vec::new();
        loop {
            while !self.open().left.is_empty() {
                let change = self.open().left.remove(0);
                match compare::change(&change, &step["expect"]) {
                    Ok(()) => return Ok(()),
                    Err(difference) => seen.push(difference.to_string()),
                }
            }
            let (watch, received) = (Arc::clone(&self.open().watch), self.open().received);
            let next = Box::pin(watch.next_all(received));
            let left = end.saturating_duration_since(Instant::now());
            match wait(select(next, Box::pin(sleep(left)))) {
                Either::Left((changes, _)) => {
                    let open = self.open();
                    open.received = changes.number;
                    open.left = changes.changes;
                    assert!(!open.left.is_empty(), "the watch has ended");
                }
                Either::Right(_) => {
                    return Err(Difference::of(format!("no such change came, but {seen:#?}")));
                }
            }
        }
    }
}

async fn sleep(time: Duration) {
    let _ = runtime().spawn(async move { tokio::time::sleep(time).await }).await;
}

fn after(step: &Value) -> Duration {
    Duration::from_millis(step["after_ms"].as_u64().expect("milliseconds"))
}

fn holdings(step: &Value) -> Vec<Holding> {
    step["holdings"].as_array().expect("holdings").iter().map(holding).collect()
}

fn claims(step: &Value) -> Vec<Claim> {
    let claim = |told: &Value| Claim {
        holding: holding(&told["holding"]),
        amount: Amount::parse(told["amount"].as_str().expect("digits").to_owned()).expect("an amount"),
        block: told["block"].as_u64(),
    };
    step["claims"].as_array().expect("claims").iter().map(claim).collect()
}

fn holding(told: &Value) -> Holding {
    Holding {
        network_id: told["network_id"].as_u64().expect("a network"),
        owner: told["owner"].as_str().expect("an owner").to_owned(),
        token: told["token"].as_str().map(ToOwned::to_owned),
    }
}
