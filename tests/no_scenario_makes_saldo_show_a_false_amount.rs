//! Every built-in scenario from start to end: saldo never shows a false amount. A naive wallet, which believes the
//! first reply, does so where the scenario says it. `docs/what-happens-when.md` states the results.

use std::fmt::Write;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use saldo_drill::replay::{Known, Look, Record, replay};
use saldo_drill::scenario::{Naive, Scenario, brief, built_in, ether};
use saldo_tests::supply::repository;

/// If this variable is set, the test rewrites the document instead of comparing it.
const WRITE: &str = "SALDO_WRITE_WHAT_HAPPENS";
/// The text between these two lines is generated from the scenarios.
const BEGIN: &str = "<!-- from the scenarios -->\n";
const END: &str = "<!-- to here -->\n";

/// A built-in scenario. It is replayed when a test first asks for its record.
struct Run {
    name: &'static str,
    scenario: Scenario,
    record: OnceLock<Record>,
}

static RUNS: LazyLock<Vec<Run>> = LazyLock::new(|| {
    let run = |(name, scenario)| Run { name, scenario, record: OnceLock::new() };
    built_in().into_iter().map(run).collect()
});

impl Run {
    fn record(&self) -> &Record {
        self.record.get_or_init(|| replay(self.name, &self.scenario).expect(self.name))
    }
}

/// The record of each scenario. Two are replayed at a time.
fn all() -> impl Iterator<Item = (&'static Scenario, &'static Record)> {
    let (first, second) = RUNS.split_at(RUNS.len() / 2);
    let replay_all = |runs: &[Run]| {
        for run in runs {
            run.record();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| replay_all(second));
        replay_all(first);
    });
    RUNS.iter().map(|run| (&run.scenario, run.record()))
}

fn of(name: &str) -> &'static Record {
    RUNS.iter().find(|run| run.name == name).expect("it is built in").record()
}

#[test]
fn no_scenario_makes_saldo_show_a_false_amount() {
    assert!(RUNS.len() >= 60, "{} scenarios", RUNS.len());
    for (_, record) in all() {
        for look in &record.looks {
            let shown = &look.shown;
            assert!(!shown.is_false(), "{} at {:?}: {shown:?}", record.name, look.at);
            // An amount that is not proven is not shown, and there is a reason.
            assert_eq!(shown.proven.is_none(), shown.why.is_some(), "{} at {:?}", record.name, look.at);
            assert!(
                shown.claimed.is_none_or(|claimed| !claimed.is_zero()),
                "{}: a claimed zero",
                record.name
            );
        }
    }
}

#[test]
fn a_proven_amount_stays_on_the_screen() {
    for (scenario, record) in all() {
        let mut proven = false;
        for look in &record.looks {
            let shown = &look.shown;
            // Only L1 takes amounts back, and then the wallet is told.
            if scenario.rollup.is_some() && shown.withdrawn {
                continue;
            }
            assert!(
                !proven || shown.proven.is_some() || shown.last.is_some(),
                "{} at {:?}",
                record.name,
                look.at
            );
            proven |= shown.proven.is_some();
        }
    }
}

#[test]
fn every_scenario_ends_with_the_truth() {
    for (_, record) in all() {
        let last = record.looks.last().expect("there are looks");
        let proven = last.shown.proven.as_ref().map(|known| known.amount);
        assert_eq!(proven, Some(last.truth), "{}: {:?}", record.name, last.shown);
    }
}

#[test]
fn the_naive_wallet_is_wrong_where_the_scenario_says_so() {
    for (scenario, record) in all() {
        assert_eq!(record.naive_was_wrong(), scenario.naive == Naive::Wrong, "{}", record.name);
    }
    let wrong = all().filter(|(scenario, _)| scenario.naive == Naive::Wrong).count();
    assert!(wrong >= 30, "{wrong} scenarios in which the naive wallet is wrong prove little");
}

