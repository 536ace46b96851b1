//! Finds the largest batch that a provider answers.

use saldo_reading::Failure;
use serde_json::{Value, json};

use crate::check::{Check, Unchecked};
use crate::finding::Finding;
use crate::probe::{ProbeClient, quantity};
use crate::reply::{MAX_SMALL, PROBED};

/// The sizes to try, until one fails.
const SIZES: [usize; 5] = [1, 2, 3, 10, 50];

/// How a provider answered a batch.
enum Answer {
    /// Each call once, under its own id, with a result of its own kind.
    Whole,
    /// It has a limit of calls or bytes: an error for the whole batch, in any form, or for some of the calls. The other calls
    /// are answered correctly.
    Limited,
    /// Answers are missing or mixed up, and no error says so.
    Broken,
}

/// The largest batch, of the tried sizes, that is answered whole.
pub(crate) async fn largest(
    probe: &ProbeClient<'_>,
    chain_id: u64,
    findings: &mut Vec<Finding>,
) -> Check<usize> {
    let mut largest = Check::NotChecked(Unchecked::OutOfBudget);
    for size in SIZES {
        if probe.is_over() {
            break;
        }
        let calls = (0..size).map(call);
        let body = probe.batch(&Value::Array(calls.collect()), MAX_SMALL).await;
        match body.map(|body| answer(&body, size, chain_id)) {
            Ok(Answer::Whole) => largest = Check::Found(size),
            // The size before is the one that it takes. Its answer 402 is about the batch until one request alone fails.
            Ok(Answer::Limited) if largest.is_found() => {
                probe.meter.reopen();
                break;
            }
            Ok(_) => {
                findings.push(Finding::BrokenBatch { size });
                if !largest.is_found() {
                    largest = Check::Failed(Failure::Malformed { what: "not the answers to a batch" });
                }
                break;
            }
            Err(failure) => {
                if largest.is_found()
                    && matches!(failure, Failure::RateLimited { .. })
                    && let Some((size, finding)) = counted_calls(probe, chain_id).await
                {
                    largest = Check::Found(size);
                    findings.push(finding);
                }
                if !largest.is_found() {
                    largest = Check::Failed(failure);
                }
                break;
            }
        }
    }
    largest
}

/// The largest batch that a provider takes which limits the calls in a second and counts each call of a batch, and the finding;
/// `None` if it has no such limit.
///
/// Such a provider refuses one of several batches in a row, and takes as many requests of one call.
async fn counted_calls(probe: &ProbeClient<'_>, chain_id: u64) -> Option<(usize, Finding)> {
    /// The most batches in a row.
    const MOST: usize = 7;
    let is_taken = async |size: usize| {
        let calls: Vec<Value> = (0..size).map(call).collect();
        match probe.batch_once(&calls, MAX_SMALL).await {
            Ok(body) if matches!(answer(&body, size, chain_id), Answer::Whole) => Some(true),
            Err(Failure::RateLimited { .. }) => Some(false),
            _ => None,
        }
    };
    let mut largest = None;
    for size in SIZES.into_iter().rev().filter(|size| *size > 1) {
        // The calls before may have used up their second.
        if !probe.let_a_second_pass().await {
            return None;
        }
        if is_taken(size).await? {
            largest = Some(size);
            break;
        }
    }
    let (size, mut batches) = (largest?, 1_usize);
    while is_taken(size).await? {
        batches = batches.saturating_add(1);
        if batches == MOST {
            return None;
        }
    }
    if !probe.let_a_second_pass().await {
        return None;
    }
    for _ in 0..=batches {
        if !is_taken(1).await? {
            return None;
        }
    }
    probe.let_a_second_pass().await;
    Some((size, Finding::CountsCalls { calls: size.saturating_mul(batches) }))
}

/// The largest batch of proofs, of the tried sizes up to `known`, that is answered whole. Proofs are much longer than other answers,
/// so a limit of bytes may hit them alone.
pub(crate) async fn largest_of_proofs(probe: &ProbeClient<'_>, known: usize) -> usize {
    /// The most bytes of one batch of proofs.
    const MOST: usize = 1024 * 1024;
    for size in SIZES.into_iter().rev().filter(|size| (2..=known).contains(size)) {
        if probe.is_over() {
            return known;
        }
        let call = |id: usize| json!({ "jsonrpc": "2.0", "id": id, "method": "eth_getProof", "params": [PROBED, [], "latest"] });
        let body = probe.batch(&Value::Array((0..size).map(call).collect()), MOST).await;
        match body.map(|body| are_all_answered(&body, size)) {
            Ok(true) => return size,
            Ok(false) => probe.meter.reopen(),
            // A limit of calls in a second.
            Err(Failure::RateLimited { .. }) => {}
            // No answer says nothing of a limit.
            Err(_) => return known,
        }
    }
    1
}

