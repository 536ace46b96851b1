//! What `doctor` finds at a provider, and why a balance is not proven with it alone, are the same reason with the same next step.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::U256;
use saldo::{Endpoint, Policy, Reading};
use saldo_doctor::{Doctor, Finding, PROBED, Report, Severity, Verdict};
use saldo_drill::http::{HttpRequest, Reaction, Reply, Service};
use saldo_drill::{BatchRefusal, Chain, Fault, OddError, Provider, Rule};
use saldo_tests::scene::{BEFORE, BOB, Scene};
use serde_json::json;

/// A wallet and a doctor that ask the same provider and the same beacon source.
struct Both {
    scene: Scene,
    doctor: Doctor,
}

/// A chain for all rows of a table.
fn chain(seed: u64) -> Chain {
    let accounts = [(PROBED, U256::from(5)), (BOB, BEFORE)];
    Chain::builder(seed).history(200).accounts(accounts).build()
}

impl Both {
    fn new(chain: &Chain, seed: u64) -> Self {
        let policy = Policy { deadline: PATIENCE, ..Policy::signed() };
        let scene = Scene::of(chain.clone(), seed, 1, 1, policy);
        let (internet, clock) = (scene.simulation.internet(), scene.simulation.clock());
        let place = |url: &str| url.parse::<Endpoint>().unwrap();
        let doctor = Doctor::new(chain.network(), Arc::new(internet), Arc::new(clock))
            .checkpoint(Some(chain.checkpoint()))
            .provider(place("provider0=http://provider0.test"))
            .source(place("source0=http://source0.test"));
        Self { scene, doctor }
    }

    fn examine(&self) -> Report {
        self.scene.simulation.run(self.doctor.examine(&|_| {}))
    }

    /// The report, and then the balance, where the provider has that fault from the beginning of each.
    fn at_provider(&self, rule: &Rule) -> (Report, Reading) {
        let provider = &self.scene.providers[0];
        provider.set(rule.clone());
        let report = self.examine();
        provider.set(rule.clone());
        (report, self.scene.patient_balance(BOB, PATIENCE))
    }

    /// The same where the beacon source has these faults.
    fn at_source(&self, rules: &[Rule]) -> (Report, Reading) {
        let source = &self.scene.sources[0];
        let set = || {
            source.clear();
            rules.iter().for_each(|rule| source.add(rule.clone()));
        };
        set();
        let report = self.examine();
        set();
        (report, self.scene.patient_balance(BOB, PATIENCE))
    }
}

/// As long as the doctor's.
const PATIENCE: Duration = Duration::from_secs(30);

/// The reason of a reading, and its next step.
#[track_caller]
fn reason(reading: &Reading) -> (&'static str, String) {
    let why = reading.why().unwrap_or_else(|| panic!("proven: {reading:?}"));
    (why.code(), why.next_step().to_owned())
}

/// Both next steps contain `step`, and are sentences.
#[track_caller]
fn assert_steps(finding: &Finding, next_step: &str, step: &str) {
    let told = finding.next_step().unwrap_or_default();
    for told in [told, next_step].map(str::to_lowercase) {
        assert!(told.contains(&step.to_lowercase()) && told.ends_with('.'), "{finding:?}: {told}");
    }
}

fn limited(hint: Option<&str>) -> Fault {
    Fault::RateLimited { retry_after: hint.map(str::to_owned) }
}

