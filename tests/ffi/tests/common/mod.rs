//! What an app in another language would give to the client, written in Rust.

#![allow(dead_code, reason = "each test file uses a part")]

pub mod http;
pub mod log;
pub mod memory;

use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use saldo_ffi::{
    Checkpoint, ClientConfig, Endpoint, Holding, HttpTransport, NetworkConfig, Policy, Proven, Reading,
    SaldoClient, Storage,
};
use saldo_ffi_scenarios::{Scenario, Served, Table};
use serde_json::Value;
use tokio::runtime::{Handle, Runtime};

use http::Http;
use memory::Memory;

/// The runtime of the servers and of the HTTP stack. The client itself needs none.
pub fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime")).handle()
}

/// Waits for `future` without a runtime, as the bindings do.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    futures_util::pin_mut!(future);
    let waker = std::task::Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(std::thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The settings that the scenario server prints.
pub fn config(told: &Value) -> ClientConfig {
    let endpoints = |name: &str| self::endpoints(&told[name]);
    ClientConfig {
        rpc: endpoints("rpc"),
        beacon: endpoints("beacon"),
        checkpoint_sources: endpoints("checkpoint_sources"),
        checkpoint: (!told["checkpoint"].is_null()).then(|| checkpoint(&told["checkpoint"])),
        agreement: told["agreement"].as_u64().map(|k| k.try_into().expect("a small number")),
        policy: (!told["policy"].is_null()).then(|| policy(&told["policy"])),
        others: told["others"].as_array().expect("a list of networks").iter().map(other).collect(),
        ..ClientConfig::new(told["network"].as_str().expect("a network"))
    }
}

fn other(told: &Value) -> NetworkConfig {
    NetworkConfig {
        rpc: endpoints(&told["rpc"]),
        policy: (!told["policy"].is_null()).then(|| policy(&told["policy"])),
        ..NetworkConfig::new(told["network"].as_str().expect("a network"))
    }
}

fn endpoints(told: &Value) -> Vec<Endpoint> {
    told.as_array().expect("a list of endpoints").iter().map(endpoint).collect()
}

fn endpoint(told: &Value) -> Endpoint {
    let text = |name: &str| told[name].as_str().map(ToOwned::to_owned);
    Endpoint {
        name: text("name"),
        operator: text("operator"),
        hosting: text("hosting"),
        ..Endpoint::new(text("url").expect("a URL"))
    }
}

/// A checkpoint of the table.
pub fn checkpoint(told: &Value) -> Checkpoint {
    let root = told["root"].as_str().expect("a root").to_owned();
    Checkpoint { root, slot: told["slot"].as_u64() }
}

fn policy(told: &Value) -> Policy {
    let fields = told.as_object().expect("fields of a policy");
    let mut policy = Policy {
        finalized: false,
        max_age_seconds: None,
        deadline_ms: None,
        operators_per_address: 2,
        strict: false,
    };
    for (name, value) in fields {
        match name.as_str() {
            "deadline_ms" => policy.deadline_ms = Some(value.as_u64().expect("milliseconds")),
            "max_age_seconds" => policy.max_age_seconds = value.as_u64(),
            "operators_per_address" => {
                policy.operators_per_address =
                    value.as_u64().and_then(|number| number.try_into().ok()).expect("a small number");
            }
            "strict" => policy.strict = value.as_bool().expect("a truth value"),
            "finalized" => policy.finalized = value.as_bool().expect("a truth value"),
            other => panic!("the runner does not know the field {other} of a policy"),
        }
    }
    policy
}

/// A client with these settings.
pub fn client(
    config: ClientConfig,
    transport: Arc<dyn HttpTransport>,
    storage: Option<Arc<dyn Storage>>,
) -> Arc<SaldoClient> {
    SaldoClient::new(config, transport, storage, None).expect("settings that can be used")
}

/// A scenario in progress: its servers, and the client's own settings.
pub struct Scene {
    pub served: Arc<Mutex<Served>>,
    pub config: ClientConfig,
    pub http: Arc<Http>,
    pub memory: Arc<Memory>,
    pub holding: Holding,
    pub unused: Holding,
}

impl Scene {
    /// Sets up a world of the drill with two seconds a slot, unless `world` says otherwise.
    pub fn new(world: &str) -> Self {
        let scenario =
            Scenario { world: world.to_owned(), ..Table::read().expect("the table").scenarios[0].clone() };
        Self::of(&scenario)
    }

    /// Sets up `scenario`, without its steps.
    pub fn of(scenario: &Scenario) -> Self {
        let served = runtime().block_on(Served::set_up(scenario));
        let told = served.told();
        let served = Arc::new(Mutex::new(served));
        let advancing = Arc::downgrade(&served);
        runtime().spawn(async move {
            while let Some(served) = advancing.upgrade() {
                served.lock().unwrap_or_else(PoisonError::into_inner).tick();
                drop(served);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let native = |owner: &str| Holding { network_id: 31_337, owner: owner.to_owned(), token: None };
        Self {
            served,
            config: config(&told["config"]),
            http: Arc::default(),
            memory: Arc::default(),
            holding: native("0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"),
            unused: native("0x00000000000000000000000000000000000000c3"),
        }
    }

    /// A new client with the same HTTP stack and the same storage.
    pub fn client(&self) -> Arc<SaldoClient> {
        client(self.config.clone(), self.http.clone(), Some(self.memory.clone()))
    }

    /// Lets the events up to the time `at` happen.
    pub fn happen(&self, at: &str) {
        assert!(self.served.lock().unwrap_or_else(PoisonError::into_inner).happen(at) > 0);
    }

    /// Reads the holding until it is proven.
    pub fn proven(&self, client: &SaldoClient) -> Proven {
        for _ in 0..100 {
            if let Reading::Proven { proven } = wait(client.balance(self.holding.owner.clone())) {
                return proven;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("nothing was proven within 10 s");
    }
}

/// The code of the reason of a reading that is not proven.
pub fn why(reading: &Reading) -> &str {
    match reading {
        Reading::Proven { .. } => panic!("it is proven: {reading:?}"),
        Reading::Provisional { provisional } => &provisional.why.code,
        Reading::Unknown { unknown } => &unknown.why.code,
    }
}
