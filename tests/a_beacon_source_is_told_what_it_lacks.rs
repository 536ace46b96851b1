//! A beacon source that serves no light-client route, or refuses one of them, is named as the fault, with what helps.

use std::time::Duration;

use saldo::{Attempt, Endpoint, Fault as Party, Level, Outcome, Policy, Reading, Why};
use saldo_beacon::Fork;
use saldo_doctor::Finding;
use saldo_drill::{Chain, Fault, Rule};
use saldo_source::{Method, Request, Transport};
use saldo_tests::doctor_world::DoctorWorld;
use saldo_tests::native;
use saldo_tests::scene::{ALICE, BEFORE, Scene};

const ROUTES: [&str; 4] = ["bootstrap", "updates", "finality_update", "optimistic_update"];

/// The rules of a server without light-client routes, in each form in which real servers say it.
fn without_routes() -> Vec<Vec<Rule>> {
    let on_all = |status: u16| ROUTES.iter().map(|route| Fault::Status(status).on(route)).collect();
    vec![
        on_all(404),
        on_all(405),
        on_all(501),
        vec![Fault::Status(404).into()],
        vec![Fault::NoRoute.into()],
        vec![Fault::Checkpointz.into()],
    ]
}

fn assert_without_routes(why: &Why) {
    assert_eq!(
        (why.code(), why.fault(), why.needs_action()),
        ("no_light_client_routes", Party::Beacon, true)
    );
    assert!(why.to_string().contains("no light-client routes"), "{why}");
    for told in ["another beacon source", "--light-client-server", "--light-client-data-serve"] {
        assert!(why.next_step().contains(told), "{}", why.next_step());
    }
    assert!(!why.next_step().contains("checkpoint"), "{}", why.next_step());
}

#[test]
fn a_server_without_light_client_routes_is_not_asked_for_a_newer_checkpoint() {
    for (seed, rules) in (0..).zip(without_routes()) {
        for sources in [1, 2] {
            let scene = Scene::new(seed, 1, sources);
            for source in &scene.sources {
                rules.iter().for_each(|rule| source.add(rule.clone()));
            }
            let reading = scene.balance(ALICE);
            assert_without_routes(reading.why().unwrap_or_else(|| panic!("{rules:?}: {reading:?}")));
            // When the routes are switched on, the next read is proven.
            scene.sources.iter().for_each(saldo_drill::BeaconSource::clear);
            assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        }
    }
}

/// All sources refuse the key, at the start or later. Another checkpoint, or a wait, would not help.
#[test]
fn a_source_that_denies_access_is_named_with_what_to_check() {
    for (seed, (status, sources)) in (700..).zip([(401, 1), (403, 1), (401, 2), (403, 2)]) {
        let scene = Scene::new(seed, 1, sources);
        let deny = || scene.sources.iter().for_each(|source| source.add(Fault::Status(status)));
        let clear = || scene.sources.iter().for_each(saldo_drill::BeaconSource::clear);
        let assert_denied = |reading: &Reading| {
            let why = reading.why().unwrap_or_else(|| panic!("{status}: {reading:?}"));
            assert_eq!(
                (why.code(), why.needs_action()),
                ("denied", true),
                "{status}: {:?}",
                reading.attempts()
            );
            assert!(why.next_step().contains("key or the URL"), "{}", why.next_step());
        };
        deny();
        assert_denied(&scene.balance(ALICE));
        clear();
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        deny();
        for slots in [40, 140] {
            scene.pass_slots(slots);
            assert_denied(&scene.balance(ALICE));
        }
    }
}

