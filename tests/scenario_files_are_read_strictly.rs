//! A scenario file with an impossible setting is refused, with the line and the next step; no file makes the parser
//! panic.

use saldo_drill::scenario::{Scenario, ScenarioError, built_in, built_in_file};
use saldo_drill::{Fault, RollupKind};

const HEAD: &str = "title = \"t\"\nlasts = \"10m\"\nlooks_every = \"1m\"\nnaive = \"right\"\n";

fn refused(rest: &str) -> ScenarioError {
    let error = Scenario::from_toml(&format!("{HEAD}{rest}")).expect_err(rest);
    assert!(error.next_step().ends_with('.'), "{rest}");
    error
}

#[test]
fn a_minimal_file_is_enough() {
    let scenario = Scenario::from_toml(HEAD).unwrap();
    let names: Vec<&str> = scenario.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["anna", "bert", "cleo", "north", "south"]);
    assert_eq!((scenario.slot.as_secs(), scenario.naive_asks.as_slice()), (12, &[0][..]));
}

#[test]
fn invalid_toml_is_refused_with_its_line() {
    for (rest, line, part) in [
        ("[[event]\n", 5, ""),
        ("colour = \"red\"\n", 5, "unknown field `colour`"),
        ("[[event]]\nat = \"1m\"\nwho = \"anna\"\nfaults = [\"explode\"]\n", 8, "unknown variant `explode`"),
        ("[[event]]\nat = \"1m\"\nwhom = \"anna\"\n", 7, "unknown field `whom`"),
        ("[[event]]\nat = \"soon\"\n", 6, "expected a length of time"),
        ("[[provider]]\nname = \"x\"\ncolour = 1\n", 7, "unknown field `colour`"),
        ("balance = \"much\"\n", 5, "expected an amount of ether"),
        (
            "[[event]]\nat = \"1m\"\nwho = \"anna\"\nfaults = [{ trickle = { bytes = 1 } }]\n",
            8,
            "available keys: bytes_per_second",
        ),
        (
            "[[event]]\nat = \"1m\"\nwho = \"north\"\nfaults = [{ relabelled = \"dencun\" }]\n",
            8,
            "there is no fork called `dencun`",
        ),
        ("[[event]]\nat = \"1m\"\ndevice = \"broken\"\n", 7, "unknown variant `broken`"),
        ("[[event]]\nat = \"1m\"\nchain = { balance = -1 }\n", 7, "expected a string"),
    ] {
        let error = refused(rest);
        let ScenarioError::Form { line: at, message } = &error else { panic!("{rest}: {error:?}") };
        assert_eq!(*at, line, "{rest}: {error}");
        assert!(message.contains(part), "{rest}: {error}");
    }
    let error = Scenario::from_toml("title = \"t\"\n").unwrap_err();
    assert!(error.to_string().contains("missing field `lasts`"), "{error}");
}

#[test]
fn an_impossible_event_is_refused_with_its_number() {
    let event = |body: &str| {
        format!("[[event]]\nat = \"1m\"\nwho = \"anna\"\nfaults = []\n[[event]]\nat = \"2m\"\n{body}\n")
    };
    for (body, part) in [
        ("", "exactly one of"),
        ("who = \"anna\"", "exactly one of"),
        ("who = \"anna\"\nfaults = []\nlag = 1", "exactly one of"),
        ("device = \"offline\"\nchain = \"all_sign\"", "exactly one of"),
        ("faults = [\"hang\"]", "does not say `who`"),
        ("lag = 3", "does not say `who`"),
        ("who = \"anna\"\ndevice = \"offline\"", "`who` belongs to"),
        ("who = \"anna\"\nlag = 3\non = \"eth_getProof\"", "`on` and `times` belong to"),
        ("who = \"nora\"\nfaults = []", "there is no `nora`; there are anna, bert"),
        ("who = \"anna, nora\"\nfaults = []", "there is no `nora`"),
        ("who = \"hosting:Nowhere\"\nfaults = []", "no member is meant by `hosting:Nowhere`"),
        ("who = \"checkpoints\"\nfaults = []", "no member is meant by `checkpoints`"),
        (
            "who = \"north\"\nfaults = [\"zero_balance\"]",
            "`zero balance` cannot happen to north, which is a beacon source",
        ),
        ("who = \"everyone\"\nfaults = [\"forged_signature\"]", "cannot happen to anna"),
        ("device = { asleep = \"9m\" }\n", "it is over at 11m, and the scenario lasts 10m"),
        ("who = \"anna\"\nfaults = [{ huge = { bytes = 2000000000 } }]", "at most a gigabyte"),
        (
            "device = \"offline\"\n[[event]]\nat = \"11m\"\ndevice = \"online\"",
            "it is over at 11m, and the scenario lasts 10m",
        ),
    ] {
        let error = refused(&event(body));
        let ScenarioError::Event { event, problem } = &error else { panic!("{body}: {error:?}") };
        assert_eq!(*event, if body.contains("at = \"11m\"") { 3 } else { 2 }, "{body}: {error}");
        assert!(problem.contains(part), "{body}: {error}");
    }
}

