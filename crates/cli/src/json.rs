//! A reading as JSON: schema `saldo.reading/1`, described in `docs/saldo.reading-1.schema.json`.

use saldo::{Anchor, Assurance, Attempt, Client, Finality, Holding, Origin, Proven, Reading, Voucher, Why};
use serde_json::{Value, json};

/// One reading as one object, all keys always present. `amount` is there only if `state` is `proven`.
pub(crate) fn reading(client: &Client, holding: &Holding, reading: &Reading) -> Value {
    let state = match reading {
        Reading::Proven(_) => "proven",
        Reading::Provisional(_) => "provisional",
        Reading::Unknown(_) => "unknown",
    };
    let chain_id = client.network().chain_id();
    let proven = reading.proven();
    let last = match reading {
        Reading::Proven(_) => None,
        Reading::Provisional(provisional) => provisional.last(),
        Reading::Unknown(unknown) => unknown.last(),
    };
    let claimed_by = match reading {
        Reading::Provisional(provisional) => Some(provisional.provider()),
        Reading::Proven(_) | Reading::Unknown(_) => None,
    };
    json!({
        "schema": "saldo.reading/1",
        "chain_id": chain_id,
        "address": holding.owner,
        "asset": format!("eip155:{chain_id}/slip44:60"),
        "decimals": 18,
        "state": state,
        "amount": proven.map(amount),
        "block": proven.map(|proven| block(proven.anchor())),
        "provider": proven.map(Proven::provider).or(claimed_by).map(ToString::to_string),
        "age_seconds": proven.and_then(|proven| age_seconds(client, proven)),
        "origin": proven.map(|proven| origin(proven.anchor().origin())),
        "why": reading.why().map(why),
        "attempts": reading.attempts().iter().map(attempt).collect::<Vec<_>>(),
        "last": last.map(|last| json!({
            "amount": amount(last),
            "block": block(last.anchor()),
            "provider": last.provider().to_string(),
            "age_seconds": age_seconds(client, last),
            "origin": origin(last.anchor().origin()),
        })),
    })
}

fn amount(proven: &Proven) -> String {
    proven.amount().base_units().to_string()
}

fn age_seconds(client: &Client, proven: &Proven) -> Option<u64> {
    client.now().age_of(proven.anchor().timestamp()).map(|age| age.as_secs())
}

fn block(anchor: &Anchor) -> Value {
    let (assurance, signers) = match anchor.assurance() {
        Assurance::Signed { signers, size } => ("signed", Some((signers, size))),
        Assurance::Finalized(Finality::Signed { signers, size } | Finality::Forced { signers, size }) => {
            ("finalized", Some((signers, size)))
        }
        Assurance::Finalized(Finality::Checkpoint) => ("finalized", None),
    };
    json!({
        "number": anchor.number(),
        "hash": anchor.hash(),
        "timestamp": anchor.timestamp().as_secs(),
        "state_root": anchor.state_root().get(),
        "assurance": assurance,
        "signers": signers.map(|(signers, _)| signers),
        "committee_size": signers.map(|(_, size)| size),
    })
}

fn origin(origin: &Origin) -> Value {
    let agreed_by = match origin.voucher() {
        Voucher::Agreement { operators, .. } => Value::from(operators.to_vec()),
        _ => Value::from("given"),
    };
    let checkpoint = origin.checkpoint();
    json!({ "root": checkpoint.root, "slot": checkpoint.slot.map(|slot| slot.get()), "agreed_by": agreed_by })
}

fn why(why: &Why) -> Value {
    json!({
        "code": why.code(),
        "detail": why.to_string(),
        "fault": why.fault().code(),
        "retry_after_seconds": why.retry_after().map(|after| after.as_secs()),
        "next_step": why.next_step(),
    })
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "provider": attempt.provider.to_string(),
        "role": attempt.role.code(),
        "outcome": attempt.outcome.code(),
        "detail": attempt.outcome.to_string(),
        "ms": u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        "widened": attempt.widened,
    })
}
