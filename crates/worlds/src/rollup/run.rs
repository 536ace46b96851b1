//! Runs one script with the client, with the judge beside it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::U256;
use futures_util::future::{Either, select};
use saldo::{Change, Client, Clock, Holding, MemoryStorage, NetworkId, Policy, Proven, Reading, UnixTime};
use saldo_drill::simulate::Simulation;
use saldo_drill::{BeaconSource, Chain, Fault, Preset, Provider, Rollup};

use super::judge::{Amount, Answer, Judge, Told};
use super::omission::Omission;
use super::proposer::Proposer;
use super::scale::Scale;
use super::script::{Act, Games, Mood, PROVIDERS, Script};
use crate::OWNERS;

/// How many slots of L1 pass until a block is final.
const FINAL: u64 = 32;

/// How a run went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollupRun {
    /// The first thing that is wrong, in words.
    pub violation: Option<String>,
    /// How many answers there were.
    pub answers: u64,
    /// How many of them were proven.
    pub proven: u64,
    /// How often each reason was given.
    pub whys: BTreeMap<&'static str, u64>,
}

/// Runs `script` with the client, or with a wallet around it that gets one thing wrong.
pub fn play_rollup(script: &Script, omission: Option<Omission>) -> RollupRun {
    catch_unwind(AssertUnwindSafe(|| Stage::new(script, omission).play(script)))
        .unwrap_or_else(|_| RollupRun { violation: Some("it panicked".to_owned()), ..RollupRun::default() })
}

/// An L1, its rollup, those who serve both, and the app.
struct Stage {
    script: Script,
    scale: Scale,
    omission: Option<Omission>,
    l1: Chain,
    rollup: Rollup,
    branch: Chain,
    simulation: Simulation,
    providers: Vec<(Provider, Mood)>,
    of_l1: (Provider, BeaconSource),
    storage: MemoryStorage,
    proposer: Mutex<Proposer>,
    judge: Mutex<Judge>,
    is_paused: bool,
    /// What the app with an omission has shown of each account.
    shown: Mutex<BTreeMap<u64, Amount>>,
}

impl Stage {
    fn new(script: &Script, omission: Option<Omission>) -> Self {
        let scale = Scale::of(script.games);
        let l1 = Chain::builder(script.seed).preset(scale.preset).build();
        let rollup = Rollup::with_chain(&l1, &own_chain(script.seed, &l1, scale), scale.kind);
        for (owner, wei) in OWNERS.into_iter().zip([1_500_000_u64, 7]) {
            rollup.chain().set_balance(owner, U256::from(wei));
        }
        // No reorganisation of L1 undoes the contracts.
        rollup.advance(FINAL);
        l1.set_pace(scale.pace);
        let branch = rollup.chain().split();
        for (owner, wei) in OWNERS.into_iter().zip([0_u64, 77_000, 5_000]) {
            branch.set_balance(owner, U256::from(wei));
        }
        let mut simulation = Simulation::new(script.seed, &l1);
        simulation.follow(rollup.chain());
        if script.has_branch {
            simulation.follow(&branch);
        }
        let internet = simulation.internet();
        let of_l1 = (Provider::honest(&l1), BeaconSource::honest(&l1));
        internet.register("https://l1.test", of_l1.0.clone());
        internet.register("https://source.test", of_l1.1.clone());
        let latency = |index: u64| Duration::from_millis(index.saturating_mul(40));
        let provider = |index| Provider::honest(rollup.chain()).proof_window(8).latency(latency(index));
        let providers: Vec<(Provider, Mood)> =
            (0..PROVIDERS).map(|index| (provider(index), Mood::Honest)).collect();
        for (index, (provider, _)) in (0_u64..).zip(&providers) {
            internet.register(&url(index), provider.clone());
        }
        Self {
            judge: Mutex::new(Judge::new(&l1, &rollup, &branch, script.games)),
            proposer: Mutex::new(Proposer::new(&rollup, &branch, scale, script)),
            script: script.clone(),
            scale,
            omission,
            l1,
            rollup,
            branch,
            simulation,
            providers,
            of_l1,
            storage: MemoryStorage::new(),
            is_paused: false,
            shown: Mutex::default(),
        }
    }

    fn client(&self) -> Client {
        let operators = usize::try_from(self.script.operators).unwrap_or(1);
        let of_l1 = Client::builder(self.l1.network())
            .checkpoint(self.l1.checkpoint())
            .policy(Policy { operators_per_address: operators, ..Policy::signed() })
            .transport(self.simulation.internet())
            .clock(self.simulation.clock())
            .storage(self.storage.clone())
            .rpc("l1=https://l1.test")
            .beacon("source=https://source.test");
        let rollup = Client::rollup(self.rollup.profile()).policy(self.scale.policy(operators));
        let rollup = (0..PROVIDERS)
            .fold(rollup, |rollup, index| rollup.rpc(format!("provider{index}={}", url(index))));
        of_l1.and(rollup).build().expect("a script's app has all it needs")
    }

