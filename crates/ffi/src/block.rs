//! The block that an amount is proven at, and what trust started from.

use saldo::{Anchor, Finality, Level, Path, Pause, Voucher};

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
    /// `signed` or `finalized`; of a rollup's block `l1_proof_checked` or `l1_finalized`. A later version may have others.
    pub level: String,
    /// How many members of the sync committee signed; none for the block that trust started from, and for a rollup's block.
    pub signers: Option<u32>,
    /// How many members the committee has.
    pub committee_size: Option<u32>,
    /// Whether a forced update took the block as final.
    pub is_forced: bool,
    /// How far Ethereum stands behind a rollup's block; none for a block of a chain with a committee.
    pub vouched: Option<Vouched>,
}

/// How far Ethereum stands behind a block of a rollup, and by which claim.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Vouched {
    /// The contract of the claim that the block rests on: a dispute game. 0x and 40 hexadecimal digits.
    pub game: String,
    /// The type of that game.
    pub game_type: u32,
    /// Whose proofs Ethereum checked: `none`, `tee` (a trusted execution environment), `zk` (zero knowledge) or `both`.
    pub provers: String,
    /// Whether it is proven that the rollup's system is not paused. If not, that was not checked.
    pub is_pause_checked: bool,
    /// The number of the Ethereum block under which all of it was read.
    pub l1_number: u64,
    /// That block's own time, in seconds since 1970.
    pub l1_timestamp: u64,
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
        let (signers, is_forced, vouched) = match assurance {
            saldo::Assurance::Signed { signers, size }
            | saldo::Assurance::Finalized(Finality::Signed { signers, size }) => {
                (Some((signers, size)), false, None)
            }
            saldo::Assurance::Finalized(Finality::Forced { signers, size }) => {
                (Some((signers, size)), true, None)
            }
            saldo::Assurance::Finalized(Finality::Checkpoint) => (None, false, None),
            saldo::Assurance::Rollup(vouched) => (None, false, Some(Vouched::from(&vouched))),
        };
        Self {
            level: assurance.level().code().to_owned(),
            signers: signers.map(|(signers, _)| narrow(signers)),
            committee_size: signers.map(|(_, size)| narrow(size)),
            is_forced,
            vouched,
        }
    }
}

/// The level with that name, if it is one of this version's.
pub(crate) fn level_named(name: &str) -> Option<Level> {
    let all = [Level::Signed, Level::Finalized, Level::L1ProofChecked, Level::L1Finalized];
    all.into_iter().find(|level| level.code() == name)
}

impl From<&saldo::Vouched> for Vouched {
    fn from(vouched: &saldo::Vouched) -> Self {
        let (l1_number, _, l1_time) = vouched.l1();
        Self {
            game: format!("{:#x}", vouched.game()),
            game_type: vouched.game_type(),
            provers: vouched.provers().code().to_owned(),
            is_pause_checked: vouched.pause() == Pause::NotPaused,
            l1_number,
            l1_timestamp: l1_time.as_secs(),
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
