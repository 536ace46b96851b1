//! Reads a provider's replies: a proof, and the hash and number of a block.

use alloy_primitives::{Address, B256};
use saldo_chain::ExecutionHeader;
use saldo_proof::eip1186::AccountReply;
use saldo_proof::{StateRoot, claimed_root};
use saldo_reading::Failure;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::probe::quantity;

/// The account whose proofs are requested. It reveals nothing about the user.
pub const PROBED: Address = Address::ZERO;

/// The most bytes of a small reply.
pub(crate) const MAX_SMALL: usize = 64 * 1024;
/// The most bytes of a reply with a proof.
pub(crate) const MAX_PROOF: usize = 256 * 1024;
/// The most bytes of a reply with a block.
pub(crate) const MAX_BLOCK: usize = ExecutionHeader::MAX_JSON_BYTES;

/// The number of nodes, and whether the values beside the proof are those that it proves.
pub(crate) fn verify(reply: &RawValue, root: Option<StateRoot>) -> Result<(usize, bool), Failure> {
    let reply: AccountReply = serde_json::from_str(reply.get())
        .map_err(|_| Failure::Malformed { what: "not an eth_getProof result" })?;
    let root = root.map_or_else(|| claimed_root(&reply.account_proof), Ok)?;
    let account = reply.verify(root, PROBED)?;
    Ok((reply.account_proof.len(), !reply.contradictions(&account).any()))
}

/// The hash and number that a block object claims. The caller checks the hash.
pub(crate) fn hash_and_number(block: &RawValue) -> Result<(B256, u64), Failure> {
    let malformed = Failure::Malformed { what: "not a block" };
    let block: Value = serde_json::from_str(block.get()).map_err(|_| malformed.clone())?;
    let hash = block.get("hash").and_then(Value::as_str).and_then(|hash| hash.parse().ok());
    let number = block.get("number").and_then(|number| quantity(&number.to_string()));
    hash.zip(number).ok_or(malformed)
}
