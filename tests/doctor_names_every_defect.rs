//! The doctor names exactly the defects of each provider and source, and reports nothing for those without defects.

use std::time::Duration;

use alloy_primitives::U256;
use saldo_doctor::{Capabilities, Check, Depth, Finding, Limits, NamesFork, Unchecked, Verdict};
use saldo_drill::{BatchRefusal, BeaconSource, Chain, Fault, OddError, Provider, Rule};
use saldo_reading::Why;
use saldo_tests::doctor_world::DoctorWorld;
use serde_json::json;

#[test]
fn all_are_well() {
    let world = DoctorWorld::new(1, 2, 2, 3);
    let report = world.examine();
    for name in ["provider0", "provider1", "source0", "source1", "checkpoint0", "checkpoint1", "checkpoint2"]
    {
        assert_eq!(report.findings_at(name), [""; 0], "{name}");
    }
    for provider in &report.providers {
        assert_eq!(provider.chain_id, Check::Found(31337));
        assert!(provider.proof_at_tip.is_found() && provider.proof_at_signed_head.is_found(), "{provider:?}");
        assert!(provider.by_tag.is_found() && provider.by_hash.is_found(), "{provider:?}");
        assert!(provider.raw_header.is_found() && provider.block_rebuilds.is_found(), "{provider:?}");
        assert_eq!(provider.batch, Check::Found(50));
        let depth = provider.depth.found().expect("a depth");
        assert!(depth.proven >= 190 && depth.refused.is_none(), "{depth}");
        assert_eq!(provider.capabilities.failure().map(|failure| failure.code()), Some("not_served"));
        assert_eq!(provider.clock_offset.map(|seconds| seconds.abs() <= 13), Some(true));
        assert!(provider.latency.is_some_and(|latency| latency < Duration::from_millis(200)));
        assert!(provider.requests <= Limits::default().requests);
    }
    for source in &report.sources {
        assert!(source.genesis.is_found() && source.bootstrap.is_found(), "{source:?}");
        assert!(source.finality.is_found() && source.updates.is_found(), "{source:?}");
        assert_eq!((&source.ssz, &source.json), (&Check::Found(true), &Check::Found(NamesFork::Yes)));
        assert!(source.behind.is_some_and(|slots| slots <= 1), "{source:?}");
    }
    let head = report.signed_head.expect("a signed head");
    assert!(head.number.is_some_and(|number| number >= 198), "{head:?}");
    assert_eq!(report.agreed_root, Some(world.chain.checkpoint().root));
    assert_eq!(report.diagnosis.verdict, Verdict::Works);
    assert_eq!(report.diagnosis.single_failures, []);
    assert_eq!(report.diagnosis.next_steps, [""; 0]);
}

