//! A chain that was made once and is watched many times: signing is what making a chain costs.

use std::sync::{Arc, Mutex};

use super::Chain;
use crate::ledger::Ledger;
use crate::schedule::Schedule;

/// What a chain looked like from slot to slot. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recording {
    schedule: Arc<Schedule>,
    /// At least one, by slot.
    moments: Arc<Vec<Ledger>>,
}

impl Recording {
    /// Begins with `chain` as it is.
    pub fn begin(chain: &Chain) -> Self {
        let moments = Arc::new(vec![chain.ledger().clone()]);
        Self { schedule: Arc::clone(&chain.schedule), moments }
    }

    /// Adds `chain` as it is now. It must be the chain that the recording began with, or one that was split from it.
    pub fn add(&mut self, chain: &Chain) {
        let moment = chain.ledger().clone();
        Arc::make_mut(&mut self.moments).push(moment);
    }

    /// A chain at the first moment. As time passes ([`Chain::advance_to`]) it becomes what was recorded, and whatever
    /// follows after the last moment is made anew. Between two moments nothing happens.
    ///
    /// It must not be changed before its last moment has come.
    pub fn play(&self) -> Chain {
        let first = self.moments.first().expect("a recording begins with a moment");
        Chain {
            ledger: Arc::new(Mutex::new(first.clone())),
            schedule: Arc::clone(&self.schedule),
            moments: Some(Arc::clone(&self.moments)),
        }
    }
}