#[test]
fn impossible_members_and_times_are_refused() {
    for (rest, part) in [
        ("[[provider]]\nname = \"Anna\"\n", "a name is 1 to 32 of a-z, 0-9 and -"),
        ("[[provider]]\nname = \"\"\n", "a name is 1 to 32"),
        ("[[provider]]\nname = \"everyone\"\n", "names a group"),
        ("[[provider]]\nname = \"x\"\n[[beacon]]\nname = \"x\"\n", "two members are called `x`"),
        ("[[beacon]]\nname = \"x\"\nwindow = 3\n", "only providers have a `window`"),
        ("[[checkpoint]]\nname = \"x\"\n", "none or at least three"),
        ("naive_asks = [\"north\"]\n", "no provider is called `north`"),
        ("slot = \"500ms\"\n", "whole seconds"),
        ("slot = \"0s\"\n", "whole seconds"),
        ("slot = \"2h\"\n", "to an hour"),
        ("fork = \"dencun\"\n", "expected capella"),
        ("fork = \"altair\"\n", "expected capella"),
    ] {
        let error = refused(rest);
        assert!(error.to_string().contains(part), "{rest}: {error}");
    }
    for (lasts, every) in [("10m", "0s"), ("20000d", "1s"), ("20000d", "100d")] {
        let head =
            format!("title = \"t\"\nlasts = \"{lasts}\"\nlooks_every = \"{every}\"\nnaive = \"right\"\n");
        let error = Scenario::from_toml(&head).unwrap_err();
        assert!(matches!(error, ScenarioError::Times(_)), "{error}");
    }
}

#[test]
fn impossible_contracts_are_refused() {
    let usdc = "[[contract]]\nname = \"usdc\"\ncode = \"FiatTokenProxy\"\npoints_to = \"code\"\n\
                [[contract]]\nname = \"code\"\ncode = \"FiatTokenV2_2\"\n";
    assert_eq!(Scenario::from_toml(&format!("{HEAD}token = \"usdc\"\n{usdc}")).unwrap().contracts.len(), 2);
    let one = |rest: &str| format!("token = \"x\"\n[[contract]]\nname = \"x\"\n{rest}\n");
    for (rest, line, part) in [
        (one("code = \"weth9\""), 8, "there is no code `weth9`; did you mean `WETH9`?"),
        (one("code = \"minimal-proxy\""), 8, "did you mean `minimal_proxy`?"),
        (one("code = \"DAI\""), 8, "expected one of none, unknown, old_block_hash, minimal_proxy, "),
        (one("code = \"none\"\ncolour = 1"), 9, "unknown field `colour`, expected one of `name`, `code`"),
        (one("code = \"none\"\nslots = [{ key = \"0x1\" }]"), 9, "missing field `value`"),
        (one("code = \"none\"\nslots = [{ key = \"x\", value = \"1\" }]"), 9, ""),
        (
            "[[event]]\nat = \"1m\"\nchain = { upgraded = { contract = \"x\", into = \"y\" } }\n".into(),
            7,
            "into",
        ),
        ("[[event]]\nat = \"1m\"\nchain = { frozen = \"yes\" }\n".into(), 7, "expected a boolean"),
    ] {
        let error = refused(&rest);
        let ScenarioError::Form { line: at, message } = &error else { panic!("{rest}: {error:?}") };
        assert!(*at == line && message.contains(part), "{rest}: {error}");
    }
    let many: String =
        (0..17).map(|at| format!("[[contract]]\nname = \"x{at}\"\ncode = \"none\"\n")).collect();
    for (rest, part) in [
        (usdc.to_owned(), "no `token` says which of them is read"),
        (format!("token = \"dai\"\n{usdc}"), "no [[contract]] is called so"),
        ("token = \"dai\"\n".to_owned(), "no [[contract]] is called so"),
        (one("code = \"FiatTokenProxy\""), "does not say what it `points_to`"),
        (one("code = \"minimal_proxy\""), "does not say what it `points_to`"),
        (one("code = \"minimal_proxy\"\npoints_to = \"y\""), "`x` points to `y`, and no [[contract]]"),
        (one("code = \"WETH9\"\npoints_to = \"x\""), "it is no proxy"),
        (
            one("code = \"WETH9\"\n[[contract]]\nname = \"x\"\ncode = \"none\""),
            "two contracts are called `x`",
        ),
        ("token = \"X\"\n[[contract]]\nname = \"X\"\ncode = \"none\"\n".to_owned(), "a name is 1 to 32"),
        (format!("token = \"x0\"\n{many}"), "more than 16 contracts"),
    ] {
        let error = refused(&rest);
        assert!(matches!(error, ScenarioError::Contracts(_)), "{rest}: {error:?}");
        assert!(error.to_string().contains(part), "{rest}: {error}");
    }
    for (chain, part) in [
        ("{ upgraded = { contract = \"dai\", to = \"code\" } }", "no [[contract]] is called `dai`"),
        ("{ upgraded = { contract = \"usdc\", to = \"dai\" } }", "no [[contract]] is called `dai`"),
        ("{ upgraded = { contract = \"code\", to = \"usdc\" } }", "`code` is no proxy that can be upgraded"),
        (
            "{ deployed = { contract = \"code\", code = \"minimal_proxy\" } }",
            "does not say what it `points_to`",
        ),
        ("{ slot = { contract = \"dai\", key = \"1\", value = \"1\" } }", "no [[contract]] is called `dai`"),
    ] {
        let error = refused(&format!("token = \"usdc\"\n{usdc}[[event]]\nat = \"1m\"\nchain = {chain}\n"));
        assert!(matches!(error, ScenarioError::Event { .. }), "{chain}: {error:?}");
        assert!(error.to_string().contains(part), "{chain}: {error}");
    }
    let frozen = refused("[[event]]\nat = \"1m\"\nchain = { frozen = true }\n");
    assert!(frozen.to_string().contains("only a token can be frozen"), "{frozen}");
}

