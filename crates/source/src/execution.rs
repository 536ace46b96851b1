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
use crate::jsonrpc::{Call, call};

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
