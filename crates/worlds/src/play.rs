//! Runs one world with one wallet, with a judge beside it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use saldo::{Holding, MemoryStorage};
use saldo_beacon::unit::UnixTime;

use super::behaviour::Chains;
use super::bound::Bounds;
use super::client::url;
use super::holding::HOLDINGS;
use super::host::{Host, Log, Role, entries, millis};
use super::judge::{Judge, Read};
use super::token;
use super::variant::Variant;
use super::verdict::{Check, Violation};
use super::wallet::{Shown, Wallet};
use super::world::{Step, World};
use saldo_drill::simulate::Simulation;

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// The first violation, with which the run ends; `None` if there is none.
    pub violation: Option<Violation>,
    /// How many readings there were.
    pub readings: u64,
    /// How many of them were proven.
    pub proven: u64,
    /// How many requests were made.
    pub requests: u64,
    /// How often each reason was given.
    pub whys: BTreeMap<&'static str, u64>,
    /// What happened, line by line, if a trace was asked for.
    pub trace: Vec<String>,
}

/// Runs `world` with the wallet of `variant`. With `tells` it keeps a trace.
pub fn play(world: &World, variant: &Variant, bounds: Bounds, tells: bool) -> Run {
    let played = catch_unwind(AssertUnwindSafe(|| {
        let world = &*variant.world(world);
        let chains = Chains::of(&world.story.recordings());
        let mut stage = Stage::new(world, &chains, variant, bounds, tells);
        for (number, step) in world.steps.iter().enumerate() {
            stage.step(number, step);
            if stage.run.violation.is_some() {
                break;
            }
        }
        stage.run
    }));
    played.unwrap_or_else(|_| {
        let violation = Violation { check: Check::Crash, step: 0, text: "it panicked".to_owned() };
        Run { violation: Some(violation), ..Run::default() }
    })
}

/// The state of a running world.
struct Stage<'a> {
    variant: &'a Variant,
    simulation: Simulation,
    start: UnixTime,
    chains: &'a Chains,
    world: &'a World,
    /// The storage that survives a restart.
    storage: MemoryStorage,
    wallet: Box<dyn Wallet>,
    judge: Judge<'a>,
    log: Log,
    run: Run,
    tells: bool,
}

impl<'a> Stage<'a> {
    fn new(world: &'a World, chains: &'a Chains, variant: &'a Variant, bounds: Bounds, tells: bool) -> Self {
        let mut simulation = Simulation::new(world.seed, &chains.main);
        chains.twin.iter().for_each(|twin| simulation.follow(twin));
        let log = Log::default();
        let kinds = [
            (Role::Provider, &world.providers),
            (Role::Source, &world.sources),
            (Role::Witness, &world.witnesses),
        ];
        for (role, parties) in kinds {
            for (index, party) in parties.iter().enumerate() {
                let (clock, log) = (simulation.clock(), Arc::clone(&log));
                let host = Host::new((role, index), party, &world.outages, chains, clock, log);
                simulation.internet().register(&url(role, index), host);
            }
        }
        let storage = MemoryStorage::new();
        let wallet = variant.wallet(world, &chains.main, &simulation, &storage);
        let start = simulation.clock().true_time();
        let judge = Judge::new(world, chains, bounds);
        let run = Run::default();
        Self { variant, simulation, start, chains, world, storage, wallet, judge, log, run, tells }
    }

    fn step(&mut self, number: usize, step: &Step) {
        let clock = self.simulation.clock();
        if self.tells && !matches!(step, Step::Read(_)) {
            self.tell(&format!("step {number}: {step:?}"));
        }
        match step {
            Step::Read(places) => self.read(number, places),
            Step::Pass(time) => self.simulation.pass(Duration::from_millis(*time)),
            Step::Sleep(seconds) => {
                clock.sleep_device(Duration::from_secs(*seconds));
                self.judge.slept = self.judge.slept.saturating_add(seconds.saturating_mul(1_000));
            }
            Step::Offline(offline) => {
                self.simulation.internet().set_offline(*offline);
                self.judge.offline = *offline;
            }
            Step::Says(online) => {
                self.judge.is_said_offline = !*online;
                self.wallet.network_changed(*online);
            }
            Step::Clock(offset) => {
                let by = Duration::from_secs(offset.unsigned_abs());
                if *offset < 0 {
                    clock.set_behind(by);
                } else {
                    clock.set_ahead(by);
                }
                self.judge.offset = *offset;
                self.judge.clock_was_touched |= *offset != 0;
            }
            Step::Restart => self.restart(),
        }
    }

