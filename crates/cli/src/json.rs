//! A reading as JSON: schema `saldo.reading/1`, described in `docs/saldo.reading-1.schema.json`.

use saldo::{
    Activity, Anchor, Assurance, Attempt, Change, Client, Finality, Freshness, Holding, Origin, Proven,
    Reading, Voucher, Why,
};
use serde_json::{Value, json};

/// One reading as one object with all keys. `amount` has a value only if `state` is `proven`.
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
        "last": last.map(|last| before(client, last)),
    })
}

/// One change of a watch as one object: schema `saldo.change/1`, described in `docs/saldo.change-1.schema.json`.
pub(crate) fn change(client: &Client, change: &Change) -> Value {
    let freshness_code = |freshness: &Freshness| match freshness {
        Freshness::Fresh(_) => "fresh",
        Freshness::Old(_) => "old",
        Freshness::Unknown => "unknown",
    };
    let of = |kind: &str, fields: Value| {
        let mut object = json!({ "schema": "saldo.change/1", "change": kind });
        if let (Value::Object(object), Value::Object(fields)) = (&mut object, fields) {
            object.extend(fields);
        }
        object
    };
    match change {
        Change::Remembered { holding, last, freshness } => of(
            "remembered",
            json!({
                "address": holding.owner,
                "last": last.as_ref().map(|last| before(client, last)),
                "freshness": freshness.as_ref().map(freshness_code),
            }),
        ),
        Change::Reading { holding, reading: read, freshness } => of(
            "reading",
            json!({
                "address": holding.owner,
                "reading": reading(client, holding, read),
                "freshness": freshness.as_ref().map(freshness_code),
            }),
        ),
        Change::Withdrawn { holding, withdrawn, last, freshness } => of(
            "withdrawn",
            json!({
                "address": holding.owner,
                "withdrawn": before(client, withdrawn),
                "last": last.as_ref().map(|last| before(client, last)),
                "freshness": freshness.as_ref().map(freshness_code),
            }),
        ),
        Change::Activity(activity) => {
            let (code, until) = match activity {
                Activity::Fetching => ("fetching", None),
                Activity::Offline => ("offline", None),
                Activity::BackingOff { until } => ("backing_off", Some(until.as_secs())),
                _ => ("idle", None),
            };
            of("activity", json!({ "activity": code, "until": until }))
        }
        _ => of("unknown", json!({})),
    }
}

/// A reading that was proven before.
fn before(client: &Client, last: &Proven) -> Value {
    json!({
        "amount": amount(last),
        "block": block(last.anchor()),
        "provider": last.provider().to_string(),
        "age_seconds": age_seconds(client, last),
        "origin": origin(last.anchor().origin()),
        "restored": last.is_restored(),
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
        "widened": attempt.over_policy,
    })
}