#[test]
fn one_row_for_each_defect_of_a_provider() {
    let other_chain = Chain::builder(99).chain_id(1).build();
    let rate_limited = || Fault::RateLimited { retry_after: Some("30".into()) };
    let rows: Vec<(Rule, &[&str])> = vec![
        (Fault::Refuse.into(), &["unreachable"]),
        (Fault::Unresolvable.into(), &["unreachable"]),
        (Fault::BadCertificate.into(), &["unreachable"]),
        (Fault::Hang.into(), &["never_answers"]),
        (Fault::Trickle { bytes_per_second: 1 }.into(), &["never_answers"]),
        (Fault::Hang.on("eth_getProof"), &["never_answers"]),
        (Fault::Status(503).into(), &["fails"]),
        (rate_limited().into(), &["rate_limited"]),
        (rate_limited().on("eth_getProof"), &["rate_limited"]),
        (Fault::QuotaExhausted.into(), &["quota_exhausted"]),
        (Fault::Html.into(), &["web_page"]),
        (Fault::Redirect("http://provider1.test/".into()).into(), &["moved"]),
        (Fault::Status(401).into(), &["denied"]),
        (Fault::Forbidden.into(), &["denied"]),
        (Fault::Status(403).into(), &["denied"]),
        (Fault::Status(404).into(), &["denied"]),
        (Fault::OddError(OddError::Text).into(), &["fails"]),
        (Fault::OddError(OddError::EmptyBody).into(), &["fails"]),
        (Fault::Truncated.into(), &["fails"]),
        (Fault::OtherChain(other_chain).into(), &["wrong_chain"]),
        (Fault::WrongId.into(), &["wrong_id"]),
        (Fault::NoProofs.into(), &["no_proofs"]),
        (Fault::Result(json!("0xffffff")).on("eth_blockNumber"), &["lies_about_tip"]),
        (
            Fault::Field { name: "number".into(), value: Some(json!("0xffff")) }.on("eth_getBlockByNumber"),
            &["header_refused"],
        ),
        (Fault::Field { name: "news".into(), value: Some(json!("0x1")) }.on("eth_getBlockByNumber"), &[]),
        (Fault::TruncatedProof { nodes: 0 }.into(), &["truncated_proof"]),
        (Fault::StaleBlock(1).on("eth_getProof"), &["proof_refused"]),
        (Fault::ExtraNodes.into(), &["proof_refused"]),
        (Fault::FlippedByte { node: 0, byte: 5 }.into(), &["proof_refused"]),
        (Fault::InventedTrie { balance: U256::ZERO }.into(), &["proof_refused"]),
        (Fault::ZeroBalance.into(), &["false_claim"]),
        // Its proof at the signed head shows that it has that block.
        (Fault::NullResult.on("eth_getBlockByHash"), &[]),
        (Fault::OtherChain(Chain::builder(98).history(200).build()).into(), &["other_branch"]),
        (Fault::PartialBatch.into(), &["broken_batch"]),
        (Fault::SwappedBatch.into(), &["broken_batch"]),
        (Fault::DuplicatedId.into(), &["broken_batch"]),
        (Fault::ReorderedBatch.into(), &[]),
        (Fault::ShiftedDate(-90).into(), &["clock_differs"]),
        (Fault::NoDate.into(), &[]),
    ];
    for (seed, (rule, expected)) in (0..).zip(rows) {
        let world = DoctorWorld::new(seed, 2, 2, 0);
        world.providers[0].add(rule.clone());
        let report = world.examine();
        assert_eq!(report.findings_at("provider0"), expected, "{rule:?}: {:?}", report.providers[0]);
        assert_eq!(report.findings_at("provider1"), [""; 0], "{rule:?}");
        assert_eq!(report.diagnosis.verdict, Verdict::Works, "{rule:?}: the other provider works");
    }
}

/// A limit of batches is shown, and is no defect.
#[test]
fn the_largest_batch_is_shown() {
    for (seed, form) in (1..).zip(BatchRefusal::ALL) {
        for (calls, shown) in [(1, 1), (3, 3), (12, 10)] {
            let world = DoctorWorld::new(seed, 1, 1, 0);
            world.providers[0].add(Fault::BatchLimit { calls, form });
            let report = world.examine();
            assert_eq!(report.findings_at("provider0"), [""; 0], "{form:?}");
            assert_eq!(report.providers[0].batch.found(), Some(&shown), "{form:?}");
            assert!(report.providers[0].depth.is_found(), "{form:?}: one request alone is answered");
        }
    }
}

/// A limit of calls in a second is no limit of requests, nor of batches: each call of a batch counts.
#[test]
fn a_provider_that_counts_the_calls_of_a_batch_is_named() {
    for (seed, per_second) in (1..).zip([4, 6, 10, 13, 20, 35, 50]) {
        for hint in [None, Some("1")] {
            let world = DoctorWorld::new(seed, 1, 1, 0);
            let retry_after = hint.map(str::to_owned);
            world.providers[0].add(Fault::CallRate { per_second, retry_after });
            let report = world.examine();
            let provider = &report.providers[0];
            assert_eq!(
                report.findings_at("provider0"),
                ["counts_calls"],
                "{per_second} {hint:?}: {provider:?}"
            );
            let Finding::CountsCalls { calls } = provider.findings[0] else { panic!("{provider:?}") };
            assert!(calls <= per_second && 2 * calls >= per_second, "{calls} of {per_second} {hint:?}");
            assert!(provider.requests <= Limits::default().requests, "{per_second} {hint:?}: {provider:?}");
            assert_eq!(report.diagnosis.verdict, Verdict::Works, "{per_second} {hint:?}");
        }
    }
}

