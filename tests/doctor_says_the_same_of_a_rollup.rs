//! What `doctor` finds of a rollup, and why a balance on it is not proven, are the same reason: the doctor asks the client that a wallet
//! has. What is wrong with a provider of the rollup has the same reason too.

use std::sync::Arc;
use std::time::Duration;

use saldo::{Client, Contract, Level, Profile, Reading};
use saldo_doctor::{Doctor, Finding, Limits, RollupDoctor, RollupFinding, RollupReport, Severity, Verdict};
use saldo_drill::{BeaconSource, Chain, Fault, Provider, RollupKind, Rule, SequencerRelay};
use saldo_source::{Clock, Endpoint};
use saldo_tests::rollup_world::RollupWorld;
use saldo_tests::scene::BOB;

const KIND: RollupKind = RollupKind::Multiproof { interval: 60, step: 30 };

/// A wallet and a doctor that ask the same servers. The rollup has two providers: `l2`, which proves at its newest blocks only, and
/// `other`.
struct Both {
    world: RollupWorld,
    other: Provider,
    profile: Profile,
    providers: Vec<Endpoint>,
}

impl Both {
    fn new(seed: u64) -> Self {
        let world = RollupWorld::new(seed, KIND);
        let other = Provider::honest(world.rollup.chain()).proof_window(8);
        world.simulation.internet().register("http://other.test", other.clone());
        let profile = world.rollup.profile();
        Self { world, other, profile, providers: vec![place("l2"), place("other")] }
    }

    /// The same, and L1 vouches for a block.
    fn vouched(seed: u64) -> Self {
        let both = Self::new(seed);
        both.claim();
        both.world.pass(9);
        both
    }

    fn claim(&self) {
        self.world.propose_after(self.world.rollup.chain().tip().number);
    }

    /// With one provider of the rollup.
    fn alone(mut self) -> Self {
        self.providers.truncate(1);
        self
    }

    fn wallet(&self) -> Client {
        let rollup = Client::rollup(self.profile.clone());
        let rollup = self.providers.iter().cloned().fold(rollup, |to, provider| to.rpc(provider));
        self.world.of_l1().and(rollup).build().unwrap()
    }

    fn doctor(&self) -> RollupDoctor {
        let (internet, clock) = (self.world.simulation.internet(), self.world.simulation.clock());
        let l1 = Doctor::new(self.world.l1.network(), Arc::new(internet), Arc::new(clock))
            .checkpoint(Some(self.world.l1.checkpoint()))
            .provider(place("l1"))
            .source(place("source"));
        let doctor = RollupDoctor::new(l1, self.profile.clone());
        self.providers.iter().cloned().fold(doctor, RollupDoctor::provider)
    }

    fn examine(&self) -> RollupReport {
        let clock = self.world.simulation.clock();
        let began = clock.monotonic();
        let report = self.world.simulation.run(self.doctor().examine(&|_| {}));
        let took = clock.monotonic().saturating_sub(began);
        assert!(took <= Limits::default().total + Duration::from_secs(1), "{took:?}");
        report
    }

    /// Examines, and reads the balance with a new wallet: both say the same. Returns the report.
    #[track_caller]
    fn agree(&self) -> RollupReport {
        let (report, reading) = (self.examine(), self.world.read(&self.wallet(), BOB));
        let examined = report.reading.as_ref().unwrap();
        let why = |reading: &Reading| reading.why().map(saldo::Why::code);
        assert_eq!(why(examined), why(&reading), "{report:?}");
        let verdict = match reading.why() {
            None => Verdict::Works,
            Some(why) if why.needs_action() => Verdict::NeedsAction,
            Some(_) => Verdict::NotNow,
        };
        assert_eq!(report.diagnosis.verdict, verdict, "{report:?}");
        if let Some(why) = reading.why() {
            let steps = &report.diagnosis.next_steps;
            assert!(steps.iter().any(|step| step == why.next_step()), "{why}: {steps:?}");
        }
        report
    }
}

fn place(name: &str) -> Endpoint {
    format!("{name}=http://{name}.test").parse().unwrap()
}

