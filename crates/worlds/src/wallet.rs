//! The wallet that is judged, behind a small interface: what it is asked, and what its screen would show.

use alloy_primitives::{Address, B256, U256};
use futures_util::future::BoxFuture;
use saldo::{Anchor, Level, Proven, Reading, UnixTime};

/// A wallet.
pub trait Wallet {
    /// Reads what these hold, in the same order.
    fn read<'a>(&'a self, owners: &'a [Address]) -> BoxFuture<'a, Vec<Shown>>;

    /// The app says that the device lost or found its network.
    fn network_changed(&self, _online: bool) {}

    /// Whether it keeps what it knows where the next start of the app finds it.
    fn remembers(&self) -> bool {
        false
    }

    /// The block of an amount of `owner` that the chain took back, as long as none was proven since.
    fn withdrawn(&self, _owner: Address) -> Option<ShownBlock> {
        None
    }

    /// Whom it does not ask any more because of what they did, by the place among the execution providers.
    fn quarantined(&self) -> Vec<usize> {
        Vec::new()
    }
}

/// A block as a screen names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time.
    pub time: UnixTime,
    /// Whether it is said to be final.
    pub finalized: bool,
}

/// An amount as a screen shows it: with the block at which it is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownAmount {
    /// How many wei.
    pub wei: U256,
    /// The block.
    pub block: ShownBlock,
}

/// What a screen shows after a read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The amount, if it is shown as known now.
    pub amount: Option<ShownAmount>,
    /// The amount from before that it goes on showing otherwise.
    pub last: Option<ShownAmount>,
    /// What somebody claims, marked as unconfirmed.
    pub claim: Option<U256>,
    /// The code of the reason, if nothing is known now.
    pub why: Option<&'static str>,
    /// The block of an amount that the chain took back, as long as none was proven since.
    pub withdrawn: Option<ShownBlock>,
    /// How many attempts it tells of.
    pub attempts: usize,
    /// The same in words, for the trace.
    pub told: Vec<String>,
}

impl Shown {
    /// The newest amount on the screen.
    pub fn newest(&self) -> Option<ShownAmount> {
        self.amount.or(self.last)
    }

    /// What a screen shows of `reading`, where the chain took `withdrawn` back.
    pub fn of(reading: &Reading, withdrawn: Option<&Proven>) -> Self {
        let attempts = reading.attempts();
        let told = attempts.iter().map(|attempt| {
            format!("{} {}: {}", attempt.provider, attempt.role.code(), attempt.outcome.code())
        });
        let shown = Self {
            why: reading.why().map(saldo::Why::code),
            withdrawn: withdrawn.map(|proven| ShownBlock::of(proven.anchor())),
            attempts: attempts.len(),
            told: told.collect(),
            ..Self::default()
        };
        match reading {
            Reading::Proven(proven) => Self { amount: Some(proven.into()), ..shown },
            Reading::Provisional(claim) => Self {
                last: claim.last().map(Into::into),
                claim: claim.unconfirmed_amount().map(|amount| amount.base_units()),
                ..shown
            },
            Reading::Unknown(unknown) => Self { last: unknown.last().map(Into::into), ..shown },
        }
    }
}

impl ShownBlock {
    /// The block of `anchor`.
    pub fn of(anchor: &Anchor) -> Self {
        Self {
            number: anchor.number(),
            hash: anchor.hash(),
            time: anchor.timestamp(),
            finalized: anchor.assurance().level() == Level::Finalized,
        }
    }
}

impl From<&Proven> for ShownAmount {
    fn from(proven: &Proven) -> Self {
        Self { wei: proven.amount().base_units(), block: ShownBlock::of(proven.anchor()) }
    }
}
