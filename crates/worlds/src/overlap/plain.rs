//! A plain wallet that leaves every check to the gate, with or without one of them: it keeps its records over a restart of
//! trust, never reviews them, and hands out whatever the gate lets out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::B256;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use saldo::{Checkpoint, Clock, Endpoint, Holding, Level, Now, Policy, UnixTime};
use saldo_beacon::{LightClient, LightClientUpdate, Wants, decode};
use saldo_chain::{Anchor, Chain};
use saldo_drill::simulate::{Simulation, VirtualClock};
use saldo_reading::gate::{self, Demand, Found, Present};
use saldo_reading::{Candidate, Generation, Mark, ProviderId, Record, Why, join, join_token};
use saldo_source::Io;
use saldo_source::beacon::{Data, Route, fetch};
use saldo_source::execution::chain_id;

use super::omission::Omission;
use super::script::{PROVIDERS, SOURCES, Script};
use super::wallet::{Amount, Answer, Overlapping, Told};
use super::wire::{Shown, Wire};
use crate::holding::of_token;
/// The plain wallet.
pub(super) struct Plain {
    io: Io,
    clock: VirtualClock,
    network: Arc<saldo::Network>,
    providers: Vec<Endpoint>,
    sources: Vec<Endpoint>,
    policy: Policy,
    omission: Option<Omission>,
    /// The places of the holdings that it looks at.
    holdings: Vec<u64>,
    /// What a wallet before this one has proven and stored.
    stored: Vec<Candidate>,
    state: Mutex<State>,
}

struct State {
    checkpoint: Checkpoint,
    generation: Generation,
    light_client: Option<LightClient>,
    chain: Chain,
    records: BTreeMap<Holding, Record>,
    is_faulted: bool,
    /// Whether each provider that was asked says that it serves the chain of the table.
    chains: BTreeMap<u64, bool>,
    /// The blocks of restored readings.
    restored: BTreeSet<(Holding, B256)>,
}

/// What was found for one holding, and the state of the moment when that was.
struct Finding {
    holding: Holding,
    found: Found,
    before: Mark,
    /// The chain when the proof joined, and the last reading when the call began: what is not looked at again where a check is
    /// left out.
    chain: Chain,
    last: Option<Amount>,
}

/// How long one request may take.
pub(super) const PATIENCE: Duration = Duration::from_millis(1_500);

impl Plain {
    pub(super) fn new(
        script: &Script,
        chain: &saldo_drill::Chain,
        simulation: &Simulation,
        omission: Option<Omission>,
    ) -> Self {
        let mut plain = Self::empty(script, chain, simulation, omission);
        if script.stored {
            let _ = simulation.run(plain.read(&plain.holdings, false));
            let records = std::mem::take(&mut plain.state().records);
            let stored = records.values().filter_map(|record| record.last().cloned()).collect();
            simulation.pass(Duration::from_secs(script.away));
            plain = Self { stored, ..Self::empty(script, chain, simulation, omission) };
        }
        plain
    }

    fn empty(
        script: &Script,
        chain: &saldo_drill::Chain,
        simulation: &Simulation,
        omission: Option<Omission>,
    ) -> Self {
        let endpoint = |url: String| Endpoint::new(&url).expect("a URL that is made here can be used");
        let clock = simulation.clock();
        let state = State {
            checkpoint: chain.checkpoint(),
            generation: Generation::FIRST,
            light_client: None,
            chain: Chain::new(),
            records: BTreeMap::new(),
            is_faulted: false,
            chains: BTreeMap::new(),
            restored: BTreeSet::new(),
        };
        Self {
            io: Io::new(Arc::new(simulation.internet()), Arc::new(clock.clone())),
            clock,
            network: Arc::new(super::table(script, chain)),
            providers: (0..PROVIDERS).map(|index| endpoint(super::run::provider_url(index))).collect(),
            sources: (0..SOURCES).map(|index| endpoint(super::run::source_url(index))).collect(),
            policy: Policy { max_age: Duration::from_secs(script.max_age), ..Policy::signed() },
            omission,
            holdings: script.holdings(),
            stored: Vec::new(),
            state: Mutex::new(state),
        }
    }

    fn has(&self, omission: Omission) -> bool {
        self.omission == Some(omission)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self) -> UnixTime {
        self.clock.true_time()
    }

    fn holding(&self, number: u64) -> Holding {
        super::holding(&self.network, number)
    }

    /// Brings the light client to the newest heads of all sources.
    async fn sync(&self) {
        let (generation, checkpoint) = {
            let state = self.state();
            (state.generation, state.checkpoint)
        };
        for source in &self.sources {
            if self.state().light_client.is_none() {
                self.bootstrap(source, checkpoint, generation).await;
            }
            let route = self.state().light_client.as_ref().map(|client| match client.wants(self.time()) {
                Wants::Updates { start, count } => Route::Updates { start, count },
                _ => Route::FinalityUpdate,
            });
            for route in route.into_iter().chain([Route::FinalityUpdate, Route::OptimisticUpdate]) {
                let Ok(data) = fetch(&self.io, source, route, PATIENCE).await else { break };
                for update in self.decoded(route, &data) {
                    self.advance(update, generation);
                }
            }
        }
    }

