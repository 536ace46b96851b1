//! The result of each question so far.

use saldo_reading::Failure;
use serde_json::value::RawValue;

use super::portion::{Answered, Numbered, Portion, is_rate_limit};
use super::question::Question;
use crate::jsonrpc::CallFailure;

type QuestionResult = Result<Box<RawValue>, CallFailure>;

/// All questions and their results.
pub(super) struct Progress<'a> {
    questions: &'a [Question],
    each: Vec<State>,
}

/// The state of one question.
#[derive(Default)]
struct State {
    result: Option<QuestionResult>,
    /// Why a request with this question was refused.
    refused: Option<Failure>,
}

impl<'a> Progress<'a> {
    /// No question was asked yet.
    pub(super) fn of(questions: &'a [Question]) -> Self {
        Self { questions, each: questions.iter().map(|_| State::default()).collect() }
    }

    pub(super) fn is_done(&self) -> bool {
        self.each.iter().all(|state| state.result.is_some())
    }

    /// The questions without a result.
    pub(super) fn open(&self) -> Portion<'a> {
        let numbered = self.questions.iter().enumerate().zip(&self.each);
        numbered.filter(|(_, state)| state.result.is_none()).map(|(question, _)| question).collect()
    }

    /// Takes the answer to one request.
    pub(super) fn settle(&mut self, portion: &[Numbered<'a>], answer: Answered) {
        match answer {
            Answered::Each(results) => {
                for ((place, _), result) in portion.iter().zip(results) {
                    if let Some(result) = result {
                        self.record(*place, result);
                    }
                }
            }
            Answered::Failed(failed) => {
                portion.iter().for_each(|(place, _)| self.record(*place, Err(failed.clone())));
            }
            Answered::Refused(failed) => {
                for (place, _) in portion {
                    if let Some(state) = self.each.get_mut(*place) {
                        state.refused = Some((*failed.failure).clone());
                    }
                }
            }
        }
    }

    /// Fails the open questions if the provider asked for a pause.
    pub(super) fn fail_after_rate_limit(&mut self) {
        let failures = self.each.iter().filter_map(|state| state.result.as_ref()?.as_ref().err());
        let Some(limited) = failures.into_iter().find(|failed| is_rate_limit(Some(failed))).cloned() else {
            return;
        };
        for (place, _) in self.open() {
            self.record(place, Err(limited.clone()));
        }
    }

    /// Fails the open questions of each kind of which all that were asked failed, with the last of those failures.
    pub(super) fn fail_unasked(&mut self, asked: &[Portion<'a>]) {
        // The kinds are few, so that this grows with the number of questions.
        let mut kinds: Vec<(&Question, Option<CallFailure>)> = Vec::new();
        for (place, question) in asked.iter().flatten() {
            let Some(result) = self.each.get(*place).and_then(|state| state.result.as_ref()) else {
                continue;
            };
            let failure = result.as_ref().err().cloned();
            match kinds.iter_mut().find(|(kind, _)| kind.is_like(question)) {
                Some((_, failed)) => *failed = failed.take().and(failure),
                None => kinds.push((question, failure)),
            }
        }
        for (place, question) in self.open() {
            let kind = kinds.iter().find(|(kind, _)| kind.is_like(question));
            if let Some(failure) = kind.and_then(|(_, failed)| failed.clone()) {
                self.record(place, Err(failure));
            }
        }
    }

    /// The results, in the order of the questions.
    pub(super) fn into_results(self) -> Vec<Result<Box<RawValue>, Failure>> {
        let results = self.each.into_iter().filter_map(|state| state.result);
        results.map(|result| result.map_err(|failed| *failed.failure)).collect()
    }

    fn record(&mut self, place: usize, result: QuestionResult) {
        let Some(state) = self.each.get_mut(place) else { return };
        // The provider may have seen the question in the refused request, even if it cannot be reached now.
        let seen = state.refused.clone();
        state.result = Some(result.map_err(|failed| CallFailure {
            failure: Box::new(failed.failure.or_what_was_seen(seen)),
            ..failed
        }));
    }
}
