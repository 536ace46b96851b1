//! A beacon source: the REST routes of a beacon node over the chain.
//!
//! Routes as in [beacon-APIs](https://ethereum.github.io/beacon-APIs/).

mod object;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{B256, hex};
use saldo_beacon::unit::Period;
use serde_json::{Value, json};

use crate::Chain;
use crate::block::Block;
use crate::carry::carry;
use crate::encode::beacon_header_json;
use crate::fault::{Fault, Rule, Rules, Side};
use crate::http::{HttpRequest, Reaction, Reply, Service};
use object::Objects;

/// A beacon source. A handle: clones are the same source.
///
/// For [`Fault::on`] and [`BeaconSource::requests`] the routes are called `genesis`, `spec`, `version`, `syncing`,
/// `health`, `headers`, `finality_checkpoints`, `bootstrap`, `updates`, `finality_update` and `optimistic_update`.
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
            return carry(&state.rules.take(&[]), Reply::default(), state.latency);
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
        carry(&rules, reply, state.latency)
    }

    fn refuses(&self) -> bool {
        self.state().rules.refuse()
    }
}

/// What is asked for.
enum Route<'a> {
    Genesis,
    Spec,
    Version,
    Syncing,
    Health,
    Header(&'a str),
    FinalityCheckpoints,
    Bootstrap(&'a str),
    Updates,
    FinalityUpdate,
    OptimisticUpdate,
    Unknown,
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        // Before the route may stand whatever path the source's URL has.
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            [.., "eth", "v1", "beacon", "genesis"] => Self::Genesis,
            [.., "eth", "v1", "config", "spec"] => Self::Spec,
            [.., "eth", "v1", "node", "version"] => Self::Version,
            [.., "eth", "v1", "node", "syncing"] => Self::Syncing,
            [.., "eth", "v1", "node", "health"] => Self::Health,
            [.., "eth", "v1", "beacon", "headers", block] => Self::Header(block),
            [.., "eth", "v1", "beacon", "states", _, "finality_checkpoints"] => Self::FinalityCheckpoints,
            [.., "eth", "v1", "beacon", "light_client", "bootstrap", root] => Self::Bootstrap(root),
            [.., "eth", "v1", "beacon", "light_client", "updates"] => Self::Updates,
            [.., "eth", "v1", "beacon", "light_client", "finality_update"] => Self::FinalityUpdate,
            [.., "eth", "v1", "beacon", "light_client", "optimistic_update"] => Self::OptimisticUpdate,
            _ => Self::Unknown,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Spec => "spec",
            Self::Version => "version",
            Self::Syncing => "syncing",
            Self::Health => "health",
            Self::Header(_) => "headers",
            Self::FinalityCheckpoints => "finality_checkpoints",
            Self::Bootstrap(_) => "bootstrap",
            Self::Updates => "updates",
            Self::FinalityUpdate => "finality_update",
            Self::OptimisticUpdate => "optimistic_update",
            Self::Unknown => "unknown",
        }
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
        match route {
            Route::Genesis => data(&genesis(chain)),
            Route::Spec => data(&spec(chain)),
            Route::Version => data(&json!({ "version": "drill/beacon" })),
            Route::Syncing => data(&json!({
                "head_slot": chain.tip().slot,
                "sync_distance": "0",
                "is_syncing": false,
                "is_optimistic": false,
                "el_offline": false,
            })),
            Route::Health => Reply::new(200, "application/json", ""),
            Route::Header(name) => match named(chain, name, self.lag) {
                Some(block) => {
                    let finalized = named(chain, "finalized", self.lag).map(|finalized| finalized.slot());
                    header(&block, finalized.is_some_and(|finalized| finalized >= block.slot()))
                }
                None => refusal(404, "block not found"),
            },
            Route::FinalityCheckpoints => data(&finality_checkpoints(chain, self.lag)),
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

/// An error as beacon nodes send it.
fn refusal(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "code": status, "message": message }))
}

fn data(data: &Value) -> Reply {
    Reply::json(200, &json!({ "data": data }))
}

fn genesis(chain: &Chain) -> Value {
    let network = chain.network();
    json!({
        "genesis_time": network.genesis_time().as_secs().to_string(),
        "genesis_validators_root": network.genesis_validators_root(),
        "genesis_fork_version": hex::encode_prefixed(network.genesis_fork_version()),
    })
}

fn spec(chain: &Chain) -> Value {
    let network = chain.network();
    let mut spec = serde_json::Map::new();
    let mut set = |name: String, value: String| spec.insert(name, value.into());
    set("PRESET_BASE".into(), "minimal".into());
    set("GENESIS_FORK_VERSION".into(), hex::encode_prefixed(network.genesis_fork_version()));
    set("DEPOSIT_CHAIN_ID".into(), network.chain_id().to_string());
    set("SLOT_DURATION_MS".into(), network.slot_duration().as_millis().to_string());
    set("SECONDS_PER_SLOT".into(), network.slot_duration().as_secs().to_string());
    set("SLOTS_PER_EPOCH".into(), network.slots_per_epoch().to_string());
    set("SYNC_COMMITTEE_SIZE".into(), network.sync_committee_size().to_string());
    let epochs = network.epochs_per_sync_committee_period();
    set("EPOCHS_PER_SYNC_COMMITTEE_PERIOD".into(), epochs.to_string());
    for fork in network.forks() {
        let name = fork.name().to_uppercase();
        set(format!("{name}_FORK_VERSION"), hex::encode_prefixed(fork.version()));
        let epoch = fork.epoch().map_or(u64::MAX, saldo_beacon::unit::Epoch::get);
        set(format!("{name}_FORK_EPOCH"), epoch.to_string());
    }
    Value::Object(spec)
}

/// The block a route names: `head`, `finalized`, `genesis`, a slot or a root.
fn named(chain: &Chain, name: &str, lag: u64) -> Option<Arc<Block>> {
    let tip = chain.tip().number.saturating_sub(lag);
    match name {
        "head" => chain.block_at(tip),
        "genesis" => chain.block_at(0),
        "finalized" => {
            let finalized = chain.block_at(tip)?.finalized.root;
            chain.block_of_root(finalized).or_else(|| chain.block_at(0))
        }
        root if root.starts_with("0x") => chain.block_of_root(root.parse::<B256>().ok()?),
        slot => {
            let slot = slot.parse().ok()?;
            chain.ledger().blocks.iter().find(|block| block.slot() == slot).cloned()
        }
    }
}

fn header(block: &Block, finalized: bool) -> Reply {
    // Nobody checks the proposer's signature: a light client has no proposer's key.
    let header =
        json!({ "message": beacon_header_json(&block.beacon), "signature": block.aggregate.signature });
    Reply::json(
        200,
        &json!({
            "execution_optimistic": false,
            "finalized": finalized,
            "data": { "root": block.root, "canonical": true, "header": header },
        }),
    )
}

fn finality_checkpoints(chain: &Chain, lag: u64) -> Value {
    let finalized = chain.block_at(chain.tip().number.saturating_sub(lag)).map(|block| block.finalized);
    let (epoch, root) =
        finalized.map_or((0, B256::ZERO), |finalized| (finalized.epoch.get(), finalized.root));
    let checkpoint = json!({ "epoch": epoch.to_string(), "root": root });
    // What is justified does not matter to light clients: the finalized one is, at least.
    json!({ "previous_justified": checkpoint, "current_justified": checkpoint, "finalized": checkpoint })
}
