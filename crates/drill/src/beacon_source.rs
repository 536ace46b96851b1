//! A beacon source: the REST routes of a beacon node over the chain.
//!
//! Routes as in [beacon-APIs](https://ethereum.github.io/beacon-APIs/).

mod node;
mod object;
pub(crate) mod route;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use saldo_beacon::unit::Period;
use serde_json::json;

use crate::Chain;
use crate::carry::carry;
use crate::fault::{Fault, Rule, Rules, Side};
use crate::http::{HttpRequest, Reaction, Reply, Service};
use node::{Node, data, refusal};
use object::Objects;
use route::Route;

/// A beacon source. A handle: clones are the same source.
///
/// For [`Fault::on`] and [`BeaconSource::requests`] the routes are called `genesis`, `spec`, `version`, `syncing`,
/// `health`, `headers`, `block_root`, `finality_checkpoints`, `bootstrap`, `updates`, `finality_update` and `optimistic_update`.
#[derive(Clone, Debug)]
pub struct BeaconSource {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    chain: Chain,
    rules: Rules,
    latency: Duration,
    lag: u64,
    requests: BTreeMap<String, u64>,
}

impl BeaconSource {
    /// A source that knows all of the chain at once and never fails.
    pub fn honest(chain: &Chain) -> Self {
        let state = State {
            chain: chain.clone(),
            rules: Rules::default(),
            latency: Duration::ZERO,
            lag: 0,
            requests: BTreeMap::new(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The same source with one more fault.
    ///
    /// # Panics
    /// If it is a fault of execution providers.
    #[must_use]
    pub fn with(self, rule: impl Into<Rule>) -> Self {
        self.add(rule);
        self
    }

    /// The same source, which takes this long for every answer.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        self.state().latency = latency;
        self
    }

    /// The same source, whose newest signed head is this many blocks behind what is known.
    #[must_use]
    pub fn lag(self, blocks: u64) -> Self {
        self.state().lag = blocks;
        self
    }

    /// From now on it also has that fault.
    ///
    /// # Panics
    /// If it is a fault of execution providers.
    pub fn add(&self, rule: impl Into<Rule>) {
        self.state().rules.add(rule.into(), Side::Beacon);
    }

    /// From now on it has that fault and no other.
    ///
    /// # Panics
    /// If it is a fault of execution providers.
    pub fn set(&self, rule: impl Into<Rule>) {
        self.clear();
        self.add(rule);
    }

    /// From now on it has no fault. Latency and lag stay.
    pub fn clear(&self) {
        self.state().rules.clear();
    }

    /// How often each route was asked for, refused connections not counted.
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the source has said what it had to say.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for BeaconSource {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let mut state = self.state();
        if state.rules.refuse() {
            return carry(&state.rules.take(&[]), Reply::default(), state.latency, state.chain.now());
        }
        let route = Route::of(&request.path);
        let name = route.name().to_owned();
        let rules = state.rules.take(std::slice::from_ref(&name));
        let count = state.requests.entry(name).or_default();
        *count = count.saturating_add(1);
        let reply = if request.method == "GET" {
            state.reply(&route, request, &rules)
        } else {
            refusal(405, "method not allowed")
        };
        carry(&rules, reply, state.latency, state.chain.now())
    }

    fn refuses(&self) -> bool {
        self.state().rules.refuse()
    }
}

impl State {
    fn reply(&self, route: &Route<'_>, request: &HttpRequest, rules: &[Rule]) -> Reply {
        let faults: Vec<&Fault> = rules.iter().map(|rule| &rule.fault).collect();
        let other = faults.iter().find_map(|fault| match fault {
            Fault::OtherChain(other) => Some(other),
            _ => None,
        });
        let chain = other.unwrap_or(&self.chain);
        let objects = Objects { chain, faults: &faults, lag: self.lag, accept: request.header("accept") };
        let node = Node { chain, faults: &faults, lag: self.lag };
        if faults.iter().any(|fault| route.is_withheld_by(fault)) {
            return refusal(404, "route not found");
        }
        match route {
            Route::Genesis => data(&node.genesis()),
            Route::Spec => data(&node.spec()),
            Route::Version => data(&json!({ "version": "drill/beacon" })),
            Route::Syncing => data(&json!({
                "head_slot": chain.tip().slot,
                "sync_distance": "0",
                "is_syncing": false,
                "is_optimistic": false,
                "el_offline": false,
            })),
            Route::Health => Reply::new(200, "application/json", ""),
            Route::Header(name) => node.header(name),
            Route::BlockRoot(name) => node.block_root(name),
            Route::FinalityCheckpoints => node.finality_checkpoints(),
            Route::Bootstrap(root) => objects.bootstrap(root),
            Route::Updates => {
                let number = |name| request.parameter(name).and_then(|text| text.parse::<u64>().ok());
                match (number("start_period"), number("count")) {
                    (Some(start), Some(count)) => objects.updates(Period::new(start), count),
                    _ => refusal(400, "start_period and count are needed"),
                }
            }
            Route::FinalityUpdate => {
                // Let go of the chain before the faults are worked in: they sign with it.
                let update = chain.ledger().finality_update(self.lag);
                objects.head(update)
            }
            Route::OptimisticUpdate => {
                let update = chain.ledger().optimistic_update(self.lag);
                objects.head(update)
            }
            Route::Unknown => refusal(404, "route not found"),
        }
    }
}
