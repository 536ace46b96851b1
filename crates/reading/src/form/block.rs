//! The block that an amount is proven at, and the block that trust started from, in serialised forms.

use alloy_primitives::{Address, B256};
use saldo_beacon::{Finality, Origin, Voucher};
use saldo_chain::rollup::{Pause, Vouched};
use saldo_chain::{Anchor, Assurance};
use serde::{Serialize, Serializer};

#[derive(Serialize)]
pub(super) struct BlockForm {
    number: u64,
    hash: B256,
    /// Seconds since 1970.
    timestamp: u64,
    state_root: B256,
    assurance: &'static str,
    signers: Option<usize>,
    committee_size: Option<usize>,
    /// Of a rollup's block only.
    vouched: Option<VouchedForm>,
}

/// How far L1 stands behind a block of a rollup.
#[derive(Serialize)]
struct VouchedForm {
    game: Address,
    game_type: u32,
    provers: &'static str,
    pause_checked: bool,
    l1_number: u64,
    l1_timestamp: u64,
}

impl VouchedForm {
    fn of(vouched: &Vouched) -> Self {
        let (l1_number, _, l1_time) = vouched.l1();
        Self {
            game: vouched.game(),
            game_type: vouched.game_type(),
            provers: vouched.provers().code(),
            pause_checked: vouched.pause() == Pause::NotPaused,
            l1_number,
            l1_timestamp: l1_time.as_secs(),
        }
    }
}

impl BlockForm {
    pub(super) fn of(anchor: &Anchor) -> Self {
        let (assurance, signers) = match anchor.assurance() {
            Assurance::Signed { signers, size } => ("signed", Some((signers, size))),
            Assurance::Finalized(Finality::Signed { signers, size } | Finality::Forced { signers, size }) => {
                ("finalized", Some((signers, size)))
            }
            Assurance::Finalized(Finality::Checkpoint) => ("finalized", None),
            Assurance::Rollup(vouched) => (vouched.level().code(), None),
        };
        Self {
            number: anchor.number(),
            hash: anchor.hash(),
            timestamp: anchor.timestamp().as_secs(),
            state_root: anchor.state_root().get(),
            assurance,
            signers: signers.map(|(signers, _)| signers),
            committee_size: signers.map(|(_, size)| size),
            vouched: anchor.assurance().vouched().as_ref().map(VouchedForm::of),
        }
    }
}

#[derive(Serialize)]
pub(super) struct OriginForm<'a> {
    root: B256,
    slot: Option<u64>,
    agreed_by: AgreedBy<'a>,
}

impl<'a> OriginForm<'a> {
    pub(super) fn of(origin: &'a Origin) -> Self {
        let checkpoint = origin.checkpoint();
        let slot = checkpoint.slot.map(|slot| slot.get());
        Self { root: checkpoint.root, slot, agreed_by: AgreedBy(origin.voucher()) }
    }
}

/// The operators that named the checkpoint, or `given`.
struct AgreedBy<'a>(&'a Voucher);

impl Serialize for AgreedBy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Voucher::Agreement { operators, .. } => serializer.collect_seq(operators.iter()),
            _ => serializer.serialize_str("given"),
        }
    }
}
