//! Several questions to one provider, in as few requests as it takes.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use saldo_reading::Failure;
use serde_json::value::RawValue;

use super::portion::{
    Answered, Numbered, Portion, PortionReply, answered, first_of_each_kind, is_rate_limit,
};
use super::progress::Progress;
use super::question::Question;
use crate::batch_size::{BatchSize, LARGEST_BATCH};
use crate::clock::Deadline;
use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::jsonrpc::{Call, CallFailure, alone, batch as batch_of};
use crate::maybe_send::IntoBoxed;

/// The most requests in flight to one provider. Small ones may be more: a provider counts the calls inside a batch.
const SIDE_BY_SIDE: usize = 8;
/// The most small requests in flight to one provider.
const SMALL_SIDE_BY_SIDE: usize = 32;
/// A request with fewer questions is small.
const SMALL: usize = 10;
/// With how many requests a size is tried, until one of them was answered.
const TRIAL: usize = 4;

/// The results of several questions.
#[derive(Debug)]
pub struct Together {
    /// The result of each question, as it came, in the order of the questions.
    pub each: Vec<Result<Box<RawValue>, Failure>>,
    /// How many questions in one request the provider is known to take.
    pub batch: BatchSize,
}

/// What is sent next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A few requests of the known size.
    Trial,
    /// One question of each kind alone, and smaller batches, because a batch of `refused` questions was refused. `named` is the
    /// limit in the error's text.
    Probe { refused: usize, named: Option<usize> },
    /// All questions that are left.
    Rest,
}

/// Asks several questions: at most `batch` of them in one HTTP request, and some requests at the same time. `timeout` is for all.
///
/// A failure of a batch says nothing of the provider until one question alone was asked. So if the provider refuses a batch, one
/// question of each kind is asked alone, with smaller batches beside it, and then the rest in the size that was answered: two more
/// round trips. After a rate limit no more requests are sent.
///
/// A provider that is out of order does not get a hundred requests: the size is tried with a few requests first. If all of these
/// fail, the other questions of their kind fail unasked.
pub async fn ask_together(
    io: &Io,
    provider: &Endpoint,
    questions: &[Question],
    batch: BatchSize,
    timeout: Duration,
) -> Together {
    let deadline = Deadline::after(io.clock(), timeout);
    let (mut batch, mut progress) = (batch, Progress::of(questions));
    let mut step = Step::Trial;
    while !progress.is_done() {
        let portions = portions(step, &progress, batch);
        let replies = if batch.is_paced() {
            send_paced(io, provider, &portions, step == Step::Rest, deadline).await
        } else {
            send(io, provider, &portions, deadline).await
        };
        let answers = portions.iter().zip(replies);
        let answers = answers.map(|(portion, reply)| (portion.len(), answered(portion.len(), reply, batch)));
        let answers: Vec<(usize, Answered)> = answers.collect();
        if step == Step::Trial && portions.iter().any(|portion| portion.len() == batch.size()) {
            batch.record_use();
        }
        let next = next_step(step, &answers, &mut batch);
        for (portion, (_, answer)) in portions.iter().zip(answers) {
            progress.settle(portion, answer);
        }
        progress.fail_after_rate_limit();
        if step != Step::Rest {
            progress.fail_unasked(&portions);
        }
        step = next;
    }
    Together { each: progress.into_results(), batch }
}

/// The requests of one step.
fn portions<'a>(step: Step, progress: &Progress<'a>, batch: BatchSize) -> Vec<Portion<'a>> {
    let open = progress.open();
    match step {
        Step::Rest => in_size(&open, batch.size()),
        Step::Trial if let Some(part) = batch.part_after_limit(open.len()) => {
            vec![open.get(..part).unwrap_or(&open).to_vec()]
        }
        Step::Trial if batch.size() == 1 => in_size(&first_of_each_kind(&open, TRIAL), 1),
        Step::Trial => {
            let larger = batch.trial(open.len()).unwrap_or(0);
            let (larger, others) = open.split_at_checked(larger).unwrap_or((&[], &open));
            let few = others.get(..batch.size().saturating_mul(TRIAL)).unwrap_or(others);
            let larger = Some(larger.to_vec()).filter(|larger| !larger.is_empty());
            larger.into_iter().chain(in_size(few, batch.size())).collect()
        }
        Step::Probe { refused, named } => probes(&open, &BatchSize::probes(refused, named)),
    }
}

/// One question of each kind alone, and beside it batches of these sizes. Without sizes a few questions alone.
fn probes<'a>(open: &[Numbered<'a>], sizes: &[usize]) -> Vec<Portion<'a>> {
    let alone = first_of_each_kind(open, if sizes.is_empty() { TRIAL } else { 1 });
    let is_other = |question: &Numbered<'a>| alone.iter().all(|(place, _)| *place != question.0);
    let mut left: Vec<Numbered<'a>> = open.iter().copied().filter(is_other).collect();
    let mut portions = in_size(&alone, 1);
    for size in sizes {
        let rest = left.split_off((*size).min(left.len()));
        portions.push(std::mem::replace(&mut left, rest));
    }
    portions.retain(|portion| !portion.is_empty());
    portions
}

