//! The evidence log: false proofs, kept so that others can check them.

use std::collections::VecDeque;
use std::fmt;

use alloy_primitives::{Address, B256};
use saldo_reading::{Failure, ProviderId};
use saldo_source::execution::Question;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::plan::Piece;
use super::target::PinnedBlock;

/// Holds a proof that is false under the exact block of its request: the request, the reply, the block, and the
/// reason.
///
/// It shows to anyone who knows the block that these bytes are refused. It does not show who sent them: anyone
/// who has it could have written it. The request names the address that was asked about.
#[derive(Clone)]
pub struct Evidence {
    provider: ProviderId,
    /// The account and the slots that the request names.
    asked: (Address, Vec<B256>),
    pin: (B256, u64, B256),
    reply: Box<RawValue>,
    reason: String,
}

impl Evidence {
    /// `None` if the request was for no proof.
    pub(super) fn new(
        provider: &ProviderId,
        piece: &Piece,
        pin: PinnedBlock,
        reason: &Failure,
    ) -> Option<Self> {
        let Question::Proof { address, keys, .. } = &piece.part.question else { return None };
        Some(Self {
            provider: provider.clone(),
            asked: (*address, keys.clone()),
            pin: (pin.hash, pin.number, pin.state_root.get()),
            reply: piece.part.result.as_ref().ok()?.clone(),
            reason: reason.to_string(),
        })
    }

    /// Returns the provider that was asked. The evidence does not prove that this provider sent the reply.
    pub fn provider(&self) -> &ProviderId {
        &self.provider
    }

    /// Returns why the proof was refused.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns one JSON object of the schema `saldo.evidence/1`: the request, the reply as it came, the block (hash, number and state root), and
    /// the reason. It contains the address, but not the provider. Anyone can check it
    /// ([`FalseProof::verify`](saldo_proof_file::FalseProof::verify)).
    pub fn to_json(&self) -> String {
        let (hash, number, state_root) = self.pin;
        let (address, keys) = &self.asked;
        let reply: Value = serde_json::from_str(self.reply.get()).unwrap_or_default();
        json!({
            "schema": "saldo.evidence/1",
            "request": { "method": "eth_getProof", "params": [address, keys, { "blockHash": hash }] },
            "reply": reply,
            "block": { "hash": hash, "number": number, "stateRoot": state_root },
            "reason": self.reason,
        })
        .to_string()
    }
}

impl fmt::Debug for Evidence {
    /// The output names no address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("provider", &self.provider)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// Keeps the newest false proofs.
#[derive(Debug, Default)]
pub(super) struct EvidenceLog(VecDeque<Evidence>);

impl EvidenceLog {
    /// The most proofs that are kept; each has at most 256 KB.
    const CAPACITY: usize = 16;

    pub(super) fn keep(&mut self, evidence: Evidence) {
        self.0.push_back(evidence);
        while self.0.len() > Self::CAPACITY {
            self.0.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<Evidence> {
        self.0.iter().cloned().collect()
    }
}
