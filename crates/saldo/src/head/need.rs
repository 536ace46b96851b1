//! Decides what the light client lacks now, and judges the attempts to fetch it.

use saldo_reading::{Attempt, Outcome};

use super::Head;
use super::step::{Need, Round};
use crate::why;

impl Head {
    /// Whether no newer head than the known one can have been signed yet.
    pub(crate) fn head_is_newest(&self) -> bool {
        self.need() == Need::Nothing
    }

    pub(super) fn need(&self) -> Need {
        let (network, now, slots_missing) = (self.network(), self.time(), self.slots_missing());
        Need::of(self.state().light_client.as_ref(), &network, now, slots_missing)
    }

    /// The result of a step, from its attempts.
    pub(super) fn judge(&self, need: Need, attempts: Vec<Attempt>) -> Round {
        if attempts.iter().any(|attempt| attempt.outcome == Outcome::Accepted) {
            return Round { attempts, won: true, problem: None };
        }
        let problem = why::of_heads(need, &attempts, self.lag(), |epochs| self.epochs(epochs));
        Round { attempts, won: false, problem }
    }
}
