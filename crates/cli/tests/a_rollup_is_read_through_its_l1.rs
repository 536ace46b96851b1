//! `saldo balance -n L1,ROLLUP`: a balance of a rollup is provisional, until its L1 vouches for a block that follows the proof.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod testbed;

use std::time::Duration;

use serde_json::Value;
use testbed::rollup_world::{BEHIND, World, now};
use testbed::schema::{assert_follows, schema};
use testbed::{ALICE, Conversation, Run, run, saldo};

/// A command that reads both networks, one address after the other.
fn conversation(world: &World, options: &[&str]) -> Conversation {
    conversation_within(world, "10s", options)
}

/// The same, with so much time for each address.
fn conversation_within(world: &World, timeout: &str, options: &[&str]) -> Conversation {
    let files = format!("{},{}", world.l1_file, world.rollup_file);
    let mut command = saldo(&["balance", "-", "--line-by-line", "--timeout", timeout, "-n", &files]);
    Conversation::start(command.args(world.endpoints()).args(options))
}

/// Reads until the rollup's balance is proven, for half a minute at most, while the chains go on. Returns the last reading.
fn read_until_proven(world: &World, conversation: &mut Conversation) -> Value {
    let mut reading = Value::Null;
    for _ in 0..30 {
        [_, reading] = read(conversation);
        if reading["state"] == "proven" {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
        world.advance_to(now());
    }
    reading
}

/// With `--finalized` a claim that can still be challenged is not enough.
#[test]
fn finalized_waits_until_the_claim_can_no_longer_be_challenged() {
    let world = World::new();
    let mut finalized = conversation_within(&world, "3s", &["--json", "--finalized"]);
    let mut usual = conversation(&world, &["--json"]);
    let _ = read(&mut finalized);
    let _ = read(&mut usual);
    let game = world.propose();
    let reading = read_until_proven(&world, &mut usual);
    assert_eq!(reading["block"]["assurance"], "l1_proof_checked", "{reading}");
    let [_, open] = read(&mut finalized);
    assert_eq!(
        (&open["state"], &open["why"]["code"]),
        (&"provisional".into(), &"not_vouched_yet".into()),
        "{open}"
    );
    assert_eq!(open["amount"], Value::Null);
    world.rollup.resolve(game, true);
    let reading = read_until_proven(&world, &mut finalized);
    assert_eq!(
        (&reading["amount"], &reading["block"]["assurance"]),
        (&"250000000000000000".into(), &"l1_finalized".into()),
        "{reading}"
    );
    finalized.kill();
    usual.kill();
}

/// The readings of one address: on L1, and on the rollup.
fn read(conversation: &mut Conversation) -> [Value; 2] {
    conversation.send_line(&ALICE.to_string());
    let lines = [(); 2].map(|()| serde_json::from_str(&conversation.read_line()).unwrap());
    lines.iter().for_each(|line| assert_follows(&schema("reading"), line));
    lines
}

#[test]
fn a_balance_is_provisional_until_l1_vouches_for_a_later_block() {
    let world = World::new();
    let (mut conversation, mut text) = (conversation(&world, &["--json"]), conversation(&world, &[]));
    text.send_line(&ALICE.to_string());
    let [on_l1, first] = read(&mut conversation);
    assert_eq!((&on_l1["state"], &on_l1["amount"]), (&"proven".into(), &"0".into()), "{on_l1}");
    assert_eq!(on_l1["block"]["vouched"], Value::Null);
    assert_eq!((&first["state"], &first["chain_id"]), (&"provisional".into(), &84_532.into()), "{first}");
    assert_eq!(first["why"]["code"], "rollup_not_vouched", "{first}");
    assert_eq!(first["amount"], Value::Null, "a claim is no amount");

    world.propose();
    let mut reading = first;
    for _ in 0..30 {
        text.send_line(&ALICE.to_string());
        [_, reading] = read(&mut conversation);
        if reading["state"] == "proven" {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    assert_eq!(reading["amount"], "250000000000000000", "{reading}");
    assert_eq!(reading["block"]["assurance"], "l1_proof_checked");
    let vouched = &reading["block"]["vouched"];
    assert_eq!((&vouched["game_type"], &vouched["provers"]), (&621.into(), &"tee".into()), "{vouched}");
    assert!(reading["age_seconds"].as_u64().unwrap() >= BEHIND - 2, "{reading}");
    conversation.kill();

    for _ in 0..3 {
        text.send_line(&ALICE.to_string());
        std::thread::sleep(Duration::from_secs(1));
    }
    let (_, said) = text.end();
    let level = "Ethereum checked a proof of it (trusted execution environment); it can still be challenged";
    assert!(said.contains(&format!("{level}, served by rosa")), "{said}");
    assert!(said.contains("0.25 ether") && said.contains("lena"), "{said}");
}

#[test]
fn the_l1_of_a_rollup_is_added_and_not_shown() {
    let world = World::new();
    let checkpoint = format!("0x{}", "11".repeat(32));
    let options = ["balance", &ALICE.to_string(), "-n", "base-sepolia", "--checkpoint", &checkpoint];
    let shown = run(saldo(&options).args(world.endpoints()).args(["--timeout", "3s"]));
    let first: Vec<&str> = shown.out.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(first.len(), 1, "{shown:?}");
    assert!(first[0].starts_with(&format!("{ALICE}  provisional: ")), "{shown:?}");
    assert!(shown.out.contains("claimed by rosa, not proven: 0.25 ether"), "{shown:?}");
    assert!(shown.err.starts_with("base-sepolia: what is shown is provisional: "), "{shown:?}");
    assert!(!shown.err.contains("asking public servers"), "{shown:?}");
}

#[test]
fn what_is_missing_is_named() {
    let world = World::new();
    let fails = |options: &[&str], code: &str| {
        let failed = run(saldo(&["balance", &ALICE.to_string(), "--json"]).args(options));
        assert_eq!(
            (failed.status, &failed.only()["error"]["code"]),
            (2, &code.into()),
            "{options:?}: {failed:?}"
        );
        failed
    };
    let missing = fails(&["-n", "base-sepolia"], "no_provider");
    let next_step = missing.only()["error"]["next_step"].to_string();
    assert!(next_step.contains("--rpc-url"), "{next_step}");
    let url = world.servers[0].url();
    fails(&["-n", "base,op"], "no_provider");
    fails(&["-n", &world.rollup_file, "--rpc-url", &url], "no_l1");
    fails(&["-n", "sepolia", "--l1-rpc-url", &url], "no_rollup");
    let other: Run = run(&mut saldo(&["mirror", "nowhere", "-n", "base", "--json"]));
    assert_eq!((other.status, &other.only()["error"]["code"]), (2, &"rollup".into()), "{other:?}");
}

/// `saldo doctor` says of a rollup what `saldo balance` says.
#[test]
fn the_doctor_says_what_a_balance_says() {
    let world = World::new();
    let files = format!("{},{}", world.l1_file, world.rollup_file);
    let command = |options: &[&str]| run(saldo(options).args(world.endpoints()));
    let examined = command(&["doctor", "-n", &files, "--json"]);
    let told = examined.only();
    assert_follows(&schema("doctor"), &told);
    let balance = command(&["balance", &ALICE.to_string(), "-n", &files, "--json"]);
    let reading: Value = serde_json::from_str(balance.out.lines().last().unwrap()).unwrap();
    let rollup = &told["rollup"];
    assert_eq!(
        (&rollup["reading"]["state"], &rollup["reading"]["why"]),
        (&reading["state"], &reading["why"])
    );
    assert_eq!((examined.status, balance.status), (3, 3), "{told}");
    assert_eq!(
        (&rollup["network"], &rollup["chain_id"]),
        (&"drill-rollup-84532".into(), &84_532.into()),
        "{told}"
    );
    assert_eq!(rollup["findings"][0]["code"], "rollup_not_vouched", "{told}");
    let [provider] = &rollup["providers"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!(
        (&provider["provider"], &provider["proof_at_tip"]["state"]),
        (&"rosa".into(), &"found".into())
    );
    assert_eq!(told["providers"][0]["provider"], "lena", "L1 stands beside it: {told}");
    assert_eq!(rollup["l1_diagnosis"]["verdict"], "works");
    let text = command(&["doctor", "-n", &files]);
    for words in
        ["execution providers of drill-rollup-84532", "what ", "vouches for no block", "rollup_not_vouched"]
    {
        assert!(text.out.contains(words), "{words}: {}", text.out);
    }

    world.propose();
    let proven = (0..30).find_map(|_| {
        std::thread::sleep(Duration::from_secs(1));
        world.advance_to(now());
        let told = command(&["doctor", "-n", &files, "--json"]);
        (told.status == 0).then_some(told)
    });
    let told = proven.expect("the provider proves at a block that L1 vouches for").only();
    assert_follows(&schema("doctor"), &told);
    let rollup = &told["rollup"];
    assert_eq!((&rollup["reading"]["state"], &rollup["reading"]["why"]), (&"proven".into(), &Value::Null));
    assert_eq!(rollup["block"]["assurance"], "l1_proof_checked", "{told}");
    let text = command(&["doctor", "-n", &files]);
    assert!(text.out.contains("Ethereum checked a proof of it"), "{}", text.out);
    assert!(text.out.contains("A balance on drill-rollup-84532 can be proven now"), "{}", text.out);
}

/// A built-in profile names no codes, and nothing of it can be proven: the next step is to read them.
#[test]
fn the_doctor_of_a_built_in_rollup_says_what_is_missing() {
    let world = World::new();
    let checkpoint = format!("0x{}", "11".repeat(32));
    let options = ["doctor", "-n", "base-sepolia", "--checkpoint", &checkpoint, "--timeout", "5s", "--json"];
    let told = run(saldo(&options).args(world.endpoints())).only();
    assert_follows(&schema("doctor"), &told);
    assert_eq!((&told["network"], &told["rollup"]["network"]), (&"sepolia".into(), &"base-sepolia".into()));
    assert_eq!(told["rollup"]["is_pinned"], false);
    let steps = told["diagnosis"]["next_steps"].to_string();
    assert!(steps.contains("saldo network codes"), "{steps}");
    let several = run(&mut saldo(&["doctor", "-n", "mainnet,base,op", "--json"]));
    assert_eq!((several.status, &several.only()["error"]["code"]), (2, &"several_networks".into()));
    let none =
        run(saldo(&["doctor", "-n", "base-sepolia", "--timeout", "2s", "--json"])
            .args(&world.endpoints()[2..]));
    assert_eq!((none.status, &none.only()["rollup"]["reading"]), (4, &Value::Null), "{none:?}");
}

#[test]
fn rollups_are_listed_with_what_can_be_proven_of_them() {
    let world = World::new();
    let list = run(&mut saldo(&["network", "list"]));
    let base = list.out.lines().find(|line| line.starts_with("base ")).unwrap();
    assert!(base.contains("chain 8453") && base.contains("rollup on mainnet"), "{base}");
    assert!(
        base.contains("every balance is provisional: the codes of its contracts are not known"),
        "{base}"
    );
    let base = run(&mut saldo(&["network", "show", "base"]));
    assert!(base.out.contains("0x909f6cf47ed12f010A796527f562bFc26C7F4E72"), "{base:?}");
    assert!(base.out.contains("nothing: the codes of its contracts are not known"), "{base:?}");
    let own = run(&mut saldo(&["network", "show", &world.rollup_file, "--json"])).only();
    assert_eq!((&own["is_pinned"], &own["l1_chain_id"]), (&true.into(), &31_337.into()), "{own}");
    assert_eq!(own["levels"], serde_json::json!(["l1_proof_checked", "l1_finalized"]));
    assert_eq!(own["game_codes"][0]["kind"], "multiproof");
}
