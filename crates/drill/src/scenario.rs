//! Scenarios: which sources there are, and what happens to them when. Written as TOML; `docs/scenarios.md` describes the fields.
//!
//! ```
//! use saldo_drill::scenario::Scenario;
//!
//! let scenario = Scenario::from_toml(
//!     r#"
//!     title = "one of three providers is down"
//!     lasts = "4m"
//!     looks_every = "30s"
//!     naive = "wrong"
//!
//!     [[event]]
//!     at = "1m"
//!     who = "anna"
//!     faults = ["refuse"]
//!
//!     [[event]]
//!     at = "3m"
//!     who = "anna"
//!     faults = []
//!     "#,
//! )?;
//! assert_eq!(scenario.members.len(), 5);
//! assert_eq!(scenario.events.len(), 2);
//! # Ok::<(), saldo_drill::scenario::ScenarioError>(())
//! ```

mod amount;
mod built_in;
mod duration;
mod error;
mod file;
mod rollup;

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};

use crate::{ContractCode, Fault, Fork};

pub use crate::fault::Condition;
pub use amount::{Ether, ether};
pub use built_in::{built_in, file as built_in_file};
pub use duration::{brief, parse as parse_duration};
pub use error::ScenarioError;
pub use rollup::{OnRollup, RollupPlan};

/// A drill, written down.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// What goes wrong, in a few words.
    pub title: String,
    /// The same at more length, if there is more to say.
    pub about: Option<String>,
    /// How long it lasts.
    pub lasts: Duration,
    /// How often both wallets look.
    pub looks_every: Duration,
    /// The fork that the chain is at.
    pub fork: Fork,
    /// How long a slot of the chain is.
    pub slot: Duration,
    /// The rollup that wallets read, which has its contracts on the chain; `None` if they read the chain itself.
    pub rollup: Option<RollupPlan>,
    /// What the account holds at first: in wei, or in base units of the token.
    pub balance: U256,
    /// The contracts of the chain.
    pub contracts: Vec<Contract>,
    /// The address of the token that wallets read; `None` if they read the coin.
    pub token: Option<Address>,
    /// How many operators may see the address in one read.
    pub operators_per_address: usize,
    /// The places in [`Scenario::members`] of the providers that the naive wallet asks, all at once.
    pub naive_asks: Vec<usize>,
    /// Whether the naive wallet shows a wrong amount.
    pub naive: Naive,
    /// The sources that can be asked: providers first, then those of a rollup's L1, then beacon sources, then checkpoint sources.
    pub members: Vec<Member>,
    /// What happens, in order.
    pub events: Vec<Event>,
}

/// Whether a wallet that believes the first reply shows a wrong amount at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Naive {
    /// It does.
    Wrong,
    /// It does not.
    Right,
}

/// A source that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it is called.
    pub name: String,
    /// What it is asked for.
    pub role: Role,
    /// Who runs it.
    pub operator: String,
    /// The company whose machines it runs on.
    pub hosting: String,
    /// How long it takes for every answer.
    pub latency: Duration,
    /// How many blocks it is behind.
    pub lag: u64,
    /// How many blocks before its newest it can prove, if not all. Only of providers.
    pub window: Option<u64>,
}

/// A contract of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// What it is called.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// Its code; a minimal proxy names the contract that it points to.
    pub code: ContractCode,
    /// The contract that a proxy passes its calls to.
    pub points_to: Option<Address>,
    /// Words of its storage at first.
    pub slots: Vec<(B256, U256)>,
}

/// What a source is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Balances and their proofs.
    Provider,
    /// What a rollup's contracts on L1 hold.
    L1Provider,
    /// Light-client data.
    Beacon,
    /// Where trust starts.
    Checkpoint,
}

impl Role {
    /// A name, in one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::L1Provider => "l1_provider",
            Self::Beacon => "beacon",
            Self::Checkpoint => "checkpoint",
        }
    }

    /// Whether it is asked over JSON-RPC.
    pub const fn is_provider(self) -> bool {
        matches!(self, Self::Provider | Self::L1Provider)
    }
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, since the start.
    pub at: Duration,
    /// What.
    pub happening: Happening,
    /// The same in words.
    pub says: String,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Happening {
    /// These members fail in these ways from now on, and in no other.
    Fails {
        /// Places in [`Scenario::members`].
        who: Vec<usize>,
        /// How; nothing if they are well again.
        how: Vec<Fault>,
        /// The only method or route that it concerns.
        on: Option<String>,
        /// For how many requests.
        times: Option<u64>,
    },
    /// These members are slower, further behind, or prove less far back.
    Changes {
        /// Places in [`Scenario::members`].
        who: Vec<usize>,
        /// How long every answer takes.
        latency: Option<Duration>,
        /// How many blocks they are behind.
        lag: Option<u64>,
        /// How many blocks before the newest they can prove.
        window: Option<u64>,
    },
    /// Something happens to the device.
    Device(Device),
    /// Something happens to the chain.
    Chain(OnChain),
    /// Something happens to the rollup, or to the claims about it on the chain.
    Rollup(OnRollup),
}

/// What can happen to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Device {
    /// It has no network.
    Offline,
    /// It has one again.
    Online,
    /// It sleeps for so long.
    Asleep(Duration),
    /// Its clock is ahead by so much; right if by nothing.
    ClockAhead(Duration),
    /// Its clock is behind by so much.
    ClockBehind(Duration),
}

/// What can happen to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnChain {
    /// The account holds this much from the next block on: in wei, or in base units of the token.
    Balance(U256),
    /// Whether the token's issuer freezes what the account holds, from the next block on.
    Frozen(bool),
    /// A proxy passes its calls to another contract from the next block on.
    Upgraded {
        /// The proxy.
        contract: Address,
        /// The other contract.
        to: Address,
        /// What the account holds from then on, if the other contract's code was given its balances.
        balance: Option<U256>,
    },
    /// There is code at an address from the next block on.
    Deployed {
        /// The address.
        contract: Address,
        /// The code.
        code: ContractCode,
    },
    /// A contract has this word in a slot from the next block on.
    Slot {
        /// The contract.
        contract: Address,
        /// The slot.
        key: B256,
        /// The word.
        value: U256,
    },
    /// The last so many blocks are replaced by others.
    Reorganised(u64),
    /// Nothing becomes final any more, or again.
    FinalityStalls(bool),
    /// So many members sign each block; `None`: nearly all.
    Signers(Option<usize>),
    /// There is a block only every so many slots.
    Pace(u64),
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// [`ScenarioError`] if it is no TOML, has a field that there is not, or says what cannot be.
    pub fn from_toml(text: &str) -> Result<Self, ScenarioError> {
        file::read(text)
    }

    /// The members of that role, with their places.
    pub fn of(&self, role: Role) -> impl Iterator<Item = (usize, &Member)> {
        self.members.iter().enumerate().filter(move |(_, member)| member.role == role)
    }
}
