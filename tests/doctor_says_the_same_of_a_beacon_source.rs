//! A beacon source that lags, or that limits one of its routes, is a defect for the doctor only where no balance is proven with it.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Endpoint, Policy, Why};
use saldo_doctor::{Doctor, Finding, PROBED, Report, Severity, Verdict};
use saldo_drill::{Chain, Fault};
use saldo_tests::scene::{BEFORE, BOB, Scene};

/// As long as the doctor's.
const PATIENCE: Duration = Duration::from_secs(30);
/// The wallet starts so long after its checkpoint that it needs newer heads, and the committee between.
const SLOTS_SINCE: u32 = 60;

/// A chain for all rows of a table.
fn chain(seed: u64) -> Chain {
    let accounts = [(PROBED, U256::from(5)), (BOB, BEFORE)];
    Chain::builder(seed).history(200).accounts(accounts).build()
}

/// A wallet and a doctor that ask the same provider and the same beacon sources.
struct Both {
    scene: Scene,
    doctor: Doctor,
}

impl Both {
    /// That many beacon sources.
    fn new(chain: &Chain, seed: u64, sources: usize) -> Self {
        let policy = Policy { deadline: PATIENCE, ..Policy::signed() };
        let scene = Scene::of(chain.clone(), seed, 1, sources, policy);
        let (internet, clock) = (scene.simulation.internet(), scene.simulation.clock());
        let place = |name: &str| format!("{name}=http://{name}.test").parse::<Endpoint>().unwrap();
        let doctor = Doctor::new(chain.network(), Arc::new(internet), Arc::new(clock))
            .checkpoint(Some(chain.checkpoint()))
            .provider(place("provider0"));
        let doctor =
            (0..sources).fold(doctor, |doctor, source| doctor.source(place(&format!("source{source}"))));
        scene.pass_slots(SLOTS_SINCE);
        Self { scene, doctor }
    }

    fn examine(&self) -> Report {
        self.scene.simulation.run(self.doctor.examine(&|_| {}))
    }
}

/// The only finding about the first source.
#[track_caller]
fn only_finding(report: &Report) -> &Finding {
    let [finding] = &report.sources[0].findings[..] else { panic!("{:?}", report.sources[0]) };
    finding
}

#[test]
fn a_source_that_lags_is_a_defect_only_where_its_heads_are_too_old() {
    let chain = chain(1);
    for (seed, slots) in (1..).zip([1, 3, 4, 9, 20, 25, 28, 29, 30, 40, 60]) {
        let both = Both::new(&chain, seed, 1);
        let scene = &both.scene;
        scene.sources[0].set_lag(slots);
        let report = both.examine();
        let reading = scene.balance(BOB);
        match reading.why() {
            None if slots <= Finding::MOST_SLOTS_BEHIND => assert_eq!(report.sources[0].findings, []),
            None => {
                let finding = only_finding(&report);
                assert_eq!((finding.code(), finding.severity()), ("behind", Severity::Warning), "{slots}");
                assert_eq!(finding.why_of_source(), None, "{slots}");
                assert!(finding.next_step().is_some_and(|step| step.contains("it works")), "{slots}");
            }
            Some(why) => {
                let finding = only_finding(&report);
                assert_eq!((finding.code(), finding.severity()), ("behind", Severity::Defect), "{slots}");
                assert_eq!(finding.why_of_source().map(|why| why.code()), Some(why.code()), "{slots}");
            }
        }
        let works = report.diagnosis.verdict == Verdict::Works;
        assert_eq!(works, reading.proven().is_some(), "{slots}:");
        assert_eq!(works, slots <= 28, "five minutes, and the five slots that every head may be behind");
    }
}

/// HTTP 429 on one route, for ever, and the route's name in the finding.
const ROUTES: [(&str, &str); 5] = [
    ("genesis", "beacon/genesis"),
    ("bootstrap", "light_client/bootstrap"),
    ("updates", "light_client/updates"),
    ("finality_update", "light_client/finality_update"),
    ("optimistic_update", "light_client/optimistic_update"),
];

#[test]
fn a_limit_of_one_route_is_a_defect_only_where_a_balance_needs_that_route() {
    let chain = chain(2);
    let mut seed = 0;
    for sources in [1, 2] {
        for (route, name) in ROUTES {
            for hint in [None, Some("1"), Some("7"), Some("60")] {
                seed += 1;
                let of = format!("{sources} {route} {hint:?}");
                let both = Both::new(&chain, seed, sources);
                let scene = &both.scene;
                let limited = || Fault::RateLimited { retry_after: hint.map(str::to_owned) }.on(route);
                scene.sources[0].set(limited());
                let report = both.examine();
                scene.sources[0].set(limited());
                let reading = scene.patient_balance(BOB, PATIENCE);
                let finding = only_finding(&report);
                let is_needed = sources == 1 && matches!(route, "bootstrap" | "updates");
                assert_eq!(report.diagnosis.verdict == Verdict::Works, !is_needed, "{of}");
                if is_needed {
                    assert_eq!(reading.why().map(Why::code), Some("rate_limited"), "{of}");
                    assert_eq!(
                        (finding.code(), finding.severity()),
                        ("rate_limited", Severity::Defect),
                        "{of}"
                    );
                    assert_eq!(finding.why_of_source().map(|why| why.code()), Some("rate_limited"), "{of}");
                } else {
                    scene.assert_true(&reading, BOB);
                    assert_eq!(
                        (finding.code(), finding.severity()),
                        ("limits_route", Severity::Warning),
                        "{of}"
                    );
                    assert_eq!(finding.why_of_source(), None, "{of}");
                    assert!(finding.to_string().contains(name), "{of}: {finding}");
                }
            }
        }
    }
}

/// Where the host limits all routes, no single route is named.
#[test]
fn a_limit_of_all_routes_is_no_limit_of_one() {
    let chain = chain(3);
    for (seed, hint) in (1..).zip([None, Some("1"), Some("60")]) {
        let both = Both::new(&chain, seed, 2);
        let scene = &both.scene;
        scene.sources[0].add(Fault::RateLimited { retry_after: hint.map(str::to_owned) });
        let report = both.examine();
        assert_eq!(only_finding(&report).code(), "rate_limited", "{hint:?}");
        assert_eq!(report.diagnosis.verdict, Verdict::Works, "{hint:?}: the other source works");
        let both = Both::new(&chain, seed, 1);
        let scene = &both.scene;
        scene.sources[0].add(Fault::RequestRate { per_second: 2, retry_after: hint.map(str::to_owned) });
        let report = both.examine();
        let found = only_finding(&report).code();
        assert_eq!(found, if hint == Some("60") { "rate_limited" } else { "limits_rate" }, "{hint:?}");
    }
}
