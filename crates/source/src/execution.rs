//! Requests to an execution provider. The replies are returned as they came: they are verified elsewhere.

mod portion;
mod progress;
mod question;
mod result;
mod together;

use std::time::Duration;

use saldo_reading::Failure;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::endpoint::Endpoint;
use crate::io::Io;
use crate::jsonrpc::{Call, batch, call};

pub use question::{At, Question};
pub use result::{
    StateProofs, access_list, balance, block_number_of, chain_id_of, code, raw_header, state_proofs,
};
pub use together::{Together, ask_together};

pub use crate::batch_size::LARGEST_BATCH;

/// Asks one question; returns the result as it came.
///
/// # Errors
/// A [`Failure`] that says why there is no result.
pub async fn ask(
    io: &Io,
    provider: &Endpoint,
    question: &Question,
    timeout: Duration,
) -> Result<Box<RawValue>, Failure> {
    call(io, provider, question.call(), timeout).await
}

/// Asks several questions in one request. If the request fails, all of them fail. Nothing is tried again, and nothing is learned of how
/// much the provider takes: for questions that can stay without an answer.
pub async fn ask_apart(
    io: &Io,
    provider: &Endpoint,
    questions: &[Question],
    timeout: Duration,
) -> Vec<Result<Box<RawValue>, Failure>> {
    if let [question] = questions {
        return vec![ask(io, provider, question, timeout).await];
    }
    let calls: Vec<Call> = questions.iter().map(Question::call).collect();
    match batch(io, provider, &calls, timeout).await {
        Ok(results) => results.into_iter().map(|result| result.map_err(|failed| *failed.failure)).collect(),
        Err(failed) => questions.iter().map(|_| Err((*failed.failure).clone())).collect(),
    }
}

/// Calls any method; returns the result as it came, of at most `max_bytes`. For methods that have no [`Question`].
///
/// # Errors
/// A [`Failure`] that says why there is no result.
pub async fn ask_method(
    io: &Io,
    provider: &Endpoint,
    method: &'static str,
    params: Value,
    max_bytes: usize,
    timeout: Duration,
) -> Result<Box<RawValue>, Failure> {
    call(io, provider, Call::new(method, &params, max_bytes), timeout).await
}

/// Asks `eth_chainId`: the chain that the provider says it serves.
///
/// # Errors
/// A [`Failure`] that says why there is no chain id.
pub async fn chain_id(io: &Io, provider: &Endpoint, timeout: Duration) -> Result<u64, Failure> {
    chain_id_of(&ask(io, provider, &Question::ChainId, timeout).await?)
}