#[test]
fn a_region_outage_of_15_hours_stops_saldo_for_one_hour() {
    let record = of("cloud-region-down");
    let hours = Duration::from_secs(3_600);
    for look in &record.looks {
        let all_are_down = look.at >= 9 * hours && look.at < 10 * hours;
        assert_eq!(look.shown.proven.is_none(), all_are_down, "at {:?}: {:?}", look.at, look.shown);
        let is_down = look.at >= hours && look.at < 16 * hours;
        assert_eq!(look.naive_is_wrong, is_down, "at {:?}", look.at);
    }
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// The looks from one moment to another.
fn looks(record: &Record, from: u64, until: u64) -> impl Iterator<Item = &Look> {
    record.looks.iter().filter(move |look| look.at >= minutes(from) && look.at <= minutes(until))
}

/// Base has stopped, Ethereum vouches for 1.25 ether as of 52 minutes ago.
#[test]
fn while_a_rollup_has_stopped_the_amount_that_ethereum_vouches_for_is_shown_with_its_age() {
    let record = of("rollup-stopped");
    let look = record.telling().unwrap();
    let shown = look.shown.proven.as_ref().unwrap();
    assert_eq!((ether(look.naive), ether(shown.amount)), ("0".to_owned(), "1.25".to_owned()));
    assert_eq!(shown.age.unwrap().as_secs() / 60, 52);
    assert_eq!(shown.assurance.level().code(), "l1_proof_checked");
    for look in looks(record, 68, 3 * 60 + 32) {
        let known = look.shown.proven.as_ref().unwrap();
        assert_eq!(ether(known.amount), "1.25", "at {:?}", look.at);
        assert!(look.shown.stopped_for.unwrap() >= minutes(5), "at {:?}", look.at);
    }
    // An amount of more than three hours ago is no present one. Then the reason is that the rollup stands still.
    for look in looks(record, 3 * 60 + 36, 4 * 60 + 48) {
        let why = look.shown.why.as_ref().unwrap();
        assert_eq!(why.code, "rollup_stopped", "at {:?}", look.at);
        assert_eq!(ether(look.shown.last.as_ref().unwrap().amount), "1.25");
    }
    let is_running = |look: &Look| look.at <= minutes(60) || look.at >= minutes(5 * 60);
    let mut running = record.looks.iter().filter(|look| is_running(look));
    assert!(running.all(|look| look.shown.stopped_for.is_none()));
}

/// L1 accepted a proof of each false claim too. It contradicts the true one, so that neither counts.
#[test]
fn a_false_claim_about_a_rollup_adds_no_amount() {
    let record = of("rollup-lying-proposer");
    let during: Vec<&Known> =
        looks(record, 64, 2 * 60 + 28).map(|look| look.shown.proven.as_ref().unwrap()).collect();
    assert!(during.iter().all(|known| ether(known.amount) == "1.5"));
    let newest = |known: &&Known| known.block;
    assert_eq!(during.iter().map(newest).max(), during.iter().map(newest).min(), "no claim adds a block");
    let after = record.looks.last().unwrap().shown.proven.as_ref().unwrap();
    assert!(after.block > during[0].block, "the true claims count again");
}

#[test]
fn what_ethereum_takes_back_is_withdrawn() {
    let record = of("rollup-root-withdrawn");
    let block = |at| looks(record, at, at).next().unwrap().shown.proven.as_ref().map(|known| known.block);
    let (newest, fallback, next) = (block(60).unwrap(), block(72).unwrap(), block(92).unwrap());
    assert!(fallback < newest && newest < next, "{newest}, {fallback}, {next}");
    let withdrawn: Vec<&Look> = looks(record, 2 * 60 + 24, 2 * 60 + 36).collect();
    assert_eq!(withdrawn.len(), 4);
    for look in withdrawn {
        let shown = &look.shown;
        assert!(shown.withdrawn && shown.proven.is_none() && shown.last.is_none(), "at {:?}", look.at);
        assert_eq!(shown.why.as_ref().unwrap().code, "rollup_not_vouched");
    }
}

#[test]
fn a_proof_of_the_newest_block_alone_is_proven_later() {
    let record = of("rollup-proof-window");
    let first = record.looks.iter().find(|look| look.shown.proven.is_some()).unwrap();
    let known = first.shown.proven.as_ref().unwrap();
    // The proof was taken at that block, when it was the newest: the wallet had it by then.
    assert!(first.at >= known.age.unwrap(), "{:?} after {:?}", known.age, first.at);
    let paid = record.looks.iter().find(|look| ether(look.truth) == "2.25").unwrap();
    let proven = record
        .looks
        .iter()
        .find(|look| look.shown.proven.as_ref().is_some_and(|known| ether(known.amount) == "2.25"));
    assert!(proven.unwrap().at > paid.at, "Ethereum did not vouch for the payment yet");
}

/// Where a false claim is the only one, and providers serve what it claims, the proof that L1 accepted is all there is: it is believed,
/// and the judge says so. Where L1 accepted no claim at all, nothing is shown.
#[test]
fn the_judge_notices_an_amount_of_a_branch_that_is_not_the_rollups() {
    let replayed = |claim: &str| {
        let text = format!(
            "title = \"broken prover\"\nlasts = \"100m\"\nlooks_every = \"5m\"\nnaive = \"wrong\"\n[rollup]\n\
             [[event]]\nat = \"0s\"\nrollup = \"claims_stop\"\n{claim}\
             [[event]]\nat = \"0s\"\nwho = \"providers\"\nfaults = [{{ another_branch = {{ balance = \"7\" }} }}]\n"
        );
        replay("broken-prover", &Scenario::from_toml(&text).unwrap()).unwrap()
    };
    let lied = replayed("[[event]]\nat = \"0s\"\nrollup = { false_claims = { balance = \"7\" } }\n");
    assert!(lied.was_false());
    let first = lied.looks.iter().find(|look| look.shown.is_false()).unwrap();
    assert_eq!(ether(first.shown.proven.as_ref().unwrap().amount), "7");
    let unclaimed = replayed("");
    assert!(!unclaimed.was_false());
    let claimed = unclaimed.looks.iter().filter_map(|look| look.shown.claimed);
    assert!(claimed.count() > 0, "the branch is seen, and only claimed");
}

#[test]
fn a_scenario_runs_the_same_every_time() {
    for name in ["two-lie-one-is-honest", "tip-only", "rate-limit-storm", "rollup-proof-window"] {
        let run = RUNS.iter().find(|run| run.name == name).expect(name);
        let again = replay(name, &run.scenario).expect(name);
        assert_eq!(format!("{:?}", run.record()), format!("{again:?}"));
    }
}

#[test]
fn the_document_states_what_happens() {
    let path = repository().join("docs/what-happens-when.md");
    let document = std::fs::read_to_string(&path).expect("the document is there");
    let (before, rest) = document.split_once(BEGIN).expect("the table has a beginning");
    let (written, after) = rest.split_once(END).expect("the table has an end");
    let table = table();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}"))
            .expect("the document can be written");
        return;
    }
    for (written, happened) in written.lines().zip(table.lines()) {
        assert_eq!(written, happened, "run this test with {WRITE}=1 if what happens now is right");
    }
    assert_eq!(written.len(), table.len(), "rows are missing, or too many: run this test with {WRITE}=1");
}

