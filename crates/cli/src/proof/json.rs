//! What a file proves, as JSON by `docs/saldo.proof-file-1.schema.json`.

use saldo::proof_files::{RestsOn, VerifiedHolding, VerifiedProofFile};
use saldo::{Asset, Derivation, UnixTime};
use serde_json::{Value, json};

use super::verify::Outcome;

const SCHEMA: &str = "saldo.proof-file/1";

/// The result as one object with all keys. It has amounts only if the file proves them.
pub(super) fn outcome(outcome: &Outcome, now: UnixTime) -> Value {
    match outcome {
        Outcome::Verified(verified) => proven(verified, now),
        Outcome::Assumed(verified) => nothing(
            "untrusted",
            &json!({
                "code": "no_trusted_root",
                "detail": "no trusted root was given: the file proves nothing without one",
            }),
            &rests_on(verified.rests_on()),
        ),
        Outcome::Refused(error) => {
            nothing("refused", &json!({ "code": error.code(), "detail": error.to_string() }), &Value::Null)
        }
    }
}

fn nothing(state: &str, error: &Value, rests_on: &Value) -> Value {
    json!({
        "schema": SCHEMA,
        "state": state,
        "form": null,
        "chain_id": null,
        "holdings": [],
        "block": null,
        "age_seconds": null,
        "rests_on": rests_on,
        "error": error,
    })
}

fn proven(verified: &VerifiedProofFile, now: UnixTime) -> Value {
    let age = (now >= verified.time()).then(|| now.saturating_sub(verified.time()).as_secs());
    json!({
        "schema": SCHEMA,
        "state": "verified",
        "form": verified.form().code(),
        "chain_id": verified.chain_id(),
        "holdings": verified.holdings().iter().map(holding).collect::<Vec<Value>>(),
        "block": {
            "number": verified.number(),
            "hash": verified.hash(),
            "state_root": verified.state_root().get(),
            "timestamp": verified.time().as_secs(),
            "depth": verified.depth(),
            "finalized": verified.is_finalized(),
            "signed_slot": verified.signed_slot().get(),
            "signers": verified.signers(),
            "committee_size": verified.committee_size(),
        },
        "age_seconds": age,
        "rests_on": rests_on(verified.rests_on()),
        "error": null,
    })
}

fn holding(held: &VerifiedHolding) -> Value {
    let network = held.holding().network();
    let (asset, token) = match held.holding().asset() {
        Asset::Erc20(token) => (format!("{network}/erc20:{token:#x}"), json!(token)),
        _ => (format!("{network}/slip44:{}", network.coin_type()), Value::Null),
    };
    let derivation = match held.derivation() {
        Some(Derivation::Executed { .. }) => json!("execution"),
        Some(_) => json!("slot"),
        None => Value::Null,
    };
    json!({
        "address": held.holding().owner(),
        "asset": asset,
        "token": token,
        "amount": held.amount().to_string(),
        "frozen": held.is_frozen(),
        "derivation": derivation,
    })
}

fn rests_on(rests_on: &RestsOn) -> Value {
    match rests_on {
        RestsOn::Checkpoint { root, slot, from, to } => json!({
            "kind": "checkpoint",
            "root": root,
            "slot": slot.get(),
            "from_period": from.get(),
            "to_period": to.get(),
        }),
        RestsOn::Committee { root, period } => json!({
            "kind": "committee",
            "root": root,
            "slot": null,
            "from_period": period.get(),
            "to_period": period.get(),
        }),
        _ => Value::Null,
    }
}
