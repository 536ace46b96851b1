//! What `doctor` finds at a provider, and why a balance is not proven with it alone, are the same reason with the same next step.

use saldo_doctor::Finding;
use saldo_drill::{BatchRefusal, Chain, Fault, OddError, Rule};
use saldo_tests::doctor_world::DoctorWorld;
use saldo_tests::scene::{BOB, Scene};
use serde_json::json;

/// The finding of a provider with that fault; `None` if there is none that stops it.
fn found(seed: u64, rule: &Rule) -> Option<Finding> {
    let world = DoctorWorld::new(seed, 1, 1, 0);
    world.providers[0].add(rule.clone());
    let report = world.examine();
    let findings = report.providers[0].findings.clone();
    assert!(findings.len() <= 1, "{rule:?}: {findings:?}");
    findings.into_iter().next()
}

/// The reason of a balance whose only provider has that fault.
fn why(seed: u64, rule: &Rule) -> (&'static str, String) {
    let scene = Scene::new(seed, 1, 1);
    scene.providers[0].add(rule.clone());
    let reading = scene.balance(BOB);
    let why = reading.why().unwrap_or_else(|| panic!("{rule:?}: {reading:?}"));
    (why.code(), why.next_step().to_owned())
}

/// Each fault, the code of the doctor's finding, the code of the balance's reason, and words of both next steps.
fn rows() -> Vec<(Rule, &'static str, &'static str, &'static str)> {
    let other_chain = Chain::builder(99).chain_id(1).build();
    let error = |code, message: &str| Fault::Error { code, message: message.into() }.into();
    let mut rows = vec![
        (Fault::Status(401).into(), "denied", "denied", "check the key or the URL"),
        // An allow-list: HTTP 403, "not whitelisted".
        (Fault::Forbidden.into(), "denied", "denied", "check the key or the URL"),
        (Fault::Forbidden.on("eth_getProof"), "denied", "denied", "check the key or the URL"),
        (Fault::Status(403).into(), "denied", "denied", "check the key or the URL"),
        (Fault::Status(404).into(), "denied", "denied", "check the key or the URL"),
        (error(-32_000, "invalid api key"), "denied", "denied", "check the key or the URL"),
        (Fault::Body("invalid host specified".into()).into(), "denied", "denied", "check the key or the URL"),
        (Fault::Html.into(), "web_page", "log_in_page", "log in to this network"),
        (
            Fault::Redirect("http://elsewhere.test/".into()).into(),
            "moved",
            "moved",
            "saldo follows no redirect",
        ),
        (Fault::QuotaExhausted.into(), "quota_exhausted", "quota_exhausted", "raise the quota"),
        (
            error(-32_003, "daily request limit reached"),
            "quota_exhausted",
            "quota_exhausted",
            "raise the quota",
        ),
        (Fault::RateLimited { retry_after: Some("30".into()) }.into(), "rate_limited", "rate_limited", ""),
        (Fault::Refuse.into(), "unreachable", "all_unreachable", ""),
        (Fault::Unresolvable.into(), "unreachable", "all_unreachable", ""),
        (Fault::BadCertificate.into(), "unreachable", "all_unreachable", ""),
        (Fault::Hang.into(), "never_answers", "all_unreachable", ""),
        (Fault::Status(500).into(), "fails", "providers_failing", "try again"),
        (Fault::Status(501).into(), "fails", "providers_failing", "try again"),
        (Fault::Status(503).into(), "fails", "providers_failing", "try again"),
        (Fault::Truncated.into(), "fails", "providers_failing", "try again"),
        (Fault::WrongId.into(), "wrong_id", "providers_failing", "try again"),
        (error(-32_046, "cannot fulfill request"), "fails", "providers_failing", "try again"),
        (Fault::OtherChain(other_chain).into(), "wrong_chain", "wrong_chain", "network"),
        (Fault::NoProofs.into(), "no_proofs", "nobody_serves_proofs", "provider that serves"),
        (Fault::TruncatedProof { nodes: 0 }.into(), "truncated_proof", "proofs_refused", ""),
        (Fault::ExtraNodes.into(), "proof_refused", "proofs_refused", ""),
        (Fault::FlippedByte { node: 0, byte: 5 }.into(), "proof_refused", "proofs_refused", ""),
    ];
    rows.extend(
        OddError::ALL.map(|form| (Fault::OddError(form).into(), "fails", "providers_failing", "try again")),
    );
    rows
}

#[test]
fn both_name_the_same_reason() {
    for (seed, (rule, code, reason, step)) in (1..).zip(rows()) {
        let finding = found(seed, &rule).unwrap_or_else(|| panic!("{rule:?}: no finding"));
        let (why, next_step) = why(seed, &rule);
        assert_eq!((finding.code(), why), (code, reason), "{rule:?}");
        let same = finding.why().map(|why| why.code());
        assert_eq!(same, Some(reason), "{rule:?}: {finding:?}");
        let told = finding.next_step().unwrap_or_default().to_lowercase();
        for told in [told, next_step.to_lowercase()] {
            assert!(told.contains(&step.to_lowercase()) && told.ends_with('.'), "{rule:?}: {told}");
        }
    }
}

/// What does not stop a balance is no defect for the doctor either.
#[test]
fn what_balance_survives_is_no_defect() {
    let limits = BatchRefusal::ALL
        .into_iter()
        .flat_map(|form| [1, 3, 10].map(|calls| Fault::BatchLimit { calls, form }.into()));
    let harmless = [
        Fault::ResponseLimit { bytes: 2_000 }.into(),
        Fault::Field { name: "balance".into(), value: None }.on("eth_getProof"),
        Fault::Field { name: "nonce".into(), value: Some(json!(null)) }.on("eth_getProof"),
        Fault::ReorderedBatch.into(),
        Fault::NoDate.into(),
    ];
    for (seed, rule) in (1..).zip(limits.chain(harmless)) {
        let finding = found(seed, &rule);
        assert_eq!(finding, None, "{rule:?}");
        let scene = Scene::new(seed, 1, 1);
        scene.providers[0].add(rule.clone());
        scene.assert_true(&scene.balance(BOB), BOB);
    }
}