#[track_caller]
fn code(report: &RollupReport) -> &'static str {
    report.reading.as_ref().and_then(Reading::why).map_or("proven", |why| why.code())
}

fn found(report: &RollupReport) -> Vec<&'static str> {
    report.findings.iter().map(Finding::code).collect()
}

#[test]
fn a_rollup_that_is_well_has_the_block_that_l1_vouches_for() {
    let mut both = Both::vouched(1);
    // It still has the state of that block.
    both.world.simulation.internet().register("http://l2.test", Provider::honest(both.world.rollup.chain()));
    let report = both.agree();
    assert_eq!((code(&report), report.diagnosis.verdict), ("proven", Verdict::Works), "{report:?}");
    let block = report.health.as_ref().unwrap().newest.as_ref().unwrap();
    assert_eq!(block.assurance().level(), Level::L1ProofChecked);
    assert!(report.diagnosis.summary.contains(&format!("block {}", block.number())), "{report:?}");
    assert!(report.health.as_ref().unwrap().claims.is_some() && report.is_pinned);
    assert_eq!(
        (found(&report), report.findings_at("l2"), report.findings_at("other")),
        (vec![], vec![], vec![])
    );
    for provider in &report.providers {
        assert!(provider.chain_id.is_found() && provider.tip.is_found() && provider.can_prove());
        assert_eq!(provider.proof_at_signed_head.found(), None, "a rollup has no committee");
    }
    assert_eq!(report.l1.diagnosis.verdict, Verdict::Works);
    let kinds = |report: &RollupReport| -> Vec<&str> {
        report.diagnosis.single_failures.iter().map(|single| single.kind).collect()
    };
    assert_eq!(kinds(&report), ["operator", "beacon_source", "checkpoint"], "those of L1");
    let of_l1 = &report.diagnosis.single_failures[0];
    assert!(
        of_l1.detail.starts_with("On drill-1: ") && of_l1.next_step.contains("--l1-rpc-url"),
        "{of_l1:?}"
    );
    both.providers.truncate(1);
    let report = both.agree();
    assert_eq!(kinds(&report), ["operator", "operator", "beacon_source", "checkpoint"]);
    assert!(report.diagnosis.single_failures[0].detail.contains("stands still cannot be told"));
}

/// Most providers prove at their heads only: nothing is wrong, and the first read is provisional.
#[test]
fn a_first_read_at_the_head_is_provisional_and_nothing_is_wrong() {
    let report = Both::vouched(2).agree();
    assert_eq!((code(&report), report.diagnosis.verdict), ("not_vouched_yet", Verdict::NotNow));
    assert_eq!((found(&report), report.findings_at("l2")), (vec![], vec![]), "a small window is usual");
    assert!(report.diagnosis.summary.contains("proven once it does"), "{:?}", report.diagnosis);
}

#[test]
fn what_the_contracts_refuse_is_named() {
    let both = Both::new(10);
    both.world.pass(9);
    let report = both.agree();
    assert_eq!((code(&report), found(&report)), ("rollup_not_vouched", vec!["rollup_not_vouched"]));
    assert!(report.findings[0].to_string().contains("there is no game"), "{report:?}");

    let both = Both::vouched(11);
    both.world.rollup.pause(true);
    both.world.pass(9);
    let report = both.agree();
    assert_eq!((code(&report), found(&report)), ("rollup_not_vouched", vec!["paused"]));
    assert!(report.diagnosis.next_steps[0].contains("ends the pause"), "{:?}", report.diagnosis);

    let both = Both::vouched(12);
    both.world.rollup.upgrade_registry(vec![0xfe; 3].into());
    both.world.pass(9);
    let report = both.agree();
    let [Finding::OfRollup(RollupFinding::UnknownCode { contract, code_hash })] = &report.findings[..] else {
        panic!("{report:?}")
    };
    assert_eq!(*contract, Contract::Registry);
    let step = &report.diagnosis.next_steps[0];
    assert!(step.contains("saldo network codes") && step.contains("--network"), "{step}");
    let words = report.findings[0].to_string();
    assert!(words.contains(&code_hash.to_string()) && words.contains("registry"), "{words}");
}