/// A heading for each thing that saldo shows, with the scenarios that lead to it in their order.
fn table() -> String {
    let mut groups: Vec<(String, String)> = Vec::new();
    for (_, record) in all() {
        let why = |look: &Look| look.shown.why.as_ref().map(|why| format!("`{}`: {}", why.code, why.fault));
        let why = distinct(record, why);
        let mut heading = saldo(record);
        if !why.is_empty() {
            let _ = write!(heading, " ({})", why.join("; "));
        }
        let line = format!(
            "- {}[{}](../crates/drill/scenarios/{}.toml)\n",
            naive(record),
            record.title,
            record.name
        );
        match groups.iter_mut().find(|(known, _)| *known == heading) {
            Some((_, lines)) => lines.push_str(&line),
            None => groups.push((heading, line)),
        }
    }
    let sections = groups.iter().map(|(heading, lines)| format!("\n### {heading}\n\n{lines}"));
    sections.chain(["\n".to_owned()]).collect()
}

/// The values that the looks have, in order of first appearance.
fn distinct(record: &Record, of: impl Fn(&Look) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for word in record.looks.iter().filter_map(of) {
        if !found.contains(&word) {
            found.push(word);
        }
    }
    found
}

fn naive(record: &Record) -> String {
    let wrong = distinct(record, |look| look.naive_is_wrong.then(|| ether(look.naive)));
    if wrong.is_empty() { String::new() } else { format!("**{}**: ", wrong.join(", ")) }
}

fn saldo(record: &Record) -> String {
    let mut parts = Vec::new();
    let shown =
        |known: &Known| format!("{}{}", ether(known.amount), if known.is_frozen { " frozen" } else { "" });
    let proven = distinct(record, |look| look.shown.proven.as_ref().map(shown));
    if !proven.is_empty() {
        parts.push(format!("{}, proven", proven.join(", then ")));
    }
    let unproven: Vec<&Look> = record.looks.iter().filter(|look| look.shown.proven.is_none()).collect();
    if unproven.iter().any(|look| look.shown.last.is_none()) {
        parts.push("nothing yet, and no 0".to_owned());
    }
    let ages = unproven.iter().filter_map(|look| look.shown.last.as_ref());
    let oldest = ages
        .clone()
        .map(|last| last.age.map(|age| Duration::from_secs(age.as_secs().div_ceil(60) * 60)))
        .max();
    match oldest {
        Some(Some(age)) => parts.push(format!("else the last proven, up to {} old", brief(age))),
        Some(None) => parts.push("else the last proven, of unknown age".to_owned()),
        None => {}
    }
    parts.join("; ")
}
