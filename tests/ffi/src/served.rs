//! A scenario that is set up on loopback.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use saldo::{Address, B256, Checkpoint, Network, U256, UnixTime};
use saldo_drill::scenario::{Role, Scenario as Drill, parse_duration};
use saldo_drill::serve::Server;
use saldo_drill::stage::{OWNER, Source, Stage};
use saldo_drill::{Fault, Fork};
use serde_json::{Value, json};

use crate::table::{Scenario, fill_in};

/// How often the chain is advanced to the present time.
const TICK: Duration = Duration::from_millis(20);
/// What every world has. The times have no meaning here.
const HEAD: &str =
    "title = \"a scenario of the table\"\nlasts = \"2h\"\nlooks_every = \"5m\"\nnaive = \"wrong\"\n";

/// A token that scenarios can name.
const FROZEN: Address = Address::repeat_byte(0xe5);
/// The hash of the code of USDC's implementation on mainnet. It keeps balances in a mapping at slot 9.
const FIAT_TOKEN: &str = "0xcdfb7d322961af3acae7a8f7ee8b69c205b36f576cc5b077f170c7eb8ecbe3ea";
/// The slot of the owner in that mapping: keccak256 of the owner and 9, each in 32 bytes.
const OWNER_SLOT: &str = "0x81a3181bb95acfe7b7cb22200d5b2b0475bbc79b90b295aa76d4dfae0f8d724c";

/// A scenario that is set up on loopback. Dropping it ends it.
pub struct Served {
    scenario: Scenario,
    drill: Drill,
    stage: Stage,
    /// The number of events that have happened.
    happened: usize,
    servers: Vec<Server>,
    checkpoint: Option<Checkpoint>,
    network: String,
}

impl Served {
    /// Sets the scenario up. Must be called within a tokio runtime.
    ///
    /// # Panics
    /// If the scenario makes no sense, or no port can be opened.
    pub async fn set_up(scenario: &Scenario) -> Self {
        let drill = Drill::from_toml(&format!("{HEAD}{}", scenario.world))
            .unwrap_or_else(|error| panic!("{}: {error}", scenario.name));
        let duration = |text: &Option<String>| {
            text.as_deref().map_or(Duration::ZERO, |text| parse_duration(text).expect("a duration"))
        };
        let began = shifted(now(), duration(&scenario.ahead), duration(&scenario.began));
        let stage = Stage::set_up(&drill, Some(began));
        let old = stage.chain.checkpoint();
        if scenario.names("$frozen_holding") || scenario.names("$frozen_token") {
            deploy_frozen(&stage);
        }
        let mut served = Self {
            scenario: scenario.clone(),
            drill,
            stage,
            happened: 0,
            servers: Vec::new(),
            checkpoint: None,
            network: String::new(),
        };
        if scenario.early {
            served.happen("0s");
        }
        served.stage.advance_to(now());
        served.happen("0s");
        // An event replaces the faults before it.
        if scenario.no_raw_headers {
            served.stage.services.iter().for_each(serve_no_raw_header);
        }
        served.checkpoint = checkpoint(scenario, old, served.stage.chain.checkpoint());
        served.network = network(scenario, &served.stage);
        for service in &served.stage.services {
            served.servers.push(Server::start(service.clone()).await.expect("a port of this machine"));
        }
        served
    }

    /// Lets the chain go on, for as long as it is polled.
    pub async fn go_on(&mut self) {
        loop {
            self.tick();
            tokio::time::sleep(TICK).await;
        }
    }

    /// Brings the chain to the present moment, unless it stands still.
    pub fn tick(&mut self) {
        if !self.scenario.frozen {
            self.stage.advance_to(now());
        }
    }

    /// Lets all events up to the time `at` happen, and returns how many did.
    ///
    /// # Panics
    /// If `at` is no duration.
    pub fn happen(&mut self, at: &str) -> usize {
        let at = parse_duration(at).expect("the time of an event");
        let due: Vec<_> = self
            .drill
            .events
            .iter()
            .skip(self.happened)
            .take_while(|event| event.at <= at)
            .cloned()
            .collect();
        self.happened += due.len();
        due.iter().for_each(|event| self.stage.apply(event));
        due.len()
    }

    /// Everything that a runner needs.
    pub fn told(&self) -> Value {
        let endpoints = |role: Role| -> Vec<Value> {
            let of_role = self.drill.of(role).filter_map(|(place, member)| {
                let url = self.servers.get(place)?.url();
                Some(json!({ "url": url, "name": member.name, "operator": member.operator, "hosting": member.hosting }))
            });
            of_role.collect()
        };
        // What the wallet reads is a further network, if it is a rollup: then the chain is its L1.
        let rollup = self.stage.rollup();
        let of_chain = if rollup.is_some() { Role::L1Provider } else { Role::Provider };
        let others: Vec<Value> = rollup
            .map(|rollup| {
                let (network, rpc) = (rollup.profile_toml(), endpoints(Role::Provider));
                let policy = self.scenario.rollup_policy.as_ref();
                json!({ "network": network, "rpc": rpc, "policy": policy })
            })
            .into_iter()
            .collect();
        let told = |checkpoint: &Checkpoint| json!({ "root": checkpoint.root.to_string(), "slot": checkpoint.slot.map(|slot| slot.get()) });
        let mut config = json!({
            "network": self.network,
            "rpc": endpoints(of_chain),
            "beacon": endpoints(Role::Beacon),
            "checkpoint_sources": endpoints(Role::Checkpoint),
            "checkpoint": self.checkpoint.as_ref().map(told),
            "policy": null,
            "agreement": null,
            "others": others,
        });
        let known = self.known(told(&self.stage.chain.checkpoint()));
        for (name, value) in &self.scenario.config {
            config[name] = fill_in(value, &known);
        }
        let step = |step: &BTreeMap<String, Value>| -> Value {
            step.iter().map(|(name, value)| (name.clone(), fill_in(value, &known))).collect()
        };
        json!({
            "schema": "saldo.ffi-scenario/1",
            "name": self.scenario.name,
            "says": self.scenario.says,
            "config": config,
            "steps": self.scenario.steps.iter().map(step).collect::<Vec<_>>(),
        })
    }

