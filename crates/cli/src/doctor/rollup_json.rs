//! A report about a rollup as JSON: schema `saldo.doctor/1`, with `rollup`.

use saldo::{ClaimsHealth, Reading, Refusal, RollupHealth, UnixTime};
use saldo_doctor::RollupReport;
use serde_json::{Value, json};

use super::json::{self, diagnosis, findings, provider};
use crate::json::{block, form};

/// The report as one object: L1 as without a rollup, and besides `rollup`. The diagnosis is that of the rollup.
pub(crate) fn report(report: &RollupReport) -> Value {
    let mut all = json::report(&report.l1);
    let health = report.health.as_ref();
    let rollup = json!({
        "network": report.network,
        "chain_id": report.chain_id,
        "is_pinned": report.is_pinned,
        "providers": report.providers.iter().map(provider).collect::<Vec<_>>(),
        "reading": report.reading.as_ref().map(reading),
        "block": health.and_then(|health| health.newest.as_ref()).map(block),
        "problem": health.and_then(|health| health.problem.as_ref()).map(form),
        "unknown_code": health.and_then(unknown_code),
        "stopped_since": health.and_then(|health| health.stopped).map(UnixTime::as_secs),
        "claims": health.and_then(|health| health.claims).map(|found| claims(&found)),
        "relays": health.map(|health| form(&health.relays)),
        "findings": findings(&report.findings),
        "l1_diagnosis": diagnosis(&report.l1.diagnosis),
    });
    if let Value::Object(all) = &mut all {
        all.insert("rollup".to_owned(), rollup);
        all.insert("diagnosis".to_owned(), diagnosis(&report.diagnosis));
    }
    all
}

/// What the reading says, without its amount.
fn reading(reading: &Reading) -> Value {
    let state = match reading {
        Reading::Proven(_) => "proven",
        Reading::Provisional(_) => "provisional",
        Reading::Unknown(_) => "unknown",
    };
    json!({ "state": state, "why": reading.why().map(form) })
}

fn unknown_code(health: &RollupHealth) -> Option<Value> {
    match &health.refusal {
        Some(Refusal::UnknownCode { contract, got }) => {
            Some(json!({ "contract": contract.code(), "code_hash": got }))
        }
        _ => None,
    }
}

fn claims(claims: &ClaimsHealth) -> Value {
    json!({
        "read_at": claims.read_at.as_secs(),
        "newest": claims.newest.as_secs(),
        "usual_seconds": claims.usual.map(|usual| usual.as_secs()),
        "are_late": claims.are_late(),
    })
}
