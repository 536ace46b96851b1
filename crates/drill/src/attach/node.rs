//! A development node, as far as its blocks are read.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use saldo_beacon::container::ExecutionPayloadHeader;
use saldo_source::{Endpoint, Method, Request, Transport, TransportError};
use serde_json::{Value, json};

/// How long an answer may take, and how large it may be.
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 4 << 20;

/// Why a node's block could not be read. Holds no text from outside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// No HTTP answer. The node's fault, or of the network to it.
    #[error("the node does not answer: {0}")]
    Unreachable(#[from] TransportError),
    /// HTTP 401, 403 or 407. The caller's fault: the key is missing, or the node does not serve this host name.
    #[error("the node refuses requests, by HTTP {status}: of this host name, or without a key")]
    Denied {
        /// The HTTP status.
        status: u16,
    },
    /// No JSON-RPC, or an error. The node's fault, or the caller's for naming something else.
    #[error("the node does not answer {method} as a node does")]
    NoAnswer {
        /// The method.
        method: &'static str,
    },
    /// A block without a field. The node's fault.
    #[error("the node's block has no usable `{field}`")]
    Field {
        /// The field.
        field: &'static str,
    },
}

/// A development node.
pub(super) struct Node {
    endpoint: Endpoint,
    transport: Arc<dyn Transport>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Node").field(self.endpoint.id()).finish()
    }
}

impl Node {
    pub(super) fn new(endpoint: Endpoint, transport: Arc<dyn Transport>) -> Self {
        Self { endpoint, transport }
    }

    pub(super) async fn chain_id(&self) -> Result<u64, NodeError> {
        let answer = self.call("eth_chainId", json!([])).await?;
        quantity(&answer).ok_or(NodeError::NoAnswer { method: "eth_chainId" })
    }

    /// The newest block.
    pub(super) async fn latest(&self) -> Result<ExecutionPayloadHeader, NodeError> {
        payload(&self.call("eth_getBlockByNumber", json!(["latest", false])).await?)
    }

    /// The block of that number.
    pub(super) async fn block(&self, number: u64) -> Result<ExecutionPayloadHeader, NodeError> {
        payload(&self.call("eth_getBlockByNumber", json!([format!("{number:#x}"), false])).await?)
    }

    /// Whether the node still has the block of that number and hash.
    pub(super) async fn has(&self, (number, hash): (u64, B256)) -> Result<bool, NodeError> {
        let block = self.call("eth_getBlockByNumber", json!([format!("{number:#x}"), false])).await?;
        // Nodes say null of a block that they have not.
        Ok(block.is_object() && of(&block, "hash").is_ok_and(|found: B256| found == hash))
    }

    /// Has the node mine a block. Returns whether it serves the method: geth does not.
    pub(super) async fn mine(&self) -> Result<bool, NodeError> {
        match self.call("evm_mine", json!([])).await {
            Ok(_) => Ok(true),
            Err(NodeError::NoAnswer { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn call(&self, method: &'static str, params: Value) -> Result<Value, NodeError> {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = Request {
            method: Method::Post,
            url: self.endpoint.url().clone(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: call.to_string().into_bytes(),
            timeout: TIMEOUT,
            max_bytes: MAX_BYTES,
        };
        let response = self.transport.send(request).await?;
        if let status @ (401 | 403 | 407) = response.status {
            return Err(NodeError::Denied { status });
        }
        let answer: Value =
            serde_json::from_slice(&response.body).map_err(|_| NodeError::NoAnswer { method })?;
        answer.get("result").cloned().ok_or(NodeError::NoAnswer { method })
    }
}

fn quantity(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

fn of<T: std::str::FromStr>(block: &Value, field: &'static str) -> Result<T, NodeError> {
    let text = block.get(field).and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).ok_or(NodeError::Field { field })
}

/// The block as a beacon block commits to it. The fields that only the block body tells are zero.
fn payload(block: &Value) -> Result<ExecutionPayloadHeader, NodeError> {
    let number = |field: &'static str| block.get(field).and_then(quantity).ok_or(NodeError::Field { field });
    let extra_data: Bytes = of(block, "extraData").unwrap_or_default();
    Ok(ExecutionPayloadHeader {
        parent_hash: of(block, "parentHash")?,
        fee_recipient: of(block, "miner").unwrap_or(Address::ZERO),
        state_root: of(block, "stateRoot")?,
        receipts_root: of(block, "receiptsRoot").unwrap_or_default(),
        logs_bloom: of(block, "logsBloom").unwrap_or(Bloom::ZERO),
        prev_randao: of(block, "mixHash").unwrap_or_default(),
        block_number: number("number")?,
        gas_limit: number("gasLimit").unwrap_or_default(),
        gas_used: number("gasUsed").unwrap_or_default(),
        timestamp: number("timestamp")?,
        // At most 32 bytes have a place there.
        extra_data: if extra_data.len() > 32 { Bytes::new() } else { extra_data },
        base_fee_per_gas: of(block, "baseFeePerGas").unwrap_or(U256::ZERO),
        block_hash: of(block, "hash")?,
        transactions_root: B256::ZERO,
        withdrawals_root: B256::ZERO,
        blob_gas_used: Some(number("blobGasUsed").unwrap_or_default()),
        excess_blob_gas: Some(number("excessBlobGas").unwrap_or_default()),
    })
}
