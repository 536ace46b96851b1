//! What a reader trusts already.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::B256;
use saldo_beacon::unit::{Period, Slot};
use saldo_beacon::{Checkpoint, Network};

use crate::committee::Committee;
use crate::file::BalanceProof;

/// What a reader of a file trusts already. It never comes from the file.
#[derive(Clone, Debug)]
pub struct Trust {
    network: Arc<Network>,
    root: TrustRoot,
}

/// The root from which a reader checks a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustRoot {
    /// A beacon block of the chain. A complete file begins at it; a compact file has it as the block whose state names the
    /// committee.
    Checkpoint(Checkpoint),
    /// The hash tree root of the sync committee that signed. It is for compact files only.
    Committee {
        /// The root.
        root: B256,
        /// The period in which the committee signs, if the reader knows it.
        period: Option<Period>,
    },
}

impl Trust {
    /// Makes the trust of a reader in `root` of `network`.
    pub fn new(network: impl Into<Arc<Network>>, root: TrustRoot) -> Self {
        Self { network: network.into(), root }
    }

    /// Returns the network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    pub(crate) fn shared_network(&self) -> Arc<Network> {
        Arc::clone(&self.network)
    }

    /// Returns the root.
    pub const fn root(&self) -> TrustRoot {
        self.root
    }
}

impl BalanceProof {
    /// Returns the block from which the file can be checked. The file alone does not show that this block belongs to the
    /// chain: with this checkpoint as trust root, nothing is checked.
    pub fn claimed_checkpoint(&self) -> Checkpoint {
        let header = match self.committee() {
            Committee::Complete { bootstrap, .. } => &bootstrap.header.beacon,
            Committee::Compact(proof) => &proof.named_by,
        };
        Checkpoint { root: header.hash_tree_root(), slot: Some(header.slot) }
    }
}

/// What a verified file still rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestsOn {
    /// That this beacon block is of the chain, and that fewer than a third of each committee of these periods signed a false head.
    Checkpoint {
        /// The root of the block, which the reader named.
        root: B256,
        /// Its slot.
        slot: Slot,
        /// The first period whose committee counts.
        from: Period,
        /// The period of the committee that signed the head.
        to: Period,
    },
    /// That this is the root of the committee of the period, and that fewer than a third of it signed a false head.
    Committee {
        /// The root, which the reader named.
        root: B256,
        /// The period that the head's signature shows.
        period: Period,
    },
}

impl fmt::Display for RestsOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint { root, slot, from, to } => {
                write!(f, "the beacon block {root} at slot {slot} is of the chain, and ")?;
                if from == to {
                    write!(f, "fewer than a third of the sync committee of period {to} signed a false head")
                } else {
                    write!(
                        f,
                        "fewer than a third of each sync committee of the periods {from} to {to} signed a false head"
                    )
                }
            }
            Self::Committee { root, period } => write!(
                f,
                "{root} is the root of the sync committee of period {period}, and fewer than a third of it signed a false head"
            ),
        }
    }
}
