//! A beacon source that serves no light-client route, or refuses one of them, is named as the fault, with what helps.

use saldo::{Fault as Party, Why};
use saldo_beacon::Fork;
use saldo_doctor::Finding;
use saldo_drill::{Fault, Rule};
use saldo_tests::doctor_world::DoctorWorld;
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
        assert_eq!(findings[0].why(), Some(Why::NoLightClientRoutes));
        assert!(findings[0].next_step().is_some_and(|step| step.contains("--light-client-data-serve")));
        assert!(findings[0].needs_action() && findings[0].to_string().contains("no light-client routes"));
    }
    let world = DoctorWorld::new(310, 1, 1, 0);
    world.sources[0].add(Fault::NoBootstrap);
    let findings = world.examine().sources[0].findings.clone();
    assert!(matches!(findings[..], [Finding::NoBootstrap]), "{findings:?}");
    assert_eq!(findings[0].why(), Some(Why::CheckpointNotServed));
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
        (vec![Fault::Truncated, unknown.clone()], "heads_refused"),
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