/// As the built-in profiles are: every balance is provisional, and the next step is to read the codes.
#[test]
fn a_profile_without_codes_leads_to_the_command_that_reads_them() {
    let mut both = Both::vouched(13);
    let toml = both.world.rollup.profile_toml();
    let (without, _) = toml.split_once("[[").unwrap();
    let without: String =
        without.lines().filter(|line| !line.contains("_codes")).map(|line| format!("{line}\n")).collect();
    both.profile = Profile::from_toml(&without).unwrap();
    let report = both.agree();
    assert!(!report.is_pinned && matches!(report.reading, Some(Reading::Provisional(_))), "{report:?}");
    assert_eq!(found(&report), ["unknown_code"]);
    assert!(report.diagnosis.next_steps[0].contains("saldo network codes"), "{:?}", report.diagnosis);
    assert_eq!(report.findings_at("l2"), Vec::<&str>::new(), "its providers are well");
}

#[test]
fn a_claim_that_is_taken_back_is_named() {
    let both = Both::new(14);
    let proposal = both.world.propose_after(both.world.rollup.chain().tip().number);
    both.world.pass(9);
    both.world.rollup.blacklist(proposal.game());
    both.world.pass(9);
    let report = both.agree();
    assert_eq!(code(&report), "rollup_not_vouched");
    assert!(report.findings[0].to_string().contains("blacklisted"), "{report:?}");
}

/// A claim that no block fulfils: L1 vouches for it, no provider has such a block, and nothing is proven.
#[test]
fn a_false_claim_proves_nothing() {
    let both = Both::new(15);
    both.world.pass(3);
    both.world.rollup.propose_false(both.world.rollup.chain().tip().number / 60 * 60);
    both.world.pass(9);
    let report = both.agree();
    assert_eq!((code(&report), report.health.unwrap().newest), ("not_vouched_yet", None));
}

/// The outage of October 2025: Base itself stood still, and its providers were well.
#[test]
fn a_standstill_is_told_from_providers_that_are_down_or_lag() {
    let both = Both::vouched(20);
    let providers = [&both.world.provider, &both.other];
    providers.iter().for_each(|provider| provider.set_lag(600));
    both.world.pass(20);
    let report = both.agree();
    assert_eq!((code(&report), found(&report)), ("rollup_stopped", vec!["rollup_stopped"]), "{report:?}");
    assert_eq!((report.findings_at("l2"), report.findings_at("other")), (vec![], vec![]), "they are well");
    assert!(report.health.unwrap().newest.is_some(), "Ethereum still vouches for a block");

    // One of them lags.
    both.other.set_lag(0);
    let report = both.agree();
    assert_eq!((found(&report), report.findings_at("l2")), (vec![], vec!["old_head"]), "{report:?}");
    assert_eq!(report.findings_at("other"), Vec::<&str>::new());

    // Both are down.
    providers.iter().for_each(|provider| provider.set(Fault::Status(503)));
    let report = both.agree();
    assert_eq!((code(&report), found(&report)), ("providers_failing", vec![]), "{report:?}");
    assert_eq!((report.findings_at("l2"), report.findings_at("other")), (vec!["fails"], vec!["fails"]));
}

#[test]
fn claims_that_are_late_are_a_warning() {
    let both = Both::new(30);
    for _ in 0..4 {
        both.claim();
    }
    both.world.pass(9);
    // Two minutes are usual, and L1's block is some minutes old.
    both.world.pass(30);
    let report = both.agree();
    assert_eq!(found(&report), ["claims_late"], "{report:?}");
    assert_eq!(report.findings[0].severity(), Severity::Warning);
    both.claim();
    both.world.pass(9);
    let claims = both.examine().health.unwrap().claims.unwrap();
    assert!(claims.usual.is_some(), "{claims:?}");
}

#[test]
fn without_l1_the_reason_is_that_of_l1() {
    let both = Both::vouched(40);
    let source = BeaconSource::honest(&both.world.l1);
    source.set(Fault::Status(500));
    both.world.simulation.internet().register("http://source.test", source);
    both.world.pass(60);
    let report = both.agree();
    assert_eq!(found(&report), ["light_client_behind"], "{report:?}");
    assert_eq!(report.findings_at("source"), ["fails"]);
    assert_ne!(report.l1.diagnosis.verdict, Verdict::Works);
}

