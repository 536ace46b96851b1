//! How sure it is that a block belongs to the chain, and who vouches for it.

use saldo_beacon::unit::Slot;
use saldo_beacon::{Finality, Origin};

use crate::level::Level;
use crate::rollup::vouched::Vouched;

/// How sure it is that a header belongs to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assurance {
    /// `signers` of the `size` members of the sync committee signed it: at least two thirds. The members were drawn at
    /// random from all validators, but a false signature costs them no stake.
    Signed {
        /// How many members signed.
        signers: usize,
        /// How many members the committee has.
        size: usize,
    },
    /// It counts as final; [`Finality`] has the reason. The chain's validators finalized it, and would lose a third of
    /// all stake by reverting it; or it is the checkpoint; or a forced update took it as final.
    Finalized(Finality),
    /// A block of a rollup that L1 vouches for.
    Rollup(Vouched),
}

impl Assurance {
    /// Returns how far L1 stands behind the block, if it is one of a rollup.
    pub fn vouched(&self) -> Option<Vouched> {
        match self {
            Self::Rollup(vouched) => Some(*vouched),
            Self::Signed { .. } | Self::Finalized(_) => None,
        }
    }

    /// Returns the strength of this assurance.
    pub fn level(&self) -> Level {
        match self {
            Self::Signed { .. } => Level::Signed,
            Self::Finalized(_) => Level::Finalized,
            Self::Rollup(vouched) => vouched.level(),
        }
    }
}

/// Why a head's block is trusted.
#[derive(Clone, Debug)]
pub(crate) struct Voucher {
    pub(crate) chain_id: u64,
    pub(crate) assurance: Assurance,
    pub(crate) origin: Origin,
    /// The slot of the newest signed head at the time.
    pub(crate) at: Slot,
}
