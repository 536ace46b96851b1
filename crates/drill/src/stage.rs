//! A scenario's chain, and the sources that serve it.

mod rollup;
mod token;

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use saldo::{Anchor, Assurance};
use saldo_beacon::unit::UnixTime;

use crate::fault::{Fault, Rule};
use crate::http::{HttpRequest, Reaction, Service};
use crate::scenario::{Condition, Event, Happening, Member, OnChain, Role, RollupPlan, Scenario};
use crate::{BeaconSource, Chain, Held, Protocol, Provider, Rollup, Server};

use rollup::Staged;
use token::Token;

/// The account whose balance a scenario is about.
pub const OWNER: Address = Address::repeat_byte(0xa1);
/// Another account, whose proof a liar presents as the owner's.
const ANOTHER: Address = Address::repeat_byte(0xb0);
/// How many slots the chain has at first: enough for some blocks to be final.
const HISTORY: u64 = 40;

/// A scenario's chain, and the sources that serve it.
#[derive(Debug)]
pub struct Stage {
    /// The true chain; of a rollup its L1.
    pub chain: Chain,
    /// Those of the scenario, in its order.
    pub services: Vec<Source>,
    /// Chains that are not the true one; they follow the time as it does.
    pub others: Vec<Chain>,
    /// The token that wallets read, if they do not read the coin.
    token: Option<Token>,
    /// The rollup that wallets read, if they do not read the chain itself.
    rollup: Option<Staged>,
    /// How many of the services serve the rollup. They are the first ones.
    on_rollup: usize,
}

/// A source of either kind. A handle: clones are the same source.
#[derive(Clone, Debug)]
pub enum Source {
    /// A provider.
    Provider(Provider),
    /// A beacon source, or a checkpoint source.
    Beacon(BeaconSource),
}

impl Service for Source {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        match self {
            Self::Provider(provider) => provider.answer(request),
            Self::Beacon(source) => source.answer(request),
        }
    }

    fn refuses(&self) -> bool {
        match self {
            Self::Provider(provider) => provider.refuses(),
            Self::Beacon(source) => source.refuses(),
        }
    }
}

impl Source {
    fn new(member: &Member, chain: &Chain) -> Self {
        match member.role {
            Role::Provider | Role::L1Provider => {
                let provider = Provider::honest(chain).latency(member.latency).lag(member.lag);
                Self::Provider(match member.window {
                    Some(blocks) => provider.proof_window(blocks),
                    None => provider,
                })
            }
            Role::Beacon | Role::Checkpoint => {
                Self::Beacon(BeaconSource::honest(chain).latency(member.latency).lag(member.lag))
            }
        }
    }

    fn clear(&self) {
        match self {
            Self::Provider(provider) => provider.clear(),
            Self::Beacon(source) => source.clear(),
        }
    }

    fn add(&self, rule: Rule) {
        match self {
            Self::Provider(provider) => provider.add(rule),
            Self::Beacon(source) => source.add(rule),
        }
    }

    fn change(&self, latency: Option<Duration>, lag: Option<u64>, window: Option<u64>) {
        match self {
            Self::Provider(provider) => {
                change(provider, latency, lag);
                window.into_iter().for_each(|blocks| provider.set_proof_window(blocks));
            }
            Self::Beacon(source) => change(source, latency, lag),
        }
    }
}

fn change<P: Protocol>(server: &Server<P>, latency: Option<Duration>, lag: Option<u64>) {
    latency.into_iter().for_each(|latency| server.set_latency(latency));
    lag.into_iter().for_each(|blocks| server.set_lag(blocks));
}