/// The routes are switched off while a wallet runs.
#[test]
fn routes_that_are_switched_off_later_are_named_too() {
    for (seed, rules) in (100..).zip(without_routes()) {
        // Later in the same period, or so late that the next committee is missing.
        for slots in [40, 140] {
            let scene = Scene::new(seed, 1, 2);
            scene.assert_true(&scene.balance(ALICE), ALICE);
            for source in &scene.sources {
                rules.iter().for_each(|rule| source.add(rule.clone()));
            }
            scene.pass_slots(slots);
            let reading = scene.balance(ALICE);
            assert_without_routes(reading.why().unwrap_or_else(|| panic!("{rules:?}: {reading:?}")));
            scene.assert_unknown(&reading, "no_light_client_routes", BEFORE);
        }
    }
}

/// The bootstrap alone is missing, or one of the other routes is: the server has light-client routes.
#[test]
fn a_server_that_serves_one_route_has_light_client_routes() {
    let missing =
        |routes: &[&str]| -> Vec<Rule> { routes.iter().map(|route| Fault::Status(404).on(route)).collect() };
    for (seed, rules) in (200..).zip([
        vec![Fault::NoBootstrap.into()],
        missing(&["bootstrap"]),
        missing(&["bootstrap", "optimistic_update"]),
        missing(&["bootstrap", "updates"]),
        // Prysm does so before the first finality.
        vec![
            Fault::Status(404).on("bootstrap"),
            Fault::Status(404).on("finality_update"),
            Fault::Status(404).on("optimistic_update"),
            Fault::NoUpdates.into(),
        ],
    ]) {
        let scene = Scene::new(seed, 1, 1);
        rules.iter().for_each(|rule: &Rule| scene.sources[0].add(rule.clone()));
        let reading = scene.balance(ALICE);
        assert_eq!(reading.why().map(Why::code), Some("checkpoint_not_served"), "{rules:?}");
    }
    // One of two servers has no routes, the other lacks the bootstrap.
    let scene = Scene::new(210, 1, 2);
    scene.sources[0].add(Fault::NoRoute);
    scene.sources[1].add(Fault::NoBootstrap);
    assert_eq!(scene.balance(ALICE).why().map(Why::code), Some("checkpoint_not_served"));
    // A server that fails is none without routes.
    for (seed, status) in (220..).zip([403, 500, 503]) {
        let scene = Scene::new(seed, 1, 2);
        scene.sources[0].add(Fault::NoRoute);
        scene.sources[1].add(Fault::Status(status));
        assert_eq!(scene.balance(ALICE).why().map(Why::code), Some("light_client_behind"), "{status}");
    }
}

#[test]
fn the_doctor_names_a_server_without_light_client_routes() {
    for (seed, rules) in (300..).zip(without_routes()) {
        let world = DoctorWorld::new(seed, 1, 1, 0);
        rules.iter().for_each(|rule| world.sources[0].add(rule.clone()));
        let report = world.examine();
        let findings = &report.sources[0].findings;
        assert!(matches!(findings[..], [Finding::NoLightClientData]), "{rules:?}: {findings:?}");
        assert_eq!(findings[0].why_of_source(), Some(Why::NoLightClientRoutes));
        assert!(findings[0].next_step().is_some_and(|step| step.contains("--light-client-data-serve")));
        assert!(findings[0].needs_action() && findings[0].to_string().contains("no light-client routes"));
    }
    let world = DoctorWorld::new(310, 1, 1, 0);
    world.sources[0].add(Fault::NoBootstrap);
    let findings = world.examine().sources[0].findings.clone();
    assert!(matches!(findings[..], [Finding::NoBootstrap]), "{findings:?}");
    assert_eq!(findings[0].why_of_source(), Some(Why::CheckpointNotServed));
}

/// What all sources do to finality updates, and the reason of a finalized reading. Data that does not verify is refused; what is no
/// data only fails.
fn finality_faults() -> Vec<(Rule, &'static str)> {
    let on = |fault: Fault| fault.on("finality_update");
    vec![
        (on(Fault::Status(404)), "light_client_behind"),
        (on(Fault::Status(500)), "light_client_behind"),
        (on(Fault::RateLimited { retry_after: None }), "rate_limited"),
        (on(Fault::Hang), "light_client_behind"),
        (on(Fault::Body("{}".into())), "light_client_behind"),
        (on(Fault::Truncated), "light_client_behind"),
        (on(Fault::ForgedSignature), "heads_refused"),
        (on(Fault::TooFewSigners(1)), "heads_refused"),
    ]
}

