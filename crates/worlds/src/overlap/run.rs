//! Runs one script with one wallet, with the judge beside it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::U256;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, join_all, select};
use saldo::Clock;
use saldo_drill::simulate::{Simulation, VirtualClock};
use saldo_drill::{BeaconSource, Chain, Fault, Provider};

use super::judge::{Judge, Moment};
use super::omission::Omission;
use super::plain::Plain;
use super::real::Real;
use super::script::{Act, Call, Mood, PROVIDERS, SOURCES, Script};
use super::wallet::{Answer, Overlapping, Told};
use crate::OWNERS;
use crate::token::{Target, TokenEvent, deploy};

/// The wallet that is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverlapWallet {
    /// `saldo`'s client.
    Real,
    /// A plain wallet that leaves every check to the gate, with or without one of them.
    Plain(Option<Omission>),
}

/// How a run went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverlapRun {
    /// The first thing that is wrong, in words.
    pub violation: Option<String>,
    /// How many answers there were.
    pub answers: u64,
    /// How many of them were proven.
    pub proven: u64,
    /// How often each reason was given.
    pub whys: BTreeMap<&'static str, u64>,
}

pub(super) fn provider_url(index: u64) -> String {
    format!("https://provider{index}.test")
}

pub(super) fn source_url(index: u64) -> String {
    format!("https://source{index}.test")
}

/// Runs `script` with `wallet`.
pub fn play_overlap(script: &Script, wallet: OverlapWallet) -> OverlapRun {
    catch_unwind(AssertUnwindSafe(|| Stage::new(script).play(script, wallet)))
        .unwrap_or_else(|_| OverlapRun { violation: Some("it panicked".to_owned()), ..OverlapRun::default() })
}

/// Two chains that part after their first blocks, so far that each has a final block of its own: copies of what is made once.
fn chains(seed: u64) -> (Chain, Chain) {
    /// How many chains there are, and how many slots each has after they part.
    const CHAINS: u64 = 8;
    const SLOTS: u64 = 60;
    /// What each holder of a token has at first.
    const UNITS: u64 = 900_000_000;
    static MADE: Mutex<BTreeMap<u64, (Chain, Chain)>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let make = || {
        let first = [1_500_000, 7].map(U256::from);
        let builder = Chain::builder(seed % CHAINS).accounts(OWNERS.into_iter().zip(first));
        let main = deploy(builder, UNITS).build();
        let other = main.split();
        // There the same token keeps its balances in another slot.
        TokenEvent::Upgrade(Target::OtherSlot).happen(&other);
        for (owner, wei) in OWNERS.into_iter().zip([0_u64, 77_000, 5_000]) {
            other.set_balance(owner, U256::from(wei));
        }
        main.advance(SLOTS);
        other.advance(SLOTS);
        (main, other)
    };
    let (main, other) = made.entry(seed % CHAINS).or_insert_with(make);
    (main.split(), other.split())
}

/// Two chains, and who serves them.
struct Stage {
    main: Chain,
    other: Chain,
    simulation: Simulation,
    providers: Vec<Provider>,
    sources: Vec<BeaconSource>,
}

impl Stage {
    fn new(script: &Script) -> Self {
        let (main, other) = chains(script.seed);
        let mut simulation = Simulation::new(script.seed, &main);
        simulation.follow(&other);
        let latency = |index: u64| Duration::from_millis(index.saturating_mul(40));
        let providers: Vec<Provider> =
            (0..PROVIDERS).map(|index| Provider::honest(&main).latency(latency(index))).collect();
        let sources: Vec<BeaconSource> =
            (0..SOURCES).map(|index| BeaconSource::honest(&main).latency(latency(index))).collect();
        for (index, provider) in (0..).zip(&providers) {
            simulation.internet().register(&provider_url(index), provider.clone());
        }
        for (index, source) in (0..).zip(&sources) {
            simulation.internet().register(&source_url(index), source.clone());
        }
        Self { main, other, simulation, providers, sources }
    }

    fn play(self, script: &Script, wallet: OverlapWallet) -> OverlapRun {
        let wallet: Box<dyn Overlapping + Send + Sync> = match wallet {
            OverlapWallet::Real => Box::new(Real::new(script, &self.main, &self.simulation)),
            OverlapWallet::Plain(omission) => {
                Box::new(Plain::new(script, &self.main, &self.simulation, omission))
            }
        };
        let judge = Mutex::new(Judge::new(script, &self.main, &self.other));
        let play = Play { stage: &self, wallet: &*wallet, judge, clock: self.simulation.clock() };
        let acts = script.acts.iter().map(|(at, act)| play.act(*at, act));
        self.simulation.run(join_all(acts));
        let judge = play.judge.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Judge { violation, answers, proven, whys, .. } = judge;
        OverlapRun { violation, answers, proven, whys }
    }
}

struct Play<'a> {
    stage: &'a Stage,
    wallet: &'a (dyn Overlapping + Send + Sync),
    judge: Mutex<Judge>,
    clock: VirtualClock,
}