impl Stage {
    /// Sets the stage: the chain has run for 40 slots, and stands at the moment `now`, or a fixed one. With a rollup it has run longer,
    /// until L1 vouched for a block of it.
    pub fn set_up(scenario: &Scenario, now: Option<UnixTime>) -> Self {
        let mut builder =
            Chain::builder(2025).fork(scenario.fork).slot_duration(scenario.slot).history(HISTORY);
        let accounts = [(OWNER, scenario.balance), (ANOTHER, U256::from(700_000_000_000_000_000_u64))];
        if scenario.rollup.is_none() {
            builder = builder.accounts(accounts);
        }
        let history = scenario.slot.as_secs().saturating_mul(HISTORY);
        // With a rollup its first claim is made after that, and is final after as many slots as there were before.
        let until_claim = |plan: RollupPlan| plan.claims_every.saturating_add(plan.claims_after).as_secs();
        let until_final = scenario.rollup.map_or(0, |plan| until_claim(plan).saturating_add(history));
        if let Some(now) = now {
            let before = history.saturating_add(until_final);
            builder = builder.genesis_time(UnixTime::from_secs(now.as_secs().saturating_sub(before)));
        }
        let token = scenario.token.map(|address| {
            let contracts = scenario.contracts.clone();
            Token { address, contracts, units: scenario.balance, is_frozen: false }
        });
        let chain = token.iter().fold(builder, |builder, token| token.deploy(builder, OWNER)).build();
        let rollup = scenario.rollup.map(|plan| Staged::new(&chain, plan, OWNER, accounts));
        let read = rollup.as_ref().map_or(&chain, |staged| staged.rollup.chain());
        let source =
            |member: &Member| Source::new(member, if member.role == Role::Provider { read } else { &chain });
        let services = scenario.members.iter().map(source).collect();
        let on_rollup = scenario.rollup.map_or(0, |_| scenario.of(Role::Provider).count());
        let mut stage = Self { chain, services, others: Vec::new(), token, rollup, on_rollup };
        if scenario.rollup.is_some() {
            let seconds = stage.chain.now().as_secs().saturating_add(until_final);
            stage.advance_to(UnixTime::from_secs(seconds));
        }
        stage
    }

    /// The rollup that wallets read; `None` if they read the chain itself.
    pub fn rollup(&self) -> Option<&Rollup> {
        self.rollup.as_ref().map(|staged| &staged.rollup)
    }

    /// The chain that wallets read.
    pub fn read_chain(&self) -> &Chain {
        self.rollup().map_or(&self.chain, Rollup::chain)
    }

    /// The address of the token that wallets read; `None` if they read the coin.
    pub fn token(&self) -> Option<Address> {
        self.token.as_ref().map(|token| token.address)
    }

    /// The truth: what the account holds after the block of that hash; `None` if there is no such block.
    pub fn held_at_hash(&self, hash: B256) -> Option<Held> {
        match self.token() {
            Some(token) => self.chain.held_at_hash(hash, token, OWNER),
            None => {
                let units = self.read_chain().balance_at_hash(hash, OWNER)?;
                Some(Held::Units { units, is_frozen: false })
            }
        }
    }

    /// The truth: whether a block counts by the chain itself. Of a rollup: L1 accepted a claim about it, or about a later block, at the
    /// final block of L1 that the anchor names. A block of another branch than the rollup's is never accepted.
    pub fn is_accepted(&self, anchor: &Anchor) -> bool {
        let Some(staged) = &self.rollup else { return true };
        let Assurance::Rollup(vouched) = anchor.assurance() else { return false };
        let (l1, hash, _) = vouched.l1();
        let is_final = l1 <= self.chain.finalized().number
            && self.chain.block(l1).is_some_and(|block| block.hash == hash);
        let is_own = staged.rollup.chain().block(anchor.number()).map(|block| block.hash);
        is_final && is_own == Some(anchor.hash()) && staged.accepts(vouched.game(), hash, anchor.number())
    }

    /// Lets `event` happen, as far as it does not happen to the device.
    pub fn apply(&mut self, event: &Event) {
        match &event.happening {
            Happening::Fails { who, how, on, times } => self.fail(who, how, on.as_deref(), *times),
            Happening::Changes { who, latency, lag, window } => {
                let meant = who.iter().filter_map(|place| self.services.get(*place));
                meant.for_each(|service| service.change(*latency, *lag, *window));
            }
            Happening::Device(_) => {}
            Happening::Rollup(event) => {
                let lie = self.rollup.as_mut().and_then(|staged| staged.apply(*event));
                lie.iter().for_each(|branch| self.follow(branch));
            }
            Happening::Chain(OnChain::Balance(units)) => self.set_balance(*units),
            Happening::Chain(OnChain::Frozen(is_it)) => self.change_token(|token| token.is_frozen = *is_it),
            Happening::Chain(OnChain::Upgraded { contract, to, balance }) => {
                self.upgrade(*contract, *to, *balance);
            }
            Happening::Chain(OnChain::Deployed { contract, code }) => {
                self.chain.deploy(*contract, code);
                self.change_token(|token| token.deployed(*contract, *code));
            }
            Happening::Chain(OnChain::Slot { contract, key, value }) => {
                self.chain.set_storage(*contract, *key, *value);
            }
            Happening::Chain(OnChain::Reorganised(depth)) => self.chain.reorg(*depth),
            Happening::Chain(OnChain::FinalityStalls(stalls)) => self.chain.stall_finality(*stalls),
            Happening::Chain(OnChain::Signers(signers)) => self.chain.set_signers(*signers),
            Happening::Chain(OnChain::Pace(slots)) => self.chain.set_pace(*slots),
        }
    }

