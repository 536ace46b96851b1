//! The doctor says whether a balance can be proven now, what single failure would stop it, and what to add.

use std::sync::Arc;

use saldo_doctor::{Doctor, Report, Verdict};
use saldo_drill::Fault;
use saldo_source::Endpoint;
use saldo_tests::clinic::Clinic;

fn kinds(report: &Report) -> Vec<&'static str> {
    report.diagnosis.single_failures.iter().map(|single| single.kind).collect()
}

#[test]
fn one_of_each_kind_is_three_single_failures() {
    let report = Clinic::new(1, 1, 1, 0).examine();
    assert_eq!(report.diagnosis.verdict, Verdict::Works);
    assert_eq!(kinds(&report), ["operator", "beacon_source", "checkpoint"]);
    let steps = report.diagnosis.next_steps.join("\n");
    assert!(steps.contains("--rpc-url") && steps.contains("--beacon-url"), "{steps}");
}

/// Two names of one operator fail together.
#[test]
fn operators_and_hosting_count_and_not_names() {
    let clinic = Clinic::new(2, 2, 2, 3);
    let at = |name: &str, operator: &str, hosting: &str| {
        let endpoint: Endpoint = format!("{name}=http://{name}.test").parse().unwrap();
        endpoint.operator(operator).unwrap().hosting(hosting).unwrap()
    };
    let with = |first: (&str, &str), second: (&str, &str)| {
        let transport = Arc::new(clinic.simulation.internet());
        let mut doctor = Doctor::new(clinic.chain.network(), transport, Arc::new(clinic.simulation.clock()))
            .checkpoint(Some(clinic.chain.checkpoint()))
            .provider(at("provider0", first.0, first.1))
            .provider(at("provider1", second.0, second.1))
            .source(at("source0", "x", "h"))
            .source(at("source1", "y", "h"));
        for word in ["word0", "word1", "word2"] {
            doctor = doctor.checkpoint_source(at(word, word, "h"));
        }
        kinds(&clinic.simulation.run(doctor.examine(&|_| {})))
    };
    assert_eq!(with(("Ann", "Cloud"), ("ann ", "Barn")), ["operator"]);
    assert_eq!(with(("Ann", "Cloud"), ("Bob", "Cloud")), ["hosting"]);
    assert_eq!(with(("Ann", "Cloud"), ("Bob", "Barn")), [""; 0]);
}

#[test]
fn everything_down_may_come_back() {
    let clinic = Clinic::new(3, 2, 2, 3);
    clinic.providers.iter().for_each(|provider| provider.add(Fault::Refuse));
    clinic.sources.iter().chain(&clinic.words).for_each(|source| source.add(Fault::Hang));
    let report = clinic.examine();
    assert_eq!(report.diagnosis.verdict, Verdict::NotNow);
    assert_eq!(report.signed_head, None);
    for name in ["provider0", "provider1"] {
        assert_eq!(report.findings_at(name), ["unreachable"]);
    }
    for name in ["source0", "source1", "word0", "word1", "word2"] {
        assert_eq!(report.findings_at(name), ["never_answers"]);
    }
    assert_eq!(kinds(&report), [""; 0], "what does not work now has no single failure");
}

#[test]
fn what_stays_until_somebody_acts_is_told_apart() {
    let clinic = Clinic::new(4, 2, 1, 0);
    clinic.providers[0].add(Fault::NoProofs);
    clinic.providers[1].add(Fault::Refuse);
    assert_eq!(clinic.examine().diagnosis.verdict, Verdict::NotNow, "one of them may come back");
    clinic.providers[1].set(Fault::Forbidden);
    assert_eq!(clinic.examine().diagnosis.verdict, Verdict::NeedsAction);
}

/// Without a given checkpoint, what the checkpoint sources agree on is used.
#[test]
fn agreement_stands_in_for_a_checkpoint() {
    let clinic = Clinic::new(5, 1, 1, 3);
    let report = clinic.simulation.run(clinic.doctor.clone().checkpoint(None).examine(&|_| {}));
    assert_eq!(report.diagnosis.verdict, Verdict::Works, "{report:?}");
    assert!(report.agreed_root.is_some());

    let without = Clinic::new(5, 1, 1, 0);
    let report = without.simulation.run(without.doctor.clone().checkpoint(None).examine(&|_| {}));
    assert_eq!(report.diagnosis.verdict, Verdict::NeedsAction);
}

#[test]
fn names_appear_and_urls_do_not() {
    let clinic = Clinic::new(6, 0, 1, 0);
    let endpoint: Endpoint = "anna=http://user:KEY@provider9.test/KEY?k=KEY".parse().unwrap();
    let report = clinic.simulation.run(clinic.doctor.clone().provider(endpoint).examine(&|_| {}));
    assert_eq!(report.findings_at("anna"), ["unreachable"]);
    assert!(!format!("{report:?} {:?}", clinic.doctor).contains("KEY"));
}