    fn play(mut self, script: &Script) -> RollupRun {
        let mut client = self.client();
        for (seconds, act) in &script.acts {
            self.simulation.run(self.pass(*seconds));
            match act {
                Act::Read(accounts) => self.read(&client, accounts),
                Act::Watch(accounts, seconds) => self.watch(&client, accounts, *seconds),
                Act::Restart => {
                    drop(client);
                    client = self.client();
                }
                happening => self.happen(happening),
            }
        }
        let judge = self.judge.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Judge { violation, answers, proven, whys, .. } = judge;
        RollupRun { violation, answers, proven, whys }
    }

    fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn proposer(&self) -> MutexGuard<'_, Proposer> {
        self.proposer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn holding(&self, account: u64) -> Holding {
        let owner = usize::try_from(account).ok().and_then(|place| OWNERS.get(place).copied());
        Holding::native(NetworkId::new(self.rollup.profile().chain_id()), owner.unwrap_or_default())
    }

    /// Lets time pass, in which claims are made.
    async fn pass(&self, seconds: u64) {
        let mut left = seconds;
        while left > 0 {
            let step = left.min(self.scale.look);
            self.simulation.clock().sleep(Duration::from_secs(step)).await;
            left = left.saturating_sub(step);
            let (mut proposer, mut judge) = (self.proposer(), self.judge());
            proposer.propose(&mut judge);
            proposer.end(&self.l1);
            judge.look();
        }
    }

    fn read(&self, client: &Client, accounts: &[u64]) {
        self.judge().look();
        let began = self.judge().finals();
        let holdings: Vec<Holding> = accounts.iter().map(|account| self.holding(*account)).collect();
        let readings = self.simulation.run(client.read(&holdings));
        for (account, reading) in accounts.iter().zip(&readings) {
            let answer = self.shown(*account, Answer::of(reading), reading);
            self.judge().answer(*account, &answer, Told::ByCall { began });
        }
    }

    fn watch(&self, client: &Client, accounts: &[u64], seconds: u64) {
        let of = |holding: &Holding| {
            let account = accounts.iter().find(|account| self.holding(**account) == *holding);
            account.copied().unwrap_or_default()
        };
        let looking = async {
            let mut watch = client.watch(accounts.iter().map(|account| self.holding(*account)));
            loop {
                match watch.next().await {
                    Change::Reading { holding, reading, .. } => {
                        let account = of(&holding);
                        let answer = self.shown(account, Answer::of(&reading), &reading);
                        self.judge().answer(account, &answer, Told::ByWatch);
                    }
                    Change::Remembered { holding, last, .. } | Change::Withdrawn { holding, last, .. } => {
                        let last = last.as_ref().map(Amount::of);
                        let answer = Answer { last, ..Answer::default() };
                        self.judge().answer(of(&holding), &answer, Told::FromMemory);
                    }
                    _ => {}
                }
            }
        };
        let over = Box::pin(self.pass(seconds));
        let ended = self.simulation.run(select(Box::pin(looking), over));
        if let Either::Left(((), _)) = ended {
            self.judge().violation.get_or_insert_with(|| "a watch ended".to_owned());
        }
    }

    /// What the app shows, if it gets something wrong.
    fn shown(&self, account: u64, answer: Answer, reading: &Reading) -> Answer {
        let Some(omission) = self.omission else { return answer };
        let tip = self.rollup.chain().tip();
        let in_newest =
            |wei| Amount { wei, number: tip.number, hash: tip.hash, timestamp: tip.timestamp.as_secs() };
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shown.get(&account).copied();
        let age = |amount: &Amount| self.l1.now().as_secs().saturating_sub(amount.timestamp);
        let amount = match omission {
            Omission::Unconfirmed => match reading {
                Reading::Provisional(claim) => {
                    claim.unconfirmed_amount().map(|amount| in_newest(amount.base_units()))
                }
                _ => None,
            },
            Omission::TakenBack => before.filter(|before| age(before) < self.scale.longest_age),
            Omission::Age => answer.last,
            Omission::Zero => Some(in_newest(U256::ZERO)),
            Omission::Impatient => None,
        };
        let has_failed = reading.attempts().iter().any(|attempt| attempt.outcome.failure().is_some());
        let amount = match answer.amount {
            Some(_) if omission == Omission::Impatient && has_failed => None,
            Some(amount) => Some(amount),
            None => amount,
        };
        amount.and_then(|amount| shown.insert(account, amount));
        Answer { amount, ..answer }
    }