/// A limit of bytes is a limit of calls, and no defect either.
#[test]
fn a_limit_of_bytes_is_no_broken_batch() {
    for (seed, bytes) in (1..).zip([60, 120, 300, 1_000]) {
        let world = DoctorWorld::new(seed, 1, 1, 0);
        world.providers[0].add(Fault::ResponseLimit { bytes }.on("eth_chainId"));
        world.providers[0].add(Fault::ResponseLimit { bytes }.on("eth_getBalance"));
        let report = world.examine();
        assert_eq!(report.findings_at("provider0"), [""; 0], "{bytes}: {:?}", report.providers[0]);
        let batch = report.providers[0].batch.found().copied();
        assert!(batch.is_some_and(|calls| calls < 50), "{bytes}: {batch:?}");
    }
}

/// Proofs are longer than other answers: a limit of bytes that hits them alone is shown too.
#[test]
fn a_limit_of_bytes_that_hits_only_proofs_is_shown() {
    for (seed, bytes) in (1..).zip([1_000, 4_000, 8_000, 20_000]) {
        let world = DoctorWorld::new(seed, 1, 1, 0);
        world.providers[0].add(Fault::ResponseLimit { bytes }.on("eth_getProof"));
        let report = world.examine();
        assert_eq!(report.findings_at("provider0"), [""; 0], "{bytes}: {:?}", report.providers[0]);
        let batch = report.providers[0].batch.found().copied();
        assert!(batch.is_some_and(|calls| calls < 50), "{bytes}: {batch:?}");
        assert!(report.providers[0].depth.is_found(), "{bytes}: one request alone is answered");
    }
    let world = DoctorWorld::new(9, 1, 1, 0);
    world.providers[0].add(Fault::ResponseLimit { bytes: 10_000_000 });
    assert_eq!(world.examine().providers[0].batch.found(), Some(&50));
}

/// The doctor recognises a beacon node's URL among the providers and the reverse, by what answers there.
#[test]
fn exchanged_urls_are_recognised() {
    let world = DoctorWorld::new(1, 2, 2, 0);
    let internet = world.simulation.internet();
    internet.register("http://provider0.test", BeaconSource::honest(&world.chain));
    internet.register("http://source0.test", Provider::honest(&world.chain));
    let report = world.examine();
    assert_eq!(report.findings_at("provider0"), ["is_beacon_node"], "{:?}", report.providers[0]);
    assert_eq!(report.findings_at("source0"), ["is_execution_provider"], "{:?}", report.sources[0]);
    assert_eq!(report.diagnosis.verdict, Verdict::Works, "the others work");
    let steps = report.diagnosis.next_steps.join("\n");
    assert!(steps.contains("provider0: give its URL with --beacon-url"), "{steps}");
    assert!(steps.contains("source0: give its URL with --rpc-url"), "{steps}");
}

#[test]
fn windows_lag_and_pace_are_measured() {
    let world = DoctorWorld::new(1, 5, 1, 0);
    let [tip, full, lagging, slow, short] = &world.providers[..] else { panic!("five providers") };
    tip.set_proof_window(0);
    full.set_proof_window(127);
    lagging.set_lag(6);
    slow.set_latency(Duration::from_millis(1_600));
    short.set_proof_window(32);
    let report = world.examine();
    assert_eq!(report.findings_at("provider0"), ["tip_only"], "{:?}", report.providers[0]);
    assert_eq!(report.findings_at("provider1"), [""; 0], "{:?}", report.providers[1]);
    assert_eq!(report.providers[1].depth.found().map(Depth::to_string).as_deref(), Some("128 blocks"));
    assert_eq!(report.findings_at("provider2"), ["lagging"], "{:?}", report.providers[2]);
    assert_eq!(report.providers[2].ahead_of_signed, Some(-5));
    assert_eq!(report.findings_at("provider3"), ["too_slow"], "{:?}", report.providers[3]);
    assert_eq!(report.findings_at("provider4"), ["shallow_proofs"], "{:?}", report.providers[4]);
    // What `proof_window_missed` says of the same providers, where a finalized amount is asked for.
    let keeps_older = |step: &str| step.ends_with("add a provider that keeps older state.");
    assert!(keeps_older(Why::ProofWindowMissed.next_step()));
    for provider in [0, 4] {
        let step = report.providers[provider].findings[0].next_step();
        assert!(step.is_some_and(keeps_older), "{step:?}");
    }
}

