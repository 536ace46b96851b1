//! A wallet whose calls may overlap, behind a small interface.

use alloy_primitives::{B256, U256};
use futures_util::future::BoxFuture;
use saldo::{Checkpoint, Level, Proven, Reading, UnixTime};

/// A proven amount as a call gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    /// In wei, or in the base units of the token.
    pub(super) units: U256,
    pub(super) is_frozen: bool,
    pub(super) number: u64,
    pub(super) hash: B256,
    pub(super) time: UnixTime,
    pub(super) is_final: bool,
    pub(super) is_restored: bool,
}

impl Amount {
    pub(super) fn of(proven: &Proven) -> Self {
        let anchor = proven.anchor();
        Self {
            units: proven.amount().base_units(),
            is_frozen: proven.is_frozen(),
            number: anchor.number(),
            hash: anchor.hash(),
            time: anchor.timestamp(),
            is_final: anchor.assurance().level() == Level::Finalized,
            is_restored: proven.is_restored(),
        }
    }
}

/// What a call says of one holding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) proven: Option<Amount>,
    pub(super) last: Option<Amount>,
    pub(super) why: Option<&'static str>,
}

impl Answer {
    pub(super) fn of(reading: &Reading) -> Self {
        let last = match reading {
            Reading::Proven(_) => None,
            Reading::Provisional(claim) => claim.last(),
            Reading::Unknown(unknown) => unknown.last(),
        };
        Self {
            proven: reading.proven().map(Amount::of),
            last: last.map(Amount::of),
            why: reading.why().map(saldo::Why::code),
        }
    }
}

/// What a wallet tells of one holding, outside of an answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Answer(u64, Answer),
    Withdrawn(u64, Amount),
}

/// A wallet. Holdings are named by their numbers.
pub(super) trait Overlapping {
    /// Reads these holdings, in their order.
    fn read<'a>(&'a self, holdings: &'a [u64], finalized: bool) -> BoxFuture<'a, Vec<Answer>>;
    /// Reads everything that is known.
    fn refresh(&self) -> BoxFuture<'_, Vec<(u64, Answer)>>;
    /// Watches these holdings, and gives each change to `tell`. Never ends.
    fn watch<'a>(&'a self, holdings: &'a [u64], tell: &'a (dyn Fn(Told) + Send + Sync)) -> BoxFuture<'a, ()>;
    /// The last reading.
    fn last(&self, holding: u64) -> Option<Amount>;
    fn forget(&self, holding: u64);
    fn restart(&self, checkpoint: Checkpoint);
    fn adopt(&self);
    /// The storage can be read from now on.
    fn unlock(&self);
    /// Whether the wallet knows of a consensus fault.
    fn is_faulted(&self) -> bool;
    /// Whether the wallet knows that its table names another chain than the providers.
    fn has_wrong_chain_id(&self) -> bool;
}
