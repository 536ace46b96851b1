//! In the place of the stored pending proofs, where the feature `rollup` is off: there are none.

use super::Proofs;
use crate::store::{PendingKey, PendingRecord, RestoredPending};

impl Proofs {
    pub(crate) fn take_unwritten_pending(&self) -> Vec<PendingRecord> {
        Vec::new()
    }

    pub(crate) fn return_unwritten_pending(&self, _: &[PendingKey]) {}

    pub(crate) fn is_pending(&self, _: &PendingKey) -> bool {
        false
    }

    pub(crate) fn restore_pending(&self, _: Vec<RestoredPending>) {}
}
