//! The block that an amount is proven at, and what trust started from.

use saldo::{Anchor, Finality, Path, Voucher};

use crate::config::Checkpoint;
use crate::number::narrow;

/// The block that an amount is proven at.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Block {
    /// The chain id (EIP-155).
    pub chain_id: u64,
    /// The block number.
    pub number: u64,
    /// The block hash, 0x and 64 hexadecimal digits.
    pub hash: String,
    /// The root of the state after the block, 0x and 64 hexadecimal digits.
    pub state_root: String,
    /// The block's own time, in seconds since 1970.
    pub timestamp: u64,
    /// How sure it is that the block belongs to the chain.
    pub assurance: Assurance,
    /// How the header follows from the signed head: `head`, `ancestor`, `history` or `other`.
    pub path: String,
    /// What trust started from.
    pub origin: Origin,
}

/// How sure it is that a block belongs to the chain.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Assurance {
    /// `signed` or `finalized`; a later version may have others.
    pub level: String,
    /// How many members of the sync committee signed; none for the block that trust started from.
    pub signers: Option<u32>,
    /// How many members the committee has.
    pub committee_size: Option<u32>,
    /// Whether a forced update took the block as final.
    pub is_forced: bool,
}

/// What trust started from, and who vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Origin {
    /// The beacon block that trust started from.
    pub checkpoint: Checkpoint,
    /// The operators that named it; empty if the app gave it.
    pub agreed_by: Vec<String>,
}

impl From<&Anchor> for Block {
    fn from(anchor: &Anchor) -> Self {
        let path = match anchor.path() {
            Path::Head => "head",
            Path::Ancestor { .. } => "ancestor",
            Path::History { .. } => "history",
            _ => "other",
        };
        Self {
            chain_id: anchor.chain_id(),
            number: anchor.number(),
            hash: anchor.hash().to_string(),
            state_root: anchor.state_root().get().to_string(),
            timestamp: anchor.timestamp().as_secs(),
            assurance: anchor.assurance().into(),
            path: path.to_owned(),
            origin: anchor.origin().into(),
        }
    }
}

impl From<saldo::Assurance> for Assurance {
    fn from(assurance: saldo::Assurance) -> Self {
        let (level, signers, is_forced) = match assurance {
            saldo::Assurance::Signed { signers, size } => ("signed", Some((signers, size)), false),
            saldo::Assurance::Finalized(Finality::Signed { signers, size }) => {
                ("finalized", Some((signers, size)), false)
            }
            saldo::Assurance::Finalized(Finality::Forced { signers, size }) => {
                ("finalized", Some((signers, size)), true)
            }
            saldo::Assurance::Finalized(Finality::Checkpoint) => ("finalized", None, false),
        };
        Self {
            level: level.to_owned(),
            signers: signers.map(|(signers, _)| narrow(signers)),
            committee_size: signers.map(|(_, size)| narrow(size)),
            is_forced,
        }
    }
}

impl From<&saldo::Origin> for Origin {
    fn from(origin: &saldo::Origin) -> Self {
        let agreed_by = match origin.voucher() {
            Voucher::Agreement { operators, .. } => operators.to_vec(),
            _ => Vec::new(),
        };
        Self { checkpoint: origin.checkpoint().into(), agreed_by }
    }
}
