//! A report as JSON: schema `saldo.doctor/1`, described in `docs/saldo.doctor-1.schema.json`.

use std::time::Duration;

use saldo_doctor::{
    Check, CheckpointReport, Depth, Diagnosis, Finding, NamesFork, PROBED, ProviderReport, Report, SeenHead,
    SourceReport,
};
use serde_json::{Value, json};

/// The report as one object, all keys always present.
pub(crate) fn report(report: &Report) -> Value {
    json!({
        "schema": "saldo.doctor/1",
        "network": report.network,
        "chain_id": report.chain_id,
        "begun": report.begun.as_secs(),
        "probed_address": PROBED,
        "checkpoint": report.checkpoint.map(|checkpoint| checkpoint.to_string()),
        "checkpoint_slot": report.checkpoint_slot.map(|slot| slot.get()),
        "agreed_root": report.agreed_root,
        "signed_head": report.signed_head.as_ref().map(head),
        "providers": report.providers.iter().map(provider).collect::<Vec<_>>(),
        "beacon_sources": report.sources.iter().map(source).collect::<Vec<_>>(),
        "checkpoint_sources": report.checkpoint_sources.iter().map(checkpoint_source).collect::<Vec<_>>(),
        "rollup": null,
        "diagnosis": diagnosis(&report.diagnosis),
    })
}

pub(super) fn diagnosis(diagnosis: &Diagnosis) -> Value {
    json!({
        "verdict": diagnosis.verdict.code(),
        "summary": diagnosis.summary,
        "single_failures": diagnosis.single_failures.iter().map(|single| json!({
            "kind": single.kind,
            "detail": single.detail,
            "next_step": single.next_step,
        })).collect::<Vec<_>>(),
        "next_steps": diagnosis.next_steps,
    })
}

pub(super) fn provider(report: &ProviderReport) -> Value {
    json!({
        "provider": report.provider.to_string(),
        "run_by": report.run_by,
        "operator_is_declared": report.operator_is_declared,
        "hosting": report.hosting,
        "requests": report.requests,
        "latency_ms": report.latency.map(millis),
        "clock_offset_seconds": report.clock_offset,
        "ahead_of_signed_blocks": report.ahead_of_signed,
        "chain_id": check(&report.chain_id, |id| json!(id)),
        "tip": check(&report.tip, |tip| json!({ "number": tip.number, "timestamp": tip.timestamp.as_secs() })),
        "block_rebuilds": check(&report.block_rebuilds, |()| Value::Null),
        "raw_header": check(&report.raw_header, |()| Value::Null),
        "proof_at_tip": check(&report.proof_at_tip, |nodes| json!(nodes)),
        "proof_at_signed_head": check(&report.proof_at_signed_head, |nodes| json!(nodes)),
        "depth": check(&report.depth, depth),
        "by_tag": check(&report.by_tag, |()| Value::Null),
        "by_hash": check(&report.by_hash, |()| Value::Null),
        "batch": check(&report.batch, |size| json!(size)),
        "capabilities": check(&report.capabilities, |capabilities| json!({
            "disabled": capabilities.disabled,
            "oldest_block": capabilities.oldest_block,
            "oldest_state": capabilities.oldest_state,
        })),
        "findings": findings(&report.findings),
    })
}

fn source(report: &SourceReport) -> Value {
    json!({
        "source": report.source.to_string(),
        "run_by": report.run_by,
        "requests": report.requests,
        "latency_ms": report.latency.map(millis),
        "clock_offset_seconds": report.clock_offset,
        "behind_slots": report.behind,
        "genesis": check(&report.genesis, |()| Value::Null),
        "bootstrap": check(&report.bootstrap, |()| Value::Null),
        "updates": check(&report.updates, |taken| json!(taken)),
        "finality": check(&report.finality, |slot| json!(slot.get())),
        "optimistic": check(&report.optimistic, head),
        "ssz": check(&report.ssz, |is_ssz| json!(is_ssz)),
        "json": check(&report.json, |names| json!({ "names_fork": *names == NamesFork::Yes })),
        "oldest_period": check(&report.oldest_period, |period| json!(period.get())),
        "findings": findings(&report.findings),
    })
}

fn checkpoint_source(report: &CheckpointReport) -> Value {
    json!({
        "source": report.source.to_string(),
        "run_by": report.run_by,
        "requests": report.requests,
        "latency_ms": report.latency.map(millis),
        "clock_offset_seconds": report.clock_offset,
        "names": check(&report.names, |root| json!(root)),
        "findings": findings(&report.findings),
    })
}

/// Writes a check's state as `found`, `failed` or `not_checked`, with the value or the reason.
fn check<T>(check: &Check<T>, found: impl Fn(&T) -> Value) -> Value {
    match check {
        Check::Found(value) => {
            json!({ "state": "found", "value": found(value), "code": null, "detail": null })
        }
        Check::Failed(failure) => json!({
            "state": "failed",
            "value": null,
            "code": failure.code(),
            "detail": failure.to_string(),
        }),
        Check::NotChecked(why) => json!({
            "state": "not_checked",
            "value": null,
            "code": why.code(),
            "detail": why.to_string(),
        }),
    }
}

fn depth(depth: &Depth) -> Value {
    json!({
        "proven_blocks": depth.proven,
        "refused_at_blocks": depth.refused,
        "tip_only": depth.is_tip_only(),
        "text": depth.to_string(),
    })
}

fn head(head: &SeenHead) -> Value {
    json!({
        "slot": head.slot.get(),
        "signers": head.signers,
        "committee_size": head.committee_size,
        "block_number": head.number,
        "block_hash": head.hash,
    })
}

pub(super) fn findings(findings: &[Finding]) -> Vec<Value> {
    let finding = |finding: &Finding| {
        json!({
            "code": finding.code(),
            "severity": finding.severity().code(),
            "detail": finding.to_string(),
            "next_step": finding.next_step(),
        })
    };
    findings.iter().map(finding).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
