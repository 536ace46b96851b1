//! The checks of the judge, and their violations.

use std::fmt;

/// A check of the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// 1: a proven amount is true, and only proven amounts are shown as amounts.
    Truth,
    /// 2: no reading goes back to an older block or a weaker assurance.
    Order,
    /// 2: a withdrawn amount is not shown any more, and no other is withdrawn.
    Withdrawal,
    /// 3: one honest provider and one honest source are enough, and in time.
    Enough,
    /// 4: a read ends at its deadline.
    Deadline,
    /// 4: an amount that was proven once is not lost.
    Last,
    /// 4: the given reason is true.
    Reason,
    /// 5: no party gets more requests than the budget allows.
    Budget,
    /// 6: no honest party is quarantined.
    Quarantine,
    /// 7: after a recovery one read is enough.
    Recovery,
    /// 8: the size of a reading is bounded.
    Memory,
    /// 9: a proven block is young enough.
    Age,
    /// The wallet panicked, or waits for an event that can never happen.
    Crash,
}

/// One violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The check.
    pub check: Check,
    /// The step, from 0.
    pub step: usize,
    /// What was seen.
    pub text: String,
}

impl Check {
    /// The number of the promise that it checks, and a name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Truth => "1 truth",
            Self::Order => "2 order",
            Self::Withdrawal => "2 withdrawal",
            Self::Enough => "3 one is enough",
            Self::Deadline => "4 deadline",
            Self::Last => "4 last",
            Self::Reason => "4 reason",
            Self::Budget => "5 budget",
            Self::Quarantine => "6 quarantine",
            Self::Recovery => "7 recovery",
            Self::Memory => "8 memory",
            Self::Age => "9 age",
            Self::Crash => "crash",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (step {}): {}", self.check.name(), self.step, self.text)
    }
}