/// What a provider claims about its states is reported as a claim, beside what it really proves.
#[test]
fn a_claim_about_states_is_reported_and_not_believed() {
    let world = DoctorWorld::new(1, 2, 1, 0);
    let claims = |oldest| json!({ "stateproofs": { "disabled": false, "oldestBlock": oldest } });
    world.providers[0].add(Fault::Result(claims("0x10")).on("eth_capabilities"));
    world.providers[1].add(Fault::Result(claims("0x0")).on("eth_capabilities"));
    world.providers[1].set_proof_window(0);
    let report = world.examine();
    let claimed = |index: usize| report.providers[index].capabilities.found().cloned();
    let of = |oldest| Capabilities { disabled: false, oldest_block: Some(oldest), oldest_state: None };
    assert_eq!((claimed(0), claimed(1)), (Some(of(16)), Some(of(0))));
    assert_eq!(report.findings_at("provider0"), [""; 0]);
    assert_eq!(report.findings_at("provider1"), ["tip_only", "claims_older_proofs"]);
}

/// A claim that the proofs contradict is a finding. A node that claims less than it serves is only careful.
#[test]
fn a_claim_that_the_proofs_contradict_is_a_finding() {
    let hex = |number: u64| format!("{number:#x}");
    // The tip is block 200, as it is in every world of the doctor.
    for (seed, window, disabled, oldest, expected) in [
        (1, 127, false, hex(0), &["claims_older_proofs"][..]),
        (2, 127, false, hex(20), &["claims_older_proofs"]),
        (3, 127, false, hex(73), &[]),
        (4, 127, false, hex(74), &[]),
        (5, 127, true, hex(0), &["claims_no_proofs"]),
        (6, 10_000, false, hex(0), &[]),
        (7, 10_000, false, hex(150), &[]),
    ] {
        let world = DoctorWorld::new(seed, 1, 1, 0);
        let claims = json!({
            "state": { "disabled": false, "oldestBlock": "0x7" },
            "stateproofs": { "disabled": disabled, "oldestBlock": oldest },
        });
        world.providers[0].add(Fault::Result(claims).on("eth_capabilities"));
        world.providers[0].set_proof_window(window);
        let report = world.examine();
        assert_eq!(report.findings_at("provider0"), expected, "{oldest}: {:?}", report.providers[0]);
        let claimed = report.providers[0].capabilities.found();
        assert_eq!(claimed.and_then(|claimed| claimed.oldest_state), Some(7));
    }
}

/// It is waited for as a patient read does, and the finding names the rate.
#[test]
fn a_rate_limit_is_waited_for_and_named() {
    for (seed, per_second) in (1..).zip([1, 2, 5]) {
        for hint in [None, Some("1")] {
            let world = DoctorWorld::new(seed, 1, 1, 0);
            let rate = Fault::RequestRate { per_second, retry_after: hint.map(str::to_owned) };
            world.providers[0].add(rate.clone());
            world.sources[0].add(rate);
            let report = world.examine();
            assert_eq!(report.diagnosis.verdict, Verdict::Works, "{per_second} {hint:?}: {report:?}");
            assert_eq!(report.findings_at("provider0"), ["limits_rate"], "{per_second} {hint:?}");
            let named = report.providers[0].findings[0].to_string();
            let expected = if per_second == 1 { "1 request" } else { &format!("{per_second} requests") };
            assert!(named.ends_with(&format!("about {expected} a second")), "{per_second} {hint:?}: {named}");
            let provider = &report.providers[0];
            assert!(provider.requests <= Limits::default().requests, "{per_second} {hint:?}: {provider:?}");
        }
    }
}

