//! Counts what all runs for one result cost together.

use crate::bound::{Bound, PRECOMPILES, RUNS, STEPS, WORK};

/// What is left for the runs of one result. The code of a token runs again after each round of requests, so the bounds of one run do
/// not bound what the token costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    left: Limits,
    is_over: bool,
}

impl Default for Meter {
    /// Makes the meter of a token's balance, of [`RUNS`].
    fn default() -> Self {
        Self::of_runs(RUNS)
    }
}

/// The most that one run may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) steps: u64,
    pub(crate) work: u64,
    pub(crate) precompiles: u64,
}

impl Meter {
    /// Makes a meter for as much as `runs` single runs may cost at most.
    pub const fn of_runs(runs: u64) -> Self {
        let left = Limits {
            steps: STEPS.saturating_mul(runs),
            work: WORK.saturating_mul(runs),
            precompiles: PRECOMPILES.saturating_mul(runs),
        };
        Self { left, is_over: false }
    }

    /// Returns whether a run ended because too little was left. Then there is no result, whatever else is proven.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// The limits of the next run.
    pub(crate) fn limits(&self) -> Limits {
        let Limits { steps, work, precompiles } = self.left;
        Limits { steps: steps.min(STEPS), work: work.min(WORK), precompiles: precompiles.min(PRECOMPILES) }
    }

    /// Takes off what a run cost. `is_over` says whether it ended because too little was left.
    pub(crate) fn take(&mut self, cost: Limits, is_over: bool) {
        self.is_over |= is_over;
        let Limits { steps, work, precompiles } = &mut self.left;
        *steps = steps.saturating_sub(cost.steps);
        *work = work.saturating_sub(cost.work);
        *precompiles = precompiles.saturating_sub(cost.precompiles);
    }
}

impl Limits {
    /// The bound that a run exceeds which exceeds `limit`: `own`, or that of all runs if less was left.
    pub(crate) fn bound(limit: u64, most: u64, own: Bound) -> Bound {
        if limit < most { Bound::Together } else { own }
    }
}

#[cfg(test)]
#[path = "meter_tests.rs"]
mod tests;