#[test]
fn impossible_rollups_are_refused() {
    let scenario = Scenario::from_toml(&format!("{HEAD}[rollup]\n")).unwrap();
    let names: Vec<&str> = scenario.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["anna", "bert", "cleo", "lena", "lars", "north", "south"]);
    assert_eq!(scenario.rollup.unwrap().kind, RollupKind::Multiproof { interval: 600, step: 30 });
    let every =
        Scenario::from_toml(&format!("{HEAD}[rollup]\ngames = \"fault\"\nclaims_every = \"1h\"\n")).unwrap();
    let plan = every.rollup.unwrap();
    assert_eq!((plan.kind, plan.interval(), plan.claims_after.as_secs()), (RollupKind::Fault, 1_800, 1_200));
    for (rest, line, part) in [
        ("[rollup]\ncolour = 1\n", 6, "unknown field `colour`, expected one of `games`"),
        ("[rollup]\ngames = \"optimistic\"\n", 6, "unknown variant `optimistic`"),
        ("[rollup]\nclaims_every = 20\n", 6, ""),
        ("[rollup]\n[[event]]\nat = \"1m\"\nrollup = \"explodes\"\n", 8, "unknown variant `explodes`"),
        ("[rollup]\n[[event]]\nat = \"1m\"\nrollup = { false_claims = { amount = \"1\" } }\n", 8, "balance"),
        ("[rollup]\n[[event]]\nat = \"1m\"\nrollup = { paused = 1 }\n", 8, "expected a boolean"),
    ] {
        let error = refused(rest);
        let ScenarioError::Form { line: at, message } = &error else { panic!("{rest}: {error:?}") };
        assert!(*at == line && message.contains(part), "{rest}: {error}");
    }
    let token = "token = \"x\"\n[[contract]]\nname = \"x\"\ncode = \"WETH9\"\n[rollup]\n";
    for (rest, part) in [
        ("[rollup]\nclaims_every = \"90s\"\n", "whole minutes"),
        ("[rollup]\nclaims_every = \"0s\"\n", "at least one"),
        ("[rollup]\nclaims_every = \"7h\"\n", "at most 6 hours"),
        ("[rollup]\nclaims_after = \"7h\"\n", "at most 6 hours"),
        (token, "whose coin is read"),
    ] {
        let error = refused(rest);
        assert!(matches!(error, ScenarioError::Rollup(_)), "{rest}: {error:?}");
        assert!(error.to_string().contains(part), "{rest}: {error}");
    }
    for (rest, part) in [
        ("[[event]]\nat = \"1m\"\nrollup = \"stops\"\n", "there is no `[rollup]`"),
        ("[[event]]\nat = \"1m\"\nwho = \"anna\"\nrollup = \"stops\"\n", "`who` belongs to"),
        ("[[event]]\nat = \"1m\"\ndevice = \"online\"\nrollup = \"stops\"\n", "exactly one of"),
        ("[[event]]\nat = \"1m\"\nwho = \"l1-providers\"\nfaults = []\n", "no member is meant"),
        (
            "[rollup]\n[[event]]\nat = \"1m\"\nwho = \"lena\"\nfaults = [\"forged_signature\"]\n",
            "cannot happen to lena",
        ),
    ] {
        let error = refused(rest);
        assert!(matches!(error, ScenarioError::Event { event: 1, .. }), "{rest}: {error:?}");
        assert!(error.to_string().contains(part), "{rest}: {error}");
    }
    let stray = refused("[[l1_provider]]\nname = \"x\"\n");
    assert!(stray.to_string().contains("no `[rollup]` whose L1 it could serve"), "{stray}");
    let long = "title = \"t\"\nlasts = \"2d\"\nlooks_every = \"1h\"\nnaive = \"right\"\n";
    assert!(Scenario::from_toml(long).is_ok());
    let error = Scenario::from_toml(&format!("{long}[rollup]\n")).unwrap_err();
    assert!(error.to_string().contains("at most 50000 slots of 2s"), "{error}");
}

