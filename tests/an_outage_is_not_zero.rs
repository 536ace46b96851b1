//! Promises 1 and 2: no failure of all providers or all sources changes an amount, and each failure has its reason.

use std::time::Duration;

use alloy_primitives::U256;
use saldo::Reading;
use saldo_drill::{Chain, Fault, OddError};
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, Scene, UNUSED};
use serde_json::json;

/// A fault of every provider, and the expected reason.
fn provider_faults() -> Vec<(Fault, &'static str)> {
    let other_chain = Chain::builder(99).chain_id(1).build();
    vec![
        (Fault::Refuse, "all_unreachable"),
        (Fault::Hang, "all_unreachable"),
        (Fault::Unresolvable, "all_unreachable"),
        (Fault::BadCertificate, "all_unreachable"),
        (Fault::Trickle { bytes_per_second: 1 }, "all_unreachable"),
        (Fault::Reset { after: 20 }, "all_unreachable"),
        (Fault::Status(500), "providers_failing"),
        (Fault::Forbidden, "denied"),
        (Fault::Redirect("http://elsewhere.test/".into()), "moved"),
        (Fault::Huge { bytes: 20_000_000 }, "all_unreachable"),
        (Fault::RateLimited { retry_after: Some("30".into()) }, "rate_limited"),
        (Fault::RateLimited { retry_after: None }, "rate_limited"),
        (Fault::QuotaExhausted, "quota_exhausted"),
        (Fault::NoProofs, "nobody_serves_proofs"),
        (Fault::OtherChain(other_chain), "wrong_chain"),
        // Not even at the provider's own tip.
        (Fault::Error { code: -32000, message: "missing trie node".into() }, "nobody_serves_proofs"),
        (Fault::Status(501), "providers_failing"),
        (Fault::Status(401), "denied"),
        (Fault::Status(403), "denied"),
        (Fault::Status(404), "denied"),
        (Fault::Body("invalid host specified".into()), "denied"),
        (Fault::Error { code: -32003, message: "daily request limit reached".into() }, "quota_exhausted"),
        (Fault::OddError(OddError::Text), "providers_failing"),
        (Fault::OddError(OddError::Empty), "providers_failing"),
        (Fault::OddError(OddError::NullMessage), "providers_failing"),
        (Fault::OddError(OddError::TextCode), "providers_failing"),
        (Fault::OddError(OddError::Bare), "providers_failing"),
        (Fault::OddError(OddError::PlainText), "providers_failing"),
        (Fault::OddError(OddError::EmptyBody), "providers_failing"),
        (Fault::Html, "log_in_page"),
        (Fault::Truncated, "providers_failing"),
        (Fault::NullResult, "providers_failing"),
        (Fault::Result(json!("0x0")), "providers_failing"),
        (Fault::Result(json!("")), "providers_failing"),
        (Fault::WrongId, "providers_failing"),
        (Fault::TruncatedProof { nodes: 0 }, "proofs_refused"),
        (Fault::TruncatedProof { nodes: 1 }, "proofs_refused"),
        (Fault::ExtraNodes, "proofs_refused"),
        (Fault::FlippedByte { node: 0, byte: 9 }, "proofs_refused"),
        (Fault::OtherAccountsProof, "proofs_refused"),
        (Fault::InventedTrie { balance: U256::ZERO }, "proofs_refused"),
        (Fault::StaleBlock(20), "proofs_refused"),
    ]
}

#[test]
fn no_failure_of_all_providers_is_a_number() {
    for (seed, (fault, code)) in (0..).zip(provider_faults()) {
        // If nothing was ever proven, nothing is shown.
        let scene = Scene::new(seed, 3, 2);
        scene.providers.iter().for_each(|provider| provider.add(fault.clone()));
        let reading = scene.balance(ALICE);
        assert!(reading.latest_proven().is_none(), "{fault:?}");
        assert!(!matches!(reading, Reading::Proven(_)), "{fault:?}");

        // If an amount was proven before, it is shown with its age and the reason.
        let scene = Scene::new(seed, 3, 2);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        scene.pass_slots(2);
        scene.providers.iter().for_each(|provider| provider.add(fault.clone()));
        let reading = scene.balance(ALICE);
        scene.assert_unknown(&reading, code, BEFORE);
        assert_eq!(
            reading
                .attempts()
                .iter()
                .filter(|attempt| attempt.provider.as_str().starts_with("provider"))
                .count(),
            3
        );
        assert!(scene.client.last(&native(ALICE)).is_some());

        // When the providers work again, the next read proves it, or the first read after the backoff that they asked
        // for.
        scene.providers.iter().for_each(saldo_drill::Provider::clear);
        let rest = match code {
            "rate_limited" => Duration::from_secs(30),
            "quota_exhausted" => Duration::from_secs(300),
            _ => Duration::ZERO,
        };
        scene.simulation.pass(rest);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{fault:?}");
    }
}

