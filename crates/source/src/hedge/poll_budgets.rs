//! The budgets, as all questions of a call share them.

use crate::budget::Budgets;

/// The budgets during one poll of a call. What is sent to one provider at one time is one request, so that the questions of
/// a call spend a budget once between them. To a provider that counts the calls inside a request, each question is one.
pub(super) struct PollBudgets<'b> {
    budgets: &'b mut Budgets,
    may_hedge: Option<bool>,
    may_retry: Option<bool>,
}

impl<'b> PollBudgets<'b> {
    pub(super) fn new(budgets: &'b mut Budgets) -> Self {
        Self { budgets, may_hedge: None, may_retry: None }
    }

    /// Adds to both budgets, for a question that is sent for the first time.
    pub(super) fn earn(&mut self) {
        self.budgets.hedges.earn();
        self.budgets.retries.earn();
    }

    /// Whether silent providers may be asked once more; `counts_calls` if one of them does.
    pub(super) fn spend_resend(&mut self, counts_calls: bool) -> bool {
        if counts_calls { self.budgets.hedges.spend() } else { self.spend_hedge() }
    }

    /// Whether a second provider may be asked because the first one is slow.
    pub(super) fn spend_hedge(&mut self) -> bool {
        *self.may_hedge.get_or_insert_with(|| self.budgets.hedges.spend())
    }

    /// Whether providers may be asked again after failures that may pass; `counts_calls` if one of them does.
    pub(super) fn spend_retry(&mut self, counts_calls: bool) -> bool {
        if counts_calls {
            return self.budgets.retries.spend();
        }
        *self.may_retry.get_or_insert_with(|| self.budgets.retries.spend())
    }
}