/// Each fault, the code of the doctor's finding, the code of the balance's reason, and words of both next steps.
fn rows() -> Vec<(Rule, &'static str, &'static str, &'static str)> {
    let other_chain = Chain::builder(99).history(200).chain_id(1).build();
    let other_branch = Chain::builder(98).history(200).build();
    let error = |code, message: &str| Rule::from(Fault::Error { code, message: message.into() });
    let mut rows = vec![
        (Fault::OtherChain(other_branch).into(), "other_branch", "unsigned_tip", ""),
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
        (Fault::QuotaExhausted.on("eth_getProof"), "quota_exhausted", "quota_exhausted", "raise the quota"),
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
    for hint in [None, Some("1"), Some("7"), Some("30"), Some("soon")] {
        rows.push((limited(hint).into(), "rate_limited", "rate_limited", ""));
        rows.push((limited(hint).on("eth_getProof"), "rate_limited", "rate_limited", ""));
    }
    // A node that does not know the block, or has no state of any block.
    for text in ["header not found", "header for hash not found", "unknown block"] {
        for rule in [error(-32_000, text), Rule::on(error(-32_000, text), "eth_getProof")] {
            rows.push((rule, "not_synced", "providers_behind", ""));
        }
    }
    for text in ["missing trie node", "required historical state unavailable", "state is not available"] {
        for rule in [error(-32_000, text), Rule::on(error(-32_000, text), "eth_getProof")] {
            rows.push((rule, "no_proofs", "nobody_serves_proofs", "provider that serves"));
        }
    }
    rows.extend(
        OddError::ALL.map(|form| (Fault::OddError(form).into(), "fails", "providers_failing", "try again")),
    );
    rows
}

#[test]
fn both_name_the_same_reason() {
    let chain = chain(1);
    for (seed, (rule, code, expected, step)) in (1..).zip(rows()) {
        let (report, reading) = Both::new(&chain, seed).at_provider(&rule);
        let [finding] = &report.providers[0].findings[..] else { panic!("{rule:?}: {:?}", report.providers) };
        let (why, next_step) = reason(&reading);
        assert_eq!((finding.code(), why), (code, expected), "{rule:?}");
        let same = finding.why().map(|why| why.code());
        assert_eq!(same, Some(expected), "{rule:?}: {finding:?}");
        assert_steps(finding, &next_step, step);
    }
}

/// A node that is behind: by so much that its blocks are too old, or by less. By some blocks, a patient read waits for it.
#[test]
fn both_name_the_same_reason_for_a_node_that_lags() {
    let chain = chain(2);
    for blocks in [6, 12, 40, 60, 190] {
        let reason_code = "providers_behind";
        let both = Both::new(&chain, blocks);
        both.scene.providers[0].set_lag(blocks);
        let report = both.examine();
        let [finding] = &report.providers[0].findings[..] else { panic!("{:?}", report.providers[0]) };
        let (why, next_step) = reason(&both.scene.balance(BOB));
        assert_eq!((finding.code(), why), ("lagging", reason_code), "{blocks} blocks");
        assert_eq!(finding.why().map(|why| why.code()), Some(reason_code), "{blocks} blocks");
        assert_steps(finding, &next_step, "");
    }
    // Two blocks behind: a patient read waits until its block is a signed one.
    for blocks in [1, 2, 3] {
        let both = Both::new(&chain, blocks);
        both.scene.providers[0].set_lag(blocks);
        let report = both.examine();
        assert_eq!((report.diagnosis.verdict, report.findings_at("provider0")), (Verdict::Works, vec![]));
        both.scene.assert_true(&both.scene.patient_balance(BOB, 2 * PATIENCE), BOB);
    }
}

const ROUTES: [&str; 4] = ["bootstrap", "updates", "finality_update", "optimistic_update"];

/// That status on each of these routes.
fn on_routes(routes: &[&str], status: u16) -> Vec<Rule> {
    routes.iter().map(|route| Fault::Status(status).on(route)).collect()
}

/// What a beacon source does, the code of the doctor's finding, the code of the balance's reason, and words of both next steps.
fn rows_of_sources() -> Vec<(Vec<Rule>, &'static str, &'static str, &'static str)> {
    let other = |seed: u64, id| Fault::OtherChain(Chain::builder(seed).history(200).chain_id(id).build());
    let mut rows = vec![
        (on_routes(&ROUTES, 404), "no_light_client_data", "no_light_client_routes", "--light-client-server"),
        (
            on_routes(&ROUTES[1..], 404),
            "no_light_client_data",
            "no_light_client_routes",
            "--light-client-server",
        ),
        (vec![Fault::NoRoute.into()], "no_light_client_data", "no_light_client_routes", "switch"),
        (vec![Fault::NoUpdates.into()], "no_updates", "hand_over_missing", "another beacon source"),
        (vec![Fault::NoBootstrap.into()], "no_bootstrap", "checkpoint_not_served", "checkpoint"),
        (vec![other(99, 1).into()], "other_network", "checkpoint_not_served", "add a beacon source"),
        (vec![other(98, 31_337).into()], "other_network", "checkpoint_not_served", "add a beacon source"),
        (vec![Fault::Status(401).into()], "denied", "denied", "check the key or the URL"),
        (vec![Fault::Status(403).into()], "denied", "denied", "check the key or the URL"),
        (on_routes(&["bootstrap"], 403), "denied", "denied", "check the key or the URL"),
        (on_routes(&["updates"], 403), "denied", "denied", "check the key or the URL"),
        (vec![Fault::Status(500).into()], "fails", "light_client_behind", "try again"),
        (on_routes(&["bootstrap"], 503), "fails", "light_client_behind", "try again"),
        (vec![Fault::QuotaExhausted.into()], "quota_exhausted", "quota_exhausted", ""),
        (vec![Fault::Html.into()], "web_page", "log_in_page", ""),
        (vec![Fault::Redirect("http://x.test/".into()).into()], "moved", "moved", ""),
        (vec![Fault::Hang.into()], "never_answers", "light_client_behind", "try again"),
        (vec![Fault::Refuse.into()], "unreachable", "light_client_behind", "try again"),
        (vec![Fault::Truncated.into()], "fails", "light_client_behind", "try again"),
        (vec![Fault::ForgedSignature.into()], "data_refused", "heads_refused", ""),
        (vec![Fault::Body("{}".into()).into()], "fails", "light_client_behind", "try again"),
        (
            on_routes(&["finality_update", "optimistic_update"], 404),
            "no_heads",
            "light_client_behind",
            "another beacon source",
        ),
    ];
    // The checkpoint alone is missing, or other routes with it.
    for others in [&[][..], &["updates"], &["finality_update"], &["optimistic_update"], &ROUTES[1..3]] {
        let missing = [&["bootstrap"][..], others].concat();
        rows.push((on_routes(&missing, 404), "no_bootstrap", "checkpoint_not_served", "checkpoint"));
    }
    // The updates alone are missing, or other routes with them, in each form.
    for others in [&[][..], &["finality_update"], &["optimistic_update"]] {
        let missing = [&["updates"][..], others].concat();
        for status in [404, 405, 501] {
            rows.push((
                on_routes(&missing, status),
                "no_updates",
                "hand_over_missing",
                "another beacon source",
            ));
        }
        // An error says nothing of what the source has.
        for status in [500, 502, 503, 418] {
            rows.push((on_routes(&missing, status), "fails", "light_client_behind", "try again"));
        }
    }
    for hint in [None, Some("1"), Some("7"), Some("30")] {
        rows.push((vec![limited(hint).into()], "rate_limited", "rate_limited", ""));
    }
    rows
}

/// The wallet starts so long after its checkpoint that it needs newer heads, and the committee between.
const SLOTS_SINCE: u32 = 60;

#[test]
fn both_name_the_same_reason_for_a_beacon_source() {
    let chain = chain(3);
    for (seed, (rules, code, reason_code, step)) in (1_000..).zip(rows_of_sources()) {
        let both = Both::new(&chain, seed);
        both.scene.pass_slots(SLOTS_SINCE);
        let (report, reading) = both.at_source(&rules);
        let [finding] = &report.sources[0].findings[..] else { panic!("{rules:?}: {:?}", report.sources[0]) };
        let (why, next_step) = reason(&reading);
        assert_eq!((finding.code(), why), (code, reason_code), "{rules:?}");
        assert_eq!(finding.why_of_source().map(|why| why.code()), Some(reason_code), "{rules:?}");
        assert_ne!(report.diagnosis.verdict, Verdict::Works, "{rules:?}");
        assert_steps(finding, &next_step, step);
    }
}

/// What a balance survives at a beacon source is no defect: one of the routes is missing, or the source limits the rate.
#[test]
fn what_balance_survives_at_a_beacon_source_is_no_defect() {
    let mut rows: Vec<(Rule, Option<&str>)> = vec![(Fault::JsonOnly.into(), None)];
    for status in [404, 405, 500, 503, 403] {
        rows.push((Fault::Status(status).on("finality_update"), Some("no_finality_updates")));
        rows.push((Fault::Status(status).on("optimistic_update"), Some("no_optimistic_updates")));
        rows.push((Fault::Status(status).on("genesis"), None));
    }
    rows.extend(rates().into_iter().map(|rule| (rule, Some("limits_rate"))));
    let chain = chain(4);
    for (seed, (rule, code)) in (2_000..).zip(rows) {
        let both = Both::new(&chain, seed);
        both.scene.pass_slots(SLOTS_SINCE);
        let (report, reading) = both.at_source(std::slice::from_ref(&rule));
        let found: Vec<&str> = report.findings_at("source0");
        assert_eq!(found, code.into_iter().collect::<Vec<_>>(), "{rule:?}: {:?}", report.sources[0]);
        assert_harmless(&report.sources[0].findings, &rule);
        assert_eq!(report.diagnosis.verdict, Verdict::Works, "{rule:?}");
        both.scene.assert_true(&reading, BOB);
    }
}

/// Rate limits that a patient read waits for, within the time of the doctor.
fn rates() -> Vec<Rule> {
    let mut rates = Vec::new();
    for hint in [None, Some("1"), Some("0"), Some("soon")] {
        let retry_after = hint.map(str::to_owned);
        for per_second in [1, 2, 3] {
            rates.push(Fault::RequestRate { per_second, retry_after: retry_after.clone() }.into());
        }
        rates.push(limited(hint).times(1));
        rates.push(limited(hint).times(3));
    }
    rates.push(limited(Some("5")).times(2));
    rates
}

fn assert_harmless(findings: &[Finding], rule: &Rule) {
    for finding in findings {
        let reasons = (finding.why(), finding.why_of_source());
        assert_eq!(reasons, (None, None), "{rule:?}: {finding:?}");
        assert!(finding.severity() < Severity::Defect, "{rule:?}: {finding:?}");
    }
}

/// A provider that answers so many requests and then asks for a pause, for ever.
struct ForSoMany {
    provider: Provider,
    left: Mutex<u32>,
    status: u16,
}

impl Service for ForSoMany {
    fn answer(&self, request: &HttpRequest) -> Reaction {
        let mut left = self.left.lock().unwrap();
        match left.checked_sub(1) {
            Some(fewer) => {
                *left = fewer;
                self.provider.answer(request)
            }
            None => Reaction::Reply(Reply::json(self.status, &json!({}))),
        }
    }

    fn refuses(&self) -> bool {
        false
    }
}

/// The quota, or the allowance of an hour, ends during the examination: what was proven before counts.
#[test]
fn a_limit_after_so_many_requests_is_no_defect_where_a_balance_needs_fewer() {
    let chain = chain(5);
    let limit = |both: &Both, requests, status| {
        let provider = Provider::honest(&chain);
        let limited = ForSoMany { provider, left: Mutex::new(requests), status };
        both.scene.simulation.internet().register("http://provider0.test", limited);
    };
    for (seed, requests) in (1..).zip([5, 6, 8, 12, 20]) {
        let both = Both::new(&chain, seed);
        limit(&both, requests, 429);
        let report = both.examine();
        assert_eq!(report.diagnosis.verdict, Verdict::Works, "{requests}: {:?}", report.providers[0]);
        assert_eq!(report.findings_at("provider0"), ["limits_rate"], "{requests}: {:?}", report.providers[0]);
        limit(&both, requests, 429);
        both.scene.assert_true(&both.scene.balance(BOB), BOB);
    }
    for (seed, status, code) in [(100, 429, "rate_limited"), (101, 402, "quota_exhausted")] {
        let both = Both::new(&chain, seed);
        limit(&both, 0, status);
        assert_eq!(both.examine().findings_at("provider0"), [code]);
        assert_eq!(reason(&both.scene.balance(BOB)).0, code);
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
        // The proof at the signed head is enough.
        Fault::NullResult.on("eth_getBlockByHash"),
        Fault::NullResult.on("eth_getBlockByNumber"),
        Fault::Error { code: -32_000, message: "header not found".into() }.on("eth_getBlockByHash"),
        Fault::Error { code: -32_000, message: "header not found".into() }.on("eth_getBlockByNumber"),
        Fault::Error { code: -32_000, message: "missing trie node".into() }.on("eth_getBlockByNumber"),
    ];
    let chain = chain(6);
    for (seed, rule) in (1..).zip(limits.chain(harmless)) {
        let both = Both::new(&chain, seed);
        let (report, reading) = both.at_provider(&rule);
        assert_eq!(report.providers[0].findings, [], "{rule:?}");
        both.scene.assert_true(&reading, BOB);
    }
    // So is a limit of calls that counts those of a batch.
    for (seed, per_second) in (200..).zip([10, 20, 50]) {
        let both = Both::new(&self::chain(seed), seed);
        let rule = Fault::CallRate { per_second, retry_after: None }.into();
        let (report, reading) = both.at_provider(&rule);
        assert_eq!(report.findings_at("provider0"), ["counts_calls"], "{rule:?}: {:?}", report.providers[0]);
        assert_harmless(&report.providers[0].findings, &rule);
        both.scene.assert_true(&reading, BOB);
    }
    // A rate limit is named, and is no defect.
    for (seed, rule) in (100..).zip(rates()) {
        let both = Both::new(&chain, seed);
        let (report, reading) = both.at_provider(&rule);
        assert_eq!(report.findings_at("provider0"), ["limits_rate"], "{rule:?}: {:?}", report.providers[0]);
        assert_harmless(&report.providers[0].findings, &rule);
        both.scene.assert_true(&reading, BOB);
    }
}