impl Play<'_> {
    fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The moment when a call ends that began after this many forgets.
    fn moment(&self, began: u64) -> Moment {
        Moment {
            time: self.clock.true_time(),
            began,
            is_faulted: self.wallet.is_faulted(),
            has_wrong_chain_id: self.wallet.has_wrong_chain_id(),
        }
    }

    fn act<'a>(&'a self, at: u64, act: &'a Act) -> BoxFuture<'a, ()> {
        async move {
            self.clock.sleep(Duration::from_millis(at)).await;
            match act {
                Act::Call(call, None) => self.call(call).await,
                Act::Call(call, Some(dropped)) => {
                    let dropped = self.clock.sleep(Duration::from_millis(*dropped));
                    let _ = select(self.call(call), dropped).await;
                }
                Act::Forget(holding) => {
                    self.wallet.forget(*holding);
                    self.judge().forgotten(*holding);
                }
                Act::Restart { other } => {
                    let chain = if *other { &self.stage.other } else { &self.stage.main };
                    self.wallet.restart(chain.checkpoint());
                    self.judge().restarted(*other);
                    self.serve();
                }
                Act::Adopt => self.wallet.adopt(),
                Act::Provider(index, mood) => self.provider(*index, *mood),
                Act::Source(index, mood) => self.source(*index, *mood),
                Act::Balance(owner, wei) => {
                    let owner = usize::try_from(*owner).ok().and_then(|owner| OWNERS.get(owner).copied());
                    self.stage.main.set_balance(owner.unwrap_or_default(), U256::from(*wei));
                }
                Act::Token(event) => event.happen(&self.stage.main),
                Act::Reorg(depth) => self.stage.main.reorg(*depth),
                Act::Unlock => self.wallet.unlock(),
            }
        }
        .boxed()
    }

    /// From now on all answers are true, and about the chain that trust starts from.
    fn serve(&self) {
        self.stage.providers.iter().for_each(|provider| self.serve_execution(provider));
        self.stage.sources.iter().for_each(|source| self.serve_heads(source));
    }

    fn serve_execution(&self, provider: &Provider) {
        provider.clear();
        if self.judge().is_other {
            provider.add(Fault::OtherChain(self.stage.other.clone()));
        }
    }

    fn serve_heads(&self, source: &BeaconSource) {
        source.clear();
        if self.judge().is_other {
            source.add(Fault::OtherChain(self.stage.other.clone()));
        }
    }

    fn call<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, ()> {
        async move {
            match call {
                Call::Read(holdings) => self.read(holdings, false).await,
                Call::Balance(holding) => self.read(std::slice::from_ref(holding), false).await,
                Call::Finalized(holdings) => self.read(holdings, true).await,
                Call::Refresh => {
                    let began = self.judge().forgets();
                    let all = self.wallet.refresh().await;
                    let moment = self.moment(began);
                    for (holding, answer) in all {
                        self.judge().answer(holding, &answer, false, moment);
                    }
                }
                Call::Watch(holdings, millis) => {
                    let began = self.judge().forgets();
                    let tell = |told| self.tell(told, began);
                    let watch = self.wallet.watch(holdings, &tell);
                    let over = self.clock.sleep(Duration::from_millis(*millis));
                    if let Either::Left(((), _)) = select(watch, over).await {
                        self.judge().violation.get_or_insert_with(|| "a watch ended".to_owned());
                    }
                }
                Call::Last(holding) => {
                    if let Some(last) = self.wallet.last(*holding) {
                        self.judge().last(*holding, &last);
                    }
                }
            }
        }
        .boxed()
    }

    async fn read(&self, holdings: &[u64], finalized: bool) {
        let began = self.judge().forgets();
        let answers: Vec<Answer> = self.wallet.read(holdings, finalized).await;
        let moment = self.moment(began);
        self.judge().call(holdings, &answers, finalized, moment);
    }

    fn tell(&self, told: Told, began: u64) {
        let moment = self.moment(began);
        match told {
            Told::Answer(holding, answer) => self.judge().answer(holding, &answer, false, moment),
            Told::Withdrawn(holding, amount) => self.judge().withdrawn(holding, &amount),
        }
    }

    fn provider(&self, index: u64, mood: Mood) {
        let provider = usize::try_from(index).ok().and_then(|index| self.stage.providers.get(index));
        let Some(provider) = provider else { return };
        match mood {
            Mood::Honest => self.serve_execution(provider),
            Mood::Hang => provider.add(Fault::Hang.on("eth_getProof")),
            Mood::Partial => provider.add(Fault::PartialBatch.on("eth_getProof")),
            Mood::Error => provider.add(Fault::Status(500).times(6)),
            Mood::OtherChain => provider.add(Fault::OtherChain(self.stage.other.clone())),
        }
    }

    fn source(&self, index: u64, mood: Mood) {
        let source = usize::try_from(index).ok().and_then(|index| self.stage.sources.get(index));
        let Some(source) = source else { return };
        match mood {
            Mood::Honest => self.serve_heads(source),
            Mood::Hang | Mood::Partial => source.add(Fault::Hang),
            Mood::Error => source.add(Fault::Status(500).times(6)),
            Mood::OtherChain => {
                source.add(Fault::OtherChain(self.stage.other.clone()));
                self.judge().mixed();
            }
        }
    }
}
