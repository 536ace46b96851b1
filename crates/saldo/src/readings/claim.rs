//! Claims beside what is recorded.

use saldo_reading::{Claim, Holding, gate};

use super::Readings;

impl Readings {
    /// Whether `claim` has another amount than the recorded reading.
    pub(crate) fn contradicts(&self, holding: &Holding, claim: &Claim) -> bool {
        gate::contradicts(claim, self.state().records.get(holding), self.env.policy.assurance)
    }
}
