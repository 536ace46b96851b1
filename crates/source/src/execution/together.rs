//! Several questions to one provider, in as few requests as it takes.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use saldo_reading::Failure;
use serde_json::value::RawValue;

use super::question::Question;
use crate::clock::Deadline;
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::jsonrpc::{Call, batch as batch_of, call, is_about_batches};

/// The most questions in one request.
pub const LARGEST_BATCH: usize = 100;
/// The most requests in flight to one provider.
const SIDE_BY_SIDE: usize = 4;

/// The results of several questions.
#[derive(Debug)]
pub struct Together {
    /// The result of each question, as it came, in the order of the questions.
    pub each: Vec<Result<Box<RawValue>, Failure>>,
    /// How many questions in one request the provider is known to take.
    pub batch: usize,
}

/// Asks several questions: at most `batch` of them in one HTTP request, and some requests at the same time. If the provider does
/// not take a batch of that size, its questions are asked in smaller portions, of ten and then one by one. `timeout` is for all.
///
/// Each size is tried with a few portions first. If all of these fail, the other questions of their kind fail unasked: a provider
/// that is out of order does not get a hundred requests.
pub async fn ask_together(
    io: &Io,
    provider: &Endpoint,
    questions: &[Question],
    batch: usize,
    timeout: Duration,
) -> Together {
    let deadline = Deadline::after(io.clock(), timeout);
    let mut each: Vec<Progress> = questions.iter().map(|_| Progress::default()).collect();
    let mut size = batch.clamp(1, LARGEST_BATCH);
    let mut known = size;
    // With how many portions the size is tried, until one of them was taken.
    let mut trial = Some(SIDE_BY_SIDE);
    loop {
        let open: Vec<(usize, &Question)> =
            questions.iter().enumerate().filter(|(place, _)| is_open(&each, *place)).collect();
        if open.is_empty() {
            break;
        }
        let asked = trial.map_or_else(|| open.clone(), |portions| first_of(&open, size, portions));
        let answers = ask_in_portions(io, provider, &asked, size, deadline).await;
        let (is_taken, is_refused) = settle_portions(&mut each, asked.chunks(size).zip(answers));
        if is_taken {
            known = size;
        }
        if trial.is_some() {
            fail_unasked(&mut each, &asked, &open);
        }
        trial = None;
        if is_refused {
            // A portion of this size was not taken.
            size = if size.min(open.len()) > 10 { 10 } else { 1 };
            trial = Some(1);
        }
    }
    Together { each: each.into_iter().filter_map(|progress| progress.result).collect(), batch: known }
}

/// The results of one request, or why the request as a whole failed.
type PortionResult = Result<Vec<Result<Box<RawValue>, Failure>>, Failure>;

/// Sends `asked` in requests of `size` questions, some at the same time.
async fn ask_in_portions(
    io: &Io,
    provider: &Endpoint,
    asked: &[(usize, &Question)],
    size: usize,
    deadline: Deadline,
) -> Vec<PortionResult> {
    let mut portions = Vec::new();
    for portion in asked.chunks(size) {
        let questions: Vec<&Question> = portion.iter().map(|(_, question)| *question).collect();
        let left = deadline.left(io.clock());
        portions.push(async move { ask_at_once(io, provider, &questions, left).await }.boxed());
    }
    stream::iter(portions).buffered(SIDE_BY_SIDE).collect().await
}

/// Takes the answers of the portions; returns whether the provider took one of them, and whether it refused one for its size.
fn settle_portions<'a>(
    each: &mut [Progress],
    answers: impl Iterator<Item = (&'a [(usize, &'a Question)], PortionResult)>,
) -> (bool, bool) {
    let (mut is_taken, mut is_refused) = (false, false);
    for (portion, answer) in answers {
        match answer {
            Err(failure) if portion.len() > 1 && is_about_batches(&failure) => {
                is_refused = true;
                refuse(each, portion, &failure);
            }
            Err(failure) => settle(each, portion, portion.iter().map(|_| Err(failure.clone()))),
            Ok(results) => {
                is_taken |= results.iter().any(Result::is_ok);
                settle(each, portion, results);
            }
        }
    }
    (is_taken, is_refused)
}

/// The state of one question.
#[derive(Default)]
struct Progress {
    result: Option<Result<Box<RawValue>, Failure>>,
    /// Why a portion with this question was refused.
    refused: Option<Failure>,
}

fn is_open(each: &[Progress], place: usize) -> bool {
    each.get(place).is_some_and(|progress| progress.result.is_none())
}

/// The `open` questions with which a size is tried: a few portions, or some questions of each kind if they go one by one.
fn first_of<'a>(open: &[(usize, &'a Question)], size: usize, portions: usize) -> Vec<(usize, &'a Question)> {
    if size > 1 {
        return open.iter().take(size.saturating_mul(portions)).copied().collect();
    }
    let mut first: Vec<(usize, &Question)> = Vec::new();
    for (place, question) in open {
        let alike = first.iter().filter(|(_, other)| other.is_like(question)).count();
        if alike < SIDE_BY_SIDE {
            first.push((*place, question));
        }
    }
    first
}

fn refuse(each: &mut [Progress], portion: &[(usize, &Question)], failure: &Failure) {
    for (place, _) in portion {
        if let Some(progress) = each.get_mut(*place) {
            progress.refused = Some(failure.clone());
        }
    }
}

fn settle(
    each: &mut [Progress],
    portion: &[(usize, &Question)],
    results: impl IntoIterator<Item = Result<Box<RawValue>, Failure>>,
) {
    for ((place, _), result) in portion.iter().zip(results) {
        if let Some(progress) = each.get_mut(*place) {
            // The provider may have seen the question in the refused request, even if it cannot be reached now.
            let seen = progress.refused.clone();
            progress.result = Some(result.map_err(|failure| failure.or_what_was_seen(seen)));
        }
    }
}

/// Fails the open questions of each kind of which all that were asked failed, with the last of those failures.
fn fail_unasked(each: &mut [Progress], asked: &[(usize, &Question)], open: &[(usize, &Question)]) {
    // The kinds are few, so that this grows with the number of questions.
    let mut kinds: Vec<(&Question, Option<Failure>)> = Vec::new();
    for (place, question) in asked {
        let Some(result) = each.get(*place).and_then(|progress| progress.result.as_ref()) else { continue };
        let failure = result.as_ref().err().cloned();
        match kinds.iter_mut().find(|(kind, _)| kind.is_like(question)) {
            Some((_, failed)) => *failed = failed.take().and(failure),
            None => kinds.push((question, failure)),
        }
    }
    for (place, question) in
        open.iter().filter(|(place, _)| is_open(each, *place)).copied().collect::<Vec<_>>()
    {
        let kind = kinds.iter().find(|(kind, _)| kind.is_like(question));
        if let Some(failure) = kind.and_then(|(_, failed)| failed.clone()) {
            settle(each, &[(place, question)], [Err(failure)]);
        }
    }
}

/// One request for all of `questions`; a single question is not sent as a batch.
async fn ask_at_once(
    io: &Io,
    provider: &Endpoint,
    questions: &[&Question],
    timeout: Duration,
) -> Result<Vec<Result<Box<RawValue>, Failure>>, Failure> {
    if let [question] = questions {
        return Ok(vec![call(io, provider, question.call(), timeout).await]);
    }
    let calls: Vec<Call> = questions.iter().map(|question| question.call()).collect();
    batch_of(io, provider, &calls, timeout).await
}