    /// Lets `act` happen, which is none of the app's.
    fn happen(&mut self, act: &Act) {
        match act {
            Act::Read(_) | Act::Watch(..) | Act::Restart => {}
            Act::Balance(account, wei) => {
                let owner = self.holding(*account).owner();
                self.rollup.chain().set_balance(owner, U256::from(*wei));
                self.judge().changed(*account);
            }
            Act::Provider(index, mood) => self.provider(*index, *mood),
            Act::L1(is_reachable) => self.reach_l1(*is_reachable),
            Act::Reorg(depth) => self.l1.reorg(*depth),
            Act::Claims(is_on) => self.proposer().is_on = *is_on,
            Act::FalseClaims(is_lying) => self.proposer().is_lying = *is_lying,
            Act::Blacklist => self.proposer().blacklist(),
            Act::Refute => self.proposer().refute(),
            Act::Retire => self.rollup.retire(self.l1.now()),
            Act::Pause(is_paused) => {
                self.rollup.pause(*is_paused);
                self.is_paused = *is_paused;
            }
            Act::Sequencer(makes_blocks) => {
                self.rollup.chain().stop(!makes_blocks);
                let now = self.l1.now().as_secs();
                let mut judge = self.judge();
                judge.stopped_since = match makes_blocks {
                    true => None,
                    false => judge.stopped_since.or(Some(now)),
                };
            }
        }
        let is_calm = self.is_calm();
        let is_harm = matches!(act, Act::Blacklist | Act::Refute | Act::Retire);
        let now = self.l1.now().as_secs();
        let mut judge = self.judge();
        judge.takes_back |= is_harm;
        // Where it lasts for days, it goes on while nothing but a provider or a balance changes.
        let goes_on = self.script.games == Games::AfterDays && is_calm && !is_harm;
        judge.calm_since = match judge.calm_since {
            Some(since) if goes_on => Some(since),
            _ => is_calm.then_some(now),
        };
    }

    /// Whether everything works, and one provider of the rollup at least.
    fn is_calm(&self) -> bool {
        let proposer = self.proposer();
        let judge = self.judge();
        let has = |wanted| self.providers.iter().any(|(_, mood)| *mood == wanted);
        proposer.is_on
            && !proposer.may_lie()
            && !self.is_paused
            && has(Mood::Honest)
            // An amount at another head is shown as unconfirmed, beside the one that L1 vouches for.
            && !has(Mood::Branch)
            && judge.l1_since.is_some()
            && judge.stopped_since.is_none()
    }

    fn reach_l1(&self, is_reachable: bool) {
        let (provider, source) = &self.of_l1;
        let now = self.l1.now().as_secs();
        let mut judge = self.judge();
        if !is_reachable && judge.l1_since.is_some() {
            judge.l1_until = Some(now);
        }
        judge.l1_since = match is_reachable {
            true => judge.l1_since.or(Some(now)),
            false => None,
        };
        provider.clear();
        source.clear();
        if !is_reachable {
            provider.add(Fault::Refuse);
            source.add(Fault::Refuse);
        }
    }

    fn provider(&mut self, index: u64, mood: Mood) {
        let provider = usize::try_from(index).ok().and_then(|index| self.providers.get_mut(index));
        let Some((provider, known)) = provider else { return };
        *known = mood;
        provider.clear();
        match mood {
            Mood::Honest => {}
            Mood::Hang => provider.add(Fault::Hang),
            Mood::Error => provider.add(Fault::Status(500)),
            Mood::NoProofs => provider.add(Fault::NoProofs),
            Mood::OtherAccount => provider.add(Fault::OtherAccountsProof),
            Mood::Truncated => provider.add(Fault::TruncatedProof { nodes: 1 }),
            Mood::Zero => provider.add(Fault::ZeroBalance),
            Mood::Branch => provider.add(Fault::OtherChain(self.branch.clone())),
        }
    }
}

/// The chain of the rollup, which stands where L1 stands.
fn own_chain(seed: u64, l1: &Chain, scale: Scale) -> Chain {
    let age = scale.history.saturating_mul(scale.block_time);
    let chain = Chain::builder(seed.wrapping_add(1))
        .chain_id(scale.kind.chain_id())
        .preset(Preset::Development)
        .slot_duration(Duration::from_secs(scale.block_time))
        .genesis_time(UnixTime::from_secs(l1.now().as_secs().saturating_sub(age)))
        .history(0)
        .build();
    chain.set_signers(Some(0));
    chain.advance_to(l1.now());
    chain
}

fn url(index: u64) -> String {
    format!("https://provider{index}.test")
}

impl Amount {
    fn of(proven: &Proven) -> Self {
        let anchor = proven.anchor();
        Self {
            wei: proven.amount().base_units(),
            number: anchor.number(),
            hash: anchor.hash(),
            timestamp: anchor.timestamp().as_secs(),
        }
    }
}

impl Answer {
    fn of(reading: &Reading) -> Self {
        let amount = reading.proven().map(Amount::of);
        let last = if amount.is_none() { reading.latest_proven().map(Amount::of) } else { None };
        Self { amount, last, why: reading.why().map(saldo::Why::code) }
    }
}