/// A host that refuses everything is asked a few times. One that asks for a pause beyond the time is asked once.
#[test]
fn a_host_that_always_asks_for_a_pause_is_asked_seldom() {
    for (seed, (hint, most)) in (1..).zip([(None, 5), (Some("1"), 5), (Some("7"), 5), (Some("60"), 1)]) {
        let world = DoctorWorld::new(seed, 1, 1, 1);
        let limited = Fault::RateLimited { retry_after: hint.map(str::to_owned) };
        world.providers[0].add(limited.clone());
        world.sources[0].add(limited.clone());
        world.checkpoint_sources[0].add(limited);
        let report = world.examine();
        for name in ["provider0", "source0", "checkpoint0"] {
            assert_eq!(report.findings_at(name), ["rate_limited"], "{hint:?}");
        }
        let asked =
            [report.providers[0].requests, report.sources[0].requests, report.checkpoint_sources[0].requests];
        assert!(asked.into_iter().all(|requests| (1..=most).contains(&requests)), "{hint:?}: {asked:?}");
    }
}

#[test]
fn one_row_for_each_defect_of_a_source() {
    let other_chain = Chain::builder(99).chain_id(1).build();
    let rows: Vec<(Rule, &[&str])> = vec![
        (Fault::Refuse.into(), &["unreachable"]),
        (Fault::Hang.into(), &["never_answers"]),
        (Fault::Html.into(), &["web_page"]),
        (Fault::RateLimited { retry_after: None }.into(), &["rate_limited"]),
        (Fault::Redirect("http://source1.test/".into()).into(), &["moved"]),
        (Fault::Status(401).into(), &["denied"]),
        (Fault::Status(404).into(), &["no_light_client_data"]),
        (Fault::Status(503).into(), &["fails"]),
        (Fault::OtherChain(other_chain).into(), &["other_network"]),
        (Fault::ForgedSignature.into(), &["data_refused"]),
        (Fault::TooFewSigners(1).into(), &["data_refused"]),
        (Fault::NoBootstrap.into(), &["no_bootstrap"]),
        (Fault::Checkpointz.into(), &["no_light_client_data"]),
        (Fault::JsonOnly.into(), &[]),
        (Fault::Relabelled(saldo_beacon::Fork::Deneb).into(), &[]),
    ];
    for (seed, (rule, expected)) in (0..).zip(rows) {
        let world = DoctorWorld::new(seed, 1, 2, 0);
        world.sources[0].add(rule.clone());
        let report = world.examine();
        assert_eq!(report.findings_at("source0"), expected, "{rule:?}: {:?}", report.sources[0]);
        assert_eq!(report.findings_at("source1"), [""; 0], "{rule:?}");
        assert_eq!(report.diagnosis.verdict, Verdict::Works, "{rule:?}: the other source works");
    }
}

#[test]
fn a_source_that_is_behind_or_json_only_is_reported() {
    let world = DoctorWorld::new(1, 1, 2, 0);
    world.sources[0].set_lag(9);
    world.sources[1].add(Fault::JsonOnly);
    world.sources[1].add(Fault::WithoutVersion);
    let report = world.examine();
    assert_eq!(report.findings_at("source0"), ["behind"], "{:?}", report.sources[0]);
    assert_eq!(report.sources[1].ssz, Check::Found(false));
    assert_eq!(report.sources[1].json, Check::Found(NamesFork::No));
}

#[test]
fn a_differing_checkpoint_source_is_outvoted() {
    let world = DoctorWorld::new(1, 1, 1, 4);
    world.checkpoint_sources[0].add(Fault::OtherRoot);
    world.checkpoint_sources[1].add(Fault::NoRoute);
    let report = world.examine();
    assert_eq!(report.findings_at("checkpoint0"), ["outvoted_root"]);
    assert_eq!(report.findings_at("checkpoint1"), ["fails"]);
    assert_eq!(report.agreed_root, Some(world.chain.checkpoint().root));
}

/// Checks that need a signed head are then not made, and the report says why.
#[test]
fn providers_alone_are_examined_too() {
    let world = DoctorWorld::new(1, 2, 0, 0);
    let report = world.examine();
    for provider in &report.providers {
        assert!(provider.proof_at_tip.is_found() && provider.depth.is_found());
        assert_eq!(provider.proof_at_signed_head, Check::NotChecked(Unchecked::NoSignedHead));
        assert_eq!(provider.findings, []);
    }
    assert_eq!(report.diagnosis.verdict, Verdict::NeedsAction);
    assert!(report.diagnosis.next_steps[0].contains("--beacon-url"), "{:?}", report.diagnosis);
}
