//! A scenario's chain, and who serves it.

use alloy_primitives::{Address, U256};
use saldo_beacon::unit::UnixTime;

use crate::fault::{Fault, Rule};
use crate::http::{HttpRequest, Reaction, Service};
use crate::scenario::{Condition, Event, Failing, Happening, Member, OnChain, Role, Scenario};
use crate::{BeaconSource, Chain, Provider};

/// Whose balance a scenario is about.
pub const OWNER: Address = Address::repeat_byte(0xa1);
/// Somebody else, whose proof a liar passes off as the owner's.
const ANOTHER: Address = Address::repeat_byte(0xb0);
/// How many slots the chain has at first: enough for some blocks to be final.
const HISTORY: u64 = 40;

/// A scenario's chain, and who serves it.
#[derive(Debug)]
pub struct Stage {
    /// The true chain.
    pub chain: Chain,
    /// Those of the scenario, in its order.
    pub services: Vec<Source>,
    /// Chains that are not the true one; they follow the time as it does.
    pub others: Vec<Chain>,
}

/// Whatever can be asked. A handle: clones are the same source.
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
            Role::Provider => {
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

    /// Handles are cheap: what is said to the clone holds for all.
    fn change(&self, latency: Option<std::time::Duration>, lag: Option<u64>, window: Option<u64>) {
        match self {
            Self::Provider(provider) => {
                let _ = latency.map(|latency| provider.clone().latency(latency));
                let _ = lag.map(|lag| provider.clone().lag(lag));
                let _ = window.map(|window| provider.clone().proof_window(window));
            }
            Self::Beacon(source) => {
                let _ = latency.map(|latency| source.clone().latency(latency));
                let _ = lag.map(|lag| source.clone().lag(lag));
            }
        }
    }
}

impl Stage {
    /// Sets the stage: the chain has run for 40 slots, and stands at the moment `now`, or a fixed one.
    pub fn set_up(scenario: &Scenario, now: Option<UnixTime>) -> Self {
        let mut builder = Chain::builder(2025)
            .fork(scenario.fork)
            .slot_duration(scenario.slot)
            .history(HISTORY)
            .accounts([(OWNER, scenario.balance), (ANOTHER, U256::from(700_000_000_000_000_000_u64))]);
        if let Some(now) = now {
            let before = scenario.slot.as_secs().saturating_mul(HISTORY);
            builder = builder.genesis_time(UnixTime::from_secs(now.as_secs().saturating_sub(before)));
        }
        let chain = builder.build();
        let services = scenario.members.iter().map(|member| Source::new(member, &chain)).collect();
        Self { chain, services, others: Vec::new() }
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
            Happening::Chain(OnChain::Balance(wei)) => self.chain.set_balance(OWNER, *wei),
            Happening::Chain(OnChain::Reorganised(depth)) => self.chain.reorg(*depth),
            Happening::Chain(OnChain::FinalityStalls(stalls)) => self.chain.stall_finality(*stalls),
            Happening::Chain(OnChain::Signers(signers)) => self.chain.set_signers(*signers),
            Happening::Chain(OnChain::Pace(slots)) => self.chain.set_pace(*slots),
        }
    }

    /// Brings all chains to the moment `now`.
    pub fn advance_to(&self, now: UnixTime) {
        self.chain.advance_to(now);
        self.others.iter().for_each(|other| other.advance_to(now));
    }

    fn fail(&mut self, who: &[usize], how: &[Failing], on: Option<&str>, times: Option<u64>) {
        let faults: Vec<Fault> = how.iter().filter_map(|failing| self.fault(failing)).collect();
        for service in who.iter().filter_map(|place| self.services.get(*place)) {
            service.clear();
            for fault in &faults {
                let rule = on.map_or_else(|| Rule::from(fault.clone()), |on| fault.clone().on(on));
                service.add(times.map_or_else(|| rule.clone(), |times| rule.clone().times(times)));
            }
        }
    }

    fn fault(&mut self, failing: &Failing) -> Option<Fault> {
        let other = match failing {
            Failing::AnotherNetwork => {
                let network = self.chain.network();
                let builder = Chain::builder(1).chain_id(1).slot_duration(network.slot_duration());
                let other = builder.genesis_time(network.genesis_time()).build();
                other.advance_to(self.chain.now());
                other
            }
            Failing::AnotherBranch { balance } => {
                let other = self.chain.split();
                other.set_balance(OWNER, balance.0);
                other
            }
            plain => return plain.fault(),
        };
        self.others.push(other.clone());
        Some(Fault::OtherChain(other))
    }
}

/// The condition that somebody is in who fails in these ways, and is so far behind.
pub fn condition(how: &[Failing], lag: u64, latency: std::time::Duration) -> Condition {
    let worst = how.iter().map(Failing::condition).max().unwrap_or(Condition::Well);
    let is_slow = lag > 2 || latency >= std::time::Duration::from_secs(1);
    if is_slow { worst.max(Condition::Slow) } else { worst }
}