    async fn bootstrap(&self, source: &Endpoint, checkpoint: Checkpoint, generation: Generation) {
        let route = Route::Bootstrap(checkpoint.root);
        let Ok(data) = fetch(&self.io, source, route, PATIENCE).await else { return };
        let fork = data.fork.as_deref();
        let Ok(bootstrap) = decode::bootstrap(&data.bytes, data.encoding, fork, &self.network) else {
            return;
        };
        let network = Arc::clone(&self.network);
        let Ok(client) = LightClient::bootstrap(network, checkpoint, bootstrap, self.time()) else { return };
        let mut state = self.state();
        if state.generation == generation && state.light_client.is_none() {
            state.light_client = Some(client);
        }
    }

    fn decoded(&self, route: Route, data: &Data) -> Vec<LightClientUpdate> {
        let (bytes, encoding, fork) = (&data.bytes, data.encoding, data.fork.as_deref());
        match route {
            Route::Updates { .. } => decode::updates(bytes, encoding, &self.network).unwrap_or_default(),
            Route::FinalityUpdate => {
                decode::finality_update(bytes, encoding, fork, &self.network).into_iter().collect()
            }
            _ => decode::optimistic_update(bytes, encoding, fork, &self.network).into_iter().collect(),
        }
    }

    fn advance(&self, update: LightClientUpdate, generation: Generation) {
        let mut state = self.state();
        if state.generation != generation {
            return;
        }
        let State { light_client, chain, is_faulted, .. } = &mut *state;
        let Some(client) = light_client else { return };
        let _ = client.advance(update, self.clock.true_time());
        let is_sound = chain.follow(client).is_ok() && client.consensus_fault().is_none();
        *is_faulted |= !is_sound;
    }

    /// Asks the providers that have not said it which chain they serve.
    async fn learn_chains(&self) {
        for (number, provider) in (0..).zip(&self.providers) {
            if !self.state().chains.contains_key(&number)
                && let Ok(said) = chain_id(&self.io, provider, PATIENCE).await
            {
                self.state().chains.insert(number, said == self.network.chain_id());
            }
        }
    }

    /// Asks one provider after another for a proof, and records what joins.
    async fn prove(&self, holding: Holding, level: Level) -> Option<(Found, Chain)> {
        let head = self.state().chain.newest(level).cloned()?;
        for provider in &self.providers {
            let Some(shown) = self.ask(provider, &holding, &head).await else { continue };
            let mut state = self.state();
            let Some(anchor) = state.chain.anchor_at_root(head.state_root()).cloned() else { continue };
            let (provider, generation) = (ProviderId::new("plain")?, self.generation(&state));
            let joined = match shown {
                Shown::Account(account) => join(holding, &account, &anchor, provider, generation),
                Shown::Token(balance) => {
                    join_token(holding, Arc::new(balance), &anchor, provider, generation)
                }
                Shown::NoBalance(why) => {
                    let found = Found::NoBalance { why, number: anchor.number() };
                    return Some((found, state.chain.clone()));
                }
            };
            let Ok(candidate) = joined else { continue };
            let _ = state.records.entry(holding).or_default().offer(candidate.clone());
            state.restored.remove(&(holding, anchor.hash()));
            return Some((Found::Candidate(Box::new(candidate)), state.chain.clone()));
        }
        None
    }

    /// What one provider proves about `holding` at `head`.
    async fn ask(&self, provider: &Endpoint, holding: &Holding, head: &Anchor) -> Option<Shown> {
        let wire = Wire { io: &self.io, provider, head };
        match of_token(holding) {
            Some((owner, token)) => wire.token(owner, token, &self.network).await,
            None => wire.account(holding.owner(), &[]).await.map(|(account, _)| Shown::Account(account)),
        }
    }

    fn generation(&self, state: &State) -> Generation {
        if self.has(Omission::Generation) { Generation::FIRST } else { state.generation }
    }

    async fn find(&self, holding: Holding, level: Level) -> Finding {
        let (before, last) = {
            let state = self.state();
            let record = state.records.get(&holding);
            (record.map(|record| record.mark_at(level)).unwrap_or_default(), self.last_of(&state, &holding))
        };
        let proven = self.prove(holding, level).await;
        let chain = proven.as_ref().map_or_else(|| self.state().chain.clone(), |(_, chain)| chain.clone());
        let found = match proven {
            Some((found, _)) => found,
            None => Found::Nothing(Why::ProvidersFailing),
        };
        Finding { holding, found, before, chain, last }
    }

    /// What the gate looks at, with what is left out.
    fn present<'a>(&self, state: &'a State, holding: &Holding, chain: &'a Chain) -> Present<'a> {
        let record = state.records.get(holding).filter(|_| !self.has(Omission::Older));
        let is_wrong = state.has_wrong_chain_id() && !self.has(Omission::ChainId);
        Present {
            generation: self.generation(state),
            is_faulted: state.is_faulted && !self.has(Omission::Fault),
            wrong_chain_id: is_wrong.then(|| self.network.chain_id()),
            chain,
            record,
            now: Now::new(self.time(), None, self.network.slot_duration()),
        }
    }