#[test]
fn without_beacon_sources_there_is_no_head() {
    for (seed, fault, code) in [
        (1, Fault::Refuse, "light_client_behind"),
        (2, Fault::Hang, "light_client_behind"),
        (3, Fault::Html, "log_in_page"),
        (4, Fault::NoBootstrap, "checkpoint_not_served"),
        (5, Fault::Status(404), "no_light_client_routes"),
        (6, Fault::Truncated, "unknown_fork"),
    ] {
        let scene = Scene::new(seed, 2, 2);
        scene.sources.iter().for_each(|source| source.add(fault.clone()));
        if code == "unknown_fork" {
            let label = Fault::Relabelled(saldo_beacon::Fork::Gloas);
            scene.sources.iter().for_each(|source| source.add(label.clone()));
        }
        for owner in [ALICE, UNUSED] {
            let reading = scene.balance(owner);
            assert!(!matches!(reading, Reading::Proven(_)), "{fault:?}");
            assert_eq!(reading.why().unwrap().code(), code, "{fault:?} {:?}", reading.attempts());
            if let Reading::Provisional(provisional) = &reading {
                // A claim may be shown as a claim, but a claim of zero never.
                assert_eq!(provisional.unconfirmed_amount().is_some(), owner == ALICE);
            }
        }
    }
}

/// Sources that only forge are refused. The proven amount stays, and ages.
#[test]
fn forged_heads_change_nothing() {
    for (seed, fault) in
        [(1, Fault::ForgedSignature), (2, Fault::TooFewSigners(21)), (3, Fault::LastCommittee)]
    {
        let scene = Scene::new(seed, 2, 2);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        let at = scene.client.last(&native(ALICE)).unwrap().anchor().number();
        // Far into the next period, so that the last committee is a different one.
        scene.pass_slots(70);
        scene.sources.iter().for_each(|source| source.add(fault.clone()));
        let reading = scene.balance(ALICE);
        assert!(reading.proven().is_none_or(|proven| proven.anchor().number() == at), "{fault:?}");
        assert_eq!(reading.latest_proven().unwrap().anchor().number(), at, "{fault:?}");
    }
}

#[test]
fn a_device_without_network_says_so() {
    let scene = Scene::new(1, 2, 2);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.pass_slots(1);
    scene.simulation.internet().set_offline(true);
    scene.assert_unknown(&scene.balance(ALICE), "device_offline", BEFORE);
}

#[test]
fn a_proven_amount_grows_old_and_says_so() {
    let scene = Scene::new(1, 2, 2);
    scene.assert_true(&scene.balance(ALICE), ALICE);
    scene.sources.iter().for_each(|source| source.add(Fault::Refuse));
    // The head does not advance: for five minutes proofs under it are young enough.
    scene.simulation.pass(Duration::from_secs(200));
    assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    scene.simulation.pass(Duration::from_secs(200));
    scene.assert_unknown(&scene.balance(ALICE), "light_client_behind", BEFORE);
}

/// A checkpoint older than weak subjectivity is refused with its age.
#[test]
fn trust_does_not_start_from_an_old_checkpoint() {
    let chain = Chain::builder(1).accounts([(ALICE, BEFORE)]).build();
    let text = chain
        .network()
        .to_toml()
        .replace("max_checkpoint_age_epochs = 3532", "max_checkpoint_age_epochs = 4");
    let network = saldo::Network::from_toml(&text).unwrap();
    let simulation = saldo_drill::simulate::Simulation::new(1, &chain);
    let internet = simulation.internet();
    internet.register("http://p.test", saldo_drill::Provider::honest(&chain));
    internet.register("http://s.test", saldo_drill::BeaconSource::honest(&chain));
    let client = saldo::Client::builder(network)
        .checkpoint(chain.checkpoint())
        .rpc("http://p.test")
        .beacon("http://s.test")
        .transport(internet)
        .clock(simulation.clock())
        .build()
        .unwrap();
    simulation.pass(Duration::from_secs(12 * 8 * 6));
    let reading = simulation.run(client.balance(ALICE));
    assert_eq!(reading.why().unwrap().code(), "checkpoint_too_old");
    assert!(reading.why().unwrap().needs_action());
}