/// A policy of finalized readings, and a finalized reading of a wallet whose policy is signed. Both have read at the start of a
/// period, so that no committee update is due that would finalize blocks.
fn finalized_scenes(seed: u64, sources: usize) -> [(Scene, bool); 2] {
    let slot_duration = Duration::from_secs(60);
    [Policy::finalized(), Policy::signed()].map(|policy| {
        let chain = Chain::builder(seed).slot_duration(slot_duration).accounts([(ALICE, BEFORE)]).build();
        let policy = Policy { operators_per_address: 1, ..policy };
        let (scene, is_policy) =
            (Scene::of(chain, seed, 1, sources, policy), policy.assurance == Level::Finalized);
        scene.pass_slots(30);
        scene.assert_true(&read_finalized(&scene, is_policy), ALICE);
        (scene, is_policy)
    })
}

/// Later in the same period.
const LATER: u32 = 50;

fn read_finalized(scene: &Scene, is_policy: bool) -> Reading {
    if is_policy {
        return scene.balance(ALICE);
    }
    scene.simulation.run(scene.client.finalized(&[native(ALICE)])).pop().expect("one reading")
}

#[test]
fn without_finality_updates_the_beacon_source_is_at_fault() {
    for (seed, (rule, code)) in (400..).zip(finality_faults()) {
        for (scene, is_policy) in finalized_scenes(seed, 2) {
            scene.sources.iter().for_each(|source| source.add(rule.clone()));
            scene.pass_slots(LATER);
            let reading = read_finalized(&scene, is_policy);
            let why = reading.why().unwrap_or_else(|| panic!("{rule:?}: {reading:?}"));
            assert_eq!(
                (why.code(), why.fault()),
                (code, Party::Beacon),
                "{rule:?}, {:?}",
                reading.attempts()
            );
            let is_named = |attempt: &Attempt| {
                attempt.provider.as_str().starts_with("source") && attempt.outcome != Outcome::Accepted
            };
            assert!(reading.attempts().iter().any(is_named), "{rule:?}: {:?}", reading.attempts());
            scene.sources.iter().for_each(saldo_drill::BeaconSource::clear);
            scene.pass_slots(1);
            scene.assert_true(&read_finalized(&scene, is_policy), ALICE);
        }
    }
}

/// One of two sources has finality updates.
#[test]
fn one_source_with_finality_updates_is_enough() {
    for (seed, (rule, _)) in (420..).zip(finality_faults()) {
        for (scene, is_policy) in finalized_scenes(seed, 2) {
            scene.sources[0].add(rule.clone());
            scene.pass_slots(LATER);
            scene.assert_true(&read_finalized(&scene, is_policy), ALICE);
        }
    }
}

/// The finality update of `scene` at this moment, as JSON.
fn finality_update(scene: &Scene) -> String {
    let request = Request {
        method: Method::Get,
        url: Endpoint::new("http://source0.test/eth/v1/beacon/light_client/finality_update")
            .unwrap()
            .url()
            .clone(),
        headers: vec![("accept", "application/json".to_owned())],
        body: Vec::new(),
        timeout: Duration::from_secs(1),
        max_bytes: 1 << 20,
    };
    let response = scene.simulation.run(scene.simulation.internet().send(request)).unwrap();
    String::from_utf8(response.body).unwrap()
}

