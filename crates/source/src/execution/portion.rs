//! The questions of one request, and what its answer means for them.

use saldo_reading::{Failure, TransportError};
use serde_json::value::RawValue;

use super::question::Question;
use crate::batch_size::BatchSize;
use crate::jsonrpc::CallFailure;

/// A question, and its place among all questions.
pub(super) type Numbered<'a> = (usize, &'a Question);

/// The questions of one request.
pub(super) type Portion<'a> = Vec<Numbered<'a>>;

/// The results of one request, or why the request as a whole failed.
pub(super) type PortionReply = Result<Vec<Result<Box<RawValue>, CallFailure>>, CallFailure>;

/// What the answer to one request means.
#[derive(Debug)]
pub(super) enum Answered {
    /// Each question has its result. It is `None` for a question that the size of the request left unanswered.
    Each(Vec<Option<Result<Box<RawValue>, CallFailure>>>),
    /// All questions failed, whatever the size.
    Failed(CallFailure),
    /// The size may be the reason. The failure says nothing of the provider.
    Refused(CallFailure),
}

impl Answered {
    /// Whether a request of this size is answered. A question about a block that the provider does not
    /// have is answered too.
    pub(super) fn is_taken(&self) -> bool {
        let is_answer = |result: &Option<Result<_, CallFailure>>| match result {
            Some(Err(failed)) => {
                matches!(*failed.failure, Failure::ProofWindowMissed | Failure::NotSynced | Failure::NoResult)
            }
            Some(Ok(_)) => true,
            None => false,
        };
        match self {
            Self::Each(results) => results.iter().any(is_answer) && results.iter().all(Option::is_some),
            Self::Failed(_) | Self::Refused(_) => false,
        }
    }

    /// Whether the size may be the reason why all questions failed.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether all questions failed, whatever the size seemed to be.
    pub(super) fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(failed) if !failed.is_rate_limit)
    }

    /// How many questions were answered, if the size left the others unanswered.
    pub(super) fn taken_in_part(&self) -> Option<usize> {
        let Self::Each(results) = self else { return None };
        let taken = results.iter().filter(|result| result.is_some()).count();
        (taken < results.len()).then_some(taken)
    }

    /// Whether the provider asked for a pause.
    pub(super) fn is_rate_limit(&self) -> bool {
        match self {
            Self::Each(results) => {
                results.iter().flatten().any(|result| is_rate_limit(result.as_ref().err()))
            }
            Self::Failed(failed) => failed.is_rate_limit,
            Self::Refused(_) => false,
        }
    }

    /// The largest size that is allowed, where the refusal names it.
    pub(super) fn named_limit(&self) -> Option<usize> {
        match self {
            Self::Refused(failed) => failed.size.and_then(|size| size.largest),
            Self::Each(_) | Self::Failed(_) => None,
        }
    }
}

/// What the reply to a request of `calls` questions means.
pub(super) fn answered(calls: usize, reply: PortionReply, batch: BatchSize) -> Answered {
    let may_be_size = |failed: &CallFailure| calls > 1 && may_be_about_size(failed, batch.has_taken(calls));
    let results = match reply {
        Err(failed) if may_be_size(&failed) => return Answered::Refused(failed),
        Err(failed) => return Answered::Failed(failed),
        Ok(results) => results,
    };
    if let Some(failed) = same_for_all(&results).filter(|failed| may_be_size(failed)) {
        return Answered::Refused(failed.clone());
    }
    let is_any_answered = results.iter().any(Result::is_ok);
    let left_open = |result: &Result<Box<RawValue>, CallFailure>| {
        is_any_answered && result.as_ref().is_err_and(|failed| failed.size.is_some())
    };
    let each = results.into_iter().map(|result| if left_open(&result) { None } else { Some(result) });
    Answered::Each(each.collect())
}

/// The failure of all results, if all failed in the same way: some providers refuse a batch with one error for each call.
fn same_for_all(results: &[Result<Box<RawValue>, CallFailure>]) -> Option<&CallFailure> {
    let first = results.first()?.as_ref().err()?;
    let is_same =
        |result: &Result<_, CallFailure>| result.as_ref().err().is_some_and(|it| it.failure == first.failure);
    let is_about_each =
        is_about_the_question(&first.failure) || matches!(*first.failure, Failure::Malformed { .. });
    (results.iter().all(is_same) && !(is_about_each && first.size.is_none())).then_some(first)
}

/// Whether a failure of a batch may be about its size. One of a size that was answered before is not, if it is a sign of an outage.
fn may_be_about_size(failed: &CallFailure, was_taken: bool) -> bool {
    if failed.size.is_some() {
        return true;
    }
    match &*failed.failure {
        _ if failed.is_rate_limit => false,
        Failure::Transport(TransportError::Broken)
        | Failure::Http { status: 500..=599 }
        | Failure::OutOfService { .. } => !was_taken,
        Failure::Transport(_) => false,
        _ => true,
    }
}

/// Whether the same question fails alone in the same way: the provider has no such block, state or method.
fn is_about_the_question(failure: &Failure) -> bool {
    /// "Invalid params".
    const INVALID_PARAMS: i64 = -32602;
    matches!(
        failure,
        Failure::ProofWindowMissed
            | Failure::NotSynced
            | Failure::NoResult
            | Failure::NotServed { .. }
            | Failure::Rpc { code: INVALID_PARAMS }
    )
}

pub(super) fn is_rate_limit(failed: Option<&CallFailure>) -> bool {
    failed.is_some_and(|failed| failed.is_rate_limit)
}

/// The first questions of each kind.
pub(super) fn first_of_each_kind<'a>(open: &[Numbered<'a>], most: usize) -> Portion<'a> {
    let mut first: Portion<'a> = Vec::new();
    for (place, question) in open {
        let alike = first.iter().filter(|(_, other)| other.is_like(question)).count();
        if alike < most {
            first.push((*place, question));
        }
    }
    first
}
