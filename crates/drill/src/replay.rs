//! Runs saldo, and a wallet that believes the first reply, through a scenario, in virtual time.
//!
//! ```
//! use saldo_drill::replay::replay;
//! use saldo_drill::scenario::built_in;
//!
//! let (name, scenario) = built_in().into_iter().find(|(name, _)| *name == "truncated-proof").expect("it is built in");
//! let record = replay(name, &scenario)?;
//! assert!(record.naive_was_wrong() && !record.was_false());
//! # Ok::<(), saldo_drill::replay::ReplayError>(())
//! ```

mod lane;
mod record;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use futures_util::future::join;
use saldo::{
    BuildError, Client, ClientBuilder, Endpoint, EndpointError, Holding, NetworkId, Policy, Proven, Reading,
};

pub use lane::{Lane, State};
pub use record::{Happened, Known, Look, Record, Shown, Standing, WhyUnproven};

use crate::Held;
use crate::naive::NaiveWallet;
use crate::scenario::{Device, Event, Happening, Role, Scenario};
use crate::simulate::Simulation;
use crate::stage::{OWNER, Stage};

/// A number at a look is not wrong if it was true this many blocks ago: not every source has the newest block at once.
const GRACE: u64 = 3;

/// Why a scenario could not be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A member is called as no endpoint can be. The scenario's fault.
    #[error("a member cannot be called or hosted so: {0}")]
    Endpoint(#[from] EndpointError),
    /// No client can be set up so. The scenario's fault.
    #[error("no client can be set up so: {0}")]
    Build(#[from] BuildError),
}

/// Runs `scenario`, called `name`, from its start to its end.
///
/// # Errors
/// [`ReplayError`] if no client can be set up for it.
pub fn replay(name: &str, scenario: &Scenario) -> Result<Record, ReplayError> {
    let mut run = Run::set_up(scenario)?;
    let mut looks = Vec::new();
    let mut events = scenario.events.iter().peekable();
    let mut next_look = Duration::ZERO;
    loop {
        let event = events.next_if(|event| event.at <= next_look);
        if let Some(event) = event {
            run.pass_to(event.at);
            run.happens(event);
            continue;
        }
        if next_look > scenario.lasts {
            break;
        }
        run.pass_to(next_look);
        // After a sleep it is later than the look was due.
        let at = run.elapsed().max(next_look);
        looks.push(run.look(at, scenario));
        while next_look <= at {
            next_look = next_look.saturating_add(scenario.looks_every);
        }
    }
    Ok(Record {
        name: name.to_owned(),
        title: scenario.title.clone(),
        about: scenario.about.clone(),
        lasts: scenario.lasts,
        lanes: lane::lanes(scenario),
        events: scenario.events.iter().map(Happened::from).collect(),
        looks,
    })
}

struct Run {
    stage: Stage,
    simulation: Simulation,
    client: Client,
    naive: NaiveWallet,
    start: saldo::UnixTime,
}

impl Run {
    fn set_up(scenario: &Scenario) -> Result<Self, ReplayError> {
        let stage = Stage::set_up(scenario, None);
        let simulation = Simulation::new(2025, &stage.chain);
        let internet = simulation.internet();
        let operators_per_address = scenario.operators_per_address;
        let mut builder = Client::builder(stage.chain.network())
            .policy(Policy { operators_per_address, ..Policy::signed() })
            .transport(internet.clone())
            .clock(simulation.clock());
        let policy = Policy { operators_per_address, ..Policy::rollup() };
        let of_rollup = stage.rollup().map(|rollup| Client::rollup(rollup.profile()).policy(policy));
        if scenario.of(Role::Checkpoint).next().is_none() {
            builder = builder.checkpoint(stage.chain.checkpoint());
        }
        let mut providers = Vec::new();
        for (member, service) in scenario.members.iter().zip(&stage.services) {
            let url = format!("https://{}.test", member.name);
            internet.register(&url, service.clone());
            let endpoint = Endpoint::new(&url)?.named(&member.name)?;
            let endpoint = endpoint.operator(&member.operator)?.hosting(&member.hosting)?;
            builder = match member.role {
                Role::Provider => {
                    providers.push(endpoint.clone());
                    continue;
                }
                Role::L1Provider => builder.rpc(endpoint),
                Role::Beacon => builder.beacon(endpoint),
                Role::Checkpoint => builder.checkpoint_source(endpoint),
            };
        }
        let with_providers =
            |builder| providers.iter().cloned().fold(builder, |builder: ClientBuilder, it| builder.rpc(it));
        builder = match of_rollup {
            Some(of_rollup) => builder.and(with_providers(of_rollup)),
            None => with_providers(builder),
        };
        let naive = NaiveWallet::new(Arc::new(internet), providers);
        let start = simulation.clock().true_time();
        Ok(Self { stage, simulation, client: builder.build()?, naive, start })
    }

    /// How much time has really passed.
    fn elapsed(&self) -> Duration {
        self.simulation.clock().true_time().saturating_sub(self.start)
    }

    /// Lets time pass, from one claim about the rollup to the next.
    fn pass_to(&mut self, at: Duration) {
        loop {
            let claim_at = self.stage.next_claim_at().map(|due| due.saturating_sub(self.start));
            let left = claim_at.map_or(at, |due| due.min(at)).saturating_sub(self.elapsed());
            if !left.is_zero() {
                self.simulation.pass(left);
            }
            self.stage.advance_to(self.simulation.clock().true_time());
            if self.elapsed() >= at {
                return;
            }
        }
    }

    fn happens(&mut self, event: &Event) {
        let (clock, internet) = (self.simulation.clock(), self.simulation.internet());
        if let Happening::Device(device) = event.happening {
            match device {
                Device::Offline => internet.set_offline(true),
                Device::Online => internet.set_offline(false),
                Device::ClockAhead(time) => clock.set_ahead(time),
                Device::ClockBehind(time) => clock.set_behind(time),
                Device::Asleep(time) => {
                    clock.sleep_device(time);
                    self.stage.advance_to(clock.true_time());
                }
            }
        }
        let others = self.stage.others.len();
        self.stage.apply(event);
        for other in self.stage.others.iter().skip(others) {
            self.simulation.follow(other);
        }
    }

    /// Both wallets look at the same time.
    fn look(&self, at: Duration, scenario: &Scenario) -> Look {
        let truth = match self.stage.held_at_hash(self.stage.read_chain().tip().hash) {
            Some(Held::Units { units, .. }) => units,
            _ => U256::ZERO,
        };
        let holdings = [self.holding()];
        let naive = async {
            match self.stage.token() {
                Some(token) => self.naive.token_balance(OWNER, token, &scenario.naive_asks).await,
                None => self.naive.balance(OWNER, &scenario.naive_asks).await,
            }
        };
        let (naive, readings) = self.simulation.run(join(naive, self.client.read(&holdings)));
        let reading = readings.into_iter().next();
        let shown = reading.as_ref().map_or_else(Shown::nothing, |reading| self.shown(reading));
        Look { at, truth, naive, naive_is_wrong: !self.was_lately(naive), shown }
    }

    /// What both wallets look at.
    fn holding(&self) -> Holding {
        match self.stage.token() {
            Some(token) => Holding::erc20(self.client.network_id(), OWNER, token),
            None => Holding::native(NetworkId::new(self.stage.read_chain().network().chain_id()), OWNER),
        }
    }

    /// Whether the account held so much at one of the newest blocks.
    fn was_lately(&self, shown: U256) -> bool {
        let tip = self.stage.read_chain().tip().number;
        let lately = tip.saturating_sub(GRACE)..=tip;
        let held = |number| self.stage.held_at_hash(self.stage.read_chain().block(number)?.hash);
        lately.into_iter().any(|number| match held(number) {
            Some(Held::Units { units, .. }) => units == shown,
            _ => false,
        })
    }

    fn shown(&self, reading: &Reading) -> Shown {
        let proven = reading.proven().map(|proven| self.known(proven));
        let last = reading.latest_proven().filter(|_| proven.is_none()).map(|last| self.known(last));
        let standing = match reading {
            Reading::Proven(_) => Standing::Proven,
            Reading::Provisional(_) => Standing::Provisional,
            Reading::Unknown(_) => Standing::Unknown,
        };
        let claimed = match reading {
            Reading::Provisional(provisional) => {
                provisional.unconfirmed_amount().map(|amount| amount.base_units())
            }
            Reading::Proven(_) | Reading::Unknown(_) => None,
        };
        let attempts = reading.attempts().iter();
        Shown {
            standing,
            proven,
            last,
            claimed,
            why: reading.why().map(WhyUnproven::from),
            withdrawn: self.client.withdrawn(&self.holding()).is_some(),
            stopped_for: self.stopped_for(),
            attempts: attempts.map(|attempt| format!("{}: {}", attempt.provider, attempt.outcome)).collect(),
        }
    }

    /// How old the rollup's newest block is, if the client says that the rollup stands still.
    fn stopped_for(&self) -> Option<Duration> {
        let of_rollup = self.client.on(self.holding().network())?.health().rollup?;
        self.client.now().age_of(of_rollup.stopped?)
    }

    fn known(&self, proven: &Proven) -> Known {
        let anchor = proven.anchor();
        let (units, is_frozen) = (proven.amount().base_units(), proven.is_frozen());
        let truth = self.stage.held_at_hash(anchor.hash());
        Known {
            amount: units,
            unit: if self.stage.token().is_some() { "tokens" } else { "ether" },
            is_frozen,
            block: anchor.number(),
            age: self.client.now().age_of(anchor.timestamp()),
            assurance: anchor.assurance(),
            provider: proven.provider().to_string(),
            is_true: truth == Some(Held::Units { units, is_frozen }) && self.stage.is_accepted(anchor),
        }
    }
}
