//! What is wrong with what a wallet did.

use std::fmt;

/// What a wallet is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// 1: a proven amount is the true one, and nothing else is shown as an amount.
    Truth,
    /// 2: nothing goes back to an older block or a weaker assurance.
    Order,
    /// 2: what the chain took back is not shown any more, and nothing else is withdrawn.
    Withdrawal,
    /// 3: one honest provider and one honest source are enough, and soon.
    Enough,
    /// 4: a read ends at its deadline.
    Deadline,
    /// 4: an amount that was proven once is not lost.
    Last,
    /// 4: the reason that is given is one that there is.
    Reason,
    /// 5: nobody gets more requests than the budget allows.
    Budget,
    /// 6: nobody honest is shut out.
    Quarantine,
    /// 7: after a recovery one read is enough.
    Recovery,
    /// 8: what a reading carries stays bounded.
    Memory,
    /// 9: what is proven is young enough.
    Age,
    /// The wallet panicked, or waits for what can never happen.
    Crash,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What it is wrong with.
    pub check: Check,
    /// In which step, from 0 on.
    pub step: usize,
    /// What was seen.
    pub text: String,
}

impl Check {
    /// The number that the check has in the list of promises, and a name.
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