#[test]
fn built_in_scenarios_are_valid_and_named_as_their_files() {
    let names: Vec<&str> = built_in().iter().map(|(name, _)| *name).collect();
    for name in &names {
        assert!(built_in_file(name).is_some_and(|file| file.starts_with("title = ")), "{name}");
    }
    let folder = saldo_tests::supply::repository().join("crates/drill/scenarios");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".toml").to_owned())
        .collect();
    files.sort();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(files, sorted, "files (left) and built-in scenarios (right) differ");
    for requested in [
        "cloud-region-down",
        "false-zero",
        "truncated-proof",
        "invented-trie",
        "rate-limit-storm",
        "stale-node",
        "split-brain",
        "captive-portal",
        "token-wrong-slot",
        "not-a-token",
        "rollup-stopped",
        "rollup-lying-proposer",
        "rollup-root-withdrawn",
        "rollup-proof-window",
    ] {
        assert!(names.contains(&requested), "{requested}");
    }
}

/// A file that is truncated anywhere, or has any one byte changed, gives a scenario or an error.
#[test]
fn damaged_files_are_no_reason_to_panic() {
    let file = built_in_file("split-brain").unwrap();
    for cut in (0..file.len()).filter(|cut| file.is_char_boundary(*cut)) {
        let _ = Scenario::from_toml(&file[..cut]);
        for letter in ["\"", "9", "[", "é"] {
            let mut damaged = file[..cut].to_owned();
            damaged.push_str(letter);
            damaged.push_str(file.get(cut + 1..).unwrap_or_default());
            let _ = Scenario::from_toml(&damaged);
        }
    }
}

/// The faults in backticks: a quoted text, or an inline table.
fn faults_of(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).filter(|span| span.starts_with(['"', '{'])).collect()
}

#[test]
fn the_document_shows_valid_faults() {
    let path = saldo_tests::supply::repository().join("docs/scenarios.md");
    let document = std::fs::read_to_string(path).unwrap();
    let example = document.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let scenario = Scenario::from_toml(example).unwrap();
    assert_eq!((scenario.members.len(), scenario.events.len()), (6, 6));
    assert_eq!((scenario.contracts.len(), scenario.token), (2, Some(scenario.contracts[0].address)));

    let of_rollup = document.split("```toml\n").nth(2).and_then(|rest| rest.split("```").next()).unwrap();
    let of_rollup = Scenario::from_toml(of_rollup).unwrap();
    assert_eq!((of_rollup.members.len(), of_rollup.events.len()), (4, 2));
    assert!(of_rollup.rollup.is_some());
    let rollups = document.split("## Rollups").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let events: Vec<&str> = rollups.split('`').filter(|span| span.starts_with("rollup = ")).collect();
    for event in &events {
        let file = format!("{HEAD}[rollup]\n[[event]]\nat = \"1m\"\n{event}\n");
        Scenario::from_toml(&file).unwrap_or_else(|error| panic!("{event}: {error}"));
    }
    assert_eq!(events.len(), 7, "{events:?}");

    let faults = document.split("## Faults").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let (of_everyone, rest) = faults.split_once("Of providers alone:").unwrap();
    let (of_providers, of_beacons) = rest.split_once("Of beacon").unwrap();
    let mut count = 0;
    for (who, part) in [("everyone", of_everyone), ("providers", of_providers), ("beacons", of_beacons)] {
        for fault in part.lines().flat_map(faults_of) {
            let event = format!("{HEAD}[[event]]\nat = \"1m\"\nwho = \"{who}\"\nfaults = [{fault}]\n");
            Scenario::from_toml(&event).unwrap_or_else(|error| panic!("{fault} of {who}: {error}"));
            count += 1;
        }
    }
    assert!(count >= 45, "{count} faults");
    // `other_chain` is made by a test, never by a file.
    for name in Fault::NAMES.iter().filter(|name| **name != "other_chain") {
        let is_shown =
            faults.contains(&format!("`\"{name}\"`")) || faults.contains(&format!("`{{ {name} = "));
        assert!(is_shown, "docs/scenarios.md does not show the fault {name}");
    }
}