/// A source repeats one finality update for ever. If the chain itself does not finalize, no source is at fault.
#[test]
fn a_finality_update_that_never_advances_is_the_sources_fault() {
    for (scene, is_policy) in finalized_scenes(440, 1) {
        scene.sources[0].add(Fault::Body(finality_update(&scene)).on("finality_update"));
        scene.pass_slots(LATER);
        let reading = read_finalized(&scene, is_policy);
        let why = reading.why().expect("not proven");
        assert_eq!(
            (why.code(), why.fault()),
            ("light_client_behind", Party::Beacon),
            "{:?}",
            reading.attempts()
        );
    }
    for (scene, is_policy) in finalized_scenes(441, 1) {
        scene.chain.stall_finality(true);
        scene.pass_slots(LATER);
        let reading = read_finalized(&scene, is_policy);
        assert_eq!(reading.why().map(Why::code), Some("only_old_blocks"), "{:?}", reading.attempts());
    }
}

/// Lists of updates with a signature that does not hold. Their label may explain it.
#[test]
fn a_list_of_an_unknown_fork_that_is_not_signed_is_of_an_unknown_fork() {
    let unknown = Fault::Relabelled(Fork::Gloas);
    let rows: Vec<(Vec<Fault>, &str)> = vec![
        (vec![Fault::ForgedSignature], "heads_refused"),
        (vec![Fault::ForgedSignature, Fault::Relabelled(Fork::Deneb), Fault::JsonOnly], "heads_refused"),
        (vec![Fault::ForgedSignature, Fault::WithoutVersion, Fault::JsonOnly], "heads_refused"),
        (vec![Fault::ForgedSignature, unknown.clone()], "unknown_fork"),
        (vec![Fault::ForgedSignature, unknown.clone(), Fault::JsonOnly], "unknown_fork"),
        (vec![Fault::LastCommittee, unknown.clone()], "unknown_fork"),
        // A body that is cut off is no list.
        (vec![Fault::Truncated, unknown.clone()], "light_client_behind"),
    ];
    for (seed, (faults, code)) in (500..).zip(rows) {
        let scene = Scene::new(seed, 1, 2);
        scene.assert_true(&scene.balance(ALICE), ALICE);
        // So late that the committees in between are missing.
        scene.pass_slots(140);
        for source in &scene.sources {
            faults.iter().for_each(|fault| source.add(fault.clone()));
        }
        let reading = scene.balance(ALICE);
        scene.assert_unknown(&reading, code, BEFORE);
        // One source alone does not decide that the fork is unknown.
        scene.sources[1].clear();
        scene.sources[1].add(Fault::ForgedSignature);
        assert_eq!(scene.balance(ALICE).why().map(Why::code), Some("heads_refused"), "{faults:?}");
        // The label alone is only a hint.
        scene.sources[0].clear();
        scene.sources[0].add(unknown.clone());
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE, "{faults:?}");
    }
}

/// A Prysm node before anything of the chain is final: no update, no heads, and its own words for it.
#[test]
fn a_node_before_the_first_finality_is_waited_for() {
    for (seed, sources) in [(900, 1), (901, 2)] {
        let scene = Scene::new(seed, 1, sources);
        let said = |what: &str| format!(r#"{{"message":"{what}","code":404}}"#);
        for source in &scene.sources {
            for route in ["finality_update", "optimistic_update"] {
                let words = said(&format!("No light client {} available", route.replace('_', " ")));
                source.add(Fault::Body(words).on(route));
                source.add(Fault::AnswerUnderStatus(404).on(route));
            }
            source.add(Fault::Body("[]".to_owned()).on("updates"));
        }
        // The checkpoint's own block is final. As long as it is young, it is enough.
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
        scene.pass_slots(8);
        let reading = scene.balance(ALICE);
        let why = reading.why().unwrap_or_else(|| panic!("{reading:?}"));
        assert_eq!(
            (why.code(), why.fault()),
            ("light_client_behind", Party::Beacon),
            "{:?}",
            reading.attempts()
        );
        assert!(!why.needs_action() && !why.next_step().contains("checkpoint"), "{}", why.next_step());
        scene.sources.iter().for_each(saldo_drill::BeaconSource::clear);
        assert_eq!(scene.assert_true(&scene.balance(ALICE), ALICE), BEFORE);
    }
}