/// What is missing is named, and what there is is examined.
#[test]
fn without_providers_of_the_rollup_the_next_step_is_to_give_some() {
    let mut both = Both::vouched(41);
    both.providers.clear();
    let report = both.examine();
    assert!(report.reading.is_none());
    assert_eq!(report.diagnosis.verdict, Verdict::NeedsAction);
    assert!(report.diagnosis.next_steps[0].contains("--rpc-url"), "{:?}", report.diagnosis);
    assert_eq!(report.l1.diagnosis.verdict, Verdict::Works, "{:?}", report.l1);
}

/// What is wrong with the only provider of the rollup, the code of its finding, and that of the reason.
fn rows() -> Vec<(Rule, &'static str, &'static str)> {
    let error = |message: &str| Rule::from(Fault::Error { code: -32_000, message: message.into() });
    let other_chain = Chain::builder(99).chain_id(1).build();
    vec![
        (Fault::Status(401).into(), "denied", "denied"),
        (Fault::Html.into(), "web_page", "log_in_page"),
        (Fault::Redirect("http://elsewhere.test/".into()).into(), "moved", "moved"),
        (Fault::QuotaExhausted.into(), "quota_exhausted", "quota_exhausted"),
        (Fault::Refuse.into(), "unreachable", "all_unreachable"),
        (Fault::Hang.into(), "never_answers", "all_unreachable"),
        (Fault::Status(503).into(), "fails", "providers_failing"),
        (Fault::WrongId.into(), "wrong_id", "providers_failing"),
        (Fault::OtherChain(other_chain).into(), "wrong_chain", "wrong_chain"),
        (Fault::NoProofs.into(), "no_proofs", "nobody_serves_proofs"),
        (Fault::TruncatedProof { nodes: 0 }.into(), "truncated_proof", "proofs_refused"),
        (Fault::ExtraNodes.into(), "proof_refused", "proofs_refused"),
        (Fault::RateLimited { retry_after: None }.into(), "rate_limited", "rate_limited"),
        (error("header not found"), "not_synced", "providers_behind"),
    ]
}

#[test]
fn both_name_the_same_reason_for_a_provider_of_the_rollup() {
    for (seed, (rule, finding_code, reason)) in (100..).zip(rows()) {
        let both = Both::vouched(seed).alone();
        both.world.provider.set(rule.clone());
        let report = both.agree();
        let [finding] = &report.providers[0].findings[..] else { panic!("{rule:?}: {report:?}") };
        assert_eq!((finding.code(), code(&report)), (finding_code, reason), "{rule:?}");
        assert_eq!(finding.why().map(|why| why.code()), Some(reason), "{rule:?}");
    }
}

#[test]
fn signatures_that_stopped_while_blocks_go_on_are_a_warning() {
    let both = Both::new(40);
    both.world.pass(9);
    let relay = SequencerRelay::honest(both.world.rollup.chain());
    both.world.simulation.internet().register("http://relay.test", relay.clone());
    let examine = || both.world.simulation.run(both.doctor().relay(place("relay")).examine(&|_| {}));
    let before = found(&examine());
    // Ten minutes of blocks.
    relay.set_lag(300);
    let report = examine();
    assert_eq!(found(&report), [&before[..], &["signatures_stopped"]].concat(), "{report:?}");
    assert_eq!(report.findings.last().unwrap().severity(), Severity::Warning);
    relay.set(Fault::Status(503));
    let report = examine();
    assert_eq!(found(&report), [&before[..], &["relay"]].concat(), "{report:?}");
    // The rollup stands still: that says more.
    relay.clear();
    both.other.set_lag(300);
    both.world.provider.set_lag(300);
    both.world.pass(1);
    let report = examine();
    assert_eq!(found(&report).first(), Some(&"rollup_stopped"), "{report:?}");
    assert!(!found(&report).contains(&"signatures_stopped"));
}
