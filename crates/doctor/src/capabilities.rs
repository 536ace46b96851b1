//! What a node says of its own states and proofs in `eth_capabilities` (execution-apis), held against what was measured.

use saldo_reading::Failure;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::check::{Check, Unchecked};
use crate::finding::Finding;
use crate::probe::{ProbeClient, quantity};
use crate::provider::{Capabilities, ProviderReport};
use crate::reply::MAX_SMALL;

/// By how many blocks the chain and its oldest state may move on during an examination.
const MOST_MOVED: u64 = 4;

/// Requests the claims.
pub(crate) async fn read(probe: &ProbeClient<'_>) -> Check<Capabilities> {
    if probe.is_over() {
        return Check::NotChecked(Unchecked::OutOfBudget);
    }
    let reply = probe.call("eth_capabilities", json!([]), MAX_SMALL).await;
    reply.and_then(|reply| parse(&reply)).into()
}

fn parse(reply: &RawValue) -> Result<Capabilities, Failure> {
    let malformed = Failure::Malformed { what: "not capabilities" };
    let reply: Value = serde_json::from_str(reply.get()).map_err(|_| malformed.clone())?;
    let oldest = |part: &Value| part.get("oldestBlock").and_then(|oldest| quantity(&oldest.to_string()));
    let proofs = reply.get("stateproofs").ok_or(malformed)?;
    let disabled = proofs.get("disabled").and_then(Value::as_bool).unwrap_or(false);
    Ok(Capabilities {
        disabled,
        oldest_block: oldest(proofs),
        oldest_state: reply.get("state").and_then(oldest),
    })
}

/// The finding if the claims contradict the proofs. A node that claims less than it serves is only careful.
pub(crate) fn contradiction(report: &ProviderReport) -> Option<Finding> {
    let claimed = report.capabilities.found()?;
    if claimed.disabled {
        return report.proof_at_tip.is_found().then_some(Finding::ClaimsNoProofs);
    }
    let refused = report.depth.found()?.refused?;
    let refused = report.tip.found()?.number.checked_sub(refused)?;
    let from = claimed.oldest_block?;
    (from.saturating_add(MOST_MOVED) <= refused).then_some(Finding::ClaimsOlderProofs { from, refused })
}