    fn last_of(&self, state: &State, holding: &Holding) -> Option<Amount> {
        let last = gate::last(&self.present(state, holding, &state.chain))?;
        Some(self.amount(state, &Amount::of(&last), holding))
    }

    fn amount(&self, state: &State, amount: &Amount, holding: &Holding) -> Amount {
        Amount { is_restored: state.restored.contains(&(*holding, amount.hash)), ..*amount }
    }

    fn hand_out(&self, finding: Finding, demand: &Demand) -> Answer {
        let state = self.state();
        let Finding { holding, found, before, chain, last } = finding;
        let chain = if self.has(Omission::Held) { &chain } else { &state.chain };
        let reading = gate::hand_out(found, before, [], demand, &self.present(&state, &holding, chain));
        let answer = Answer::of(&reading);
        let restored = |amount: Amount| self.amount(&state, &amount, &holding);
        let last = if self.has(Omission::Last) { last } else { answer.last.map(restored) };
        let last = last.filter(|_| answer.proven.is_none());
        Answer { proven: answer.proven.map(restored), last, ..answer }
    }
}

impl Overlapping for Plain {
    fn read<'a>(&'a self, holdings: &'a [u64], finalized: bool) -> BoxFuture<'a, Vec<Answer>> {
        async move {
            let level = if finalized { Level::Finalized } else { Level::Signed };
            let mut policy = self.policy;
            if finalized {
                policy.max_age = policy.max_age.max(Policy::finalized().max_age);
            }
            if self.has(Omission::Age) {
                policy.max_age = Duration::MAX;
            }
            let generation = self.generation(&self.state());
            self.learn_chains().await;
            self.sync().await;
            let asked = if self.has(Omission::Weaker) { Level::Signed } else { level };
            let demand = Demand { generation, level: asked, policy };
            let mut findings: Vec<(u64, Finding)> = Vec::new();
            for number in holdings {
                if self.has(Omission::Duplicates) || findings.iter().all(|(held, _)| held != number) {
                    findings.push((*number, self.find(self.holding(*number), asked).await));
                }
            }
            let answers: Vec<(u64, Answer)> = findings
                .into_iter()
                .map(|(number, finding)| (number, self.hand_out(finding, &demand)))
                .collect();
            if self.has(Omission::Duplicates) {
                return answers.into_iter().map(|(_, answer)| answer).collect();
            }
            let answer = |number: &u64| answers.iter().find(|(held, _)| held == number).map(|(_, it)| *it);
            holdings.iter().map(|number| answer(number).unwrap_or_default()).collect()
        }
        .boxed()
    }

    fn refresh(&self) -> BoxFuture<'_, Vec<(u64, Answer)>> {
        async move {
            let answers = self.read(&self.holdings, false).await;
            self.holdings.iter().copied().zip(answers).collect()
        }
        .boxed()
    }

    fn watch<'a>(&'a self, holdings: &'a [u64], tell: &'a (dyn Fn(Told) + Send + Sync)) -> BoxFuture<'a, ()> {
        async move {
            loop {
                for (number, answer) in holdings.iter().zip(self.read(holdings, false).await) {
                    tell(Told::Answer(*number, answer));
                }
                self.clock.sleep(Duration::from_secs(6)).await;
            }
        }
        .boxed()
    }

    fn last(&self, holding: u64) -> Option<Amount> {
        let state = self.state();
        self.last_of(&state, &self.holding(holding))
    }

    fn forget(&self, holding: u64) {
        self.state().records.remove(&self.holding(holding));
    }

    fn restart(&self, checkpoint: Checkpoint) {
        let mut state = self.state();
        state.checkpoint = checkpoint;
        state.generation = state.generation.next();
        state.light_client = None;
        state.chain = Chain::new();
        state.is_faulted = false;
    }

    fn adopt(&self) {}

    fn unlock(&self) {
        let mut state = self.state();
        for candidate in
            self.stored.iter().filter(|_| state_is_first(state.generation)).cloned().collect::<Vec<_>>()
        {
            let holding = *candidate.holding();
            let hash = candidate.anchor().hash();
            let record = state.records.get(&holding);
            let is_proven = record.and_then(Record::last).is_some_and(|last| last.anchor().hash() == hash);
            if is_proven {
                continue;
            }
            state.restored.insert((holding, hash));
            let candidate = if self.has(Omission::Restored) { candidate } else { candidate.as_restored() };
            let _ = state.records.entry(holding).or_default().offer(candidate);
        }
    }

    fn is_faulted(&self) -> bool {
        self.state().is_faulted
    }

    fn has_wrong_chain_id(&self) -> bool {
        self.state().has_wrong_chain_id()
    }
}

impl State {
    /// Whether the providers that said which chain they serve all name another one than the table.
    fn has_wrong_chain_id(&self) -> bool {
        !self.chains.is_empty() && self.chains.values().all(|is_ours| !is_ours)
    }
}

fn state_is_first(generation: Generation) -> bool {
    generation == Generation::FIRST
}