fn are_all_answered(body: &[u8], size: usize) -> bool {
    let answers: Vec<Value> = serde_json::from_slice(body).unwrap_or_default();
    let is_answered = |id: usize| {
        let mut own = answers.iter().filter(|answer| answer.get("id") == Some(&json!(id)));
        own.next().is_some_and(|answer| answer.get("result").is_some_and(Value::is_object))
    };
    (0..size).all(is_answered)
}

/// The kinds of calls alternate, so that answers under another id are noticed.
fn call(id: usize) -> Value {
    let (method, params) = if asks_chain_id(id) {
        ("eth_chainId", json!([]))
    } else {
        ("eth_getBalance", json!([PROBED, "earliest"]))
    };
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn asks_chain_id(id: usize) -> bool {
    id.is_multiple_of(2)
}

fn answer(body: &[u8], size: usize, chain_id: u64) -> Answer {
    let Ok(Value::Array(answers)) = serde_json::from_slice::<Value>(body) else { return Answer::Limited };
    let has_error = |answer: &Value| answer.get("error").is_some();
    if answers.len() <= size && answers.iter().all(has_error) {
        return Answer::Limited;
    }
    let mut has_limit = false;
    for id in 0..size {
        let mut own = answers.iter().filter(|answer| answer.get("id") == Some(&json!(id)));
        let (Some(answer), None) = (own.next(), own.next()) else { return Answer::Broken };
        let result = answer.get("result").map(|result| quantity(&result.to_string()));
        let is_chain_id = result == Some(Some(chain_id));
        match (asks_chain_id(id), has_error(answer)) {
            (true, true) => has_limit = true,
            (true, false) if !is_chain_id => return Answer::Broken,
            // `eth_getBalance` may fail if the node has no state of block 0. But its answer is never the chain id.
            (false, false) if result.is_none() || is_chain_id => return Answer::Broken,
            _ => {}
        }
    }
    match (answers.len() == size, has_limit) {
        (false, _) => Answer::Broken,
        (true, true) => Answer::Limited,
        (true, false) => Answer::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: u64 = 7;

    fn right(id: usize) -> Value {
        json!({ "jsonrpc": "2.0", "id": id, "result": if asks_chain_id(id) { "0x7" } else { "0x0" } })
    }

    fn error(id: usize) -> Value {
        json!({ "id": id, "error": { "code": -32_003, "message": "response too large" } })
    }

    fn kind(answers: &[Value], size: usize) -> &'static str {
        match answer(&serde_json::to_vec(answers).unwrap_or_default(), size, CHAIN) {
            Answer::Whole => "whole",
            Answer::Limited => "limited",
            Answer::Broken => "broken",
        }
    }

    #[test]
    fn a_limit_is_told_from_a_broken_batch() {
        let whole: Vec<Value> = (0..4).map(right).collect();
        assert_eq!(kind(&whole, 4), "whole");
        let no_old_state = [right(0), error(1), right(2), error(3)];
        assert_eq!(kind(&no_old_state, 4), "whole", "only the old state is missing");
        // As geth answers over its limit of bytes, and over its limit of calls.
        assert_eq!(kind(&[right(0), right(1), error(2), error(3)], 4), "limited");
        assert_eq!(kind(&[error(0)], 4), "limited");
        assert_eq!(kind(&[error(0), error(1), error(2), error(3)], 4), "limited");
        assert_eq!(kind(&whole[..3], 4), "broken", "one is missing, and no error says so");
        assert_eq!(kind(&[right(0), right(1), right(2), error(2)], 4), "broken");
        let swapped = [(1, 0), (0, 1), (3, 2), (2, 3)].map(|(content, id)| {
            let mut answer = right(content);
            answer["id"] = json!(id);
            answer
        });
        assert_eq!(kind(&swapped, 4), "broken");
    }
}