    /// A wallet without storage is not restarted.
    fn restart(&mut self) {
        if !self.wallet.remembers() {
            return;
        }
        let withdrawn = HOLDINGS.map(|holding| self.wallet.withdrawn(holding).is_some());
        self.judge.restarted(self.time(), &withdrawn);
        self.wallet = self.variant.wallet(self.world, &self.chains.main, &self.simulation, &self.storage);
        if self.judge.is_said_offline {
            self.wallet.network_changed(false);
        }
    }

    fn read(&mut self, number: usize, places: &[usize]) {
        self.chains.main.advance_to(self.simulation.clock().true_time());
        let holdings: Vec<Holding> =
            places.iter().filter_map(|place| HOLDINGS.get(*place).copied()).collect();
        let (from, signed) = (self.time(), self.chains.main.signed());
        let began = entries(&self.log).len();
        let shown = self.simulation.run(self.wallet.read(&holdings));
        let until = self.time();
        let log = Arc::clone(&self.log);
        let log = entries(&log);
        let visits = log.get(began..).unwrap_or_default();
        let quarantined = self.wallet.quarantined();
        let read = Read { step: number, from, until, places, shown: &shown, signed, visits, quarantined };
        let found = self.judge.judge(&read, &log);
        self.count(&shown, visits.len());
        if self.tells {
            self.tell_read(&read);
        }
        self.run.violation = found.into_iter().find(|found| self.variant.may_be_found_by(found.check));
    }

    fn count(&mut self, shown: &[Shown], requests: usize) {
        let add = |sum: u64, many: usize| sum.saturating_add(u64::try_from(many).unwrap_or(u64::MAX));
        self.run.readings = add(self.run.readings, shown.len());
        self.run.proven = add(self.run.proven, shown.iter().filter(|shown| shown.amount.is_some()).count());
        self.run.requests = add(self.run.requests, requests);
        for code in shown.iter().filter_map(|shown| shown.why) {
            let count = self.run.whys.entry(code).or_default();
            *count = count.saturating_add(1);
        }
    }

    fn time(&self) -> u64 {
        millis(self.simulation.clock().true_time().saturating_sub(self.start))
    }

    fn tell(&mut self, what: &str) {
        let time = self.time();
        self.run.trace.push(format!("{:>10} {what}", seconds(time)));
    }

    fn tell_read(&mut self, read: &Read<'_>) {
        let signed = read.signed.number;
        self.run.trace.push(format!(
            "{:>10} step {}: reads {:?}; the newest signed block is {signed}",
            seconds(read.from),
            read.step,
            read.places
        ));
        for visit in read.visits {
            self.run.trace.push(format!(
                "{:>10}   {} <- {} ({:?}): {}",
                seconds(visit.at),
                super::client::name(visit.role, visit.index),
                visit.asked,
                visit.behaviour,
                visit.reaction
            ));
        }
        for (place, shown) in read.places.iter().zip(read.shown) {
            self.run.trace.push(format!("{:>10}   holding {place}: {}", seconds(read.until), words(shown)));
            for told in &shown.told {
                self.run.trace.push(format!("{:>10}     {told}", ""));
            }
            let Some(holding) = HOLDINGS.get(*place) else { continue };
            let truth = match token::truth(&self.chains.main, read.signed.hash, holding) {
                Some(truth) => format!("{truth:?}"),
                None => {
                    let wei = self.chains.main.balance_at(signed, holding.owner());
                    wei.unwrap_or_default().to_string()
                }
            };
            self.run.trace.push(format!("{:>10}     the truth at block {signed}: {truth}", ""));
        }
    }
}

/// A time in milliseconds as seconds.
fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

fn words(shown: &Shown) -> String {
    let mut words = Vec::new();
    if let Some(amount) = shown.amount {
        let level = if amount.block.finalized { "final" } else { "signed" };
        let frozen = if amount.is_frozen { ", frozen" } else { "" };
        words.push(format!("{} at block {} ({level}{frozen})", amount.units, amount.block.number));
    }
    if let Some(why) = shown.why {
        words.push(format!("not known: {why}"));
    }
    if let Some(claim) = shown.claim {
        words.push(format!("{claim} is claimed"));
    }
    if let Some(last) = shown.last {
        words.push(format!("last {} at block {}", last.units, last.block.number));
    }
    if let Some(withdrawn) = shown.withdrawn {
        words.push(format!("block {} withdrawn", withdrawn.number));
    }
    words.join("; ")
}