    /// The values that the table names with a `$`.
    fn known(&self, checkpoint: Value) -> BTreeMap<&'static str, Value> {
        let network_id = self.stage.chain.network().chain_id();
        let rollup_id = self.stage.rollup().map(|rollup| rollup.profile().chain_id());
        let holding = |owner: &str, network_id: u64, token: Option<&str>| json!({ "network_id": network_id, "owner": owner, "token": token });
        let owner = OWNER.to_checksum(None);
        let unused = "0x00000000000000000000000000000000000000c3";
        let malformed = "0x12";
        let token = "0x00000000000000000000000000000000000000d4";
        let mut known = BTreeMap::from([
            ("owner", json!(owner)),
            ("unused", json!(unused)),
            ("malformed", json!(malformed)),
            ("holding", holding(&owner, network_id, None)),
            ("unused_holding", holding(unused, network_id, None)),
            ("malformed_holding", holding(malformed, network_id, None)),
            ("elsewhere", holding(&owner, network_id.saturating_add(1), None)),
            ("token_holding", holding(&owner, network_id, Some(token))),
            ("frozen_holding", holding(&owner, network_id, Some(&FROZEN.to_checksum(None)))),
            ("frozen_token", json!(FROZEN.to_checksum(None))),
            ("token_list", json!(token_list(network_id))),
            ("checkpoint", checkpoint),
            ("whole_network", json!(self.stage.chain.network().to_toml())),
        ]);
        if let Some(rollup_id) = rollup_id {
            known.insert("rollup_id", json!(rollup_id));
            known.insert("rollup_holding", holding(&owner, rollup_id, None));
        }
        known
    }
}

/// From the next block on there is a token with the code of USDC, of which the owner has 9 base units, frozen by the issuer.
fn deploy_frozen(stage: &Stage) {
    let hash = |text: &str| text.parse::<B256>().expect("a hash");
    stage.chain.set_code_hash(FROZEN, hash(FIAT_TOKEN));
    stage.chain.set_storage(FROZEN, hash(OWNER_SLOT), (U256::ONE << 255) | U256::from(9));
}

/// A token list with the frozen token, whose symbol has an invisible character. Another entry is of another network, and one cannot be
/// read.
fn token_list(network_id: u64) -> String {
    let entry = |network_id: u64, decimals: u16| json!({ "chainId": network_id, "address": FROZEN, "decimals": decimals, "symbol": "FRO\u{200b}ZEN", "name": "Frozen" });
    let tokens = [entry(network_id, 6), entry(network_id.saturating_add(1), 6), entry(network_id, 256)];
    json!({ "name": "a list", "tokens": tokens }).to_string()
}

fn serve_no_raw_header(source: &Source) {
    if let Source::Provider(provider) = source {
        let message = "the method debug_getRawHeader does not exist/is not available".to_owned();
        provider.add(Fault::Error { code: -32601, message }.on("debug_getRawHeader"));
    }
}

/// `time`, later by `ahead` and earlier by `before`.
fn shifted(time: UnixTime, ahead: Duration, before: Duration) -> UnixTime {
    UnixTime::from_secs(time.as_secs().saturating_add(ahead.as_secs()).saturating_sub(before.as_secs()))
}

fn checkpoint(scenario: &Scenario, old: Checkpoint, new: Checkpoint) -> Option<Checkpoint> {
    match scenario.checkpoint.as_deref().unwrap_or("new") {
        "new" => Some(new),
        "old" => Some(old),
        "wrong_slot" => {
            Some(Checkpoint { slot: new.slot.map(|slot| slot.get() + 1).map(saldo::Slot::new), ..new })
        }
        "unknown" => Some(Checkpoint { root: saldo::B256::repeat_byte(7), slot: None }),
        "none" => None,
        other => panic!("{}: there is no checkpoint `{other}`", scenario.name),
    }
}

/// The table of the chain that the client gets.
fn network(scenario: &Scenario, stage: &Stage) -> String {
    let network: Network = match scenario.without_fork.as_deref() {
        None => stage.chain.network(),
        Some(name) => stage.chain.network_without(Fork::from_name(name).expect("the name of a fork")),
    };
    let text = network.to_toml();
    match scenario.max_checkpoint_age_epochs {
        None => text,
        Some(epochs) => {
            let is_age = |line: &&str| line.starts_with("max_checkpoint_age_epochs");
            let age = text.lines().find(is_age).expect("the table has an age");
            text.replacen(age, &format!("max_checkpoint_age_epochs = {epochs}"), 1)
        }
    }
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    UnixTime::from_secs(since.as_secs())
}