fn in_size<'a>(questions: &[Numbered<'a>], size: usize) -> Vec<Portion<'a>> {
    questions.chunks(size).map(<[_]>::to_vec).collect()
}

/// What to send after the `answers`, each with the number of its questions. Learns the size.
fn next_step(step: Step, answers: &[(usize, Answered)], batch: &mut BatchSize) -> Step {
    let of = |test: fn(&Answered) -> bool| answers.iter().filter(move |(_, answer)| test(answer));
    let taken = of(Answered::is_taken).map(|(calls, _)| *calls).max();
    let known = batch.size();
    if let Some(calls) = taken.filter(|calls| *calls > 1 || batch.part_after_limit(LARGEST_BATCH).is_some()) {
        batch.record_taken(calls);
    }
    if let Some((calls, _)) = of(Answered::is_rate_limit).find(|(calls, _)| *calls > 1) {
        batch.record_limited(*calls);
    }
    for (calls, answer) in answers {
        if answer.is_failed() {
            batch.record_failed(*calls);
        }
        if let Some(part) = answer.taken_in_part() {
            batch.record_refused(*calls, part);
        }
    }
    let refused = of(Answered::is_refused).min_by_key(|(calls, _)| *calls);
    match (step, refused, taken) {
        // Smaller requests are answered, so that the size was the reason. Otherwise nothing is known of the size.
        (Step::Probe { refused: first, .. }, refused, Some(taken)) => {
            batch.record_refused(first, taken);
            if let Some((calls, _)) = refused {
                batch.record_refused(*calls, taken);
            }
            Step::Rest
        }
        (_, None, _) | (Step::Probe { .. }, ..) => Step::Rest,
        // Only the trial of a larger size was refused.
        (Step::Trial, Some((calls, _)), Some(taken)) if *calls > known && taken >= known => {
            batch.record_refused(*calls, known);
            Step::Rest
        }
        (Step::Trial, Some((calls, answer)), _) => {
            Step::Probe { refused: *calls, named: answer.named_limit() }
        }
        (Step::Rest, Some((calls, _)), _) => {
            batch.record_refused(*calls, calls / 2);
            Step::Rest
        }
    }
}

/// Sends the portions, some at the same time.
async fn send(
    io: &Io,
    provider: &Endpoint,
    portions: &[Portion<'_>],
    deadline: Deadline,
) -> Vec<PortionReply> {
    let most = portions.iter().map(Vec::len).max().unwrap_or(0);
    let side_by_side = if most < SMALL { SMALL_SIDE_BY_SIDE } else { SIDE_BY_SIDE };
    let mut requests = Vec::new();
    for portion in portions {
        let left = deadline.left(io.clock());
        requests.push(async move { ask_at_once(io, provider, portion, left).await }.into_boxed());
    }
    stream::iter(requests).buffered(side_by_side).collect().await
}

/// Sends the portions one after another, with a pause before each that is not the first of its call. After a rate limit, and where
/// the time is over, the others are not sent.
async fn send_paced(
    io: &Io,
    provider: &Endpoint,
    portions: &[Portion<'_>],
    has_sent: bool,
    deadline: Deadline,
) -> Vec<PortionReply> {
    let mut replies: Vec<PortionReply> = Vec::with_capacity(portions.len());
    let limit = CallFailure {
        failure: Box::new(Failure::RateLimited { retry_after: Some(BatchSize::PACE) }),
        size: None,
        is_rate_limit: true,
    };
    for portion in portions {
        if has_sent || !replies.is_empty() {
            if deadline.left(io.clock()) <= BatchSize::PACE {
                break;
            }
            io.clock().sleep(BatchSize::PACE).await;
        }
        let reply = ask_at_once(io, provider, portion, deadline.left(io.clock())).await;
        let is_limit = match &reply {
            Ok(results) => results.iter().any(|result| is_rate_limit(result.as_ref().err())),
            Err(failed) => failed.is_rate_limit,
        };
        replies.push(reply);
        if is_limit {
            break;
        }
    }
    replies.resize_with(portions.len(), || Err(limit.clone()));
    replies
}

/// One request for all of `portion`; a single question is not sent as a batch.
async fn ask_at_once(
    io: &Io,
    provider: &Endpoint,
    portion: &[Numbered<'_>],
    timeout: Duration,
) -> PortionReply {
    if let [(_, question)] = portion {
        return Ok(vec![alone(io, provider, &question.call(), timeout).await]);
    }
    let calls: Vec<Call> = portion.iter().map(|(_, question)| question.call()).collect();
    batch_of(io, provider, &calls, timeout).await
}
