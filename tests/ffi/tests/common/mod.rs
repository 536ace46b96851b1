//! What an app in another language would give to the client, written in Rust.

#![allow(dead_code, reason = "each test file uses a part")]

pub mod http;
pub mod memory;

use std::future::Future;
use std::sync::{Arc, OnceLock};

use saldo_ffi::{Checkpoint, ClientConfig, Endpoint, HttpTransport, Policy, SaldoClient, Storage};
use serde_json::Value;
use tokio::runtime::{Handle, Runtime};

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
    let endpoints = |name: &str| -> Vec<Endpoint> {
        told[name].as_array().expect("a list of endpoints").iter().map(endpoint).collect()
    };
    ClientConfig {
        rpc: endpoints("rpc"),
        beacon: endpoints("beacon"),
        checkpoint_sources: endpoints("checkpoint_sources"),
        checkpoint: (!told["checkpoint"].is_null()).then(|| checkpoint(&told["checkpoint"])),
        agreement: told["agreement"].as_u64().map(|k| k.try_into().expect("a small number")),
        policy: (!told["policy"].is_null()).then(|| policy(&told["policy"])),
        ..ClientConfig::new(told["network"].as_str().expect("a network"))
    }
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
        deadline_ms: 4_000,
        operators_per_address: 2,
        strict: false,
    };
    for (name, value) in fields {
        match name.as_str() {
            "deadline_ms" => policy.deadline_ms = value.as_u64().expect("milliseconds"),
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
