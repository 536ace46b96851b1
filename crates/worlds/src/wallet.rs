//! The wallet under test, behind a small interface: its calls, and what its screen shows.

use alloy_primitives::{B256, U256};
use futures_util::future::BoxFuture;
use saldo::{Anchor, Holding, Level, Proven, Reading, UnixTime};

/// The reasons that are proven: no other provider can say otherwise.
const NO_BALANCE: [&str; 3] = ["not_a_token", "token_layout_unproven", "token_not_run"];

/// A wallet.
pub trait Wallet {
    /// Reads these holdings, in the same order.
    fn read<'a>(&'a self, holdings: &'a [Holding]) -> BoxFuture<'a, Vec<Shown>>;

    /// The app says that the device lost or found its network.
    fn network_changed(&self, _online: bool) {}

    /// Whether its state survives a restart of the app.
    fn remembers(&self) -> bool {
        false
    }

    /// The block of a withdrawn amount of `holding`, until another is proven.
    fn withdrawn(&self, _holding: Holding) -> Option<ShownBlock> {
        None
    }

    /// The execution providers that it has quarantined, by their places.
    fn quarantined(&self) -> Vec<usize> {
        Vec::new()
    }
}

/// A block as a screen shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownBlock {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time.
    pub time: UnixTime,
    /// Whether it is shown as final.
    pub finalized: bool,
}

/// An amount with its block, as a screen shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownAmount {
    /// How much, in base units.
    pub units: U256,
    /// Whether it is shown as frozen.
    pub is_frozen: bool,
    /// The block.
    pub block: ShownBlock,
}

/// What a screen shows after a read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The amount, if it is shown as known now.
    pub amount: Option<ShownAmount>,
    /// The earlier amount that is shown otherwise.
    pub last: Option<ShownAmount>,
    /// The amount of a claim, marked as unconfirmed.
    pub claim: Option<U256>,
    /// The code of the reason, if nothing is known now.
    pub why: Option<&'static str>,
    /// The block of a withdrawn amount, until another is proven.
    pub withdrawn: Option<ShownBlock>,
    /// What is wrong with what was shown, where the wallet itself knows the truth.
    pub wrong: Option<String>,
    /// The number of listed attempts.
    pub attempts: usize,
    /// The same in words, for the trace.
    pub told: Vec<String>,
}

impl Shown {
    /// The newest amount on the screen.
    pub fn newest(&self) -> Option<ShownAmount> {
        self.amount.or(self.last)
    }

    /// Whether the reading says all there is to know: an amount, or that the token has none that can be proven.
    pub(crate) fn is_settled(&self) -> bool {
        self.amount.is_some() || self.why.is_some_and(|code| NO_BALANCE.contains(&code))
    }

    /// What a screen shows of `reading`, if `withdrawn` was withdrawn.
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
        Self {
            units: proven.amount().base_units(),
            is_frozen: proven.is_frozen(),
            block: ShownBlock::of(proven.anchor()),
        }
    }
}