    fn set_balance(&mut self, units: U256) {
        match self.token {
            Some(_) => self.change_token(|token| token.units = units),
            None => self.read_chain().set_balance(OWNER, units),
        }
    }

    /// Changes what is known of the token, and what its code keeps for the account.
    fn change_token(&mut self, change: impl FnOnce(&mut Token)) {
        let Some(token) = &mut self.token else { return };
        change(token);
        if let Some((key, word)) = token.word(OWNER, token.units, token.is_frozen) {
            self.chain.set_storage(token.address, key, word);
        }
    }

    fn upgrade(&mut self, contract: Address, to: Address, balance: Option<U256>) {
        let Some(token) = &mut self.token else { return };
        if let Some(key) = token.upgraded(contract, to) {
            self.chain.set_storage(contract, key, U256::from_be_bytes(to.into_word().0));
        }
        // Without it the other code finds what is in its slot.
        if let Some(units) = balance {
            self.change_token(|token| token.units = units);
        }
    }

    /// When the next claim about the rollup is due, if there is any: the stage must be advanced to that moment.
    pub fn next_claim_at(&self) -> Option<UnixTime> {
        self.rollup.as_ref().and_then(Staged::next_claim_at)
    }

    /// Brings all chains to the moment `now`, and makes the claims that are due by then.
    pub fn advance_to(&mut self, now: UnixTime) {
        while let Some(at) = self.next_claim_at().filter(|at| *at <= now) {
            self.advance_chains(at);
            self.rollup.iter_mut().for_each(Staged::claim);
        }
        self.advance_chains(now);
    }

    fn advance_chains(&self, now: UnixTime) {
        let chains = self.others.iter().chain(self.rollup().map(Rollup::chain)).chain([&self.chain]);
        chains.for_each(|chain| chain.advance_to(now));
    }

    fn fail(&mut self, who: &[usize], how: &[Fault], on: Option<&str>, times: Option<u64>) {
        let (of_rollup, of_chain): (Vec<usize>, Vec<usize>) =
            who.iter().partition(|at| **at < self.on_rollup);
        for (group, chain) in [(of_rollup, self.read_chain().clone()), (of_chain, self.chain.clone())] {
            if group.is_empty() {
                continue;
            }
            let faults: Vec<Fault> = how.iter().map(|fault| self.with_its_chain(fault, &chain)).collect();
            for service in group.iter().filter_map(|place| self.services.get(*place)) {
                service.clear();
                faults.iter().for_each(|fault| service.add(Rule::limited(fault.clone(), on, times)));
            }
        }
    }

    /// The fault of sources of `chain`; with the other chain that it names, if it names one.
    fn with_its_chain(&mut self, fault: &Fault, chain: &Chain) -> Fault {
        let other = match fault {
            Fault::AnotherNetwork => {
                let network = chain.network();
                let builder = Chain::builder(1).chain_id(1).slot_duration(network.slot_duration());
                let other = builder.genesis_time(network.genesis_time()).build();
                other.advance_to(chain.now());
                other
            }
            Fault::AnotherBranch { balance } => {
                if let Some(staged) = self.rollup.as_mut().filter(|staged| staged.rollup.chain() == chain) {
                    let other = staged.branch(*balance);
                    self.follow(&other);
                    return Fault::OtherChain(other);
                }
                let other = chain.split();
                match self.token.as_ref().and_then(|it| Some((it.address, it.word(OWNER, *balance, false)?)))
                {
                    Some((token, (key, word))) => other.set_storage(token, key, word),
                    None => other.set_balance(OWNER, *balance),
                }
                other
            }
            other => return other.clone(),
        };
        self.follow(&other);
        Fault::OtherChain(other)
    }

    fn follow(&mut self, other: &Chain) {
        if !self.others.contains(other) {
            self.others.push(other.clone());
        }
    }
}

/// The state of a source that has these faults, is so many blocks behind, and takes so long.
pub fn condition(how: &[Fault], lag: u64, latency: Duration) -> Condition {
    let worst = how.iter().map(Fault::condition).max().unwrap_or(Condition::Well);
    let is_slow = lag > 2 || latency >= Duration::from_secs(1);
    if is_slow { worst.max(Condition::Slow) } else { worst }
}
