//! What is asked of an execution provider. The replies are handed on as they came: judging them is not done here.

use std::time::Duration;

use alloy_primitives::{Address, B256};
use saldo_reading::Failure;
use serde_json::json;
use serde_json::value::RawValue;

use crate::endpoint::Endpoint;
use crate::jsonrpc::call;
use crate::network::Network;

/// An account proof of mainnet is about 9 KB of JSON; with room for a longer one, and for chatty clients.
const MAX_PROOF_REPLY: usize = 256 * 1024;
/// A block with the hashes of its transactions and its withdrawals.
const MAX_BLOCK_REPLY: usize = 1024 * 1024;
const MAX_SMALL_REPLY: usize = 4 * 1024;

/// At which block something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The newest block the provider has.
    Latest,
    /// The block of this number: the one form that every client takes.
    Number(u64),
}

/// `eth_getProof` of an account without storage keys (EIP-1186): the result as it came.
///
/// # Errors
/// A [`Failure`] that says why there is none.
pub async fn account_proof(
    network: &Network,
    provider: &Endpoint,
    address: Address,
    at: At,
    timeout: Duration,
) -> Result<Box<RawValue>, Failure> {
    let block = match at {
        At::Latest => "latest".to_owned(),
        At::Number(number) => format!("{number:#x}"),
    };
    let params = json!([address, [], block]);
    call(network, provider, "eth_getProof", params, timeout, MAX_PROOF_REPLY).await
}

/// `eth_getBlockByHash` without full transactions: the block object as it came.
///
/// # Errors
/// A [`Failure`] that says why there is none.
pub async fn block_by_hash(
    network: &Network,
    provider: &Endpoint,
    hash: B256,
    timeout: Duration,
) -> Result<Box<RawValue>, Failure> {
    call(network, provider, "eth_getBlockByHash", json!([hash, false]), timeout, MAX_BLOCK_REPLY).await
}

/// `eth_chainId`: which chain the provider says it serves.
///
/// # Errors
/// A [`Failure`] that says why there is no answer.
pub async fn chain_id(network: &Network, provider: &Endpoint, timeout: Duration) -> Result<u64, Failure> {
    let result = call(network, provider, "eth_chainId", json!([]), timeout, MAX_SMALL_REPLY).await?;
    let malformed = Failure::Malformed { what: "not a chain id" };
    let text: String = serde_json::from_str(result.get()).map_err(|_| malformed.clone())?;
    let id = text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    // No chain has the id 0: whoever says so answers 0 to everything.
    id.filter(|id| *id != 0).ok_or(malformed)
}
