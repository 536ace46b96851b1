//! The doctor says whether a balance can be proven now, which single failure would stop it, and what to add.

use std::sync::Arc;

use saldo_doctor::{Doctor, Report, Verdict};
use saldo_drill::Fault;
use saldo_source::Endpoint;
use saldo_tests::doctor_world::DoctorWorld;

fn kinds(report: &Report) -> Vec<&'static str> {
    report.diagnosis.single_failures.iter().map(|single| single.kind).collect()
}

#[test]
fn one_of_each_kind_is_three_single_failures() {
    let report = DoctorWorld::new(1, 1, 1, 0).examine();
    assert_eq!(report.diagnosis.verdict, Verdict::Works);
    assert_eq!(kinds(&report), ["operator", "beacon_source", "checkpoint"]);
    let steps = report.diagnosis.next_steps.join("\n");
    assert!(steps.contains("--rpc-url") && steps.contains("--beacon-url"), "{steps}");
}

/// Two endpoints of one operator fail together.
#[test]
fn operators_and_hosting_count_but_names_do_not() {
    let world = DoctorWorld::new(2, 2, 2, 3);
    let at = |name: &str, operator: &str, hosting: &str| {
        let endpoint: Endpoint = format!("{name}=http://{name}.test").parse().unwrap();
        endpoint.operator(operator).unwrap().hosting(hosting).unwrap()
    };
    let with = |first: (&str, &str), second: (&str, &str)| {
        let transport = Arc::new(world.simulation.internet());
        let mut doctor = Doctor::new(world.chain.network(), transport, Arc::new(world.simulation.clock()))
            .checkpoint(Some(world.chain.checkpoint()))
            .provider(at("provider0", first.0, first.1))
            .provider(at("provider1", second.0, second.1))
            .source(at("source0", "x", "h"))
            .source(at("source1", "y", "h"));
        for name in ["checkpoint0", "checkpoint1", "checkpoint2"] {
            doctor = doctor.checkpoint_source(at(name, name, "h"));
        }
        kinds(&world.simulation.run(doctor.examine(&|_| {})))
    };
    assert_eq!(with(("Ann", "Cloud"), ("ann ", "Barn")), ["operator"]);
    assert_eq!(with(("Ann", "Cloud"), ("Bob", "Cloud")), ["hosting"]);
    assert_eq!(with(("Ann", "Cloud"), ("Bob", "Barn")), [""; 0]);
}

#[test]
fn an_outage_of_everything_may_end() {
    let world = DoctorWorld::new(3, 2, 2, 3);
    world.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    world.sources.iter().chain(&world.checkpoint_sources).for_each(|source| source.add(Fault::Hang));
    let report = world.examine();
    assert_eq!(report.diagnosis.verdict, Verdict::NotNow);
    assert_eq!(report.signed_head, None);
    for name in ["provider0", "provider1"] {
        assert_eq!(report.findings_at(name), ["unreachable"]);
    }
    for name in ["source0", "source1", "checkpoint0", "checkpoint1", "checkpoint2"] {
        assert_eq!(report.findings_at(name), ["never_answers"]);
    }
    assert_eq!(kinds(&report), [""; 0], "a configuration that does not work has no single failures");
}

#[test]
fn lasting_defects_are_told_from_passing_ones() {
    let world = DoctorWorld::new(4, 2, 1, 0);
    world.providers[0].add(Fault::NoProofs);
    world.providers[1].add(Fault::Refuse);
    assert_eq!(world.examine().diagnosis.verdict, Verdict::NotNow, "one of them may recover");
    world.providers[1].set(Fault::Forbidden);
    assert_eq!(world.examine().diagnosis.verdict, Verdict::NeedsAction);
}

/// Without a given checkpoint, the block that the checkpoint sources agree on is used.
#[test]
fn an_agreement_replaces_a_given_checkpoint() {
    let world = DoctorWorld::new(5, 1, 1, 3);
    let report = world.simulation.run(world.doctor.clone().checkpoint(None).examine(&|_| {}));
    assert_eq!(report.diagnosis.verdict, Verdict::Works, "{report:?}");
    assert!(report.agreed_root.is_some());

    let without = DoctorWorld::new(5, 1, 1, 0);
    let report = without.simulation.run(without.doctor.clone().checkpoint(None).examine(&|_| {}));
    assert_eq!(report.diagnosis.verdict, Verdict::NeedsAction);
}

#[test]
fn names_appear_and_urls_do_not() {
    let world = DoctorWorld::new(6, 0, 1, 0);
    let endpoint: Endpoint = "anna=http://user:KEY@provider9.test/KEY?k=KEY".parse().unwrap();
    let report = world.simulation.run(world.doctor.clone().provider(endpoint).examine(&|_| {}));
    assert_eq!(report.findings_at("anna"), ["unreachable"]);
    assert!(!format!("{report:?} {:?}", world.doctor).contains("KEY"));
}
